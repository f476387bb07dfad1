"""Drafts whose lines take from the same order line are added up before they are posted (rule G-11)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.sales.models import DeliveryLine, Invoice, SalesOrder
from erp.sales.services import (
    deliver_order,
    draft_delivery,
    draft_invoice,
    invoice_order,
    post_delivery,
    post_invoice,
    save_invoice,
)
from erp.trade.lines import LineInput
from oa.organisation.models import User
from oa.organisation.models.company import CostAt
from tests import factories as make
from tests.invariants import assert_books
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def order(clerk: User, mingrui: Customer, motor: Product) -> SalesOrder:
    """Ten ordered, four delivered."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    deliver_order(order, {order.lines.get().pk: D(4)}, by=clerk)
    return order


def parts(order: SalesOrder, *quantities: str) -> list[LineInput]:
    """A line for each of `quantities`, all from the one order line."""
    line = order.lines.select_related("product", "unit").get()
    return [make.line(line.product, quantity, origin=line) for quantity in quantities]


def test_lines_of_one_order_line_are_added_up(
    clerk: User, mingrui: Customer, motor: Product, order: SalesOrder
) -> None:
    """I-22: four delivered are not invoiced twice by two lines of four."""
    draft = save_invoice(Invoice(customer=mingrui), parts(order, "4", "4"), by=clerk)
    with refused("Only 4 of SV-750W are delivered and not invoiced; you entered 8") as caught:
        post_invoice(draft, by=clerk)
    assert [problem.row for problem in caught.value.problems] == [1], "the first of the two fits"
    line = order.lines.get()
    assert (line.moved, line.billed) == (4, 0)


def test_parts_that_fit_together_are_posted(clerk: User, mingrui: Customer, order: SalesOrder) -> None:
    """G-11: what two lines take together is what is invoiced, and nothing is left after them."""
    draft = save_invoice(Invoice(customer=mingrui), parts(order, "1", "3"), by=clerk)
    invoice = post_invoice(draft, by=clerk)
    assert (invoice.net, order.lines.get().billed) == (400, 4)
    with refused("Nothing delivered is left to invoice"):
        invoice_order(order, by=clerk)
    assert_books()


def test_a_line_added_to_a_draft_counts(clerk: User, mingrui: Customer, motor: Product, order: SalesOrder) -> None:
    """I-22: the same holds for a draft made from the order, to which a person adds the line again."""
    draft = draft_invoice(order, by=clerk)
    kept = make.line(motor, 4, pk=draft.lines.get().pk)
    draft = save_invoice(draft, [kept, *parts(order, "1")], by=clerk)
    with refused("you entered 5"):
        post_invoice(draft, by=clerk)


def test_cost_that_waits_for_the_invoice_is_taken_once(
    clerk: User, mingrui: Customer, motor: Product, order: SalesOrder
) -> None:
    """D-04: each of two lines takes its share of the cost of the goods shipped."""
    make.company(cost_at=CostAt.INVOICE)
    other = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    deliver_order(other, by=clerk)
    before = make.balance("cogs")
    invoice = post_invoice(save_invoice(Invoice(customer=mingrui), parts(other, "1", "3"), by=clerk), by=clerk)
    assert [line.cost for line in invoice.lines.order_by("position")] == [60, 180]
    assert (make.balance("shipped"), make.balance("cogs") - before) == (0, 240)


def test_a_delivery_adds_up_as_well(clerk: User, order: SalesOrder) -> None:
    """G-12: two lines of a delivery draft together stay within what is open."""
    draft = draft_delivery(order, by=clerk)
    line = draft.lines.get()
    assert line.quantity == 6
    DeliveryLine.objects.create(
        delivery=draft,
        position=2,
        order_line_id=line.order_line_id,
        product=line.product,
        description=line.description,
        unit_id=line.unit_id,
        quantity=D(1),
    )
    with refused("Only 6 of SV-750W are left to deliver; you entered 7"):
        post_delivery(draft, by=clerk)
