"""What the rows of a line grid say beside their cells: errors under the row, and the details that fold out."""

from __future__ import annotations

import json
from collections.abc import Iterable

from django import template
from django.template import Context
from django.utils.safestring import SafeString

from kit.pages.lines import GridColumn, GridRow, LineGrid
from kit.pages.markup import safe
from kit.pages.packing import PACKED, packed, shown

register = template.Library()


@register.simple_tag(takes_context=True)
def folded_rows(context: Context, rows: Iterable[GridRow]) -> SafeString:
    """Rows that are not in view, one hidden input each."""
    grid: LineGrid = context["grid"]
    columns = [*grid.hidden, *context["columns"], *context["details"]]
    return safe("".join(_folded(grid, row, columns) for row in rows))


def _folded(grid: LineGrid, row: GridRow, columns: list[GridColumn]) -> str:
    name = f"{grid.prefix}-{row.index}-{PACKED}"
    value, data = packed(grid, row, columns), shown(row)
    return f'<input type="hidden" name="{name}" id="{name}" value=\'{value}\' data-shown=\'{data}\'>'


@register.filter
def as_json(texts: dict[str, str]) -> str:
    """Texts by their column, as scripts read them."""
    return json.dumps({name: str(text) for name, text in texts.items()}, ensure_ascii=False)


@register.filter
def cell_errors(row: GridRow, details: Iterable[GridColumn] | None) -> list[str]:
    """The messages that stand under the row: those of details stand at their fields."""
    folded = {column.name for column in details or ()}
    return [message for name, message in row.errors.items() if name not in folded]


@register.filter
def detail_errors(row: GridRow, details: Iterable[GridColumn]) -> bool:
    """Whether the details must be open: something in them is wrong."""
    return any(column.name in row.errors for column in details)


@register.filter
def has_details(row: GridRow, details: Iterable[GridColumn]) -> bool:
    """Whether a detail of the row is filled."""
    return any(row.typed.get(column.name, "").strip() for column in details)
