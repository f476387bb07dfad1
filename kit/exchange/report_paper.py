"""A report as paper: the data of `report.typ` and the PDF made from them."""

from __future__ import annotations

import datetime as dt
from typing import Any
from xml.etree import ElementTree  # nosec B405  # parses our own text only

from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kit.exchange.exporting import NUMERIC, text_width
from kit.exchange.printing import render_pdf
from kit.exchange.reports import ReportColumn, ReportResult, made_text
from kit.pages.formats import iso_date, moment, money, percent, trimmed
from kit.values.errors import BusinessError

DASH = "\u2013"
PDF_ROWS = 20_000  # more than that nobody reads on paper, and setting it takes minutes
TAGGED_ROWS = 300  # above, marks for screen readers would make a file of many megabytes
PORTRAIT_COLUMNS = 7
# millimetres
CHART_WIDTH = 180
PAGE = {False: 182, True: 269}  # between the margins, upright and across
CHARACTER, PADDING = 1.75, 3.2
SVG = "{http://www.w3.org/2000/svg}"


def to_pdf(result: ReportResult, *, company: str = "", landscape: bool | None = None) -> bytes:
    """The report on A4; `landscape` None lets the number of columns decide."""
    data = paper_data(result, company=company, landscape=landscape)
    return render_pdf("report.typ", data, tags=len(result.rows) <= TAGGED_ROWS)


def paper_data(result: ReportResult, *, company: str = "", landscape: bool | None = None) -> dict[str, Any]:
    """What `report.typ` shows; BusinessError when there are more rows than paper is fit for."""
    if len(result.rows) > PDF_ROWS:
        raise BusinessError(
            _("A PDF holds at most %(limit)s rows, this report has %(rows)s. Choose XLSX or narrow the parameters.")
            % {"limit": f"{PDF_ROWS:,}", "rows": f"{len(result.rows):,}"}
        )
    columns = result.screen
    wide = len(columns) > PORTRAIT_COLUMNS if landscape is None else landscape
    texts = [[shown_text(column.shown(row), column.kind) for column in columns] for row in result.rows]
    return {
        "lang": get_language() or "en",
        "title": result.title,
        "params_text": result.params_text,
        "company": company,
        "made": made_text(result),
        "landscape": wide,
        "size": 8.5 if len(columns) <= PORTRAIT_COLUMNS + 2 * wide else 7.5,
        "chart": chart_parts(result.chart) if result.chart else None,
        "columns": [
            {"label": str(column.label), "align": "right" if column.numeric else "left", "width": width}
            for column, width in zip(columns, _widths(columns, texts, PAGE[wide]), strict=True)
        ],
        "rows": texts,
        "totals": [_total_cells(columns, sums) for sums in result.totals],
        "notes": [result.notes] if result.notes else [],
        "empty": str(_("No rows for these parameters.")),
        "page_label": page_label(),
    }


def shown_text(value: Any, kind: str) -> str:
    """A cell of a report for people: nothing for None, zero as a dash (UX 7.7)."""
    if value is None or value == "":
        return ""
    if kind in NUMERIC and not value:
        return DASH
    if kind in {"quantity", "price"}:
        return trimmed(value, 2 if kind == "price" else 0)
    if kind == "integer":
        return money(value, 0)
    if kind in NUMERIC:
        return money(value) if kind == "money" else percent(value)
    if isinstance(value, dt.datetime):
        return moment(value)
    return iso_date(value) if isinstance(value, dt.date) else str(value)


def page_label() -> str:
    """How a page names itself; the template fills in {n} and {total}."""
    return str(_("Page {n} of {total}"))


def _total_cells(columns: list[ReportColumn], sums: dict[str, Any]) -> list[str]:
    cells = [shown_text(sums.get(column.name), column.kind) for column in columns]
    cells[0] = cells[0] or str(_("Total"))
    return cells


def _widths(columns: list[ReportColumn], texts: list[list[str]], room: float) -> list[str]:
    """Shares by content where everything fits into `room` millimetres; else only long texts give way and break."""
    needed = [
        max(text_width(str(column.label)), *(text_width(row[i]) for row in texts), 6) * CHARACTER + PADDING
        for i, column in enumerate(columns)
    ]
    if sum(needed) <= room:
        return [f"{width:.1f}fr" for width in needed]
    free = [column.kind == "text" and width > 14 * CHARACTER for column, width in zip(columns, needed, strict=True)]
    return [f"{min(width, 80):.1f}fr" if may else "auto" for width, may in zip(needed, free, strict=True)]


def chart_parts(svg: str) -> dict[str, Any]:
    """A chart for the template: the drawing, and its texts apart, which typst sets with the paper's own font."""
    root = ElementTree.fromstring(svg)  # nosec B314  # noqa: S314 - our own drawing, made in this process
    texts = []
    for parent in list(root.iter()):
        for element in [child for child in parent if child.tag == f"{SVG}text"]:
            texts.append({"text": element.text or "", "text-anchor": "start"} | element.attrib)
            parent.remove(element)
    drawing = ElementTree.tostring(root, encoding="unicode")
    return {"svg": drawing, "texts": texts, "millimetres": CHART_WIDTH, **root.attrib}
