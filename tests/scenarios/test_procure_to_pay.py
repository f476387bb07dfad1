"""From the order to a supplier to the money paid."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D

import pytest

from erp.finance.models import JournalEntry, JournalLine, Payment, Supplier, TaxCode
from erp.finance.models.payments import Direction
from erp.finance.services import post_payment, reverse_payment, save_payment
from erp.inventory.models import Product, StockMove
from erp.purchasing.models import PurchaseOrder
from erp.purchasing.services import (
    bill_order,
    confirm_order,
    draft_bill,
    draft_receipt,
    post_bill,
    post_receipt,
    receive_order,
    reverse_bill,
    reverse_receipt,
    save_bill,
    save_receipt,
)
from oa.organisation.models import User
from tests import factories as make
from tests.invariants import assert_books
from tests.readings import balance, code, entry_of, input_tax, sell
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def books_hold() -> Iterator[None]:
    """Whatever a scenario does, the books' invariants hold at its end."""
    yield
    assert_books()


@pytest.fixture
def clerk() -> User:
    return make.make_user("clerk")


@pytest.fixture
def hengtuo() -> Supplier:
    return make.make_supplier("Wuxi Hengtuo", payment_terms=make.payment_terms("NET30", days=30))


@pytest.fixture
def motor() -> Product:
    return make.make_product("SV-750W", price="100", cost=D(60))


@pytest.fixture
def drive() -> Product:
    return make.make_product("DR-1", price="40", cost=D("20.5"))


def fresh(order: PurchaseOrder) -> PurchaseOrder:
    return PurchaseOrder.objects.get(pk=order.pk)


def test_order_received_and_billed_in_parts_and_paid_in_parts(
    clerk: User, hengtuo: Supplier, motor: Product, drive: Product
) -> None:
    """G-02, G-07, G-11, P-08, P-09, P-12, A-01: one order, two receipts, two bills, two payments."""
    order = make.make_purchase(hengtuo, make.line(motor, 4, "59.99"), make.line(drive, 6, "20.5"), by=clerk)
    assert order.number is None, "G-01: a draft has no official number"
    assert (order.net, order.tax, order.total) == (D("362.96"), D("47.18"), D("410.14"))
    assert order.payment_terms == hengtuo.payment_terms

    order = confirm_order(order, by=clerk)
    assert order.number is not None and order.number.startswith("PO-") and order.state == "confirmed"

    motors, drives = order.lines.all()
    first = receive_order(order, {motors.pk: D(1), drives.pk: D(6)}, by=clerk)
    assert first.value == D("60.00") - D("0.01") + D("123.00")
    assert entry_of(first) == {code("inventory"): D("182.99"), code("grni"): D("-182.99")}
    order = fresh(order)
    assert (order.state, order.goods_status, order.billing_status) == ("confirmed", "partial", "none")

    part = bill_order(order, by=clerk, supplier_number="HT-1")
    assert (part.net, part.tax, part.total, part.open_amount) == (D("182.99"), D("23.79"), D("206.78"), D("206.78"))
    assert balance("grni") == 0 and input_tax() == D("23.79") and balance("payable") == D("-206.78")

    receive_order(order, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value) == (4, D("239.96"))
    assert fresh(order).goods_status == "complete" and balance("grni") == D("-179.97")

    rest = bill_order(order, by=clerk, supplier_number="HT-2")
    order = fresh(order)
    assert (order.billing_status, order.billed_percent, order.state) == ("complete", 100, "closed")
    assert balance("grni") == 0, "P-12: cleared exactly"
    assert part.net + rest.net == order.net and balance("inventory") == order.net
    assert part.number is not None and rest.number is not None and part.number < rest.number

    make.pay_supplier(hengtuo, "100", by=clerk)
    part.refresh_from_db()
    assert part.open_amount == D("106.78") and D(0) < fresh(order).paid_percent < 100
    make.pay_supplier(hengtuo, str(D("106.78") + rest.total), by=clerk)
    part.refresh_from_db()
    rest.refresh_from_db()
    assert (part.open_amount, rest.open_amount, balance("payable")) == (0, 0, 0)
    assert fresh(order).paid_percent == 100


def test_documents_are_drafted_compared_and_posted(
    clerk: User, hengtuo: Supplier, motor: Product, drive: Product
) -> None:
    """G-01, G-10: the same road over drafts, which keep their links; nothing is booked before posting."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 4, "60"), make.line(drive, 6, "20"), by=clerk)
    receipt = draft_receipt(order, by=clerk)
    motors, drives = receipt.lines.all()
    assert (motors.quantity, drives.quantity) == (4, 6) and receipt.number is None
    receipt.supplier_note = "DN 77"
    receipt = save_receipt(receipt, {motors.pk: D(3), drives.pk: D(0)}, by=clerk, version=1)
    assert not JournalEntry.objects.exists() and not StockMove.objects.exists()
    receipt = post_receipt(receipt, by=clerk, version=2)
    assert (receipt.state, receipt.value, receipt.supplier_note) == ("posted", D("180.00"), "DN 77")

    bill = draft_bill(order, by=clerk, supplier_number=" HT-9 ")
    [line] = bill.lines.all()
    assert (line.quantity, line.price, line.order_line, bill.supplier_number) == (3, 60, order.lines.first(), "HT-9")
    bill = save_bill(bill, [make.line(motor, 2, "61", pk=line.pk)], by=clerk, version=1)
    assert (bill.net, bill.state, bill.number) == (D("122.00"), "draft", None)
    bill = post_bill(bill, by=clerk, version=2)
    [line] = bill.lines.all()
    assert (line.cleared, line.difference, line.to_stock) == (120, 2, 2)
    assert balance("grni") == -60 and make.level(motor).value == 182
    [received] = receipt.lines.all()
    assert (received.billed, received.cleared) == (2, 120)

    payment = Payment(
        direction=Direction.PAY, supplier=hengtuo, account=make.bank(), currency=make.currency(), amount=bill.total
    )
    save_payment(payment, {item.pk: -item.amount for item in make.items(bill)}, by=clerk)
    payment = post_payment(payment, by=clerk)
    bill.refresh_from_db()
    assert payment.number is not None and payment.number.startswith("PV-") and bill.open_amount == 0


def test_bill_at_another_price_after_half_was_sold(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-12, V-10, V-12: half of the price difference goes to stock, half to the cost of goods sold."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    sell(motor, 5, clerk)
    assert (make.level(motor).value, balance("cogs")) == (300, 300)

    bill = draft_bill(order, by=clerk)
    [line] = bill.lines.all()
    save_bill(bill, [make.line(motor, 10, "66", pk=line.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)

    assert (make.level(motor).on_hand, make.level(motor).value, balance("cogs")) == (5, 330, 330)
    assert entry_of(bill) == {
        code("grni"): D(600),
        code("inventory"): D(30),
        code("cogs"): D(30),
        TaxCode.objects.get(code="V13").input_account.code: D("85.80"),
        code("payable"): D("-745.80"),
    }
    [received] = StockMove.objects.filter(source="erp.goodsreceipt", source_id=receipt.pk)
    [adjustment] = StockMove.objects.filter(kind="value")
    assert (adjustment.quantity, adjustment.value, adjustment.adjusts) == (0, 30, received)
    assert (adjustment.value_after, adjustment.entry.source) == (330, "erp.bill")
    assert received.value == 600, "V-10: the receipt's own row stays"


def test_foreign_currency_bill_and_payment(clerk: User, motor: Product) -> None:
    """G-17, A-06, P-12: order at 7.00, bill at 7.20, payment at 7.05: the difference of the first two is cost of
    the goods, that of the last two an exchange gain."""
    usd = make.currency("USD", "7.00", make.days_ago(20))
    make.currency("USD", "7.20", make.days_ago(10))
    make.currency("USD", "7.05", make.today())
    acme = make.make_supplier("Acme Inc.", currency=usd)
    order = make.confirmed_purchase(
        acme,
        make.line(motor, 10, "10.00", tax_code=TaxCode.objects.get(code="V0")),
        by=clerk,
        date=make.days_ago(15),
    )
    assert (order.currency, order.rate, order.total, order.base_total) == (usd, 7, 100, 700)
    receive_order(order, by=clerk, date=make.days_ago(12))
    assert make.level(motor).value == 700 and balance("grni") == -700
    sell(motor, 4, clerk)

    bill = bill_order(order, by=clerk, date=make.days_ago(10))
    assert (bill.rate, bill.total, bill.base_total) == (D("7.2"), 100, 720)
    assert balance("grni") == 0 and balance("payable") == -720
    assert (make.level(motor).value, balance("cogs")) == (D(420) + 12, D(280) + 8)
    [item] = make.items(bill)
    assert (item.amount, item.base_amount, item.currency) == (-100, -720, usd)

    payment = make.pay_supplier(acme, "100", by=clerk, currency=usd, rate=D("7.05"))
    assert balance("payable") == 0 and balance("exchange-gain") + balance("exchange-loss") == -15
    assert make.items(bill)[0].remaining == 0 and fresh(order).paid_percent == 100

    reverse_payment(payment, by=clerk)
    assert balance("payable") == -720 and balance("exchange-gain") + balance("exchange-loss") == 0
    bill.refresh_from_db()
    assert bill.open_amount == 100


def test_everything_reversed_leaves_nothing(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-04, G-05, G-06: payment, bill and receipt are reversed in this order and no other; the books are empty."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    bill = draft_bill(order, by=clerk, supplier_number="HT-1")
    [line] = bill.lines.all()
    save_bill(bill, [make.line(motor, 10, "63", pk=line.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)
    payment = make.pay_supplier(hengtuo, str(bill.total), by=clerk)
    assert fresh(order).state == "closed" and fresh(order).paid_percent == 100

    with refused("is settled by PV-"):
        reverse_bill(bill, by=clerk)
    with refused("is billed by BL-"):
        reverse_receipt(receipt, by=clerk)

    reverse_payment(payment, by=clerk)
    counter = reverse_bill(bill, by=clerk)
    assert (counter.total, counter.reversal_of, counter.state) == (-bill.total, bill, "posted")
    assert (make.level(motor).value, balance("grni"), balance("payable")) == (600, -600, 0)
    assert [m.value for m in StockMove.objects.filter(kind="value").order_by("pk")] == [30, -30]
    assert fresh(order).state == "confirmed" and fresh(order).billing_status == "none"
    bill.refresh_from_db()
    assert (bill.state, bill.open_amount, fresh(order).paid_percent) == ("reversed", 0, 0)
    with refused("not possible any more"):
        reverse_bill(bill, by=clerk)
    with refused("is a reversal itself"):
        reverse_bill(counter, by=clerk)

    back = reverse_receipt(receipt, by=clerk)
    assert (back.value, back.reversal_of) == (-600, receipt)
    assert (make.level(motor).on_hand, make.level(motor).value) == (0, 0)
    for purpose in ("inventory", "grni", "payable", "cogs", "expense"):
        assert balance(purpose) == 0, purpose
    assert input_tax() == 0
    lines = JournalLine.objects.filter(entry__source="erp.goodsreceipt")
    assert sum(line.debit for line in lines) == 0, "G-05: red letter, no turnover is left"

    again = receive_order(fresh(order), by=clerk)
    assert bill_order(fresh(order), by=clerk, supplier_number="HT-1").number and again.value == 600


def test_parts_of_an_order_line_add_up_exactly(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-08: three receipts of a third each are worth the line's net together, also after a reversal between."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 3, "33.3333", discount="0.01"), by=clerk)
    [line] = order.lines.all()
    assert line.net == D("99.99")
    parts = [receive_order(order, {line.pk: D(1)}, by=clerk) for _part in range(3)]
    assert sum(part.value for part in parts) == line.net
    reverse_receipt(parts[1], by=clerk)
    again = receive_order(fresh(order), by=clerk)
    assert parts[0].value + parts[2].value + again.value == line.net
    bill_order(fresh(order), by=clerk)
    assert balance("grni") == 0 and balance("inventory") == line.net


def test_services_are_received_or_billed_from_the_order(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: a service received waits for its bill like goods; one that was not is received with its bill."""
    freight = make.make_service("FREIGHT", cost=D(50))
    order = make.confirmed_purchase(hengtuo, make.line(motor, 1, "60"), make.line(freight, 4, "50"), by=clerk)
    goods, service = order.lines.all()
    receipt = receive_order(order, {goods.pk: D(1), service.pk: D(1)}, by=clerk)
    assert entry_of(receipt) == {code("inventory"): D(60), code("expense"): D(50), code("grni"): D(-110)}
    assert [move.product for move in StockMove.objects.all()] == [motor], "no stock move for a service"

    with refused("Only 3 of FREIGHT are ordered and not billed; you entered 4"):
        bill_order(order, {service.pk: D(5)}, by=clerk)
    bill = bill_order(order, {goods.pk: D(1), service.pk: D(4)}, by=clerk)
    assert [(x.quantity, x.receipt_line_id is None) for x in bill.lines.all()] == [(1, False), (1, False), (3, True)]
    assert balance("grni") == 0 and balance("expense") == 200
    assert (fresh(order).state, fresh(order).goods_percent) == ("closed", 100)

    reverse_bill(bill, by=clerk)
    assert (fresh(order).state, balance("expense"), balance("grni")) == ("confirmed", 50, -110)
    other = make.confirmed_purchase(hengtuo, make.line(freight, 1, "50"), by=clerk)
    with refused("Nothing received is left to bill"):
        bill_order(other, by=clerk)
