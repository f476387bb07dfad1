"""Usability scripts at sales orders, within their limits of clicks and keys (UX 11)."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal as D
from typing import Any

import pypdf
import pytest
from playwright.sync_api import expect

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.sales.models import SalesOrder
from oa.organisation.models import User
from tests import factories as make
from tests.browser.counting import hands

# code, price, what is typed: quantity, discount
LINES = (
    ("LM-400", "1280", "40", ""),
    ("LM-600", "1460", "24", ""),
    ("SV-750", "1180", "40", "5"),
    ("CP-25", "86.5", "64", ""),
    ("GR-10", "250", "2", ""),
)
NET = D("51200") + D("35040") + D("44840") + D("5536") + D("500")


@pytest.fixture
def ann(transactional_db: None) -> User:
    """A clerk, a customer with a Chinese name, five products."""
    make.make_customer("苏州明锐自动化有限公司", code="C-7", short_name="明锐")
    for code, price, _quantity, _discount in LINES:
        make.make_product(code, price, tax=None, name=f"Goods {code}")
    return make.make_user("ann", name="Ann", language="en")


def opened(page: Any) -> SalesOrder:
    """The order whose page the browser shows."""
    page.wait_for_url(re.compile(r"/sales/orders/SO-[^/]+/$"))
    return SalesOrder.objects.get(number=page.locator("h1").inner_text())


def test_an_order_of_five_lines_without_mouse(open_page: Any, ann: User) -> None:
    """UX 11, script 5: five lines, one with 5 % discount, submitted: no click, at most 45 keys besides text."""
    page = open_page(user=ann)
    page.goto("/sales/orders/")
    with hands(page, keys=45) as hand:
        hand.press("c")
        page.wait_for_url("**/sales/orders/new/")
        hand.type("szmr")
        page.locator(".ac .o").first.wait_for()
        hand.press("Enter")  # takes the customer and leads on to the lines
        for code, _price, quantity, discount in LINES:
            hand.type(code)
            hand.press("Enter")
            hand.type(quantity)
            hand.press("Enter", "Enter")  # the price is that of the product
            hand.type(discount)
            hand.press("Enter")
        hand.press("Control+Enter")
        order = opened(page)
    assert hand.used == {"clicks": 0, "keys": 23}
    assert (order.state, order.customer.code, order.total) == ("confirmed", "C-7", NET)
    assert [line.discount for line in order.lines.order_by("pk")] == [0, 0, 5, 0, 0]


def test_thirty_lines_of_a_spreadsheet(open_page: Any, ann: User) -> None:
    """UX 11, script 6: 30 lines that are in an Excel sheet are looked at and taken: at most 4 clicks."""
    Product.objects.all().delete()
    for n in range(30):
        make.make_product(f"P-{n:02}", "1000", tax=None)
    sheet = "Product\tQuantity\tUnit price\n" + "".join(f"P-{n:02}\t{n + 1}\t1,250.50\n" for n in range(30))
    page = open_page(user=ann)
    page.goto("/sales/orders/")
    with hands(page, clicks=4, keys=2) as hand:
        hand.click("[data-name=new]")
        page.wait_for_url("**/sales/orders/new/")
        hand.type("szmr")
        hand.click(".ac .o >> text=明锐")
        hand.click("[data-grid] [name$='-0-product_text']")
        hand.paste(sheet)
        expect(page.locator("#drawer [data-take]")).to_have_text("Take 30 of 30 rows")
        expect(page.locator("#drawer tbody tr")).to_have_count(30)
        expect(page.locator("#drawer [data-take]")).to_be_focused()
        hand.press("Enter")
        expect(page.locator("#toasts")).to_contain_text("Rows pasted: 30")
        expect(page.locator("#livetotal")).to_have_text("¥ 581,482.50")
        hand.click("[data-primary]")
        order = opened(page)
    assert hand.used["clicks"] == 4
    assert (order.state, order.total, order.lines.count()) == ("confirmed", D("581482.50"), 30)
    assert [line.quantity for line in order.lines.order_by("pk")] == list(range(1, 31))


@pytest.fixture
def shared(ann: User) -> SalesOrder:
    """A draft of two lines that two people have open."""
    goods = list(Product.objects.order_by("code")[:2])
    return make.make_order(Customer.objects.get(), make.line(goods[0], 5), make.line(goods[1], 3), by=ann)


def edited(open_page: Any, order: SalesOrder, name: str) -> Any:
    """The edit form of the order, in the browser of one more clerk."""
    page = open_page(user=make.make_user(name, name=name.title(), language="en"))
    page.watch.expected.append("409")
    page.goto(f"/sales/orders/d-{order.pk}/edit/")
    return page


def day_of(order: SalesOrder) -> dt.date | None:
    return SalesOrder.objects.get(pk=order.pk).required_date


def test_two_edit_one_order(open_page: Any, shared: SalesOrder) -> None:
    """UX 11, script 12: one changes the date, the other a line; put together with no loss by one click."""
    first, second = (edited(open_page, shared, name) for name in ("bob", "cat"))
    due = make.today() + dt.timedelta(days=9)
    first.locator("[name=required_date]").fill(str(due))
    first.locator("[data-save]").click()
    expect(first.locator("#toasts")).to_contain_text("saved")
    quantity = second.locator("[name$='-0-quantity']")
    quantity.fill("8")
    second.keyboard.press("Control+s")
    with hands(second, clicks=1) as hand:
        expect(second.locator("#conflict")).to_contain_text("Bob")
        expect(second.locator("#conflict")).to_contain_text(str(due))
        assert second.locator("#conflict input[type=radio]").count() == 0, "nothing has to be chosen"
        hand.click("#conflict [data-save]")
        expect(second.locator("#conflict")).to_have_count(0)
    assert day_of(shared) == due
    assert [line.quantity for line in shared.lines.order_by("pk")] == [8, 3]


def test_a_clash_is_chosen_in_a_table(open_page: Any, shared: SalesOrder) -> None:
    """UX 11, script 12, and 7.6: where both changed the same, a table shows was, theirs, yours; theirs is the default."""
    first, second = (edited(open_page, shared, name) for name in ("bob", "cat"))
    theirs, mine = (make.today() + dt.timedelta(days=days) for days in (3, 9))
    first.locator("[name=required_date]").fill(str(theirs))
    first.locator("[data-save]").click()
    expect(first.locator("#toasts")).to_contain_text("saved")
    second.locator("[name=required_date]").fill(str(mine))
    second.keyboard.press("Control+s")
    row = second.locator("#conflict tbody tr").first
    expect(row).to_contain_text(str(theirs))
    expect(row).to_contain_text(str(mine))
    expect(row.locator("input[value=theirs]")).to_be_checked()
    with hands(second, clicks=2) as hand:
        hand.click(row.locator("input[value=yours]"))
        hand.click("#conflict [data-save]")
        expect(second.locator("#conflict")).to_have_count(0)
    assert day_of(shared) == mine


def test_an_order_on_three_part_paper(open_page: Any, ann: User) -> None:
    """UX 11, script 19: the order on three-part paper in Chinese with the amount in words: 3 clicks."""
    make.company(name="华辰精密")
    goods = make.make_product("JP-1", "140048", tax=None, name="精密平台")
    order = make.confirmed_order(Customer.objects.get(), make.line(goods, 1), by=ann)
    page = open_page(user=ann)
    page.goto(f"/sales/orders/{order.number}/")
    with hands(page, clicks=3) as hand:
        hand.click("[data-name=print]")
        page.wait_for_url("**/print/*")
        hand.click("aside >> text=Form of 241 mm, third")
        page.wait_for_url("**sheet=third*")
        expect(page.locator(".paper svg")).to_have_count(1)
        with page.expect_download() as file:
            hand.click("[data-name=pdf]")
    pdf = pypdf.PdfReader(file.value.path())
    [sheet] = pdf.pages
    assert [round(float(side) / 72 * 25.4) for side in (sheet.mediabox.width, sheet.mediabox.height)] == [241, 93]
    text = re.sub(r"\s", "", sheet.extract_text())
    assert "壹拾肆万零肆拾捌元整" in text and "140,048.00" in text
    assert "苏州明锐自动化有限公司" in text and "精密平台" in text and "Customer" not in text
