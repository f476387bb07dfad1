"""Tables of lists as HTML: a page has hundreds of cells, and a template for each takes ten times as long."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from django import template
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit.pages.filters import menu_of
from kit.pages.lists import ListState
from kit.pages.markup import safe
from kit.pages.rowparts import Header, Row, Tab
from kit.templatetags.icons import icon

register = template.Library()

ORDERS = {"asc": "ascending", "desc": "descending"}
ARROWS = {"ascending": "arrow-up", "descending": "arrow-down"}


@register.simple_tag
def filter_menu(state: ListState) -> SafeString:
    """The fields of the filter menu of a list."""
    return safe(menu_of(state.resource, state.filterset, state.user))


@register.simple_tag
def list_tabs(tabs: Iterable[Tab]) -> SafeString:
    """The views over a list, as links that change the list alone."""
    return safe("".join(_tab(tab) for tab in tabs))


def _tab(tab: Tab) -> str:
    here = ' class="on" aria-current="true"' if tab.current else ""
    return f"<a{here} {_turns(tab.query)}>{escape(capfirst(str(tab.label)))}</a>"


@register.simple_tag
def table_heads(headers: Iterable[Header], plain: bool) -> SafeString:
    """The headings of a table; they sort it, unless it is `plain`."""
    return safe("".join(_head(header, plain) for header in headers))


def _head(header: Header, plain: bool) -> str:
    words, order = escape(header.column.heading), ORDERS.get(header.sorted, "")
    css = " ".join(filter(None, ("num" if header.column.numeric else "", "sorted" if order else "")))
    tag = f'<th scope="col" class="{css}"' + (f' aria-sort="{order}">' if order else ">")
    if plain:
        return f"{tag}{words}</th>"
    arrow = f'<span class="so">{icon(ARROWS[order], 12)}</span>' if order else ""
    return f"{tag}<a {_turns(header.query)}>{words}{arrow}</a></th>"


def _turns(query: str) -> str:
    """Where a link leads with and without scripts."""
    url = escape(query)
    return f'href="?{url}" hx-get="?{url}" hx-target="#list" hx-push-url="true"'


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
