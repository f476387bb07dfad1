"""The two roads of a trading company, walked in a browser in both languages: from a new customer to the money, the
first half by keyboard alone, and from a purchase order to its payment. What counts is what the database holds."""

from __future__ import annotations

import re
from decimal import Decimal as D

import pytest
from playwright.sync_api import expect

from crm.customers.models import Contact, Customer
from crm.followups.models import FollowUp
from erp.finance.models import OpenItem, Payment
from erp.inventory.models import StockLevel
from erp.purchasing.models import Bill, GoodsReceipt, PurchaseOrder
from erp.sales.models import Delivery, Invoice, SalesOrder
from tests import factories as make
from tests.invariants import assert_books

LANGUAGES = {"en-US": "en", "zh-CN": "zh-hans"}
PASSWORD = "sanhe-test-pass"

# code, price, tax code, what is typed: quantity, discount
LINES = (
    ("LM-400", "1280", "V13", "40", "5"),
    ("LM-600", "1460", "V13", "24", ""),
    ("SV-750", "1180", "V13", "40", "3"),
    ("CP-25", "86.5", "V13", "64", ""),
    ("INST", "6800", "V6", "1", ""),
)
NET = {
    "LM-400": D("48640.00"),
    "LM-600": D("35040.00"),
    "SV-750": D("45784.00"),
    "CP-25": D("5536.00"),
    "INST": D("6800.00"),
}
TOTAL = D("159758.00")  # net 141,800.00, tax 13 % of 135,000.00 and 6 % of 6,800.00


@pytest.fixture
def shop(transactional_db):
    """A clerk, five products, goods in stock, customers and a supplier."""
    clerk = make.make_user("clerk", name="Chen Li")
    for code, price, tax, quantity, _discount in LINES:
        if tax == "V6":
            make.make_service(code, price, name=f"Service {code}")
        else:
            make.stock(make.make_product(code, price, tax, name=f"Goods {code}"), int(quantity) + 10, "50", by=clerk)
    make.make_customer("Hangzhou Yunduan", code="C-9")
    make.make_supplier("Wuxi Hengtuo", code="S-9", payment_terms=make.payment_terms("NET60", days=60))
    return clerk


@pytest.fixture(params=LANGUAGES)
def page(request, open_page, shop):
    one = open_page(locale=request.param)
    one.language = LANGUAGES[request.param]
    return one


def log_in(page):
    """By the form, which has the focus; nothing is clicked."""
    page.goto("/login/")
    page.keyboard.type("clerk")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/$"))
    expect(page.locator("html")).to_have_attribute("lang", page.language)


def focused(page):
    """The name of the field that has the focus."""
    return page.evaluate("document.activeElement.name || document.activeElement.id")


def keys(page, *pressed):
    """Keys one after the other; what is longer than a key is typed."""
    for key in pressed:
        if re.fullmatch(r"(?:(?:Control|Shift|Alt)\+)*(?:Enter|Tab|Escape|Arrow\w+|Delete|F\d|\w|/)", key):
            page.keyboard.press(key)
        else:
            page.keyboard.type(key)


def act(page, name):
    """Press the button of an action of the page, whatever it is called in the language."""
    page.locator(f".acts [data-name='{name}']:visible").first.click()


def settled(page):
    """The lines are computed."""
    expect(page.locator("[data-doc-form][aria-busy=true]")).to_have_count(0)


def number_in(page):
    """The number of the record whose page is open."""
    return page.locator("h1").inner_text().strip()


def new_customer(page):
    keys(page, "g", "c")
    page.wait_for_url("**/crm/customers/")
    keys(page, "c")
    page.wait_for_url("**/crm/customers/new/")
    assert focused(page) == "name"
    keys(page, "Suzhou Mingrui Automation", "Tab", "Mingrui", "Control+s")
    page.wait_for_url(re.compile(r"/crm/customers/C-[^/]+/$"))
    customer = Customer.objects.get(name="Suzhou Mingrui Automation")
    Contact.objects.create(customer=customer, name="Zhou Zhiyuan", primary=True)
    make.terms(customer, credit_limit=D(500_000), payment_terms=make.payment_terms("NET60", days=60))
    return customer


def order_by_keyboard(page, customer):
    keys(page, "g", "o")
    page.wait_for_url("**/sales/orders/")
    keys(page, "c")
    page.wait_for_url("**/sales/orders/new/")
    assert focused(page) == "customer_text"
    keys(page, "Mingrui")
    page.locator(".ac .o").first.wait_for()
    keys(page, "Enter")
    assert focused(page) == "lines-0-product_text"  # Enter leads on to the lines
    for code, _price, _tax, quantity, discount in LINES:
        keys(page, code, "Enter", quantity, "Enter", "Enter", *([discount] if discount else []), "Enter")
    expect(page.locator("#livetotal")).to_have_text("¥ 159,758.00")
    # the customer's contact and terms came along, and the credit that is left
    expect(page.locator("#id_contact")).to_have_value("Zhou Zhiyuan")
    expect(page.locator("#id_payment_terms")).not_to_have_value("")
    expect(page.locator("#hint-customer")).to_contain_text("500,000")
    keys(page, "Control+Enter")
    page.wait_for_url(re.compile(r"/sales/orders/SO-[^/]+/$"))
    order = SalesOrder.objects.get(number=number_in(page))
    assert (order.state, order.customer_id, order.total) == ("confirmed", customer.pk, TOTAL)
    assert {line.product.code: line.net for line in order.lines.select_related("product")} == NET
    assert order.contact.name == "Zhou Zhiyuan" and order.payment_terms.code == "NET60"
    level = StockLevel.objects.get(product__code="LM-400")
    assert (level.on_hand, level.reserved) == (50, 40)
    return order


def deliver_in_two_parts(page, order):
    act(page, "deliver")
    page.wait_for_url("**/edit/")
    page.locator("input[name$='-quantity']").nth(0).fill("10")
    page.locator("input[name$='-quantity']").nth(1).fill("0")
    page.keyboard.press("Tab")
    expect(page.locator("#foot-quantity")).to_have_text("115")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/sales/deliveries/DN-[^/]+/$"))
    order.refresh_from_db()
    assert (order.goods_status, StockLevel.objects.get(product__code="LM-400").on_hand) == ("partial", 40)
    page.locator(".doc-flow a", has_text=order.number).click()  # back along the chain
    page.wait_for_url(f"**/sales/orders/{order.number}/")
    act(page, "deliver")
    page.wait_for_url("**/edit/")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/sales/deliveries/DN-[^/]+/$"))
    order.refresh_from_db()
    assert (order.goods_percent, Delivery.objects.filter(state="posted").count()) == (100, 2)
    assert StockLevel.objects.get(product__code="LM-400").on_hand == 10


def invoice_and_receive(page, order):
    page.goto(f"/sales/orders/{order.number}/")
    act(page, "invoice")
    page.wait_for_url("**/edit/")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/sales/invoices/IV-[^/]+/$"))
    invoice = Invoice.objects.get(number=number_in(page))
    assert (invoice.state, invoice.total, invoice.open_amount) == ("posted", TOTAL, TOTAL)
    act(page, "receive")
    page.wait_for_url("**/sales/receipts/new/**")
    expect(page.locator("#id_amount")).to_have_value("159,758.00")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/sales/receipts/RC-[^/]+/$"))
    invoice.refresh_from_db()
    order.refresh_from_db()
    assert (invoice.open_amount, order.state, order.paid_percent) == (0, "closed", 100)
    assert Payment.objects.get(number=number_in(page)).amount == TOTAL
    assert page.locator(".doc-flow").inner_text().count(order.number) == 1  # the chain from its other end


def look_at_the_customer(page, customer, order):
    page.goto(f"/crm/customers/{customer.code}/")
    expect(page.locator("h1")).to_have_text("Suzhou Mingrui Automation")
    assert "159,758" in page.locator(".kpis").inner_text()
    assert order.number in page.locator("aside").inner_text()
    page.keyboard.press("f")  # the main action leads into the composer
    assert focused(page) == "text"
    page.keyboard.type("Samples meet the tolerance")
    page.locator("input[name=next_on]").fill("+7")
    page.locator("#composer button:not([type=button])").click()
    page.locator(".tl .txt", has_text="Samples meet").wait_for()
    logged = FollowUp.objects.get()
    assert (logged.text, (logged.next_on - make.today()).days) == ("Samples meet the tolerance", 7)


def take_the_money_back(page):
    """The receipt is reversed through the dialog that asks for the day: the invoice is open again (G-04)."""
    receipt = Payment.objects.get(state="posted")
    page.goto(f"/sales/receipts/{receipt.number}/")
    page.locator(".acts details[data-menu] > summary").click()
    act(page, "reverse")
    day = page.locator("#dialog input[name=date]")
    expect(day).to_have_value(str(make.today()))
    day.fill("nonsense")
    page.locator("#dialog footer .dng").click()
    expect(page.locator("#dialog a[href='#id_date']")).to_be_visible()
    expect(day).to_have_value("nonsense")  # what was typed stays
    day.fill(str(make.today()))
    page.locator("#dialog footer .dng").click()
    expect(page.locator(".phead .bd")).not_to_have_class("bd ok")
    receipt.refresh_from_db()
    assert (receipt.state, Invoice.objects.get().open_amount) == ("reversed", TOTAL)


def test_from_a_new_customer_to_the_money(page):
    """Rules S-03, S-06, G-11, A-04 by hand: the order by keyboard alone, then goods, invoice and money."""
    log_in(page)
    customer = new_customer(page)
    order = order_by_keyboard(page, customer)
    deliver_in_two_parts(page, order)
    invoice_and_receive(page, order)
    look_at_the_customer(page, customer, order)
    assert not OpenItem.objects.filter(customer=customer).exclude(remaining=0).exists()
    take_the_money_back(page)
    assert_books()


def test_from_a_purchase_order_to_its_payment(page):
    """The road of purchasing: order, goods in two parts, bill, payment."""
    log_in(page)
    page.goto("/purchasing/orders/new/")
    keys(page, "S-9")
    page.locator(".ac .o").first.wait_for()
    keys(page, "Enter", "SV-750", "Enter", "50", "Enter", "690", "Enter", "Enter")
    settled(page)
    expect(page.locator("#id_payment_terms")).not_to_have_value("")
    keys(page, "Control+Enter")
    page.wait_for_url(re.compile(r"/purchasing/orders/PO-[^/]+/$"))
    order = PurchaseOrder.objects.get(number=number_in(page))
    assert (order.state, order.net, order.total) == ("confirmed", D("34500.00"), D("38985.00"))
    for typed, left in (("20", 30), ("", 0)):
        page.goto(f"/purchasing/orders/{order.number}/")
        act(page, "receive")
        page.wait_for_url("**/edit/")
        if typed:
            page.locator("input[name$='-quantity']").fill(typed)
        page.keyboard.press("Control+Enter")
        page.wait_for_url(re.compile(r"/purchasing/receipts/GR-[^/]+/$"))
        assert order.lines.get().quantity - order.lines.get().moved == left
    assert GoodsReceipt.objects.filter(state="posted").count() == 2
    assert StockLevel.objects.get(product__code="SV-750").on_hand == 100
    page.goto(f"/purchasing/orders/{order.number}/")
    act(page, "bill")
    page.wait_for_url("**/edit/")
    page.locator("#id_supplier_number").fill("HT-2026-118")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/purchasing/bills/BL-[^/]+/$"))
    bill = Bill.objects.get(number=number_in(page))
    act(page, "pay")
    page.wait_for_url("**/purchasing/payments/new/**")
    page.keyboard.press("Control+Enter")
    page.wait_for_url(re.compile(r"/purchasing/payments/[^/]+/$"))
    bill.refresh_from_db()
    order.refresh_from_db()
    assert (bill.supplier_number, bill.total, bill.open_amount) == ("HT-2026-118", D("38985.00"), 0)
    assert (order.state, order.paid_percent) == ("closed", 100)
    assert_books()
