"""Purchase orders: defaults, life cycle, amendments."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal as D
from typing import Any

import pytest

from erp.finance.models import Supplier, TaxCode
from erp.inventory.models import Product, ProductUnit, Unit
from erp.purchasing.models import PurchaseOrder
from erp.purchasing.services import (
    amend_order,
    bill_order,
    cancel_order,
    close_order,
    confirm_order,
    draft_receipt,
    receive_order,
    reopen_order,
    reverse_receipt,
    save_order,
)
from kit.values.errors import VersionConflict
from oa.organisation.models import Department, User
from tests import factories as make
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def clerk() -> User:
    return make.make_user("clerk", department=Department.objects.get(code="HQ"))


@pytest.fixture
def hengtuo() -> Supplier:
    return make.make_supplier("Wuxi Hengtuo", payment_terms=make.payment_terms("NET30", days=30))


def fresh(order: PurchaseOrder) -> PurchaseOrder:
    return PurchaseOrder.objects.get(pk=order.pk)


def as_typed(order: PurchaseOrder, **changes: Any) -> list[Any]:
    """The lines of a stored order as a page gives them back, all of them changed alike."""
    return [
        replace(make.line(row.product, row.quantity, str(row.price), pk=row.pk), **changes)
        for row in order.lines.select_related("product")
    ]


def test_what_is_left_open_comes_from_the_supplier_and_the_company(
    clerk: User, motor: Product, hengtuo: Supplier
) -> None:
    """P-04, G-15, G-17: currency, rate, terms, tax method, owner and department."""
    make.company(tax_method="tax")
    usd = make.currency("USD", "7.10")
    acme = make.make_supplier("Acme", currency=usd, payment_terms=hengtuo.payment_terms)
    order = make.make_purchase(acme, make.line(motor, 1), by=clerk)
    assert (order.currency, order.rate, order.payment_terms) == (usd, D("7.1"), hengtuo.payment_terms)
    assert (order.tax_method, order.owner, order.created_by, order.department) == (
        "tax",
        clerk,
        clerk,
        clerk.department,
    )
    local = make.make_purchase(hengtuo, make.line(motor, 1), by=clerk, rate=D("7.1"))
    assert (local.currency.code, local.rate) == ("CNY", 1), "the base currency has rate 1"
    agreed = make.make_purchase(acme, make.line(motor, 1), by=clerk, rate=D("6.9"))
    assert agreed.rate == D("6.9"), "a rate that was agreed stays"
    with refused("no exchange rate for EUR"):
        make.make_purchase(hengtuo, make.line(motor, 1), by=clerk, currency=make.currency("EUR"))


def test_price_is_the_last_of_this_supplier_else_the_expected_cost(
    clerk: User, hengtuo: Supplier, motor: Product
) -> None:
    """P-04: discount taken, per unit, in the currency of the order; drafts, samples and others do not count."""
    box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=box, factor=D(12))
    usd = make.currency("USD", "7.5")

    def usual(supplier: Supplier = hengtuo, **more: Any) -> D:
        order = make.make_purchase(supplier, make.line(motor, 1, **more), by=clerk)
        return order.lines.get().price

    assert (usual(), usual(unit=box)) == (60, 720)
    make.confirmed_purchase(hengtuo, make.line(motor, 1, "57", discount="10"), by=clerk, date=make.days_ago(9))
    assert (usual(), usual(unit=box)) == (D("51.3"), D("615.6"))
    make.confirmed_purchase(hengtuo, make.line(motor, 1, "600", unit=box), by=clerk)
    make.make_purchase(hengtuo, make.line(motor, 1, "99"), by=clerk)
    make.confirmed_purchase(hengtuo, make.line(motor, 1, "0"), by=clerk)
    make.confirmed_purchase(make.make_supplier("Other"), make.line(motor, 1, "12"), by=clerk)
    assert usual() == 50
    abroad = make.make_purchase(hengtuo, make.line(motor, 1), by=clerk, currency=usd)
    assert abroad.lines.get().price == D("6.666667")
    assert usual(make.make_supplier("Abroad", currency=usd)) == 8, "the expected cost is in base currency"


def test_what_no_order_may_hold_is_refused(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-24, G-13: archived and blocked masters, quantities, prices; every line is named."""
    gone = make.make_product("OLD", active=False)
    with refused("OLD is archived") as caught:
        make.make_purchase(hengtuo, make.line(motor, 0), make.line(gone, 1), make.line(motor, 1, "-1"), by=clerk)
    assert [(p.row, p.field) for p in caught.value] == [(0, "quantity"), (1, "product"), (2, "price")]
    with refused("Enter at least one line"):
        make.make_purchase(hengtuo, by=clerk)
    closed = make.make_supplier("Closed", active=False)
    with refused("Closed is archived"):
        make.make_purchase(closed, make.line(motor, 1), by=clerk)
    order = make.make_purchase(hengtuo, make.line(motor, 1), by=clerk)
    hengtuo.blocked = True
    hengtuo.save()
    with refused("Wuxi Hengtuo is blocked for orders and payments"):
        confirm_order(order, by=clerk)
    with refused("Wuxi Hengtuo is blocked"):
        make.make_purchase(hengtuo, make.line(motor, 1), by=clerk)


def test_a_draft_is_changed_until_it_is_confirmed(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-01, G-19: lines are kept, added and dropped; a stale version and a confirmed order are refused."""
    order = make.make_purchase(hengtuo, make.line(motor, 1, "60"), make.line(motor, 2, "61"), by=clerk)
    first, _second = order.lines.all()
    lines = [make.line(motor, 5, "59", pk=first.pk), make.line(motor, 7, "58")]
    save_order(order, lines, by=clerk, version=1)
    assert [(row.pk == first.pk, row.quantity, row.price) for row in order.lines.all()] == [
        (True, 5, 59),
        (False, 7, 58),
    ]
    assert (fresh(order).version, fresh(order).net) == (2, 5 * 59 + 7 * 58)
    with pytest.raises(VersionConflict):
        save_order(order, lines, by=clerk, version=1)
    confirm_order(order, by=clerk, version=2)
    with refused("is confirmed; amend it instead"):
        save_order(fresh(order), lines, by=clerk)
    with refused("not possible any more"):
        confirm_order(order, by=clerk)


def test_cancelling_names_what_stands_in_the_way(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-06: posted receipts; once they are reversed the order can be cancelled."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 2), by=clerk)
    receipt = receive_order(order, {order.lines.get().pk: D(1)}, by=clerk)
    with refused(f"posted documents: {receipt.number}. Reverse"):
        cancel_order(order, by=clerk)
    reverse_receipt(receipt, by=clerk)
    cancelled = cancel_order(order, by=clerk, reason="  wrong supplier ")
    assert (cancelled.state, cancelled.closing_reason) == ("cancelled", "wrong supplier")
    with refused("only confirmed orders are received"):
        receive_order(order, by=clerk)
    with refused("cannot be billed"):
        bill_order(order, by=clerk)


def test_short_close_and_reopen(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-09: the rest is given up with a reason; what was received is still billed; reopening brings it back."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    [line] = order.lines.all()
    receive_order(order, {line.pk: D(4)}, by=clerk)
    with refused("Enter the reason"):
        close_order(order, by=clerk, reason=" ")
    order = close_order(order, by=clerk, reason="no longer made")
    assert (order.state, order.goods_status) == ("confirmed", "complete"), "it waits for its bill"
    with refused("Nothing is left to receive"):
        receive_order(order, by=clerk)
    with refused("Only 0 of SV-750W are left to receive; you entered 1"):
        receive_order(order, {line.pk: D(1)}, by=clerk)
    bill_order(order, by=clerk)
    assert (fresh(order).state, fresh(order).billed_percent) == ("closed", 100)
    order = reopen_order(order, by=clerk)
    assert (order.state, order.goods_status, order.closing_reason) == ("confirmed", "partial", "")
    receive_order(order, by=clerk)
    bill_order(order, by=clerk)
    assert fresh(order).state == "closed"
    with refused("there is nothing to reopen"):
        reopen_order(order, by=clerk)


def test_amendment(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-08: a new revision; never below what was received, the price only while nothing is billed."""
    other = make.make_product("DR-1")
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), make.line(other, 1, "5"), by=clerk)
    motors, others = order.lines.all()
    receive_order(order, {motors.pk: D(4)}, by=clerk)

    with refused("4 are received or billed; the quantity cannot be less"):
        amend_order(order, [make.line(motor, 3, "60", pk=motors.pk)], by=clerk)
    with refused("Line 1 is received or billed and must stay"):
        amend_order(order, [make.line(other, 1, "5", pk=others.pk)], by=clerk)
    with refused("its unit cannot change"):
        box = Unit.objects.get(code="box")
        amend_order(order, [make.line(motor, 10, "60", pk=motors.pk, unit=box)], by=clerk)

    order.supplier_reference = "REF 8"
    order = amend_order(order, [make.line(motor, 8, "66", pk=motors.pk), make.line(other, 3, "6")], by=clerk)
    assert (order.revision, order.net, order.supplier_reference) == (2, 8 * 66 + 18, "REF 8")
    receipt = receive_order(order, by=clerk)
    assert receipt.value == 4 * 66 + 18, "the new price holds for what comes from now on"
    bill_order(order, by=clerk)
    assert make.level(motor).value == 8 * 66, "the bill brings the first four to the new price"
    with refused("Only a confirmed order"):
        amend_order(order, as_typed(order), by=clerk)


def test_a_billed_price_stays(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-08, G-25: price, discount and tax of what is billed are fixed; open lines keep their tax rate."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    [line] = order.lines.all()
    receive_order(order, {line.pk: D(4)}, by=clerk)
    bill_order(order, by=clerk)
    low = TaxCode.objects.get(code="V6")
    for change in ({"price": D(61)}, {"discount": D(1)}, {"tax_code": low}):
        with refused("its price and tax cannot change"):
            amend_order(order, as_typed(order, quantity=D(4), **change), by=clerk)
    motor.tax_code.rate = D("0.09")
    motor.tax_code.save()
    amend_order(order, as_typed(order, quantity=D(20), price=None), by=clerk)
    line.refresh_from_db()
    assert (line.quantity, line.price, line.tax_rate) == (20, 60, D("0.13"))


def test_a_line_of_a_draft_receipt_cannot_be_dropped(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-10: the link of a draft is not cut."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), make.line(motor, 1, "5"), by=clerk)
    first, second = order.lines.all()
    draft_receipt(order, {second.pk: D(1)}, by=clerk)
    with refused("used by another document"):
        amend_order(order, [make.line(motor, 10, "60", pk=first.pk)], by=clerk)
