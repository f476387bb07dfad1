"""From the order to a supplier to the money paid."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D

import pytest

from erp.finance.models import JournalEntry, JournalLine, Payment, PostingRule, Supplier, TaxCode
from erp.finance.models.payments import Direction
from erp.finance.services import post_payment, reverse_payment, save_payment
from erp.inventory.models import Product, ProductUnit, StockMove, Unit
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, PurchaseOrder
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
from erp.sales.services import deliver_order, invoice_order
from oa.organisation.models import User
from tests import factories as make
from tests.invariants import assert_books
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


def balance(purpose: str) -> D:
    """What the ledger holds on the accounts that posting rules use for a purpose."""
    accounts = PostingRule.objects.filter(purpose=purpose).values("account")
    return sum((x.debit - x.credit for x in JournalLine.objects.filter(account__in=accounts)), D(0))


def input_tax() -> D:
    accounts = TaxCode.objects.values("input_account")
    return sum((x.debit - x.credit for x in JournalLine.objects.filter(account__in=accounts)), D(0))


def entry_of(document: Bill | GoodsReceipt, purpose: str = "post") -> dict[str, D]:
    """Debit (positive) and credit by account code of the entry that a document posted."""
    [entry] = JournalEntry.objects.filter(source=document._meta.label_lower, source_id=document.pk, purpose=purpose)
    sums: dict[str, D] = {}
    for line in entry.lines.select_related("account"):
        sums[line.account.code] = sums.get(line.account.code, D(0)) + line.debit - line.credit
    return sums


def code(purpose: str, group: str | None = None) -> str:
    """The account that a rule leads to."""
    rules = PostingRule.objects.filter(purpose=purpose, product_group__code=group, partner_group=None)
    return rules.get().account.code


def sell(product: Product, quantity: int, by: User) -> None:
    """Sell and deliver."""
    customer = make.make_customer("Mingrui Precision")
    order = make.confirmed_order(customer, make.line(product, quantity), by=by)
    deliver_order(order, by=by)
    invoice_order(order, by=by)


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


def test_bill_over_two_receipts_of_one_product(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09 many-to-many, V-12: what is in stock is counted once, not once for every receipt."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    [line] = order.lines.all()
    receive_order(order, {line.pk: D(5)}, by=clerk)
    receive_order(order, {line.pk: D(5)}, by=clerk)
    sell(motor, 5, clerk)
    bill = draft_bill(order, by=clerk)
    first, second = bill.lines.all()
    assert (first.quantity, second.quantity) == (5, 5) and first.receipt_line != second.receipt_line
    save_bill(bill, [make.line(motor, 5, "62", pk=row.pk) for row in (first, second)], by=clerk)
    post_bill(bill, by=clerk)
    assert (make.level(motor).value, balance("cogs"), balance("grni")) == (310, 310, 0)
    assert {move.adjusts.quantity for move in StockMove.objects.filter(kind="value")} == {D(5)}


def test_partial_bills_share_the_difference_by_what_is_in_stock(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-12, V-12: two bills of one receipt add up to the same as one bill."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    [line] = order.lines.all()
    receive_order(order, by=clerk)
    sell(motor, 5, clerk)
    for _half in range(2):
        bill = draft_bill(order, {line.pk: D(5)}, by=clerk)
        [row] = bill.lines.all()
        save_bill(bill, [make.line(motor, 5, "66", pk=row.pk)], by=clerk)
        post_bill(bill, by=clerk)
    assert (make.level(motor).value, balance("cogs"), balance("grni")) == (330, 330, 0)


def test_cheaper_bill_takes_no_more_out_of_stock_than_there_is(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-12, I-17: stock never gets a negative value; the rest lowers the cost of goods sold."""
    make.stock(motor, 90, "0.10", by=clerk)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "10"), by=clerk)
    receive_order(order, by=clerk)
    sell(motor, 95, clerk)
    assert (make.level(motor).value, balance("cogs")) == (D("5.45"), D("103.55"))
    bill = draft_bill(order, by=clerk)
    [row] = bill.lines.all()
    save_bill(bill, [make.line(motor, 10, "1", pk=row.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)
    [row] = bill.lines.all()
    assert (row.difference, row.to_stock) == (-90, D("-5.45"))
    assert (make.level(motor).on_hand, make.level(motor).value, balance("cogs")) == (5, 0, D("19.00"))


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


def test_reversing_a_bill_whose_goods_are_gone(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-04, V-02: what stock cannot carry of the counter value goes to the cost of goods sold by its own entry."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receive_order(order, by=clerk)
    bill = draft_bill(order, by=clerk)
    [line] = bill.lines.all()
    save_bill(bill, [make.line(motor, 10, "66", pk=line.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)
    sell(motor, 10, clerk)
    assert (make.level(motor).value, balance("cogs")) == (0, 660)
    counter = reverse_bill(bill, by=clerk)
    assert (make.level(motor).value, balance("inventory"), balance("cogs")) == (0, 0, 600)
    assert entry_of(counter, "value") == {code("inventory"): D(60), code("cogs"): D(-60)}


def test_reversing_a_receipt_after_the_average_has_changed(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-17, V-06: it leaves at its original value; what the rest cannot carry goes to the cost of goods sold."""
    cheap = make.confirmed_purchase(hengtuo, make.line(motor, 10, "10"), by=clerk)
    receive_order(cheap, by=clerk)
    dear = make.confirmed_purchase(hengtuo, make.line(motor, 10, "90"), by=clerk)
    receipt = receive_order(dear, by=clerk)
    sell(motor, 10, clerk)
    assert (make.level(motor).on_hand, make.level(motor).value) == (10, 500)
    reverse_receipt(receipt, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value, balance("inventory")) == (0, 0, 0)
    assert balance("cogs") == 100 and balance("grni") == -100


def test_reversal_of_a_receipt_whose_goods_were_sold_is_refused(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """D-01, V-20: stock that is not there cannot go back."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    sell(motor, 1, clerk)
    with refused("Only 9 of SV-750W are available"):
        reverse_receipt(receipt, by=clerk)


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


def test_price_difference_of_a_service_goes_to_its_expense(clerk: User, hengtuo: Supplier) -> None:
    """P-12: a service has no stock."""
    freight = make.make_service("FREIGHT")
    order = make.confirmed_purchase(hengtuo, make.line(freight, 2, "50"), by=clerk)
    receive_order(order, by=clerk)
    bill = draft_bill(order, by=clerk)
    [row] = bill.lines.all()
    save_bill(bill, [make.line(freight, 2, "55", pk=row.pk)], by=clerk)
    post_bill(bill, by=clerk)
    assert (balance("expense"), balance("grni"), balance("cogs")) == (110, 0, 0)


def test_cost_without_an_order(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: a bill may hold cost of its own; goods need a receipt."""
    rent = make.make_service("RENT", tax="V9")
    bill = save_bill(Bill(supplier=hengtuo), [make.line(rent, 1, "1000")], by=clerk)
    bill = post_bill(bill, by=clerk)
    assert (bill.total, balance("expense"), input_tax(), balance("payable")) == (1090, 1000, 90, -1090)
    with refused("SV-750W is kept in stock; bill it from a goods receipt"):
        save_bill(Bill(supplier=hengtuo), [make.line(motor, 1, "60")], by=clerk)


def test_tax_that_is_not_recoverable_is_part_of_the_cost(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """V-07: on receipt, on the bill and in the price difference."""
    levy = TaxCode.objects.create(code="N13", name="13 %, not recoverable", rate=D("0.13"), recoverable=False)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60", tax_code=levy), by=clerk)
    receipt = receive_order(order, by=clerk)
    assert receipt.value == 678 and make.level(motor).value == 678
    bill = draft_bill(order, by=clerk)
    [row] = bill.lines.all()
    save_bill(bill, [make.line(motor, 10, "70", tax_code=levy, pk=row.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)
    assert entry_of(bill) == {code("grni"): D(678), code("inventory"): D(113), code("payable"): D(-791)}
    rent = make.make_service("RENT")
    post_bill(save_bill(Bill(supplier=hengtuo), [make.line(rent, 1, "100", tax_code=levy)], by=clerk), by=clerk)
    assert balance("expense") == 113


def test_receipt_covers_negative_stock(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """V-11, V-20: what was sold before it came gets its real cost with the receipt, in the receipt's own entry."""
    main = make.warehouse()
    main.allow_negative = True
    main.save()
    sell(motor, 4, clerk)
    assert (make.level(motor).on_hand, make.level(motor).value, balance("cogs")) == (-4, -240, 240)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "70"), by=clerk)
    receipt = receive_order(order, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value) == (6, 420)
    assert entry_of(receipt) == {code("inventory"): D(660), code("cogs"): D(40), code("grni"): D(-700)}
    assert balance("cogs") == 280


def test_purchase_in_another_unit(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-06: two boxes of twelve are 24 pieces in stock, at a twelfth of the price."""
    box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=box, factor=D(12))
    order = make.confirmed_purchase(hengtuo, make.line(motor, 2, "700", unit=box), by=clerk)
    receive_order(order, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value) == (24, 1400)
    sell(motor, 12, clerk)
    bill = draft_bill(order, by=clerk)
    [row] = bill.lines.all()
    assert row.unit == box
    save_bill(bill, [make.line(motor, 2, "706", pk=row.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)
    [row] = bill.lines.all()
    assert (row.unit, row.factor, row.difference, row.to_stock) == (box, 12, 12, 6)


def test_clearing_uses_the_accounts_of_the_receipt(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-12, F-08: rules that change between receipt and bill leave nothing behind on the old accounts."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receive_order(order, by=clerk)
    grni, inventory = (PostingRule.objects.get(purpose=p, product_group=None) for p in ("grni", "inventory"))
    for rule in (grni, inventory):
        old = rule.account
        rule.account = type(old).objects.create(
            code=f"{old.code}9", name="New", type=old.type, control=old.control, parent=old.parent
        )
        rule.save()
        rule.old = old
    bill = draft_bill(order, by=clerk)
    [row] = bill.lines.all()
    save_bill(bill, [make.line(motor, 10, "61", pk=row.pk)], by=clerk)
    posted = entry_of(post_bill(bill, by=clerk))
    assert (posted[grni.old.code], posted[inventory.old.code]) == (600, 10)


def test_instalments_of_a_bill_are_open_items(clerk: User, motor: Product) -> None:
    """A-05: one negative item for each amount due."""
    terms = make.payment_terms("3070", instalments="30@0 70@60")
    supplier = make.make_supplier("Slow Pay", payment_terms=terms)
    order = make.confirmed_purchase(supplier, make.line(motor, 1, "88.50", tax_code=None), by=clerk)
    receive_order(order, by=clerk)
    bill = bill_order(order, by=clerk)
    assert [(i.amount, (i.due_date - bill.date).days, i.kind) for i in make.items(bill)] == [
        (D("-30.00"), 0, "bill"),
        (D("-70.01"), 60, "bill"),
    ]
    assert bill.due_date == make.items(bill)[1].due_date and BillLine.objects.get().receipt_line is not None


def test_free_goods_bring_no_value_but_quantity(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-06: samples at price 0 are received and billed like everything else."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 2, "0"), by=clerk)
    receive_order(order, by=clerk)
    bill = bill_order(order, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value, bill.total) == (2, 0, 0)
    assert fresh(order).state == "closed" and not JournalEntry.objects.exists() and not make.items(bill)


def test_bill_of_nothing_for_goods_with_a_price(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-12: the supplier gives the goods away; clearing and stock come down, nothing is owed."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 2, "50"), by=clerk)
    receive_order(order, by=clerk)
    bill = draft_bill(order, by=clerk)
    [row] = bill.lines.all()
    save_bill(bill, [make.line(motor, 2, "0", pk=row.pk)], by=clerk)
    bill = post_bill(bill, by=clerk)
    assert (make.level(motor).value, balance("grni"), balance("payable")) == (0, 0, 0) and not make.items(bill)
