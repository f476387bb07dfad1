"""Rows of a list as HTML: a page has hundreds of cells, and a template for each takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterable

from django import template
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from kit.pages.columns import Cell
from kit.pages.filters import FilterField, fields_of
from kit.pages.lists import ListState, Row

register = template.Library()


@register.filter
def filter_fields(state: ListState) -> list[FilterField]:
    """The fields of the filter menu of a list."""
    return fields_of(state.filterset, state.params)


@register.simple_tag
def table_rows(rows: Iterable[Row], ticks: bool) -> SafeString:
    """The rows of a table, with boxes to tick for what is done to many at once."""
    select = _("Select")
    return format_html_join("\n", "{}", ((_row(row, select if ticks else ""),) for row in rows))


def _row(row: Row, select: str) -> SafeString:
    box: str = ""
    if select:
        box = format_html(
            '<td class="ck"><input type="checkbox" class="cb" name="ids" value="{}" aria-label="{} {}"></td>',
            row.pk,
            select,
            row.cells[0].text,
        )
    cells = format_html_join(
        "", '<td class="{}">{}</td>', ((_classes(c, not i), c.html) for i, c in enumerate(row.cells))
    )
    return format_html('<tr id="r-{}" data-href="{}">{}{}</tr>', row.pk, row.url, box, cells)


def _classes(cell: Cell, first: bool) -> str:
    """Figures at the right, and the place on a phone's card."""
    column = cell.column
    place = (
        "c-no" if first else f"c-{column.phone}" if column.phone else "c-st" if column.kind == "state" else "xs-hide"
    )
    parts = ("num" if column.numeric else "", "neg" if cell.negative else "", place, column.css)
    return " ".join(filter(None, parts))
