"""Orders that are cancelled, closed short, reopened or amended."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.sales.models import SalesOrder
from erp.sales.services import (
    amend_order,
    cancel_order,
    close_order,
    deliver_order,
    draft_delivery,
    invoice_order,
    post_delivery,
    reopen_order,
    reverse_delivery,
    reverse_invoice,
    save_order,
)
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_cancelled_order_frees_its_reservation(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-06, S-06: what it held is free for the next order; it keeps its number."""
    order = make.confirmed_order(mingrui, make.line(motor, 18), by=clerk)
    assert make.level(motor).reserved == 18
    draft = draft_delivery(order, by=clerk)
    order = cancel_order(order, reason="changed their mind", by=clerk)
    assert (order.state, order.number is not None, make.level(motor).reserved) == ("cancelled", True, 0)
    assert make.confirmed_order(mingrui, make.line(motor, 20), by=clerk).lines.get().reserved == 20
    with refused("is not confirmed"):
        post_delivery(draft, by=clerk)
    with refused("not possible any more"):
        cancel_order(order, by=clerk)


def test_order_with_posted_documents_is_not_cancelled(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-06: the message names the children; after their reversal it goes."""
    order = make.confirmed_order(mingrui, make.line(motor, 5), by=clerk)
    delivery = deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    with refused("not possible any more"):
        cancel_order(order, by=clerk)  # it is completed already
    reverse_invoice(invoice, by=clerk)
    with refused(delivery.number):
        cancel_order(order, by=clerk)
    reverse_delivery(delivery, by=clerk)
    assert cancel_order(order, by=clerk).state == "cancelled"
    assert (make.level(motor).on_hand, make.level(motor).value) == (20, 1200)


def test_short_closed_order_keeps_what_was_delivered(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-09, G-11: the rest is given up with a reason, the delivered part is still invoiced and then it is done."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(4)}, by=clerk)
    with refused("Enter the reason"):
        close_order(order, by=clerk)
    order = close_order(order, reason="out of season", by=clerk)
    assert (order.state, order.goods_status, make.level(motor).reserved) == ("confirmed", "complete", 0)
    with refused("Nothing is left to deliver"):
        deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    make.receive(mingrui, "452", by=clerk)
    order.refresh_from_db()
    assert (order.state, order.billing_status, order.paid_percent) == ("closed", "complete", 100)
    assert invoice.net == 400


def test_short_closed_order_is_reopened(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-09: reopened, it reserves again; what is delivered and invoiced in full cannot be reopened."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    order = close_order(order, reason="by mistake", by=clerk)
    assert order.state == "closed"
    order = reopen_order(order, by=clerk)
    assert (order.state, order.goods_status, make.level(motor).reserved) == ("confirmed", "none", 10)

    row = order.lines.get()
    deliver_order(order, {row.pk: D(3)}, by=clerk)
    close_order(order, reason="by mistake", by=clerk)
    order = reopen_order(order, by=clerk)  # although it waits for its invoice only
    assert (order.state, order.goods_status, make.level(motor).reserved) == ("confirmed", "partial", 7)

    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    with refused("nothing to reopen"):
        reopen_order(order, by=clerk)


def test_confirmed_order_is_amended(clerk: User, mingrui: Customer, motor: Product, drive: Product) -> None:
    """G-08: a new revision; quantities, prices and lines change, reservation follows, history keeps the old."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), make.line(drive, 6), by=clerk)
    motors, _drives = order.lines.all()
    order.customer_reference = "PO-77"
    spare = make.make_product("SPARE", price="5")
    order = amend_order(
        order, [make.line(motor, 7, pk=motors.pk), make.line(spare, 10)], by=clerk, version=order.version
    )
    assert (order.revision, order.customer_reference, order.state) == (2, "PO-77", "confirmed")
    assert [(x.product.code, x.quantity, x.reserved) for x in order.lines.all()] == [
        ("SV-750W", 7, 7),
        ("SPARE", 10, 0),
    ]
    assert (make.level(motor).reserved, make.level(drive).reserved) == (7, 0)
    assert order.total == D("847.50")
    old = SalesOrder._meta.apps.get_model("erp", "SalesOrderHistory").objects.filter(pgh_obj=order.pk).latest("pgh_id")
    assert (old.revision, old.total) == (1, D("677.98"))


def test_amendment_respects_what_happened(clerk: User, mingrui: Customer, motor: Product, drive: Product) -> None:
    """G-08: no line falls below what was delivered; what was agreed stays where an amendment leaves it open."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), make.line(drive, 6), by=clerk)
    motors, drives = order.lines.all()
    deliver_order(order, {motors.pk: D(4)}, by=clerk)
    same = make.line(drive, 6, pk=drives.pk)
    with refused("4 are delivered or invoiced"):
        amend_order(order, [make.line(motor, 3, pk=motors.pk), same], by=clerk)
    with refused("Line 1 is delivered or invoiced and must stay"):
        amend_order(order, [same], by=clerk)
    with refused("Line 1 is delivered or invoiced and must stay"):
        amend_order(order, [make.line(drive, 10, pk=motors.pk), same], by=clerk)
    amend_order(order, [make.line(motor, 10, "90", pk=motors.pk), same], by=clerk)  # nothing is invoiced yet
    invoice = invoice_order(order, by=clerk)
    assert invoice.net == 360
    order = amend_order(order, [make.line(motor, 4, pk=motors.pk), same], by=clerk)
    assert order.lines.first().price == 90, "what an amendment leaves open stays as agreed"
    cancelled = cancel_order(make.make_order(mingrui, make.line(drive), by=clerk), by=clerk)
    with refused("Only a confirmed order"):
        amend_order(cancelled, [make.line(drive)], by=clerk)


def test_amendment_of_a_line_on_a_draft_names_the_reason(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-06, G-10: a line that a draft delivery takes from cannot vanish under it."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), make.line(motor, 1), by=clerk)
    draft_delivery(order, by=clerk)
    first, _second = order.lines.all()
    with refused("used by another document"):
        amend_order(order, [make.line(motor, 4, pk=first.pk)], by=clerk)


def test_confirmed_order_is_not_saved_as_a_draft(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08: a confirmed order changes by amendment only; an empty one is refused at all."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    with refused("amend it instead"):
        save_order(order, [make.line(motor, 1)], by=clerk)
    with refused("at least one line"):
        make.make_order(mingrui, by=clerk)


def test_archived_masters_are_not_chosen_for_new_lines(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-24: an archived product or customer is refused on new documents, old ones go on."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    motor.active = mingrui.active = False
    motor.save()
    mingrui.save()
    other = make.make_product("OK")
    with refused("Mingrui is archived"):
        make.make_order(mingrui, make.line(other, 1), by=clerk)
    mingrui.active = True
    mingrui.save()
    with refused("SV-750W is archived"):
        make.make_order(mingrui, make.line(motor, 1), by=clerk)
    deliver_order(order, by=clerk)
    assert invoice_order(order, by=clerk).net == 400
