"""Reports as files and on the command line."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from decimal import Decimal as D
from pathlib import Path

import openpyxl
import pypdf
import pytest
from django.core.management import CommandError, call_command
from django.utils import translation

from kit.exchange import reports
from kit.exchange.report_paper import to_pdf
from kit.values.errors import BusinessError
from tests.erp.books import Books, ago, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def books() -> Books:
    return Books()


@pytest.fixture
def debts(books: Books) -> Books:
    return books.debts()


@pytest.fixture
def orders(books: Books) -> Books:
    return books.orders()


def test_report_command_writes_every_format(orders: Books, tmp_path: Path) -> None:
    """`manage.py report NAME --format …`: the same rows as CSV, JSON, XLSX and PDF."""

    def made(format: str) -> bytes:
        path = tmp_path / f"sales.{format}"
        call_command("report", "sales", "--param", "group_by=customer", "--format", format, "-o", str(path))
        return path.read_bytes()

    assert made("csv").decode().splitlines()[0] == "customer,name,documents,lines,quantity,gross,net,tax,total"
    document = json.loads(made("json"))
    assert document["rows"][0]["customer"] == "HT"
    assert document["rows"][0]["net"] == "191.84"
    assert document["totals"][0]["net"] == "367.14"
    assert document["params"] == {"group_by": "customer"}
    sheet = openpyxl.load_workbook(io.BytesIO(made("xlsx"))).active
    formulas = [c.value for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas == [f"=SUM({letter}6:{letter}7)" for letter in "CDEFGHI"]
    shown = openpyxl.load_workbook(io.BytesIO(made("xlsx")), data_only=True).active
    assert shown["G8"].value == 367.14
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made("pdf"))).pages)
    for part in ("Sales", "无锡恒拓自动化", "191.84", "367.14", "Total", "Page 1 of 1"):
        assert part in text


def test_report_command_prints_csv(orders: Books, capsys: pytest.CaptureFixture[str]) -> None:
    """Without -o the bytes go to standard output."""
    call_command("report", "sales", "--param", "group_by=year")
    assert capsys.readouterr().out == (
        "year,name,documents,lines,quantity,gross,net,tax,total\r\n2025,2025,3,4,13,383.36,367.14,47.73,414.87\r\n"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "trial-balance"),
        (["sales", "--param", "group_by=colour"], "country"),
        (["sales", "--param", "colour=red"], "group_by"),
        (["sales", "--param", "group_by"], "NAME=VALUE"),
        (["sales", "--param", "date_from=1.1.2025"], "2026-11-23"),
        (["sales", "--param", "date_from=2025-02-01", "--param", "date_to=2025-01-01"], "after the last day"),
        (["general-ledger", "--param", "account=9999"], "9999"),
        (["sales", "--user", "nobody"], "nobody"),
        (["sales", "-o", "/no/such/folder/sales.csv"], "cannot be written: No such file or directory"),
    ],
)
def test_report_command_refuses_in_words(books: Books, arguments: list[str], words: str) -> None:
    """UX 7.4: what is wrong, with the value, and what there is instead."""
    with pytest.raises(CommandError, match=words):
        call_command("report", *arguments)


def test_totals_of_several_currencies_are_conditional_sums(debts: Books) -> None:
    """6.7: formulas in the workbook add up only rows of the same currency."""
    order = debts.sell(debts.acme, ago(2), (debts.motor, "1", "10"), currency=debts.usd, rate=D("7.1"))
    debts.deliver(order, ago(2))
    debts.invoice(order, ago(2))
    sheet = openpyxl.load_workbook(io.BytesIO(reports.to_xlsx(report("aged-receivables")))).active
    formulas = [c.value for row in sheet.iter_rows() for c in row if c.data_type == "f"]
    assert formulas[0] == "=SUMIF(B6:B7,B8,C6:C7)"
    assert formulas[-1] == "=SUMIF(B6:B7,B9,H6:H7)"


def test_people_read_names_in_their_csv(orders: Books) -> None:
    """T-02: the CSV of a page has labels and names as on the page; the one of a machine has field names and codes."""
    people = reports.to_csv(report("stock-on-hand"), labels=True, bom=True).decode("utf-8-sig")
    assert people.splitlines()[0] == "Product,Warehouse,Quantity,Value,Average cost"
    orders.buy(ago(3), (orders.motor, "2", "10"))
    result = report("stock-on-hand")
    assert (
        reports.to_csv(result, labels=True).decode().splitlines()[1]
        == "SV-750W Servo motor 750 W,Main warehouse,2,20.00,10"
    )
    assert reports.to_csv(result).decode().splitlines()[1] == "SV-750W,MAIN,2,20.00,10"
    by_month = reports.to_csv(report("sales"), labels=True).decode().splitlines()[0]
    assert by_month.startswith("Month,Orders,Lines")


def test_a_report_without_rows_is_still_a_file(books: Books) -> None:
    """UX 6.7: nothing found is a table without rows, in every format."""
    result = report("sales")
    assert result.totals == []
    assert result.chart == ""
    assert len(reports.to_csv(result).splitlines()) == 1
    assert json.loads(reports.to_json(result))["rows"] == []
    assert openpyxl.load_workbook(io.BytesIO(reports.to_xlsx(result))).active["A5"].value == "Month"
    assert "No rows" in pypdf.PdfReader(io.BytesIO(to_pdf(result))).pages[0].extract_text()


def test_a_long_report_on_paper(books: Books) -> None:
    """T-01: heads on every page, n of N, negative amounts with a real minus; too many rows are refused in words."""
    row = {
        "month": "2025-01",
        "name": "",
        "documents": 1,
        "lines": 1,
        "quantity": D(1),
        "gross": D("-1234.50"),
        "net": D(0),
        "tax": D("0.5"),
        "total": D(1),
    }
    result = replace(report("sales"), rows=[row] * 200)
    pages = [page.extract_text() for page in pypdf.PdfReader(io.BytesIO(to_pdf(result, landscape=False))).pages]
    assert len(pages) > 3
    for number, page in enumerate(pages, 1):
        assert f"Page {number} of {len(pages)}" in page
        assert page.count("Net amount") == 1
    assert sum(page.count("−1,234.50") for page in pages) == 200
    with pytest.raises(BusinessError, match="20,001"):
        to_pdf(replace(result, rows=[row] * 20_001))


def test_the_picture_of_a_report_is_on_its_paper(orders: Books) -> None:
    """UX 8.8: a report with a picture shows it on paper, the texts in the paper's font."""
    result = report("sales", group_by="customer")
    assert result.chart.startswith("<svg")
    with translation.override("en"):
        text = pypdf.PdfReader(io.BytesIO(to_pdf(result))).pages[0].extract_text()
    assert text.count("Acme Ltd.") == 2  # once in the picture, once in the table
