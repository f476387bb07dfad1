"""The child process that opens a file somebody else made: prints its rows as JSON lines (rules S-13, F-18).

Started by `kit.exchange.reading` with the path of the file; imports nothing of ours. It limits its own memory
and time first, so that a hostile workbook ends this process and nothing else. The first line names the
format, every other one is `[row number, [cells]]`; refusals go to standard error as JSON, with exit code 3.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import resource
import sys
import zipfile
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Any

MEMORY = 512 * 1024 * 1024  # bytes of address space
SECONDS = 60  # of processor time
INFLATED = 200 * 1024 * 1024  # what the parts of a workbook may add up to
RATIO = 100  # how far a workbook of some size may be compressed
SMALL = 5 * 1024 * 1024  # a workbook below this is harmless however well it is compressed
ROWS, COLUMNS, PARTS = 200_000, 200, 2_000
REFUSED = 3
OLE = b"\xd0\xcf\x11\xe0"  # old workbooks, and new ones with a password
DELIMITERS = (",", ";", "\t")


class Refusal(Exception):
    """Why the file is not read: a code that the parent puts into words, and what belongs to it."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.facts = {"error": code, **facts}
        super().__init__(code)


def main(path: str) -> int:
    """Print the rows of the file at `path`."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * INFLATED, 2 * INFLATED))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        with open(path, "rb") as file:
            start = file.read(4)
        if start == OLE:
            raise Refusal("old")
        kind, rows = ("xlsx", _workbook(path)) if start[:2] == b"PK" else ("csv", _csv(path))
        _print(kind, rows)
    except Refusal as refusal:
        print(json.dumps(refusal.facts), file=sys.stderr)
        return REFUSED
    except MemoryError:
        print(json.dumps({"error": "memory"}), file=sys.stderr)
        return REFUSED
    return 0


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
    out.flush()


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
        text = _decoded(file.read())
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


def _decoded(data: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with mark as spreadsheets write it, else GB 18030."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codecs: tuple[str, ...] = ("utf-16",)
    else:
        codecs = ("utf-8-sig", "gb18030")
    for codec in codecs:
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    raise Refusal("encoding")


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
        _check_parts(path)
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


def _check_parts(path: str) -> None:
    """Inflate every part and count, because the sizes that a bomb states are not true."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = [part.filename for part in parts]
        if "xl/workbook.xml" not in names or len(set(names)) < len(names) or len(parts) > PARTS:
            raise Refusal("damaged")
        if any(name.startswith("/") or ".." in name.split("/") for name in names):
            raise Refusal("damaged")
        if any(part.flag_bits & 1 for part in parts):
            raise Refusal("old")
        packed = sum(part.compress_size for part in parts)
        inflated = 0
        for part in parts:
            with archive.open(part) as file:
                first = True
                while chunk := file.read(1 << 16):
                    inflated += len(chunk)
                    if inflated > INFLATED or inflated > max(SMALL, RATIO * packed):
                        raise Refusal("inflated")
                    if first and part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in chunk:
                        raise Refusal("damaged")
                    first = False


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


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
