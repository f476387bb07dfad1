"""Empty files to fill in: the titles of a kind, in a workbook with drop-downs and remarks."""

from __future__ import annotations

import io
from collections import Counter
from typing import Any

import xlsxwriter
from django.utils.translation import gettext as _

from kit.exchange.exporting import Column as OutColumn
from kit.exchange.exporting import write_rows
from kit.exchange.importing_batch import Importer
from kit.exchange.importing_columns import Column, plain_title

ROWS = 1000  # rows with drop-downs
LISTED = 255  # characters that a drop-down may hold

KINDS = {
    "date": "2026-11-23",
    "bool": "yes / no",
    "fraction": "0.15",
    "percent": "13",
    "money": "1280.50",
    "price": "12.5",
    "quantity": "10",
    "integer": "1",
    "rate": "7.12",
    "number": "1.5",
}


def titles(importer: Importer) -> list[str]:
    """The titles in the language of the person; the name where two columns would have the same title."""
    labels = [str(column.label) for column in importer.columns()]
    counts = Counter(plain_title(label) for label in labels)
    names = {plain_title(column.name) for column in importer.columns()}

    def title(column: Column, label: str) -> str:
        plain = plain_title(label)
        other = plain in names and plain != plain_title(column.name)
        return column.name if counts[plain] > 1 or other or not plain else label[:1].upper() + label[1:]

    return [title(column, label) for column, label in zip(importer.columns(), labels, strict=True)]


def template_file(importer: Importer, kind: str) -> bytes:
    """A CSV or XLSX file with the titles of `importer` and no rows."""
    file = io.BytesIO()
    if kind == "csv":
        write_rows(file, "csv", [OutColumn(title, title) for title in titles(importer)], [], bom=True)
        return file.getvalue()
    with xlsxwriter.Workbook(file, {"in_memory": True, "strings_to_formulas": False}) as book:
        sheet = book.add_worksheet()
        plain, strong = book.add_format({"bottom": 1}), book.add_format({"bold": True, "bottom": 1})
        for place, (column, title) in enumerate(zip(importer.columns(), titles(importer), strict=True)):
            text, look = (f"{title}*", strong) if column.required else (title, plain)
            sheet.write_string(0, place, text, look)
            sheet.write_comment(0, place, remark(column))
            sheet.set_column(place, place, max(10, len(title) + 4))
            _drop_down(sheet, place, column)
        sheet.freeze_panes(1, 0)
    return file.getvalue()


def remark(column: Column) -> str:
    """What belongs into a column, in a few words."""
    parts = [_("required") if column.required else _("may be empty")]
    if column.model is not None:
        parts.append(_("code or name of a %s") % column.model._meta.verbose_name)
    elif column.choices:
        parts.append(", ".join(str(label) for value, label in column.choices if value != ""))
    elif column.kind in KINDS:
        parts.append(_("for example %s") % KINDS[column.kind])
    elif column.length:
        parts.append(_("at most %s characters") % column.length)
    return "; ".join(parts)


def _drop_down(sheet: Any, place: int, column: Column) -> None:
    names = [str(label) for value, label in column.choices if value != ""]
    if column.kind == "bool":
        names = [_("yes"), _("no")]
    if names and len(",".join(names)) <= LISTED:
        sheet.data_validation(1, place, ROWS, place, {"validate": "list", "source": names})
