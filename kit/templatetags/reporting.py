"""Cells of report tables."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django import template

from kit.exchange.report_paper import shown_text
from kit.exchange.reports import ReportResult

register = template.Library()


@dataclass(frozen=True)
class ReportCell:
    """A formatted figure with the page behind it."""

    text: str
    numeric: bool
    negative: bool = False
    href: str = ""


@register.filter
def report_rows(result: ReportResult) -> list[list[ReportCell]]:
    """All rows, formatted once."""
    return [[_cell(c, row, c.link(row) if c.link else None) for c in result.screen] for row in result.rows]


@register.filter
def report_totals(result: ReportResult) -> list[list[ReportCell]]:
    """The totals rows."""
    return [[_formatted(c, row.get(c.name), "") for c in result.screen] for row in result.totals]


def _cell(column: Any, row: Any, href: str | None) -> ReportCell:
    return _formatted(column, column.shown(row), href or "")


def _formatted(column: Any, value: Any, href: str) -> ReportCell:
    text = "" if value is None else shown_text(value, column.kind)
    return ReportCell(text, column.numeric, isinstance(value, Decimal) and value < 0, href)
