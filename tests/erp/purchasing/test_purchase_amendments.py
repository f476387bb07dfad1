"""Purchase orders whose prices or units change after a part was received or billed (rules G-08, G-25)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from erp.finance.models import Supplier
from erp.inventory.models import Product, ProductUnit, Unit
from erp.purchasing.models import GoodsReceiptLine
from erp.purchasing.services import amend_order, bill_order, draft_receipt, post_receipt, receive_order
from erp.trade.progress import order_left_to_bill, to_move
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def test_a_new_price_holds_for_what_is_not_billed(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-08, G-11, P-08: the billed part stays at the old price, what is received from now on has the new one."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    row = order.lines.get()
    receive_order(order, {row.pk: D(4)}, by=clerk)
    bill_order(order, by=clerk)
    draft = draft_receipt(order, {row.pk: D(5)}, by=clerk)
    order = amend_order(order, [make.line(motor, 10, "66", pk=row.pk)], by=clerk)
    done, rest = order.lines.all()
    assert (done.pk, done.quantity, done.price, done.moved, done.billed) == (row.pk, 4, 60, 4, 4)
    assert (rest.quantity, rest.price, rest.moved, rest.billed) == (6, 66, 0, 0)
    assert [(to_move(x), order_left_to_bill(x)) for x in (done, rest)] == [(0, 0), (6, 6)]
    assert (order.net, order.state, order.goods_status) == (4 * 60 + 6 * 66, "confirmed", "partial")
    assert GoodsReceiptLine.objects.get(receipt=draft).order_line == rest, "G-10: a draft takes from the open part"
    assert post_receipt(draft, by=clerk).value == 5 * 66
    receive_order(order, by=clerk)
    assert bill_order(order, by=clerk).net == 6 * 66
    order.refresh_from_db()
    assert (order.state, make.level(motor).value) == ("closed", 4 * 60 + 6 * 66)


def test_goods_not_billed_have_to_be_billed_first(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-08: posted receipts stay on their line, so the clerk is told to post their bill before the price changes."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    row = order.lines.get()
    receive_order(order, {row.pk: D(4)}, by=clerk)
    bill_order(order, {row.pk: D(1)}, by=clerk)
    with refused("3 of this line are received and not billed. Post their bill first"):
        amend_order(order, [make.line(motor, 10, "66", pk=row.pk)], by=clerk)
    bill_order(order, by=clerk)
    order = amend_order(order, [make.line(motor, 10, "66", pk=row.pk)], by=clerk)
    assert [(x.quantity, x.price) for x in order.lines.all()] == [(4, 60), (6, 66)]


def test_a_service_billed_in_part_gets_a_new_price(clerk: User, hengtuo: Supplier) -> None:
    """G-08, P-09: what is billed without a receipt counts as received with its bill."""
    repair = make.make_service("REPAIR")
    order = make.confirmed_purchase(hengtuo, make.line(repair, 5, "60"), by=clerk)
    row = order.lines.get()
    bill_order(order, {row.pk: D(2)}, by=clerk)
    order = amend_order(order, [make.line(repair, 5, "50", pk=row.pk)], by=clerk)
    assert [(x.quantity, x.price) for x in order.lines.all()] == [(2, 60), (3, 50)]
    rest = order.lines.last()
    assert bill_order(order, {rest.pk: D(3)}, by=clerk).net == 150


def test_the_agreed_conversion_stays(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-08: a box that holds other pieces since changes no order; a new line takes the new conversion."""
    box = Unit.objects.get(code="box")
    conversion = ProductUnit.objects.create(product=motor, unit=box, factor=D(2))
    order = make.confirmed_purchase(hengtuo, make.line(motor, 3, "100", unit=box), by=clerk)
    row = order.lines.get()
    conversion.factor = D(5)
    conversion.save()
    lines = [make.line(motor, 4, pk=row.pk, unit=box), make.line(motor, 1, "250", unit=box)]
    order = amend_order(order, lines, by=clerk)
    assert [(x.quantity, x.factor) for x in order.lines.all()] == [(4, 2), (1, 5)]
    receive_order(order, by=clerk)
    assert make.level(motor).on_hand == 13
