"""What receipts and bills post: value in stock, clearing, differences, tax (rules P-08, P-12, V-07 to V-12)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from erp.finance.models import JournalEntry, PostingRule, Supplier, TaxCode
from erp.inventory.models import Product, ProductUnit, StockMove, Unit
from erp.purchasing.models import Bill, BillLine, PurchaseOrder
from erp.purchasing.services import (
    bill_order,
    draft_bill,
    post_bill,
    receive_order,
    reverse_bill,
    reverse_receipt,
    save_bill,
)
from oa.organisation.models import User
from tests import factories as make
from tests.readings import balance, code, entry_of, input_tax, sell
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def hengtuo() -> Supplier:
    return make.make_supplier("Wuxi Hengtuo", payment_terms=make.payment_terms("NET30", days=30))


@pytest.fixture
def drive() -> Product:
    return make.make_product("DR-1", price="40", cost=D("20.5"))


def fresh(order: PurchaseOrder) -> PurchaseOrder:
    return PurchaseOrder.objects.get(pk=order.pk)


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


def test_cheaper_bill_takes_out_of_stock_what_is_still_there(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-12, V-12: five of a hundred are left, and a twentieth of the difference is theirs: all cost 0.19 each."""
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
    assert (row.difference, row.to_stock) == (-90, D("-4.50"))
    assert (make.level(motor).on_hand, make.level(motor).value, balance("cogs")) == (5, D("0.95"), D("18.05"))


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


def test_a_reversal_uses_the_accounts_of_the_receipt(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-04: same accounts, whatever the rules say by then."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    rule = PostingRule.objects.get(purpose="inventory", product_group=None)
    old = rule.account
    rule.account = type(old).objects.create(
        code=f"{old.code}9", name="New", type=old.type, control=old.control, parent=old.parent
    )
    rule.save()
    counter = reverse_receipt(receipt, by=clerk)
    assert entry_of(counter)[old.code] == -600
    assert StockMove.objects.get(source_id=counter.pk, quantity=-10).account == old


def test_two_lines_of_one_product_leave_stock_together(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """I-15, V-02: every move tells what was there after it, value that stock cannot carry comes after them."""
    make.stock(motor, 10, "10", by=clerk)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 5, "90"), make.line(motor, 5, "10"), by=clerk)
    receipt = receive_order(order, by=clerk)
    sell(motor, 10, clerk)
    assert make.level(motor).value == 300
    counter = reverse_receipt(receipt, by=clerk)
    moves = StockMove.objects.filter(source_id=counter.pk, source="erp.goodsreceipt").order_by("pk")
    assert [(move.value, move.value_after) for move in moves] == [(-450, -150), (-50, -200), (150, -50), (50, 0)]
    assert balance("cogs") == 100
