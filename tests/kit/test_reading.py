"""Files that somebody else made: read with limits in a process of its own (rules S-13, F-18)."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from kit.exchange import reading
from kit.exchange.reading import read_table
from kit.values.errors import BusinessError

TEXT = "编码,名称\r\nC-1,苏州明锐\r\n"


def rows_of(content: bytes, name: str = "file.csv") -> list[tuple[int, list[str]]]:
    table = read_table(content, name)
    try:
        assert list(table) == list(table)  # as often as one asks
        return list(table)
    finally:
        table.close()


def refused(content: bytes, name: str = "file.xlsx") -> str:
    with pytest.raises(BusinessError) as caught:
        read_table(content, name)
    return str(caught.value)


def workbook(fill: Any, **options: Any) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True, **options}) as book:
        fill(book)
    return file.getvalue()


def repacked(content: bytes, change: Any, compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """The workbook with parts changed: `change(name, data)` gives the new parts of one part."""
    file = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(file, "w", compression) as new:
        for name in old.namelist():
            for part, data in change(name, old.read(name)):
                new.writestr(part, data)
    return file.getvalue()


def simple(book: Any) -> None:
    book.add_worksheet().write_row(0, 0, ["code", "name"])


@pytest.mark.parametrize(
    "content",
    [
        TEXT.encode(),
        TEXT.encode("utf-8-sig"),
        TEXT.encode("gb18030"),
        TEXT.encode("utf-16"),
        TEXT.replace(",", ";").encode(),
        TEXT.replace(",", "\t").encode("utf-16"),
        TEXT.replace("\r\n", "\n").encode(),
        b"\n\n".join(TEXT.encode().split(b"\r\n")),
    ],
    ids=["utf-8", "mark", "gb18030", "utf-16", "semicolon", "tab", "newline", "empty rows"],
)
def test_csv_of_every_kind(content: bytes) -> None:
    """Encoding and delimiter are found without asking; empty rows are no rows."""
    rows = rows_of(content)
    assert [cells for _number, cells in rows] == [["编码", "名称"], ["C-1", "苏州明锐"]]


def test_cells_with_line_ends_and_quotes() -> None:
    """A cell may hold delimiters, quotes and line ends; rows are counted as a spreadsheet counts them."""
    assert rows_of(b'a,b\r\n"x\ny, ""z""",1\r\nlast,2\r\n')[1:] == [(2, ['x\ny, "z"', "1"]), (3, ["last", "2"])]


def test_values_of_a_workbook() -> None:
    """Numbers come without noise of binary fractions, dates as ISO, formulas as their values."""
    import datetime as dt

    def fill(book: Any) -> None:
        book.add_worksheet("hidden").hide()
        sheet = book.add_worksheet("data")
        sheet.activate()
        sheet.write_row(1, 0, ["code", "n", "day", "at", "yes", "sum", "text"])
        sheet.write_row(3, 0, [1001, 0.1 + 0.2])
        sheet.write_datetime(3, 2, dt.datetime(2026, 2, 28), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write_datetime(3, 3, dt.datetime(2026, 2, 28, 9, 30), book.add_format({"num_format": "yyyy-mm-dd hh:mm"}))
        sheet.write_boolean(3, 4, True)
        sheet.write_formula(3, 5, "=1+1", None, 2)
        sheet.write_string(3, 6, "0012")

    rows = rows_of(workbook(fill), "book.xlsx")
    assert rows == [
        (2, ["code", "n", "day", "at", "yes", "sum", "text"]),
        (4, ["1001", "0.3", "2026-02-28", "2026-02-28 09:30:00", "yes", "2", "0012"]),
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "has no rows"),
        (b" \r\n\t", "has no rows"),
        (b"a,b\r\nx\0,1\r\n", "Row 2, column 1"),
        (b'a,b\r\n"open,1\r\n', "Row 2 of file.csv is not written as CSV"),
        (b"\xff\xfe\x00", "cannot be read"),
        (b"a\xff\xff\xff,b", "cannot be read"),
        (b",".join([b"x"] * 201), "more than 200 columns"),
        (b"\xd0\xcf\x11\xe0rest", "old workbook or has a password"),
        (b"PK\x03\x04rest", "damaged"),
        (b"code\n" + b"1\n" * 200_001, "more than 200000 rows"),
    ],
    ids=["empty", "blank", "nul", "quote", "odd utf-16", "no encoding", "columns", "old", "no zip", "rows"],
)
def test_files_that_are_refused(content: bytes, said: str) -> None:
    """S-13: what cannot be imported is refused in words, with the row where there is one."""
    assert said in refused(content, "file.csv")


def test_large_files_are_refused_before_reading() -> None:
    """S-13: 20 MB at most."""
    assert "larger than 20 MB" in refused(b"x" * (reading.SIZE + 1))


def test_far_away_cell() -> None:
    """F-18: one cell in the last corner of a sheet would need 17 thousand million cells; only the child ends."""

    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        sheet.write(0, 0, "code")
        sheet.write(1_048_575, 16_383, "far")

    assert "too much memory" in refused(workbook(fill))


def bomb() -> bytes:
    """A workbook with a part of 60 MB of blanks."""
    part = ("xl/bomb.xml", b"<sst>" + b" " * 60_000_000 + b"</sst>")
    return repacked(
        workbook(simple), lambda name, data: [(name, data), part] if name == "xl/workbook.xml" else [(name, data)]
    )


def test_compression_bomb() -> None:
    """S-13: a workbook that inflates to more than 100 times its size is refused while it is inflated."""
    content = bomb()
    assert len(content) < 1_000_000
    assert "compressed too much" in refused(content)


def test_lying_sizes() -> None:
    """S-13: the sizes that a part states are not believed."""
    content, real = bomb(), (60_000_011).to_bytes(4, "little")
    assert content.count(real) == 2  # local and central header
    assert refused(content.replace(real, (1000).to_bytes(4, "little")))


@pytest.mark.parametrize(
    "change",
    [
        lambda name, data: [(name, data), ("../evil.xml", b"x")] if name == "xl/workbook.xml" else [(name, data)],
        lambda name, data: [(name, data), ("/etc/evil", b"x")] if name == "xl/workbook.xml" else [(name, data)],
        lambda name, data: [] if name == "xl/workbook.xml" else [(name, data)],
        lambda name, data: [(name, data[: len(data) // 2])] if "sheet1" in name else [(name, data)],
        lambda name, data: (
            [(name, data.replace(b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>', 1))]
            if "sheet1" in name
            else [(name, data)]
        ),
    ],
    ids=["slip", "absolute", "no workbook", "half a sheet", "entities"],
)
def test_damaged_workbooks(change: Any) -> None:
    """F-18: tricks with the parts of a workbook end in one sentence."""
    assert "damaged" in refused(repacked(workbook(simple), change))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_double_parts() -> None:
    """F-18: two parts of one name are two truths."""
    content = repacked(
        workbook(simple), lambda name, data: [(name, data), (name, data)] if "sheet1" in name else [(name, data)]
    )
    assert "damaged" in refused(content)


def test_truncated_workbook() -> None:
    """F-18: half a file is no file."""
    content = workbook(simple)
    assert "damaged" in refused(content[: len(content) // 2])


def test_web_page_with_the_name_of_a_workbook() -> None:
    """F-18: what a file is called says nothing; a page is read as the text it is and has no known columns."""
    rows = rows_of(b"<html>\n<table><tr><td>code</td></tr></table>\n</html>", "file.xlsx")
    assert rows[0] == (1, ["<html>"])


def test_longest_cells_come_through() -> None:
    """F-18: the longest text of a cell is only limited by its column."""
    long = "x" * 32_767
    assert (
        rows_of(workbook(lambda book: book.add_worksheet().write_row(0, 0, ["code", long])), "b.xlsx")[0][1][1] == long
    )


def test_many_rows_stay_out_of_memory(tmp_path: Path) -> None:
    """F-18: 100,000 rows of a workbook are read within the child's limits."""

    def fill(book: Any) -> None:
        sheet = book.add_worksheet()
        for row in range(100_001):
            sheet.write_row(row, 0, [f"C-{row}", f"Customer {row}", "Suzhou", row, row * 1.5])

    rows = rows_of_count(workbook(fill, constant_memory=True))
    assert rows == 100_001


def rows_of_count(content: bytes) -> int:
    table = read_table(content, "large.xlsx")
    try:
        return sum(1 for _row in table)
    finally:
        table.close()
