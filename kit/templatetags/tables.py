"""Rows of a list as HTML: a page has hundreds of cells, and a template for each takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from kit.pages.columns import Cell
from kit.pages.filters import FilterField, fields_of
from kit.pages.lists import ListState
from kit.pages.markup import safe
from kit.pages.rowparts import Row

register = template.Library()


@register.filter
def filter_fields(state: ListState) -> list[FilterField]:
    """The fields of the filter menu of a list."""
    return fields_of(state.resource, state.filterset, state.user)


@register.simple_tag
def table_rows(rows: Iterable[Row], ticks: bool) -> SafeString:
    """The rows of a table, with boxes to tick for what is done to many at once."""
    select = escape(_("Select"))
    return safe("\n".join(_row(row, select if ticks else "") for row in rows))


def _row(row: Row, select: str) -> str:
    """A row; everything but our own words and numbers is escaped here, and cells are by `Cell.html`."""
    box = ""
    if select:
        label = f"{select} {escape(row.cells[0].text)}"
        box = f'<td class="ck"><input type="checkbox" class="cb" name="ids" value="{row.pk}" aria-label="{label}"></td>'
    cells = "".join([f'<td class="{_classes(c, not i)}">{c.html}</td>' for i, c in enumerate(row.cells)])
    return f'<tr id="r-{row.pk}" data-href="{escape(row.url)}">{box}{cells}</tr>'


def _classes(cell: Cell, first: bool) -> str:
    """Figures at the right, and the place on a phone's card."""
    column = cell.column
    place = (
        "c-no" if first else f"c-{column.phone}" if column.phone else "c-st" if column.kind == "state" else "xs-hide"
    )
    parts = ("num" if column.numeric else "", "neg" if cell.negative else "", place, column.css)
    return " ".join(filter(None, parts))
