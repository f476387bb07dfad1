"""The titles of every import kind: what the manual promises in English, and what people write in Chinese."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from crm.customers.models import Customer
from erp.finance.models import Supplier
from erp.inventory.models import Product
from kit.exchange import exporting, importing
from kit.exchange.importing_columns import match_header
from tests.importing import Files

# The columns that were promised, those that must be there first.
MANUAL = {
    "accounts": ("code, name", "name_zh, type, normal_side, parent"),
    "customers": ("code, name", "type, group, country, region, city, address, phone, email, tax_number, owner"),
    "customer-terms": ("customer", "credit_limit, payment_terms, currency, tax_category"),
    "contacts": ("customer, name", "role, phone, email"),
    "suppliers": ("code, name", "country, city, phone, email, tax_number, currency, payment_terms"),
    "products": ("code, name", "category, unit, unit_price, cost, barcode, supplier, tax_code"),
    "opening-stock": ("product, warehouse, quantity, unit_cost, date", ""),
    "stock-moves": ("date, product, warehouse, quantity", "unit_cost"),
    "journal-entries": ("date, entry, account, debit, credit", "currency, rate, memo"),
    "sales-orders": (
        "order, line, customer, order_date, product, quantity, unit_price",
        "owner, required_date, discount, tax_code, warehouse, ship_country, shipped_date, invoiced_date, paid_date, "
        "tax_included",
    ),
    "purchase-orders": (
        "order, line, supplier, order_date, product, quantity, unit_price",
        "owner, required_date, discount, tax_code, warehouse, received_date, billed_date, paid_date, tax_included",
    ),
}
CHINESE = {
    "accounts": "科目编码,科目名称,中文名称,科目类型,余额方向,上级科目",
    "customers": "客户编号,客户名称,客户类型,客户分组,国家,地区,城市,地址,联系电话,电子邮箱,税号,业务员",
    "customer-terms": "客户编码,信用额度,付款条件,币种,税类",
    "contacts": "客户,姓名,角色,电话,邮箱",
    "suppliers": "供应商编码,供应商名称,国家,城市,电话,邮箱,纳税人识别号,币种,付款条件",
    "products": "商品编码,商品名称,类别,计量单位,单价,成本,条码,供应商,税码",
    "opening-stock": "商品编码,仓库,数量,单位成本,日期",
    "stock-moves": "日期,商品,仓库,数量,单位成本,单据号",
    "journal-entries": "日期,凭证号,科目,借方金额,贷方金额,币种,汇率,摘要",
    "sales-orders": "订单编号,行号,客户,订单日期,商品,数量,单价,业务员,交货日期,折扣,税码,仓库,收货国家,发货日期,开票日期,收款日期,含税",
    "purchase-orders": "订单号,行号,供应商,订单日期,商品,数量,单价,收货日期,收票日期,付款日期,含税",
}


def test_every_promised_kind_is_there() -> None:
    """T-03: all kinds of the manual can be imported, and every one can be exported."""
    assert importing.kinds() == sorted(MANUAL)
    assert exporting.kinds() == sorted(MANUAL)


@pytest.mark.parametrize("kind", MANUAL)
def test_titles_in_both_languages(kind: str) -> None:
    """T-03: every promised title is a column of its own name, and no Chinese title is unknown or ambiguous."""
    columns = importing.importer_of(kind).columns()
    for titles in [*(part.split(", ") for part in MANUAL[kind] if part), [column.name for column in columns]]:
        header = match_header(columns, 1, titles)
        assert [column.name for column in header.columns.values()] == titles
        assert not header.unknown + header.double
    header = match_header(columns, 1, CHINESE[kind].split(","))
    assert not header.unknown + header.double


@pytest.mark.parametrize("kind", MANUAL)
def test_no_title_means_two_columns(kind: str) -> None:
    """T-03: the words that are offered for a column lead to it and to no other."""
    columns = importing.importer_of(kind).columns()
    for column in columns:
        for alias in column.aliases:
            (found,) = match_header(columns, 1, [alias]).columns.values()
            assert found.name == column.name, alias


MASTERS = {
    "customers": (Customer, "客户编码,客户名称,城市\nK-1,苏州明锐,苏州\n"),
    "suppliers": (Supplier, "供应商编码,供应商名称,城市\nK-1,苏州明锐,苏州\n"),
    "products": (Product, "商品编码,商品名称\nK-1,苏州明锐\n"),
}


@pytest.mark.django_db
@pytest.mark.parametrize("form", ["utf-8", "utf-8-sig", "gb18030", "utf-16", "xlsx"])
@pytest.mark.parametrize("kind", MASTERS)
def test_files_as_spreadsheets_write_them(tmp_path: Path, kind: str, form: str) -> None:
    """T-03: with and without byte order mark, in the Chinese code page, as Unicode text and as workbook."""
    model, text = MASTERS[kind]
    content = workbook(text) if form == "xlsx" else text.encode(form)
    assert Files(tmp_path).load(kind, content) == (0, f"{kind}: 1 new, 0 updated, 0 unchanged, 0 errors\n")
    model_any: Any = model
    assert model_any.objects.get(code="K-1").name == "苏州明锐"


def workbook(text: str) -> bytes:
    book, file = openpyxl.Workbook(), io.BytesIO()
    for line in text.splitlines():
        book.active.append(line.split(","))
    book.save(file)
    return file.getvalue()


# ---- what is said when nothing is written ----


@pytest.mark.django_db
def test_nothing_is_told_to_be_created_when_nothing_is(tmp_path: Path) -> None:
    """T-03: a group that the file names is told to be new when it is written or tried, not when all is taken back."""
    load = Files(tmp_path).load
    rows = "code,name,group\nC-1,One,Export\nC-2,,Export\n"
    assert "was created" not in load("customers", rows)[1]
    note = "Customer group “Export” is new; the import creates it."
    assert note in load("customers", rows, "--dry-run")[1]
    assert note in load("customers", rows, "--partial")[1]


@pytest.mark.django_db
def test_checks_of_the_database_are_told_by_column(tmp_path: Path) -> None:
    """T-03: a negative price stands at its own cell, although the check is about price and cost."""
    code, said = Files(tmp_path).load("products", "code,name,unit_price,cost\nP-1,One,-1,2\nP-2,Two,1,-2\n")
    assert (code, said.splitlines()[:2]) == (
        1,
        ["Row 2, unit_price: Prices cannot be negative.", "Row 3, cost: Prices cannot be negative."],
    )
