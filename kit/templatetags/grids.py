"""What the rows of a line grid say beside their cells: errors under the row, and the details that fold out."""

from __future__ import annotations

from collections.abc import Iterable

from django import template

from kit.pages.lines import GridColumn, GridRow

register = template.Library()


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
