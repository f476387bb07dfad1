"""One delivery, one receipt, one invoice for several orders (rules G-10, D-01, P-06)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.contrib.auth.models import Permission

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.purchasing import services as purchasing
from erp.sales.services import (
    add_delivered,
    add_open,
    deliver_order,
    draft_delivery,
    draft_invoice,
    hold_order,
    invoice_order,
    post_delivery,
    post_invoice,
)
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_one_delivery_takes_what_else_goes_to_the_same_place(clerk: User, mingrui: Customer, motor: Product) -> None:
    """D-01: other addresses, other warehouses, orders on hold and other customers stay out."""
    shop, other = make.warehouse("SHOP"), make.make_customer("Other")
    lines = (make.line(motor, 2),)
    first, second = (make.confirmed_order(mingrui, *lines, by=clerk) for _ in range(2))
    make.confirmed_order(mingrui, *lines, by=clerk, ship_to="Elsewhere")
    make.confirmed_order(mingrui, *lines, by=clerk, warehouse=shop)
    make.confirmed_order(other, *lines, by=clerk, ship_to=first.ship_to)
    hold_order(make.confirmed_order(mingrui, *lines, by=clerk), by=clerk, reason="x")
    deliver_order(second, {second.lines.get().pk: D(1)}, by=clerk)
    delivery = add_open(draft_delivery(first, by=clerk), by=clerk)
    assert [(line.order_line.order, line.quantity) for line in delivery.lines.all()] == [(first, 2), (second, 1)]
    with refused("Nothing else is open for Mingrui"):
        add_open(delivery, by=clerk)
    post_delivery(delivery, by=clerk)
    for order in (first, second):
        order.refresh_from_db()
        assert order.goods_status == "complete"
    with refused("is shipped and cannot be changed"):
        add_open(delivery, by=clerk)


def test_one_invoice_takes_what_else_was_delivered(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-10: on the same terms; what is invoiced already, not delivered, or ordered on other terms stays out."""
    lines = (make.line(motor, 2),)
    first, second, third = (make.confirmed_order(mingrui, *lines, by=clerk) for _ in range(3))
    others = [
        make.confirmed_order(mingrui, *lines, by=clerk, prices_include_tax=True),
        make.confirmed_order(mingrui, *lines, by=clerk, discount=D(1)),
        make.confirmed_order(mingrui, *lines, by=clerk, discount_amount=D(1)),
        make.confirmed_order(make.make_customer("Other"), *lines, by=clerk),
    ]
    for order in (first, second, *others):
        deliver_order(order, by=clerk)
    invoice_order(second, {second.lines.get().pk: D(1)}, by=clerk)
    make.confirmed_order(mingrui, *lines, by=clerk)
    invoice = add_delivered(draft_invoice(first, by=clerk), by=clerk)
    assert [(line.order_line.order, line.quantity) for line in invoice.lines.all()] == [(first, 2), (second, 1)]
    assert (invoice.net, invoice.total) == (D("300.00"), D("339.00"))
    with refused("Nothing else that was delivered to Mingrui"):
        add_delivered(invoice, by=clerk)
    post_invoice(invoice, by=clerk)
    assert [order.billing_status for order in refreshed(first, second, third)] == ["complete", "complete", "none"]
    with refused("is posted and cannot be changed"):
        add_delivered(invoice, by=clerk)


def test_a_delivery_takes_only_orders_that_the_person_may_see(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-21: orders outside the scope of whoever collects stay out."""
    seller = make.make_user("seller", "sales")
    [group] = seller.groups.all()
    group.permissions.add(*Permission.objects.filter(codename__in=["add_delivery", "change_delivery"]))
    mine, foreign = (make.make_customer(mingrui.name, owner=owner) for owner in (seller, clerk))
    order = make.confirmed_order(mine, make.line(motor, 1), by=clerk, ship_to="Dock 1")
    make.confirmed_order(foreign, make.line(motor, 1), by=clerk, ship_to="Dock 1")
    mine.owner = clerk  # the customer was handed over: the seller sees the own order, not the next one
    mine.save()
    make.confirmed_order(mine, make.line(motor, 1), by=clerk, ship_to="Dock 1")
    delivery = draft_delivery(order, by=seller)
    with refused("Nothing else is open"):
        add_open(delivery, by=seller)
    assert add_open(delivery, by=clerk).lines.count() == 2


def test_one_receipt_takes_what_else_the_supplier_brings(clerk: User, motor: Product) -> None:
    """P-06: other warehouses and suppliers stay out."""
    supplier = make.make_supplier("Hengtuo")
    lines = (make.line(motor, 2, "60"),)
    first, second = (make.confirmed_purchase(supplier, *lines, by=clerk) for _ in range(2))
    make.confirmed_purchase(supplier, *lines, by=clerk, warehouse=make.warehouse("SHOP"))
    make.confirmed_purchase(make.make_supplier("Other"), *lines, by=clerk)
    purchasing.receive_order(second, {second.lines.get().pk: D(1)}, by=clerk)
    receipt = purchasing.add_open(purchasing.draft_receipt(first, by=clerk), by=clerk)
    assert [(line.order_line.order, line.quantity) for line in receipt.lines.all()] == [(first, 2), (second, 1)]
    with refused("Nothing else of Hengtuo is to come"):
        purchasing.add_open(receipt, by=clerk)
    purchasing.post_receipt(receipt, by=clerk)
    assert [order.goods_status for order in refreshed(first, second)] == ["complete", "complete"]
    with refused("is received and cannot be changed"):
        purchasing.add_open(receipt, by=clerk)


def refreshed(*documents):
    for document in documents:
        document.refresh_from_db()
    return documents
