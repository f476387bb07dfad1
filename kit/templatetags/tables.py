"""Rows of a list as HTML: a page has hundreds of cells, and a template for each takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

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
    cells = [f'<td class="{c.column.classes}{" neg" if c.negative else ""}">{c.html}</td>' for c in row.cells[1:]]
    first = f'<td class="{row.cells[0].column.classes_first}">{row.cells[0].html}</td>'
    return f'<tr id="r-{row.pk}" data-href="{escape(row.url)}">{box}{first}{"".join(cells)}</tr>'
