"""Rows out of the system as CSV or XLSX: streamed, exact, and safe to open in a spreadsheet (rule S-12).

Lists, reports and `manage.py export` all write through here. Numbers and dates go out as what they are; only
text can be mistaken for a formula, so only text is guarded.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import IO, Any

import xlsxwriter
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from kit.values.money import round_half_up

Row = Mapping[str, Any] | Sequence[Any]

FORMATS = ("csv", "xlsx")
NUMERIC = {"money", "quantity", "percent", "integer", "price"}

# What a spreadsheet skips before it looks for a formula: blanks, control and invisible characters, quotes.
_SKIPPED = re.compile(r"""[\s\x00-\x20\x7f-\xa0\xad\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff"']*""")
_STARTERS = frozenset("=+-@")
_CONTROLS = frozenset("\t\r\n\0")

SHEET_ROWS = 1_000_000  # an XLSX sheet ends at 1,048,576; the rest goes to the next sheet
CELL_TEXT = 32_767  # the longest text of a cell; more would be dropped without a word
EARLIEST = dt.date(1900, 1, 1)  # what spreadsheets count days from; earlier dates go out as text


@dataclass(frozen=True)
class Column:
    """A column that goes out.

    `name` heads machine files and is the key of mappings, `label` is for people. Kinds: text, money, price,
    quantity, percent (13 = 13 %), integer, date, datetime, bool.
    """

    name: str
    label: Any
    kind: str = "text"

    @property
    def numeric(self) -> bool:
        """Whether the column is aligned to the right."""
        return self.kind in NUMERIC


def starts_formula(text: str) -> bool:
    """Whether a spreadsheet could run `text`: = + - @, also full-width, after blanks, controls or quotes."""
    if text[:1] in _CONTROLS:
        return bool(text)
    start = text[_SKIPPED.match(text).end() :][:1]  # type: ignore[union-attr]
    return bool(start) and unicodedata.normalize("NFKC", start) in _STARTERS


def protect(text: str) -> str:
    """`text` for a CSV cell: with a leading apostrophe where a spreadsheet would run it (rule S-12)."""
    return f"'{text}" if starts_formula(text) else text


def unprotect(text: str) -> str:
    """The text behind `protect`, for an importer that reads back what was exported."""
    return text[1:] if text[:1] == "'" and starts_formula(text[1:]) else text


def plain(value: Any, kind: str = "text") -> str:
    """`value` for machines: ISO dates, a point and no thousands, amounts with their two decimals."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Decimal):
        return _plain_decimal(value, kind)
    if isinstance(value, dt.datetime):
        return timezone.localtime(value).isoformat() if timezone.is_aware(value) else value.isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return str(value)


def _plain_decimal(value: Decimal, kind: str) -> str:
    if kind == "money":
        return f"{value if value.as_tuple().exponent <= -2 else round_half_up(value, 2):f}"  # type: ignore[operator]
    return f"{value.normalize() + 0:f}"


def cells(row: Row, columns: Sequence[Column]) -> list[Any]:
    """The values of `row` in the order of `columns`; a mapping is read by name."""
    return [row[column.name] for column in columns] if isinstance(row, Mapping) else list(row)


def write_rows(
    file: IO[bytes],
    format: str,
    columns: Sequence[Column],
    rows: Iterable[Row],
    *,
    labels: bool = False,
    bom: bool = False,
    title: Sequence[str] = (),
) -> int:
    """Write `rows` to the binary `file` one by one, in constant memory; returns how many.

    `labels` heads the columns for people instead of machines, `bom` marks a CSV as UTF-8 for spreadsheets,
    `title` are lines over an XLSX table (what, filter, time, who).
    """
    if format not in FORMATS:
        raise BusinessError(
            _("%(format)s is not offered; choose one of %(formats)s.")
            % {"format": format, "formats": ", ".join(FORMATS)}
        )
    head = [str(column.label if labels else column.name) for column in columns]
    if format == "csv":
        return _write_csv(file, head, columns, rows, bom)
    with XlsxTable(file, columns, head, title) as table:
        count = 0
        for row in rows:
            table.add(cells(row, columns))
            count += 1
        return count


def _write_csv(file: IO[bytes], head: list[str], columns: Sequence[Column], rows: Iterable[Row], bom: bool) -> int:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        if bom:
            text.write("\ufeff")
        writer = csv.writer(text, lineterminator="\r\n")
        writer.writerow([protect(cell) for cell in head])
        kinds = [column.kind for column in columns]
        count = 0
        for row in rows:
            writer.writerow([_csv_cell(v, k) for v, k in zip(cells(row, columns), kinds, strict=True)])
            count += 1
        return count
    finally:
        text.detach()  # the file belongs to the caller and stays open


def _csv_cell(value: Any, kind: str) -> str:
    """Numbers and dates are exempt from protection by their type, not by the column they stand in (S-12)."""
    text = plain(value, kind)
    return text if isinstance(value, int | float | Decimal | dt.date) else protect(text)


@dataclass
class XlsxTable:
    """One table in a workbook, written row by row: title lines, a frozen header, true numbers and dates."""

    file: IO[bytes]
    columns: Sequence[Column]
    head: Sequence[str]
    title: Sequence[str] = ()
    _row: int = field(default=0, init=False)
    _last: int = field(default=0, init=False)  # number of the last data row, counted from 1
    _formats: dict[str, Any] = field(default_factory=dict, init=False)

    def __enter__(self) -> XlsxTable:
        options = {
            "constant_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
            "default_date_format": "yyyy-mm-dd",
            "remove_timezone": True,
        }
        self._book = xlsxwriter.Workbook(self.file, options)
        self._widths = [max(9, text_width(label) + 2) for label in self.head]
        self._new_sheet()
        return self

    def __exit__(self, *exception: Any) -> None:
        self._set_widths()
        self._book.close()

    def _new_sheet(self) -> None:
        self.sheet = self._book.add_worksheet()
        self._row = 0
        for number, line in enumerate(self.title):
            self.sheet.write_string(self._row, 0, line, self._format("title" if not number else "note"))
            self._row += 1
        self._row += 1 if self.title else 0
        for position, (label, column) in enumerate(zip(self.head, self.columns, strict=True)):
            self.sheet.write_string(self._row, position, label, self._format("head-num" if column.numeric else "head"))
        self._row += 1
        self.first = self._row
        self.sheet.freeze_panes(self._row, 1)
        self.sheet.repeat_rows(self._row - 1)
        self.sheet.set_landscape()
        self.sheet.fit_to_pages(1, 0)

    def add(self, values: Sequence[Any]) -> None:
        """Write one row of values; a full sheet is followed by another one."""
        if self._row - self.first >= SHEET_ROWS:
            self._set_widths()
            self._new_sheet()
        for position, (value, column) in enumerate(zip(values, self.columns, strict=True)):
            self._write(position, value, column)
        self._row += 1
        self._last = self._row

    def add_totals(self, label: str, values: Mapping[str, Any], by: str = "") -> None:
        """Write a row of sums over all rows, as formulas; `by` names the column whose equal rows they add."""
        names = [column.name for column in self.columns]
        for position, column in enumerate(self.columns):
            value = values.get(column.name)
            if isinstance(value, Decimal | int) and not isinstance(value, bool):
                look = self._format(f"total-{column.kind}", value)
                formula = self._sum(position, names.index(by) if by else None)
                self.sheet.write_formula(self._row, position, formula, look, float(value))
            else:
                text = plain(value) if position or value else label
                self.sheet.write_string(self._row, position, text, self._format("total"))
        self._row += 1

    def add_note(self, text: str) -> None:
        """Write a remark under the table."""
        self.sheet.write_string(self._row + 1, 0, text, self._format("note"))

    def _sum(self, position: int, by: int | None) -> str:
        def cells(place: int) -> str:
            return f"{_letter(place)}{self.first + 1}:{_letter(place)}{self._last}"

        if by is None:
            return f"=SUM({cells(position)})"
        return f"=SUMIF({cells(by)},{_letter(by)}{self._row + 1},{cells(position)})"

    def _write(self, position: int, value: Any, column: Column) -> None:
        sheet, row = self.sheet, self._row
        if value is None or value == "":
            return
        if isinstance(value, bool):
            value = _("yes") if value else _("no")
        if isinstance(value, Decimal | int) and Decimal(repr(float(value))) != value:  # more than 15 digits
            text = plain(value, column.kind)
            sheet.write_string(row, position, text, self._format("exact"))
            width = len(text) + 1
        elif isinstance(value, Decimal | int | float):
            sheet.write_number(row, position, float(value), self._format(column.kind, value))
            width = 4 + len(f"{value:,.2f}")
        elif isinstance(value, dt.date) and _day(value) >= EARLIEST:
            timed = isinstance(value, dt.datetime)
            sheet.write_datetime(row, position, _naive(value), self._format("datetime" if timed else "date"))
            width = 18 if timed else 12
        else:
            text = plain(value)
            text = text if len(text) <= CELL_TEXT else f"{text[: CELL_TEXT - 1]}…"
            sheet.write_string(row, position, text)
            width = text_width(text) + 1
        self._widths[position] = max(self._widths[position], min(width, 60))

    def _format(self, kind: str, value: Any = None) -> Any:
        """The look of a cell; quantities keep the decimals they have."""
        whole = isinstance(value, Decimal) and value != value.to_integral_value()
        key = f"{kind}{'-part' if whole else ''}"
        if key not in self._formats:
            self._formats[key] = self._book.add_format(_look(kind, whole))
        return self._formats[key]

    def _set_widths(self) -> None:
        for position, width in enumerate(self._widths):
            self.sheet.set_column(position, position, width)


def _look(kind: str, whole: bool) -> dict[str, Any]:
    base, _dash, rest = kind.partition("-")
    number = {
        "money": "#,##0.00;[Red]-#,##0.00",
        "price": "#,##0.00####",
        "percent": '0.0"%"',
        "integer": "#,##0",
        "quantity": "#,##0.0###" if whole else "#,##0",
        "date": "yyyy-mm-dd",
        "datetime": "yyyy-mm-dd hh:mm",
    }
    if base == "title":
        return {"bold": True, "font_size": 14}
    if base == "note":
        return {"font_color": "#5C667A"}
    if base == "head":
        return {
            "bold": True,
            "bottom": 1,
            "bg_color": "#EEF0F3",
            "align": "right" if rest else "left",
            "valign": "vcenter",
            "text_wrap": False,
        }
    if base == "exact":
        return {"align": "right"}
    if base == "total":
        return {"bold": True, "top": 1} | ({"num_format": number[rest]} if rest in number else {})
    return {"num_format": number[base]} if base in number else {}


def _letter(position: int) -> str:
    return xlsxwriter.utility.xl_col_to_name(position)


def text_width(text: str) -> int:
    """Columns a text takes; Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text[:80])


def _day(value: dt.date) -> dt.date:
    return value.date() if isinstance(value, dt.datetime) else value


def _naive(value: dt.date) -> dt.date:
    """A moment on the clock of the reader: spreadsheets know no time zones."""
    return timezone.make_naive(value) if isinstance(value, dt.datetime) and timezone.is_aware(value) else value


# Exporters of masters, registered next to their importers ------------------------------------------------------

# filters, user -> columns and rows; what comes out can be imported again.
Exporter = Callable[[dict[str, str], Any], tuple[Sequence[Column], Iterable[Row]]]

_exporters: dict[str, Exporter] = {}


def register(kind: str, exporter: Exporter) -> None:
    """Offer `exporter` as `manage.py export KIND`."""
    _exporters[kind] = exporter


def kinds() -> list[str]:
    """The names of all registered exporters."""
    return sorted(_exporters)


def exporter(kind: str) -> Exporter:
    """The exporter called `kind`; BusinessError names those there are."""
    if kind not in _exporters:
        raise BusinessError(
            _("There is no export “%(kind)s”; choose one of %(kinds)s.") % {"kind": kind, "kinds": ", ".join(kinds())}
        )
    return _exporters[kind]
