"""Line details: fields of a line that have no cell of their own (UX 6.6.10)."""

from __future__ import annotations

import datetime as dt
import html
import re
from typing import Any

import pytest

from erp.finance.models import Account, Voucher
from erp.inventory.models import Warehouse
from erp.sales.models import SalesOrder
from oa.organisation.models import Department
from tests import factories as make
from tests.erp.test_document_forms import Fields, compute, head, row
from tests.erp.test_pasted_lines import paste

pytestmark = pytest.mark.django_db

DUE = dt.date(2026, 12, 24)


@pytest.fixture
def second() -> Warehouse:
    return Warehouse.objects.create(code="W2", name="Second")


def panel(text: str, index: int) -> str:
    """The row under line `index` that holds its details."""
    return re.findall(rf'<tr class="rowdet" id="lines-{index}-det".*?</tr>', text, re.S)[0]


def test_what_a_line_leaves_open_is_that_of_its_order(client: Any, clerk: Any, mingrui: Any, second: Any) -> None:
    """UX 6.6.10: due day and warehouse of a line are typed in its details; empty ones follow the head."""
    goods = make.make_product("SV")
    own = row(goods, 0, due=DUE.isoformat(), warehouse_text="W2", tolerance="5")
    given = head(mingrui, required_date="2026-12-01") | own | row(goods, 1)
    assert client.post("/sales/orders/new/", given).status_code == 302
    first, other = SalesOrder.objects.get().lines.order_by("position")
    assert (first.due_date, first.warehouse, first.tolerance) == (DUE, second, 5)
    assert (other.due_date, other.warehouse) == (dt.date(2026, 12, 1), make.warehouse())


def test_a_stored_line_shows_what_is_its_own_and_is_marked(client: Any, clerk: Any, mingrui: Any, second: Any) -> None:
    """UX 6.6.10: the details are folded, a mark tells where something is in them; the record page names it."""
    goods = make.make_product("SV")
    given = head(mingrui, required_date="2026-12-01") | row(goods, 0, due=DUE.isoformat(), warehouse_text="W2")
    client.post("/sales/orders/new/", given | row(goods, 1))
    order = SalesOrder.objects.get()
    text = client.get(f"/sales/orders/{order.url_key}/edit/").content.decode()
    found = Fields(text)
    assert (found.values["lines-0-due"], found.values["lines-0-warehouse_text"]) == (DUE.isoformat(), "W2")
    assert (found.values["lines-1-due"], found.values["lines-1-warehouse"]) == ("", "")
    assert " hidden>" in panel(text, 0)[:80] and text.count('<td class="center changed">') == 1
    record = client.get(f"/sales/orders/{order.url_key}/").content.decode()
    assert DUE.isoformat() in record and "W2" in record
    changed = {"version": order.version, "lines-0-due": "", "required_date": "2026-12-02"}
    kept = {name: value for name, value in found.values.items() if name.startswith("lines-")}
    assert client.post(f"/sales/orders/{order.url_key}/edit/", head(mingrui) | kept | changed).status_code == 302
    assert {line.due_date for line in order.lines.all()} == {dt.date(2026, 12, 2)}


def test_amended_lines_follow_the_order_again(client: Any, clerk: Any, mingrui: Any) -> None:
    """Rule G-08, UX 6.6.10: an emptied detail of a confirmed order means the order's day as well."""
    order = make.confirmed_order(mingrui, make.line(make.make_service("S", tax=None)), currency=make.currency())
    order.lines.update(due_date=DUE)
    line = order.lines.get()
    given = head(mingrui, required_date="2026-12-30", version=order.version)
    given |= row(line.product, 0, id=line.pk, price="100")
    assert client.post(f"/sales/orders/{order.number}/edit/", given).status_code == 302
    assert order.lines.get().due_date == dt.date(2026, 12, 30)


def test_what_is_wrong_in_the_details_opens_them(client: Any, clerk: Any, mingrui: Any) -> None:
    """UX 6.6.10: the message stands at the field, not under the row, when saving as while typing."""
    goods = make.make_product("SV")
    given = head(mingrui) | row(goods, 0, due="never", price="10") | row(goods, 1, tolerance="500")
    text = client.post("/sales/orders/new/", given).content.decode()
    assert " hidden>" not in panel(text, 0)[:80]
    assert " hidden>" in panel(text, 1)[:80] and " hidden>" in panel(text, 2)[:80]
    assert re.search(r'<div class="errlist" id="lines-0-due-err">[^<]*never', text)
    assert 'class="rowerr"' not in text and 'href="#lines-0-due"' in text
    text = client.post("/sales/orders/new/", given | {"lines-0-due": ""}).content.decode()
    assert " hidden>" not in panel(text, 1)[:80]
    assert re.search(r'id="lines-1-tolerance-err">The tolerance lies', text)
    found = compute(client, "sales/orders", **given, changed="0")
    assert found.texts["lines-0-amount"] == "20.00"  # no amount follows from a detail
    assert "never" in found.texts["lines-0-due-err"] and "lines-0-err" not in found.texts
    assert compute(client, "sales/orders", **given, changed="1").texts.get("lines-1-due-err", "") == ""


def test_available_is_what_the_warehouse_of_the_line_has(client: Any, clerk: Any, mingrui: Any, second: Any) -> None:
    """UX 6.6.2: a line that leaves from another warehouse is looked up there, in the same statement."""
    goods = make.make_product("SV")
    make.stock(goods, 7)
    make.stock(goods, 3, where=second)
    given = head(mingrui) | row(goods, 0) | row(goods, 1, warehouse_text="W2")
    found = compute(client, "sales/orders", **given, changed="all")
    assert (found.texts["lines-0-available"], found.texts["lines-1-available"]) == ("7", "3")


def test_details_are_pasted_by_their_titles_only(client: Any, clerk: Any, second: Any) -> None:
    """UX 6.6.5, 6.6.10: no cell lies left of a detail, so only a heading names it."""
    make.make_product("SV")
    lines = paste(
        client, [["Product", "Qty", "仓库", "Due"], ["SV", "2", "W2", "2026-12-24"], ["SV", "2", "", "never"]]
    )
    assert lines[2].cells["warehouse"] == {"text": "W2", "id": str(second.pk)}
    assert lines[2].cells["due"]["text"] == "2026-12-24"
    assert lines[3].tone == "bad" and "never" in lines[3].why
    plain = paste(client, [["SV", "", "", "2", "10", "0", "", "2026-12-24", "W2"]])
    assert "due" not in plain[1].cells and "warehouse" not in plain[1].cells


def test_details_come_back_from_a_draft(client: Any, clerk: Any, mingrui: Any) -> None:
    """UX 6.5.9, 6.6.10: what was typed into details is kept and restored with the rest."""
    given = head(mingrui) | row(make.make_product("SV"), 0, due=DUE.isoformat())
    assert client.post("/sales/orders/new/draft/", given).status_code == 204
    text = client.get("/sales/orders/new/?draft=1").content.decode()
    assert Fields(text).values["lines-0-due"] == DUE.isoformat() and "center changed" in text


def test_details_are_put_together_when_two_people_save(client: Any, clerk: Any, mingrui: Any, second: Any) -> None:
    """Rule G-19: a detail that one changed is merged, one that both changed is chosen."""
    order = make.make_order(mingrui, make.line(make.make_service("S", tax=None)), currency=make.currency())
    url = f"/sales/orders/{order.url_key}/edit/"
    opened = Fields(client.get(url).content.decode()).values
    mine = {name: value for name, value in opened.items() if name.startswith(("lines-0-", "opened"))}
    mine = head(mingrui) | mine | {"lines-0-due": "2026-12-25", "version": 1}
    order.lines.update(due_date=DUE, warehouse=second)
    SalesOrder.objects.filter(pk=order.pk).update(version=2)
    answer = client.post(url, mine)
    text = html.unescape(answer.content.decode())
    found = Fields(text)
    assert answer.status_code == 409
    assert (found.values["lines-0-due"], found.values["lines-0-warehouse_text"]) == (DUE.isoformat(), "W2")
    assert "Line 1 · Due" in text and 'value="lines-0-due=2026-12-25"' in text
    chosen = {name: value for name, value in found.values.items() if name.startswith(("lines-0-", "over", "mine"))}
    again = head(mingrui) | chosen | {"version": 2, "opened": found.values["opened"], "pick-1": "yours"}
    assert client.post(url, again).status_code == 302
    line = order.lines.get()
    assert (line.due_date, line.warehouse) == (dt.date(2026, 12, 25), second)


def test_the_entries_of_a_voucher_have_a_department_of_their_own(client: Any, clerk: Any) -> None:
    """UX 6.18: what an account needs beside its amount stands under its row."""
    east = Department.objects.create(code="E", name="East")
    leaf = Account.objects.filter(is_group=False, active=True, control="").order_by("code").first()
    page = Fields(client.get("/finance/vouchers/new/").content.decode()).values
    given = {name: value for name, value in page.items() if not name.startswith("lines-")} | {"memo": "Rent"}
    for index, (side, department) in enumerate((("debit", "East"), ("credit", ""))):
        given |= {
            f"lines-{index}-account_text": leaf.code,
            f"lines-{index}-memo": "Rent",
            f"lines-{index}-{side}": "5",
            f"lines-{index}-department_text": department,
        }
    assert client.post("/finance/vouchers/new/", given).status_code == 302
    voucher = Voucher.objects.get()
    assert [line.department for line in voucher.lines.order_by("position")] == [east, voucher.department]
    text = client.get(f"/finance/vouchers/{voucher.url_key}/edit/").content.decode()
    assert Fields(text).values["lines-0-department"] == str(east.pk)
    assert Fields(text).values["lines-1-department"] == ""
