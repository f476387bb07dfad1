"""More received or billed than ordered: where the tolerance is said, and who may exceed it (rule G-12)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from erp.finance.models import Supplier
from erp.inventory.models import Product
from erp.purchasing.models import Bill, PurchaseOrder
from erp.purchasing.services import (
    add_received,
    bill_order,
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
from erp.trade.excess import allow_excess
from oa.organisation.models import User
from tests import factories as make
from tests.invariants import broken
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def key_of(order: PurchaseOrder) -> int:
    return order.lines.get().pk


def bill_at(order: PurchaseOrder, price: str, *, by: User) -> Bill:
    """A draft bill of what was received, at another price."""
    bill = draft_bill(order, by=by)
    [line] = bill.lines.all()
    return save_bill(bill, [make.line(line.product, str(line.quantity), price, pk=line.pk)], by=by)


def test_a_supplier_has_a_tolerance_of_its_own(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-12: before the company's; the product's and the line's come before it. Narrowing it makes nothing wrong."""
    make.company(over_receipt_tolerance=D(50))
    hengtuo.tolerance = D(10)
    hengtuo.save()
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    with refused("Only 10 of SV-750W are left to receive; you entered 12"):
        receive_order(order, {key_of(order): D(12)}, by=clerk)
    assert receive_order(order, {key_of(order): D(11)}, by=clerk).warning == "SV-750W: 1 more than ordered (11 of 10)."
    other = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60", tolerance=D(0)), by=clerk)
    with refused("you entered 11"):
        receive_order(other, {key_of(other): D(11)}, by=clerk)
    hengtuo.tolerance = D(0)
    hengtuo.save()
    assert not broken({"I-21"})


def test_more_than_the_tolerance_is_received_when_purchasing_allows_it(
    clerk: User, hengtuo: Supplier, motor: Product
) -> None:
    """G-12, G-22: who receives cannot allow it, who allows it cannot receive; changing the draft takes it back."""
    buyer, keeper = make.make_user("buyer", "purchasing"), make.make_user("keeper", "warehouse")
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=buyer)
    draft = draft_receipt(order, {key_of(order): D(12)}, by=keeper)
    with refused("Only 10 of SV-750W"):
        post_receipt(draft, by=keeper)
    with refused("You do not have the right to do this: allow more than ordered"):
        allow_excess(draft, by=keeper)
    draft = allow_excess(draft, by=buyer)
    draft = save_receipt(draft, {draft.lines.get().pk: D(15)}, by=keeper)
    with refused("you entered 15"):
        post_receipt(draft, by=keeper)
    received = post_receipt(allow_excess(draft, by=buyer), by=keeper)
    assert (received.excess_allowed_by, received.value, received.warning[:15]) == (buyer, 900, "SV-750W: 5 more")
    order.refresh_from_db()
    assert order.goods_status == "over"
    assert reverse_receipt(received, by=clerk).excess_allowed_by == buyer
    with refused("Only 10 of SV-750W"):
        receive_order(order, {key_of(order): D(11)}, by=keeper)


def test_a_service_is_billed_beyond_the_order_within_the_tolerance_or_when_allowed(
    clerk: User, hengtuo: Supplier
) -> None:
    """G-12, P-09: the same places and the same allowance as for goods."""
    work = make.make_service("WORK", cost=D(50))
    hengtuo.tolerance = D(10)
    hengtuo.save()
    order = make.confirmed_purchase(hengtuo, make.line(work, 10, "50"), by=clerk)
    with refused("Only 10 of WORK are ordered and not billed; you entered 12"):
        bill_order(order, {key_of(order): D(12)}, by=clerk)
    bill = draft_bill(order, {key_of(order): D(12)}, by=clerk)
    bill = post_bill(allow_excess(bill, by=clerk), by=clerk)
    assert not broken({"I-21"})
    assert reverse_bill(bill, by=clerk).excess_allowed_by == clerk
    bill_order(order, {key_of(order): D(11)}, by=clerk)


def test_a_bill_that_costs_more_than_ordered_waits_where_the_company_says_so(
    clerk: User, hengtuo: Supplier, motor: Product
) -> None:
    """G-12, P-09: beyond the price tolerance somebody allows it by name; without one, every price is posted."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 100, "60"), by=clerk)
    receive_order(order, {key_of(order): D(50)}, by=clerk)
    post_bill(bill_at(order, "66", by=clerk), by=clerk)
    make.company(bill_tolerance=D(5))
    receive_order(order, by=clerk)
    bill = bill_at(order, "63.01", by=clerk)
    with refused("SV-750W was ordered for 3000.00 net, and the bill says 3150.50") as caught:
        post_bill(bill, by=clerk)
    assert [(p.field, p.row) for p in caught.value] == [("price", 0)]
    post_bill(allow_excess(bill, by=make.make_user("buyer", "purchasing")), by=clerk)


def test_a_bill_within_the_price_tolerance_is_posted(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-12: the tolerance itself, and a cent by rounding, are within."""
    make.company(bill_tolerance=D(5))
    order = make.confirmed_purchase(hengtuo, make.line(motor, 100, "60"), by=clerk)
    receive_order(order, by=clerk)
    post_bill(bill_at(order, "63", by=clerk), by=clerk)
    make.company(bill_tolerance=D(0))
    screws = make.make_product("M4", cost=D("0.00297"))
    order = make.confirmed_purchase(hengtuo, make.line(screws, 5, "0.00297"), by=clerk)
    receive_order(order, by=clerk)
    bill_order(order, {key_of(order): D(2)}, by=clerk)


def test_adding_receipts_to_a_bill_takes_the_allowance_back(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-12: what was allowed is this bill with these lines."""
    make.company(bill_tolerance=D(0))
    first = make.confirmed_purchase(hengtuo, make.line(motor, 1, "60"), by=clerk)
    second = make.confirmed_purchase(hengtuo, make.line(motor, 1, "60"), by=clerk)
    receive_order(first, by=clerk)
    receive_order(second, by=clerk)
    bill = allow_excess(bill_at(first, "70", by=clerk), by=clerk)
    bill = add_received(bill, by=clerk)
    with refused("was ordered for 60.00 net, and the bill says 70.00"):
        post_bill(bill, by=clerk)


def test_a_little_less_than_ordered_completes_the_line(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-12, G-11: within the company's under-tolerance the rest is given up; taking the receipt back opens it."""
    make.company(under_tolerance=D(2))
    order = make.confirmed_purchase(hengtuo, make.line(motor, 100, "60"), by=clerk)
    draft = draft_receipt(order, {key_of(order): D(97)}, by=clerk)
    assert post_receipt(draft, by=clerk).warning == ""
    last = post_receipt(draft_receipt(order, {key_of(order): D(1)}, by=clerk), by=clerk)
    assert last.warning == "SV-750W: 2 less than ordered; the line counts as complete."
    order.refresh_from_db()
    assert (order.goods_status, order.lines.get().cancelled) == ("complete", 2)
    reverse_receipt(last, by=clerk)
    order.refresh_from_db()
    assert (order.goods_status, order.lines.get().cancelled) == ("partial", 0)
    receive_order(order, by=clerk)
    bill_order(order, by=clerk)
    order.refresh_from_db()
    assert (order.state, order.lines.get().moved) == ("closed", 100)
