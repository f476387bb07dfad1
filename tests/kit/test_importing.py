"""Rows into the system: titles, cells, errors by row and column, create and update (UX 6.10, rule T-03)."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Contact, Customer, CustomerGroup, Tag
from erp.finance.models import Account, Supplier
from erp.inventory.models import Product, ProductGroup, Unit
from kit.exchange.importing import Batch, Column, Importer, run
from kit.exchange.reading import read_table
from oa.organisation.models import User
from tests.factories import make_customer, make_user
from tests.importing import Files

pytestmark = pytest.mark.django_db


@pytest.fixture
def load(tmp_path: Path) -> Any:
    """`manage.py import`."""
    return Files(tmp_path).load


# ---- create, update, errors ----


def test_chinese_workbook(load: Any) -> None:
    """T-03: a workbook with a heading and Chinese titles is what the English CSV is."""
    file = io.BytesIO()
    book = openpyxl.Workbook()
    book.active.append(["客户名单"])
    book.active.append([])
    book.active.append(["客户名称", "客户编码", "类型", "城市", "负责人"])
    book.active.append(["苏州明锐", "C-1", "company", "苏州", "李曼"])
    book.save(file)
    assert load("customers", file.getvalue(), name="list.xlsx") == (
        0,
        ("User “李曼” is new; the import creates it.\ncustomers: 1 new, 0 updated, 0 unchanged, 0 errors\n"),
    )
    customer = Customer.objects.get(code="C-1")
    assert (customer.name, customer.city, customer.owner.name) == ("苏州明锐", "苏州", "李曼")
    assert customer.pinyin.startswith("suzhoumingrui")


def test_all_or_nothing(load: Any) -> None:
    """T-03, I-39: every error is told by row and column, and one of them is enough that nothing is written."""
    content = "code,name,e-mail,type\nC-1,One,one@example.com,company\nC-2,,two@example.com,company\nC-3,Three,nobody,firm\nC-1,Again,,\n"
    code, said = load("customers", content)
    assert code == 1
    assert said.splitlines() == [
        "Row 3, name: There is no value for “name”.",
        "Row 4, e-mail: Enter a valid email address.",
        "Row 4, type: “firm” is not offered; choose one of company, person.",
        "Row 5, code: Row 2 has the same key.",
        "customers: 1 new, 0 updated, 0 unchanged, 3 errors",
        "Nothing was written.",
    ]
    assert not Customer.objects.exists()


def test_partial_writes_the_good_rows(load: Any) -> None:
    """T-03: with --partial good rows are written, bad ones listed, and the exit code is 0."""
    code, said = load("customers", "code,name\nC-1,One\nC-2,\nC-3,Three\n", "--partial")
    assert code == 0
    assert "Row 3, name: There is no value" in said
    assert said.endswith("customers: 2 new, 0 updated, 0 unchanged, 1 errors\n")
    assert sorted(Customer.objects.values_list("code", flat=True)) == ["C-1", "C-3"]


def test_existing_records_need_update(load: Any) -> None:
    """T-03: the second import of a file makes nothing: refused without --update, unchanged with it."""
    content = "code,name,city\nC-1,One,Wuxi\nC-2,Two,\n"
    assert load("customers", content)[0] == 0
    code, said = load("customers", content)
    assert code == 1
    assert "Row 2, code: One exists already. Choose to update existing records." in said
    version = Customer.objects.get(code="C-1").version
    assert load("customers", content, "--update") == (0, "customers: 0 new, 0 updated, 2 unchanged, 0 errors\n")
    assert Customer.objects.get(code="C-1").version == version
    changed = content.replace("Wuxi", "Suzhou")
    assert load("customers", changed, "--update") == (0, "customers: 0 new, 1 updated, 1 unchanged, 0 errors\n")
    customer = Customer.objects.get(code="C-1")
    assert (customer.city, customer.version) == ("Suzhou", version + 1)


def test_empty_cells_clear_or_keep(load: Any) -> None:
    """T-03: an empty cell clears what is stored, unless empty cells are to change nothing."""
    load("customers", "code,name,city,phone\nC-1,One,Wuxi,1\n")
    empty = "code,name,city\nC-1,One,\n"
    assert "1 unchanged" in load("customers", empty, "--update", "--keep-empty")[1]
    assert Customer.objects.get().city == "Wuxi"
    assert "1 updated" in load("customers", empty, "--update")[1]
    customer = Customer.objects.get()
    assert (customer.city, customer.phone) == ("", "1")  # a column that is not there is not touched


def test_dry_run_leaves_no_trace(load: Any) -> None:
    """T-03: a dry run tells what would happen; groups and users that it made are gone."""
    before = CustomerGroup.objects.count(), User.objects.count()
    code, said = load("customers", "code,name,group,owner\nC-1,One,Export,Nancy\n", "--dry-run")
    assert (code, said.splitlines()[-1]) == (0, "Dry run: nothing was written.")
    assert "customers: 1 new" in said
    assert (CustomerGroup.objects.count(), User.objects.count()) == before
    assert not Customer.objects.exists()


def test_unknown_titles_are_named(load: Any) -> None:
    """T-03: nothing is skipped without a word: unknown, missing and untitled columns are told."""
    code, said = load("customers", "name,colour\nOne,red\n")
    assert code == 1
    assert "Row 1, colour: There is no column “colour”; there are: name, short_name, code," in said
    assert "Row 1, code: This column is missing." in said
    assert "“stray” stands in a column without a title." in load("customers", "code,name\nC-1,One,stray\n")[1]


def test_groups_owners_and_their_roles(load: Any) -> None:
    """Unknown groups and owners are made: owners are active sales people who cannot log in before they get a password."""
    rows = "code,name,group,owner\nC-1,One,Export,Nancy Davolio\nC-2,Two,Export,Nancy Davolio\n"
    assert load("customers", rows)[0] == 0
    owner = User.objects.get(name="Nancy Davolio")
    assert (owner.username, owner.is_active, owner.has_usable_password()) == ("Nancy.Davolio", True, False)
    assert list(owner.groups.values_list("role__code", flat=True)) == ["sales"]
    assert CustomerGroup.objects.get(code="Export").customer_set.count() == 2
    assert load("customers", rows, "--update")[1] == "customers: 0 new, 0 updated, 2 unchanged, 0 errors\n"


def test_tags_are_sets(load: Any) -> None:
    """Several records in one cell: replaced as a set, unchanged in another order."""
    Tag.objects.bulk_create(Tag(code=code, name=code) for code in ("vip", "new", "old"))
    load("customers", 'code,name,tags\nC-1,One,"vip, new"\n')
    assert {tag.code for tag in Customer.objects.get().tags.all()} == {"vip", "new"}
    assert "1 unchanged" in load("customers", "code,name,tags\nC-1,One,new、vip\n", "--update")[1]
    assert "1 updated" in load("customers", "code,name,tags\nC-1,One,old\n", "--update")[1]
    assert {tag.code for tag in Customer.objects.get().tags.all()} == {"old"}
    assert "There is no customer tag “gold”" in load("customers", "code,name,tags\nC-1,One,gold\n", "--update")[1]


def test_names_must_be_unambiguous(load: Any) -> None:
    """T-03: a record is found by its code or by a name that only one of them has."""
    make_customer("Twin", code="T-1")
    make_customer("Twin", code="T-2")
    make_customer("Single", code="S-1")
    _code, said = load("contacts", "customer,name\nTwin,Ann\nSingle,Bob\nT-2,Cid\nNobody,Dan\n", "--partial")
    assert "Row 2, customer: Several are called “Twin”; write the code of the customer." in said
    assert "Row 5, customer: There is no customer “Nobody”." in said
    assert {(c.name, c.customer.code) for c in Contact.objects.all()} == {("Bob", "S-1"), ("Cid", "T-2")}


def test_database_rules_are_told_by_row(load: Any) -> None:
    """T-03: what only the database refuses is found row by row, in the words of the constraint."""
    make_customer("One", code="C-1")
    rows = "customer,name,main contact\nC-1,Ann,yes\nC-1,Bob,yes\nC-1,Cid,no\n"
    code, said = load("contacts", rows)
    assert (code, said.splitlines()[0]) == (1, "Row 3: This customer has a main contact already.")
    assert not Contact.objects.exists()
    assert load("contacts", rows, "--partial")[0] == 0
    assert sorted(Contact.objects.values_list("name", flat=True)) == ["Ann", "Cid"]


def test_products_make_categories_and_units_only(load: Any) -> None:
    """Unknown categories and units are made, unknown suppliers and tax codes are errors."""
    Supplier.objects.create(code="S-1", name="Exotic Liquids")
    rows = "code,name,category,unit,unit_price,supplier,tax_code\nP-1,Chai,Beverages,crate,18.5,Exotic Liquids,V13\n"
    assert load("products", rows)[0] == 0
    product = Product.objects.get()
    assert (product.price, product.unit.code, product.group.code, product.supplier.code, product.tax_code.code) == (
        Decimal("18.5"),
        "crate",
        "Beverages",
        "S-1",
        "V13",
    )
    assert product.group.posting_group == ProductGroup.objects.get(code="general").posting_group
    code, said = load("products", "code,name,supplier,tax_code\nP-2,Chang,Nobody,V99\n")
    assert code == 1
    assert "Row 2, supplier: There is no supplier “Nobody”." in said
    assert "Row 2, tax_code: There is no tax code “V99”." in said
    assert load("products", "code,name\nP-3,Plain\n")[0] == 0
    assert Product.objects.get(code="P-3").unit == Unit.objects.get(code="pc")


def test_formulas_in_text_come_back(load: Any, tmp_path: Path) -> None:
    """S-12: text that looks like a formula is exported guarded and imported as it was."""
    make_customer("=1+1", code="C-1", city="@x", note="+86\r\nline two")
    out = tmp_path / "out.csv"
    call_command("export", "customers", str(out), stdout=io.StringIO())
    assert "'=1+1" in out.read_text(encoding="utf-8")
    assert load("customers", out.read_bytes(), "--update")[1] == "customers: 0 new, 0 updated, 1 unchanged, 0 errors\n"
    Customer.objects.all().delete()
    assert load("customers", out.read_bytes())[0] == 0
    assert Customer.objects.get().name == "=1+1"


def test_accounts_with_parents_below_them(load: Any) -> None:
    """F-09: parents may follow their children; they become groups, and children have the type of their parent."""
    rows = (
        "code,name,parent,type,normal_side\n9102,Loans,91,,\n910201,Bank loan,9102,,\n91,Debts,,liability,\n"
        "92,Other,,,\n1002.9,New bank,1002,,\n"
    )
    code, said = load("accounts", rows)
    assert (code, said) == (0, "accounts: 5 new, 0 updated, 0 unchanged, 0 errors\n")
    tree = {
        a.code: (getattr(a.parent, "code", ""), a.is_group, a.type, a.normal_side)
        for a in Account.objects.filter(code__startswith="9")
    }
    assert tree == {
        "91": ("", True, "liability", "credit"),
        "9102": ("91", True, "liability", "credit"),
        "910201": ("9102", False, "liability", "credit"),
        "92": ("", False, "asset", "debit"),
    }
    assert load("accounts", rows, "--update")[1] == "accounts: 0 new, 0 updated, 5 unchanged, 0 errors\n"


def test_accounts_in_a_circle(load: Any) -> None:
    """An account cannot be above itself, and its parent must exist."""
    code, said = load("accounts", "code,name,parent\n91,A,92\n92,B,91\n93,C,99\n")
    assert code == 1
    assert "Row 2, parent: 91 A is above itself." in said
    assert "Row 4, parent: There is no account “99”, neither stored nor in this file." in said
    assert not Account.objects.filter(code__startswith="9").exists()


def test_children_of_bad_parents_are_left_out(load: Any) -> None:
    """T-03: with --partial a row whose parent is bad is not imported without its parent."""
    long = "x" * 201
    code, said = load("accounts", f"code,name,parent\n91,{long},\n9101,Child,91\n93,Good,\n", "--partial")
    assert (code, said.splitlines()[-1]) == (0, "accounts: 1 new, 0 updated, 0 unchanged, 2 errors")
    assert list(Account.objects.filter(code__startswith="9").values_list("code", flat=True)) == ["93"]


def test_statements_do_not_grow_with_rows(load: Any) -> None:
    """House rule: 400 customers take as many statements as 4."""

    def count(rows: int, start: int) -> int:
        lines = "".join(f"C-{i},Name {i},Export,2\n" for i in range(start, start + rows))
        with CaptureQueriesContext(connection) as statements:
            assert load("customers", "code,name,group,phone\n" + lines)[0] == 0
        return len(statements)

    count(1, 0)  # makes the group
    assert count(400, 1000) == count(4, 2000)


class Disturbed(Importer):
    """A kind whose rows somebody else holds."""

    kind = "disturbed"

    def columns(self) -> list[Column]:
        return [Column("code", "code")]

    def write(self, batch: Batch) -> None:
        with connection.cursor() as cursor:
            cursor.execute("DO $$ BEGIN RAISE lock_not_available; END $$")


def test_rows_that_others_hold_are_told_in_words() -> None:
    """F-18: who meets somebody else's work is asked to try again, not told about locks; nothing was written."""
    table = read_table(b"code\nC-1\n", "file.csv")
    report = run(Disturbed(), table)
    table.close()
    assert [str(error) for error in report.errors] == [
        "Somebody is working on the same records at this moment. Try again."
    ]
    assert not report.written


# ---- who may do what ----


def test_a_person_imports_with_own_rights(load: Any) -> None:
    """G-21: the command does what the person named by --user may do: other people's customers are taken keys."""
    owner, other = make_user("owner", "sales"), make_user("other", "sales")
    make_customer("Mine", code="C-1", owner=owner)
    rows = "code,name,city\nC-1,Changed,Wuxi\n"
    code, said = load("customers", rows, "--update", "--user", "other")
    assert (code, said.splitlines()[0]) == (1, "Row 2, code: This key is taken.")
    assert "1 updated" in load("customers", rows, "--update", "--user", "owner")[1]
    code, said = load("customers", "code,name,group,owner\nC-2,Two,Export,Nobody Yet\n", "--user", "other")
    assert code == 1
    assert "Row 2, group: There is no customer group “Export”, and you may not make one." in said
    assert "Row 2, owner: There is no user “Nobody Yet”; only an administrator can add one." in said
    assert load("customers", "code,name\nC-3,Three\n", "--user", "other")[0] == 0
    assert Customer.objects.get(code="C-3").owner == other
    code, said = load("accounts", "code,name\n99,X\n", "--user", "other")
    assert (code, said) == (1, "Other may not import accounts.\n")


def test_all_kinds_are_listed() -> None:
    """The kinds and their columns are those of the manual; a star marks what must be there."""
    out = io.StringIO()
    call_command("import", "list", stdout=out)
    lines = dict(line.split(": ") for line in out.getvalue().splitlines())
    assert set(lines) == {
        "accounts",
        "customers",
        "customer-terms",
        "contacts",
        "suppliers",
        "products",
        "opening-stock",
        "stock-moves",
        "journal-entries",
        "sales-orders",
        "purchase-orders",
    }
    assert lines["opening-stock"] == "product*, warehouse*, quantity*, unit_cost*, date*"


def test_exports_carry_the_titles_that_imports_read(tmp_path: Path, load: Any) -> None:
    """Export, filter, import: the titles of a file are the names of the columns."""
    make_customer("One", code="C-1", city="Wuxi")
    make_customer("Two", code="C-2", city="Suzhou")
    out = tmp_path / "wuxi.csv"
    call_command("export", "customers", str(out), "--filter", "city=Wuxi", stdout=io.StringIO())
    with out.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["code"], row["name"], row["active"]) for row in rows] == [("C-1", "One", "yes")]
    with pytest.raises(CommandError, match="There is no filter “colour”"):
        call_command("export", "customers", str(out), "--filter", "colour=red")
