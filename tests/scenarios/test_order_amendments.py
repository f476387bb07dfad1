"""Sales orders whose prices, units or drafts change after a part was delivered or invoiced (rules G-08, G-25)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import TaxCode
from erp.inventory.models import Product, ProductUnit, Unit
from erp.sales.models import DeliveryLine, SalesOrder
from erp.sales.models.terms import CreditAction
from erp.sales.services import (
    amend_order,
    close_order,
    deliver_order,
    draft_delivery,
    draft_invoice,
    invoice_order,
    post_delivery,
    post_invoice,
    reverse_delivery,
    reverse_invoice,
)
from erp.trade.progress import order_left_to_bill, to_bill, to_move
from oa.organisation.models import User
from oa.organisation.models.company import CostAt
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def open_quantities(order: SalesOrder) -> tuple[D, D, D]:
    """To deliver, to invoice now, to invoice in the end: the formulas of G-11 over all lines."""
    lines = order.lines.all()
    return (
        sum(map(to_move, lines), D(0)),
        sum(map(to_bill, lines), D(0)),
        sum(map(order_left_to_bill, lines), D(0)),
    )


@pytest.mark.parametrize("cost_at", [CostAt.DELIVERY, CostAt.INVOICE])
def test_a_new_price_holds_for_what_is_not_invoiced(
    clerk: User, mingrui: Customer, motor: Product, cost_at: CostAt
) -> None:
    """G-08, G-11: the invoiced part stays a line at the old price, the rest goes on as a line at the new one."""
    make.company(cost_at=cost_at)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(4)}, by=clerk)
    invoice_order(order, by=clerk)
    before = open_quantities(order)
    draft = draft_delivery(order, {row.pk: D(5)}, by=clerk)

    order = amend_order(order, [make.line(motor, 10, "80", pk=row.pk)], by=clerk)
    done, rest = order.lines.all()
    assert (done.pk, done.quantity, done.price, done.moved, done.billed, done.reserved) == (row.pk, 4, 100, 4, 4, 0)
    assert (rest.quantity, rest.price, rest.moved, rest.billed, rest.reserved) == (6, 80, 0, 0, 6)
    assert (order.net, order.state, order.goods_status, order.billing_status) == (
        880,
        "confirmed",
        "partial",
        "partial",
    )
    assert open_quantities(order) == before == (6, 0, 6)
    assert make.level(motor).reserved == 6

    assert DeliveryLine.objects.get(delivery=draft).order_line == rest, "G-10: a draft takes from the open part"
    post_delivery(draft, by=clerk)
    assert invoice_order(order, by=clerk).net == 400
    deliver_order(order, by=clerk)
    last = invoice_order(order, by=clerk)
    make.receive(mingrui, "994.40", by=clerk)
    order.refresh_from_db()
    assert (last.net, order.state, order.paid_percent) == (80, "closed", 100)


def test_goods_not_invoiced_have_to_be_invoiced_first(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08: posted deliveries stay on their line, so the clerk is told to invoice them before the price changes."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(4)}, by=clerk)
    invoice_order(order, {row.pk: D(1)}, by=clerk)
    with refused("3 of this line are delivered and not invoiced. Invoice them first") as caught:
        amend_order(order, [make.line(motor, 10, "80", pk=row.pk)], by=clerk)
    assert [(p.row, p.field) for p in caught.value] == [(0, "price")]
    amend_order(order, [make.line(motor, 12, pk=row.pk)], by=clerk)  # without a new price it needs no parts
    invoice_order(order, by=clerk)
    with refused("invoiced in full"):
        amend_order(order, [make.line(motor, 4, "80", pk=row.pk)], by=clerk)
    order = amend_order(order, [make.line(motor, 12, "80", pk=row.pk)], by=clerk)
    assert [(x.quantity, x.price) for x in order.lines.all()] == [(4, 100), (8, 80)]


def test_discount_and_tax_change_like_the_price(clerk: User, mingrui: Customer, motor: Product, drive: Product) -> None:
    """G-08, G-25: a new discount or tax part the line, the tax rate of the order's day stays with the rest."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), make.line(drive, 3), by=clerk)
    first, second = order.lines.all()
    deliver_order(order, {first.pk: D(4)}, by=clerk)
    invoice_order(order, by=clerk)
    TaxCode.objects.filter(code="V13").update(rate=D("0.09"))
    same = make.line(drive, 3, pk=second.pk)
    order = amend_order(order, [make.line(motor, 10, pk=first.pk, discount="10"), same], by=clerk)
    rows = list(order.lines.all())
    assert [(x.quantity, x.discount, x.tax_rate) for x in rows] == [
        (4, 0, D("0.13")),
        (6, 10, D("0.13")),
        (3, 0, D("0.13")),
    ]
    low = TaxCode.objects.get(code="V6")
    deliver_order(order, {rows[1].pk: D(1)}, by=clerk)
    invoice_order(order, by=clerk)
    lines = [make.line(motor, x.quantity, pk=x.pk, discount=x.discount) for x in rows[:2]]
    lines[1].tax_code = low
    order = amend_order(order, [*lines, same], by=clerk)
    assert [(x.quantity, x.tax_rate) for x in order.lines.all()] == [
        (4, D("0.13")),
        (1, D("0.13")),
        (5, D("0.06")),
        (3, D("0.13")),
    ]
    lines = [
        make.line(x.product, x.quantity, pk=x.pk, discount=x.discount, taxed=x.billed > 0)
        for x in order.lines.select_related("product")
    ]
    order = amend_order(order, lines, by=clerk)
    assert [x.tax_rate for x in order.lines.all()] == [D("0.13"), D("0.13"), 0, 0], "no tax is what was asked for"


def test_parts_of_a_short_closed_line_and_their_way_back(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-09, G-11: what was given up goes with the open part; reversed, the old part is open at the old price."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), make.line(motor, 1), by=clerk)
    row, other = order.lines.all()
    delivery = deliver_order(order, {row.pk: D(4), other.pk: D(1)}, by=clerk)
    order = close_order(order, by=clerk, reason="enough")
    invoice = invoice_order(order, {row.pk: D(4)}, by=clerk)
    before = open_quantities(order)
    order = amend_order(order, [make.line(motor, 10, "80", pk=row.pk), make.line(motor, 1, pk=other.pk)], by=clerk)
    assert [(x.quantity, x.cancelled) for x in order.lines.all()] == [(4, 0), (6, 6), (1, 0)]
    assert open_quantities(order) == before == (0, 1, 1)
    reverse_invoice(invoice, by=clerk)
    reverse_delivery(delivery, by=clerk)
    assert [(to_move(x), x.price) for x in order.lines.all()] == [(4, 100), (0, 80), (1, 100)]


def test_a_line_delivered_beyond_its_order_does_not_stop_an_amendment(
    clerk: User, mingrui: Customer, motor: Product, drive: Product
) -> None:
    """G-08, G-12: an unchanged quantity is no reduction, although more was delivered within the tolerance."""
    make.company(over_receipt_tolerance=D(20))
    order = make.confirmed_order(mingrui, make.line(motor, 10), make.line(drive, 3), by=clerk)
    first, second = order.lines.all()
    deliver_order(order, {first.pk: D(11)}, by=clerk)
    lines = [make.line(motor, 10, pk=first.pk), make.line(drive, 4, pk=second.pk)]
    assert amend_order(order, lines, by=clerk).revision == 2
    with refused("11 are delivered or invoiced"):
        amend_order(order, [make.line(motor, 9, pk=first.pk), lines[1]], by=clerk)


def test_the_agreed_conversion_stays(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08: a box that holds other pieces since, or is no unit of the product any more, changes no order."""
    box = Unit.objects.get(code="box")
    conversion = ProductUnit.objects.create(product=motor, unit=box, factor=D(2))
    order = make.confirmed_order(mingrui, make.line(motor, 3, "190", unit=box), by=clerk)
    row = order.lines.get()
    conversion.factor = D(5)
    conversion.save()
    draft = draft_delivery(order, by=clerk)
    order = amend_order(order, [make.line(motor, 4, pk=row.pk)], by=clerk)
    assert [(x.quantity, x.factor, x.price, x.reserved) for x in order.lines.all()] == [(4, 2, 190, 8)]
    conversion.delete()
    order = amend_order(order, [make.line(motor, 5, pk=row.pk, unit=box)], by=clerk)
    assert order.lines.get().factor == 2
    post_delivery(draft, by=clerk)
    assert make.level(motor).on_hand == 14, "nothing of the order changed under the draft"


def test_drafts_of_an_amended_line_are_refused(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08, G-10: a draft delivery or invoice made before its order line got another unit is made again."""
    box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=box, factor=D(2))
    order = make.confirmed_order(mingrui, make.line(motor, 2), by=clerk)
    row = order.lines.get()
    draft = draft_delivery(order, by=clerk)
    order = amend_order(order, [make.line(motor, 2, "200", pk=row.pk, unit=box)], by=clerk)
    with refused("order line of SV-750W was changed after this draft") as caught:
        post_delivery(draft, by=clerk)
    assert [(p.row, p.field) for p in caught.value] == [(0, "quantity")]

    delivery = deliver_order(order, by=clerk)
    invoice = draft_invoice(order, by=clerk)
    reverse_delivery(delivery, by=clerk)
    order = amend_order(order, [make.line(motor, 2, "100", pk=row.pk, unit=motor.unit)], by=clerk)
    deliver_order(order, by=clerk)
    with refused("order line of SV-750W was changed after this draft"):
        post_invoice(invoice, by=clerk)


def test_quantities_fit_the_unit_of_the_product(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-13: half a box of three pieces is refused on the order, its amendment and the delivery."""
    kilo = Unit.objects.get(code="kg")
    ProductUnit.objects.create(product=motor, unit=kilo, factor=D(3))
    with refused("This is 1.5 .* of SV-750W") as caught:
        make.make_order(mingrui, make.line(motor, 1), make.line(motor, "0.5", unit=kilo), by=clerk)
    assert [(p.row, p.field) for p in caught.value] == [(1, "quantity")]
    order = make.confirmed_order(mingrui, make.line(motor, 2, unit=kilo), by=clerk)
    row = order.lines.get()
    with refused("This is 4.5"):
        amend_order(order, [make.line(motor, "1.5", pk=row.pk)], by=clerk)
    with refused("This is 1.5"):
        deliver_order(order, {row.pk: D("0.5")}, by=clerk)


def test_archived_warehouses_are_not_chosen(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-24: neither for a new order nor for a new line; what is ordered from one goes on."""
    closing = make.warehouse("OLD")
    make.stock(motor, 5, where=closing)
    order = make.confirmed_order(mingrui, make.line(motor, 2), by=clerk, warehouse=closing)
    closing.active = False
    closing.save()
    with refused("Old is archived; choose another warehouse|OLD.* is archived; choose another warehouse") as caught:
        make.make_order(mingrui, make.line(motor, 1), by=clerk, warehouse=closing)
    assert [p.field for p in caught.value] == ["warehouse"]
    row = order.lines.get()
    with refused("is archived; choose another warehouse"):
        lines = [make.line(motor, 2, pk=row.pk), make.line(motor, 1, warehouse=closing)]
        amend_order(order, lines, by=clerk)
    order = amend_order(order, [make.line(motor, 3, pk=row.pk)], by=clerk)
    assert order.lines.get().warehouse == closing
    deliver_order(order, by=clerk)


def test_an_amendment_beyond_the_limit_keeps_what_was_reserved(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04, S-06: refused it changes nothing, put on hold it gives its stock back."""
    terms = make.terms(mingrui, credit_limit=D("1130"), credit_action=CreditAction.REFUSE)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    with refused("exceeds the credit limit"):
        amend_order(order, [make.line(motor, 11, pk=row.pk)], by=clerk)
    assert (order.lines.get().reserved, make.level(motor).reserved) == (10, 10)
    terms.credit_action = CreditAction.HOLD
    terms.save()
    order = amend_order(order, [make.line(motor, 11, pk=row.pk)], by=clerk)
    assert (order.hold, order.lines.get().reserved, make.level(motor).reserved) == ("credit", 0, 0)
