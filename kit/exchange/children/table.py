"""The child that reads tables: prints the rows of a CSV file or a workbook as JSON lines (rules S-13, F-18).

The first line names the format, every other one is `[row number, [cells]]`.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import sys
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

from kit.exchange.children.common import OLE, Refusal, check_parts, decoded, start_of

ROWS, COLUMNS = 200_000, 200
DELIMITERS = (",", ";", "\t")


def work(path: str) -> None:
    """Print the rows of the file at `path`."""
    start = start_of(path)
    if start[:4] == OLE:
        raise Refusal("old")
    kind, rows = ("xlsx", _workbook(path)) if start[:2] == b"PK" else ("csv", _csv(path))
    _print(kind, rows)


def _print(kind: str, rows: Iterable[list[str]]) -> None:
    out = sys.stdout
    out.write(json.dumps({"format": kind}) + "\n")
    found = 0
    for number, row in enumerate(rows, start=1):
        while row and not row[-1].strip():
            row.pop()
        if not row:
            continue
        found += 1
        if found > ROWS + 1:  # and the header
            raise Refusal("rows", limit=ROWS)
        if len(row) > COLUMNS:
            raise Refusal("columns", row=number, limit=COLUMNS)
        for position, cell in enumerate(row, start=1):
            if not _storable(cell):
                raise Refusal("characters", row=number, column=position)
        out.write(json.dumps([number, row]) + "\n")
    if not found:
        raise Refusal("empty")


def _storable(text: str) -> bool:
    """PostgreSQL stores neither NUL nor halves of surrogate pairs."""
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


# ---- CSV ----


def _csv(path: str) -> Iterator[list[str]]:
    with open(path, "rb") as file:
        text = decoded(file.read())
    csv.field_size_limit(200_000)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    number = 0
    while True:
        number += 1
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise Refusal("csv", row=number, text=str(error)) from None


def _delimiter(text: str) -> str:
    """The delimiter that stands most often outside quotes in the first line."""
    counts = dict.fromkeys(DELIMITERS, 0)
    quoted = False
    for character in text[:100_000]:
        if character == '"':
            quoted = not quoted
        elif character == "\n" and not quoted:
            if any(counts.values()):
                break
        elif character in counts and not quoted:
            counts[character] += 1
    return max(DELIMITERS, key=lambda delimiter: counts[delimiter])


# ---- workbooks ----


def _workbook(path: str) -> Iterator[list[str]]:
    import python_calamine  # after the limits are set, and only where a workbook is read

    try:
        check_parts(path, "xl/workbook.xml")
        book = python_calamine.CalamineWorkbook.from_path(path)
        shown = python_calamine.SheetVisibleEnum.Visible
        names = [sheet.name for sheet in book.sheets_metadata if sheet.visible == shown]
        for name in names or book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            if sheet.height:
                yield from ([_text(cell) for cell in row] for row in sheet.iter_rows())
                return
    except (python_calamine.CalamineError, zipfile.BadZipFile, OSError, ValueError, RuntimeError, NotImplementedError):
        raise Refusal("damaged") from None


def _text(cell: Any) -> str:
    """A cell as a person would write it: ISO dates, plain numbers of 15 digits, yes and no."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float):
        return _number(cell)
    if isinstance(cell, dt.datetime):
        return cell.date().isoformat() if cell.time() == dt.time() else cell.isoformat(sep=" ", timespec="seconds")
    return str(cell)


def _number(cell: Any) -> str:
    number = Decimal(format(cell, ".15g"))
    if not number.is_finite():
        return str(cell)
    return f"{number.normalize():f}" if number else "0"
