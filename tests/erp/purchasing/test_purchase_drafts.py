"""Drafts of receipts and bills whose order, product or surroundings change before they are posted."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from erp.finance.models import Supplier
from erp.inventory.models import Product, ProductUnit, Unit
from erp.purchasing.grids import BillGrid, PurchaseOrderGrid
from erp.purchasing.models import Bill, PurchaseOrder
from erp.purchasing.services import (
    add_received,
    amend_order,
    bill_order,
    draft_bill,
    draft_receipt,
    post_bill,
    post_receipt,
    receive_order,
    reverse_bill,
    save_bill,
)
from erp.trade.grids import TradeGrid
from kit.pages.lines import GridRow
from oa.organisation.models import User
from tests import factories as make
from tests.readings import balance
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def box(motor: Product) -> Unit:
    """Twelve motors."""
    unit = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=unit, factor=D(12))
    return unit


def test_a_draft_receipt_of_another_unit_is_not_received(
    clerk: User, hengtuo: Supplier, motor: Product, box: Unit
) -> None:
    """G-08, G-10: one box of twelve was drafted, then the order was changed to twelve pieces."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 1, "720", unit=box), by=clerk)
    draft = draft_receipt(order, by=clerk)
    amend_order(order, [make.line(motor, 12, "60", unit=motor.unit, pk=order.lines.get().pk)], by=clerk)
    with refused("line of SV-750W was changed after this draft was made"):
        post_receipt(draft, by=clerk)
    receive_order(order, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value) == (12, 720)


def test_a_draft_receipt_of_another_product_is_not_received(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-08, G-10."""
    drive = make.make_product("DR-1")
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    draft = draft_receipt(order, by=clerk)
    amend_order(order, [make.line(drive, 10, "5", pk=order.lines.get().pk)], by=clerk)
    with refused("line of SV-750W was changed after this draft was made"):
        post_receipt(draft, by=clerk)


def test_a_draft_bill_of_another_service_is_not_posted(clerk: User, hengtuo: Supplier) -> None:
    """G-08, P-09."""
    freight, rent = make.make_service("FREIGHT"), make.make_service("RENT")
    order = make.confirmed_purchase(hengtuo, make.line(freight, 10, "60"), by=clerk)
    [line] = order.lines.all()
    draft = draft_bill(order, {line.pk: D(10)}, by=clerk)
    amend_order(order, [make.line(rent, 10, "5", pk=line.pk)], by=clerk)
    with refused("line of FREIGHT was changed after this draft was made"):
        post_bill(draft, by=clerk)


def test_what_is_stocked_fits_the_decimals_of_the_own_unit(
    clerk: User, hengtuo: Supplier, motor: Product, box: Unit
) -> None:
    """G-13: boxes may be split, pieces may not; when ordering, and when a part of an order comes."""
    box.decimals = 2
    box.save()
    with refused("This is 1.2 Piece of SV-750W; Piece has 0 decimals") as caught:
        make.make_purchase(hengtuo, make.line(motor, "0.10", "720", unit=box), by=clerk)
    assert [(problem.field, problem.row) for problem in caught.value] == [("quantity", 0)]
    order = make.confirmed_purchase(hengtuo, make.line(motor, "1.50", "720", unit=box), by=clerk)
    [line] = order.lines.all()
    with refused("This is 8.4 Piece of SV-750W"):
        receive_order(order, {line.pk: D("0.70")}, by=clerk)
    receive_order(order, {line.pk: D("0.25")}, by=clerk)
    receive_order(order, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).value) == (18, 1080)


def test_a_bill_is_not_earlier_than_what_it_bills(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """V-12, V-14: stock cannot change its value on a day on which it was not there."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk, date=make.days_ago(2))
    with refused(f"{receipt.number} is of {make.days_ago(2)}; the bill cannot have an earlier date") as caught:
        bill_order(order, by=clerk, date=make.days_ago(3))
    assert [problem.field for problem in caught.value] == ["date"]
    assert bill_order(order, by=clerk, date=make.days_ago(2)).date == receipt.date


def test_one_invoice_for_all_that_a_supplier_delivered(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: the invoice of the month takes up what other orders of the supplier brought, and nothing else."""
    other = make.make_supplier("Other")
    orders = [make.confirmed_purchase(hengtuo, make.line(motor, 2, price), by=clerk) for price in ("60", "70", "80")]
    orders.append(make.confirmed_purchase(other, make.line(motor, 9, "50"), by=clerk))
    orders.append(make.confirmed_purchase(hengtuo, make.line(motor, 1, "113"), by=clerk, prices_include_tax=True))
    for order in orders:
        receive_order(order, by=clerk)
    bill_order(orders[2], {orders[2].lines.get().pk: D(1)}, by=clerk)
    bill = draft_bill(orders[0], by=clerk, supplier_number="2026-11")
    bill = add_received(bill, by=clerk)
    assert [(line.quantity, line.price) for line in bill.lines.all()] == [(2, 60), (2, 70), (1, 80)]
    assert (bill.net, bill.total) == (340, D("384.20"))
    with refused("Nothing else of Wuxi Hengtuo waits for its bill"):
        add_received(bill, by=clerk)
    bill = post_bill(bill, by=clerk)
    for order in orders[:3]:
        order.refresh_from_db()
        assert order.state == "closed"
    assert balance("grni") == -450 - 100
    with refused("is posted and cannot be changed"):
        add_received(bill, by=clerk)
    reverse_bill(bill, by=clerk)
    assert balance("grni") == -340 - 450 - 100


def test_archived_masters_are_not_chosen_any_more(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-24: not on new documents; what is under way goes on."""
    old = make.warehouse("OLD", active=False)
    with refused("Old is archived; choose another warehouse"):
        make.make_purchase(hengtuo, make.line(motor, 1, "1"), by=clerk, warehouse=old)
    with refused("Old is archived; choose another warehouse"):
        make.make_purchase(hengtuo, make.line(motor, 1, "1", warehouse=old), by=clerk)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    motor.active = hengtuo.active = False
    motor.save()
    hengtuo.save()
    receive_order(order, by=clerk)
    draft = draft_bill(order, by=clerk)
    save_bill(draft, [make.line(motor, 10, "61", pk=draft.lines.get().pk)], by=clerk)
    assert post_bill(draft, by=clerk).net == 610
    rent = make.make_service("RENT")
    with refused("Wuxi Hengtuo is archived; choose another supplier"):
        save_bill(Bill(supplier=hengtuo), [make.line(rent, 1, "5")], by=clerk)


def test_a_bill_that_looks_the_same_is_pointed_out(clerk: User, hengtuo: Supplier) -> None:
    """P-11: the number in other letters, or date and amount under another number."""
    rent = make.make_service("RENT", cost=D(100))
    first = save_bill(Bill(supplier=hengtuo, supplier_number=" INV  7 "), [make.line(rent, 1, "100")], by=clerk)
    first = post_bill(first, by=clerk)
    assert first.supplier_number == "INV 7"
    with refused("was entered already"):
        save_bill(Bill(supplier=hengtuo, supplier_number="INV 7"), [make.line(rent, 1, "5")], by=clerk)

    def warnings(price: str, number: str, supplier: Supplier = hengtuo) -> list[str]:
        bill = save_bill(Bill(supplier=supplier, supplier_number=number), [make.line(rent, 1, price)], by=clerk)
        rows = BillGrid().rows_of(bill, clerk)
        notices = BillGrid().compute(bill, rows, None, clerk).notices
        bill.delete()
        return [text for _tone, text in notices]

    assert first.number is not None
    for price, number in (("5", "inv 7"), ("100", "8"), ("100", "")):
        [text] = warnings(price, number)
        assert f"{first.number} (invoice INV 7" in text and "looks the same" in text
    assert warnings("5", "8") == [] and warnings("100", "9", make.make_supplier("Other")) == []
    reverse_bill(first, by=clerk)
    assert warnings("100", "INV 7") == []


def test_the_grid_proposes_the_price_that_saving_finds(
    clerk: User, hengtuo: Supplier, motor: Product, box: Unit
) -> None:
    """P-04: a box costs twelve times as much, and in dollars a seventh and a half."""
    dollars = make.currency("USD", "7.5")

    def proposed(grid: TradeGrid, document: PurchaseOrder | Bill, product: Product, unit: Unit) -> D:
        row = GridRow("0")
        row.put("product", product, product.pk)
        row.put("unit", unit, unit.pk)
        grid.compute(document, [row], None, clerk)
        price: D = row.get("price")
        return price

    assert proposed(PurchaseOrderGrid(), PurchaseOrder(supplier=hengtuo), motor, box) == 720
    order = make.make_purchase(hengtuo, make.line(motor, 1, unit=box), by=clerk)
    assert order.lines.get().price == 720
    rent = make.make_service("RENT", cost=D(75))
    bill = Bill(supplier=hengtuo, currency=dollars, rate=D("7.5"))
    assert proposed(BillGrid(), bill, rent, rent.unit) == 10
