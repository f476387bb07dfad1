"""Rows to CSV and XLSX: exact values, and nothing a spreadsheet could run (rule S-12)."""

from __future__ import annotations

import csv
import datetime as dt
import io
import tracemalloc
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from kit.exchange import exporting
from kit.exchange.exporting import Column, protect, starts_formula, unprotect, write_rows
from kit.values.errors import BusinessError

FORMULAS = [
    "=1+1",
    "+1",
    "-1",
    "@SUM(A1)",
    " =1",
    "\t=1",
    "\r=1",
    "\n=1",
    "\x00=1",
    "\u00a0=1",
    "\ufeff=1",
    "\u200b=1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(A1)",
    '"=1',
    "'=1",
    "\u3000\t ＝HYPERLINK(1)",
    "=cmd|' /C calc'!A0",
    "\x1f=1",
]
HARMLESS = [
    "",
    "1122",
    "1001 库存现金",
    "Müller + Söhne",
    "a=b",
    "mail@example.com",
    "O'Neill",
    "10-20",
    "'quoted'",
    "（−）",
]
COLUMNS = (
    Column("code", "编码"),
    Column("name", "名称"),
    Column("amount", "金额", "money"),
    Column("pieces", "数量", "quantity"),
    Column("price", "Price", "price"),
    Column("rate", "Tax", "percent"),
    Column("day", "Day", "date"),
    Column("at", "At", "datetime"),
    Column("open", "Open", "bool"),
)
ROW = (
    "1122",
    "应收账款",
    Decimal("-1234.5"),
    Decimal("12.5000"),
    Decimal("0.100000"),
    Decimal("13.0000"),
    dt.date(2026, 11, 30),
    dt.datetime(2026, 11, 30, 2, 41, tzinfo=dt.UTC),
    True,
)


def written(format: str, columns: Any = COLUMNS, rows: Any = (ROW,), **options: Any) -> bytes:
    file = io.BytesIO()
    write_rows(file, format, columns, rows, **options)
    return file.getvalue()


def sheet_of(data: bytes) -> Any:
    return openpyxl.load_workbook(io.BytesIO(data)).active


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_text_in_csv(text: str) -> None:
    """S-12: a CSV cell that a spreadsheet could run starts with an apostrophe, and comes back unchanged."""
    data = written("csv", [Column("a", text), Column("b", "B")], [(text, Decimal(-1))], labels=True)
    head, row = list(csv.reader(io.StringIO(data.decode(), newline="")))
    assert row[0] == f"'{text}"
    assert head[0] == f"'{text}"
    assert row[1] == "-1"  # a number is exempt by its type
    assert unprotect(row[0]) == text


@pytest.mark.parametrize("text", FORMULAS)
def test_formulas_are_text_in_xlsx(text: str) -> None:
    """S-12: an XLSX cell keeps the text as a string and no sheet holds a formula."""
    data = written("xlsx", [Column("a", text), Column("b", "B")], [(text, Decimal(-1))], labels=True, title=[text])
    sheet = sheet_of(data)
    cells = [cell for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    shown = openpyxl.utils.escape.unescape(sheet["A4"].value)
    assert shown.replace("\r", "\n").strip("\n") == text.replace("\r", "\n").strip("\n")


@pytest.mark.parametrize("text", HARMLESS)
def test_other_text_stays_as_it_is(text: str) -> None:
    """S-12: account codes and ordinary names leave without an apostrophe."""
    data = written("csv", [Column("a", "A"), Column("b", "B")], [(text, "x")])
    assert list(csv.reader(io.StringIO(data.decode(), newline="")))[1] == [text, "x"]


@given(st.text(max_size=20))
def test_protection_is_undone_exactly(text: str) -> None:
    """S-12: what is protected no longer starts a formula after its apostrophe, and is read back as it was."""
    assert unprotect(protect(text)) == text
    assert protect(text)[:1] == "'" or not starts_formula(protect(text))


def test_csv_is_exact() -> None:
    """T-02: field names, ISO dates, a point and no thousands, CR LF; the mark of UTF-8 only on demand."""
    data = written("csv")
    assert data.decode() == (
        "code,name,amount,pieces,price,rate,day,at,open\r\n"
        "1122,应收账款,-1234.50,12.5,0.1,13,2026-11-30,2026-11-30T10:41:00+08:00,yes\r\n"
    )
    assert written("csv", bom=True, labels=True).startswith(b"\xef\xbb\xbf" + "编码,名称".encode())


def test_csv_quotes_what_needs_it() -> None:
    """RFC 4180: commas, quotes and line ends inside a cell."""
    data = written("csv", [Column("a", "A"), Column("b", "B")], [{"a": 'x,"y"', "b": "1\n2"}])
    assert data == b'a,b\r\n"x,""y""","1\n2"\r\n'


def test_xlsx_holds_numbers_dates_and_looks() -> None:
    """T-02: true numbers and dates with formats, codes as text, frozen header under the title lines."""
    sheet = sheet_of(written("xlsx", labels=True, title=["Open invoices", "Customer: 明锐"]))
    assert sheet["A1"].value == "Open invoices"
    assert [cell.value for cell in sheet[4]] == [column.label for column in COLUMNS]
    code, _name, amount, pieces, price, rate, day, moment, is_open = sheet[5]
    assert (code.value, code.data_type) == ("1122", "s")
    assert (amount.value, amount.number_format) == (-1234.5, "#,##0.00;[Red]-#,##0.00")
    assert (pieces.value, pieces.number_format) == (12.5, "#,##0.0###")
    assert (price.value, rate.value, is_open.value) == (0.1, 13, "yes")
    assert day.value == dt.datetime(2026, 11, 30)
    assert moment.value == dt.datetime(2026, 11, 30, 10, 41)
    assert sheet.freeze_panes == "B5"


def test_xlsx_keeps_every_digit_of_a_large_amount() -> None:
    """T-02: spreadsheets know 15 digits; a number with more goes out as text, exact."""
    columns, file = [Column("amount", "Amount", "money")], io.BytesIO()
    amounts = [Decimal("9999999999999.99"), Decimal("999999999999999.99"), Decimal("-1234567890123456.78")]
    write_rows(file, "xlsx", columns, [[amount] for amount in amounts])
    cells = [sheet_of(file.getvalue()).cell(row, 1).value for row in (2, 3, 4)]
    assert cells == [9999999999999.99, "999999999999999.99", "-1234567890123456.78"]


def test_xlsx_keeps_the_end_of_a_long_text_in_sight() -> None:
    """T-02: more text than a cell holds is cut with a mark, never dropped."""
    sheet = sheet_of(written("xlsx", [Column("a", "A")], [["x" * 40_000]]))
    assert sheet["A2"].value == "x" * 32_766 + "…"


def test_xlsx_takes_old_dates_as_text() -> None:
    """T-02: days before 1900, which a spreadsheet cannot count, stay readable."""
    assert sheet_of(written("xlsx", [Column("a", "A", "date")], [[dt.date(1789, 7, 14)]]))["A2"].value == "1789-07-14"


def test_xlsx_continues_on_another_sheet(monkeypatch: pytest.MonkeyPatch) -> None:
    """T-02: rows beyond the size of a sheet are not lost."""
    monkeypatch.setattr(exporting, "SHEET_ROWS", 3)
    data = written("xlsx", [Column("a", "A", "integer")], ([i] for i in range(7)))
    book = openpyxl.load_workbook(io.BytesIO(data))
    assert [[cell.value for cell in sheet["A"]] for sheet in book] == [["a", 0, 1, 2], ["a", 3, 4, 5], ["a", 6]]


@pytest.mark.parametrize("format", ["csv", "xlsx"])
def test_rows_are_streamed(format: str, tmp_path: Path) -> None:
    """T-02: memory does not grow with the rows."""
    columns = [Column("a", "A"), Column("b", "B", "money")]

    def peak(count: int) -> int:
        rows = ((f"Customer {i} of many", Decimal(i)) for i in range(count))
        tracemalloc.start()
        with (tmp_path / "out").open("wb") as file:
            assert write_rows(file, format, columns, rows) == count
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    assert peak(6_000) < peak(600) + 300_000


def test_an_unknown_format_is_refused() -> None:
    """UX 7.4: the message names what is offered."""
    with pytest.raises(BusinessError, match="csv, xlsx"):
        written("docx")


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A registered exporter of two rows."""
    monkeypatch.setattr(exporting, "_exporters", {})
    columns = [Column("code", "Code"), Column("price", "Price", "price")]

    def export(filters: dict[str, str], user: Any) -> tuple[list[Column], list[dict[str, Any]]]:
        if filters.get("active") == "broken":
            raise BusinessError("active is yes or no.")
        return columns, [{"code": "=A", "price": Decimal("1.5")}, {"code": "B", "price": Decimal(2)}]

    exporting.register("parts", export)


def test_export_command_writes_a_file(parts: None, tmp_path: Path) -> None:
    """`manage.py export KIND FILE`: field names as headers, by the ending of the file."""
    call_command("export", "parts", str(tmp_path / "parts.csv"), verbosity=0)
    assert (tmp_path / "parts.csv").read_bytes() == b"code,price\r\n'=A,1.5\r\nB,2\r\n"
    call_command("export", "parts", str(tmp_path / "parts.xlsx"), verbosity=0)
    assert openpyxl.load_workbook(tmp_path / "parts.xlsx").active["B3"].value == 2


def test_export_command_leaves_no_half_file(parts: None, tmp_path: Path) -> None:
    """A failed export keeps the file there was."""
    target = tmp_path / "parts.csv"
    target.write_text("old")
    for arguments in (["parts", str(target), "--filter", "active=broken"], ["nothing", str(target)]):
        with pytest.raises(CommandError):
            call_command("export", *arguments)
    with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
        call_command("export", "parts", str(tmp_path / "missing" / "parts.csv"))
    with pytest.raises(CommandError, match="csv, xlsx"):
        call_command("export", "parts", str(tmp_path / "parts.docx"))
    assert [path.name for path in tmp_path.iterdir()] == ["parts.csv"]
    assert target.read_text() == "old"
