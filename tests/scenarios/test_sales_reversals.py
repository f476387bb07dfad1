"""Posted documents are corrected by counter documents only."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import JournalEntry, JournalLine, Payment
from erp.finance.services import allocate_open_items, reverse_payment
from erp.inventory.models import Product, StockMove
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.sales.services import deliver_order, invoice_order, reverse_delivery, reverse_invoice
from oa.organisation.models import User
from oa.organisation.models.company import CostAt, ReversalStyle
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def sold(
    clerk: User, customer: Customer, product: Product, quantity: int = 4
) -> tuple[SalesOrder, Delivery, Invoice, Payment]:
    """An order that went all the way."""
    order = make.confirmed_order(customer, make.line(product, quantity), by=clerk)
    delivery = deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    payment = make.receive(customer, str(invoice.total), by=clerk)
    order.refresh_from_db()
    return order, delivery, invoice, payment


@pytest.mark.parametrize("style", [ReversalStyle.RED, ReversalStyle.OPPOSITE])
def test_everything_is_reversed_from_the_end(
    clerk: User, mingrui: Customer, motor: Product, style: ReversalStyle
) -> None:
    """G-04, G-05, G-06, V-06, A-02: payment, invoice, delivery; red letter or on the opposite side."""
    make.company(reversal_style=style)
    order, delivery, invoice, payment = sold(clerk, mingrui, motor)
    assert (order.state, order.paid_percent) == ("closed", 100)

    with refused(f"settled by {payment.number}"):
        reverse_invoice(invoice, by=clerk)
    back = reverse_payment(payment, by=clerk)
    order.refresh_from_db()
    invoice.refresh_from_db()
    assert (back.amount, back.reversal_of_id, invoice.open_amount, order.paid_percent) == (-452, payment.pk, 452, 0)

    with refused("is invoiced"):
        reverse_delivery(delivery, by=clerk)
    credit = reverse_invoice(invoice, by=clerk)
    order.refresh_from_db()
    assert (credit.total, order.billing_status, order.state) == (-452, "none", "confirmed")

    reverse_delivery(delivery, by=clerk)
    order.refresh_from_db()
    assert (order.goods_status, make.level(motor).on_hand, make.level(motor).value) == ("none", 20, 1200)
    assert {make.balance(p) for p in ("receivable", "revenue", "cogs")} == {0}
    assert all(item.remaining == 0 for doc in (invoice, credit, payment, back) for item in make.items(doc))

    mirrored = JournalLine.objects.exclude(entry__reversal_of=None)
    assert {line.red for line in mirrored} == {style == ReversalStyle.RED}
    turnover = make.balance("receivable", debit_only=True)
    assert turnover == (0 if style == ReversalStyle.RED else 904), "G-05: red letters do not inflate turnovers"


def test_a_document_is_reversed_once_and_a_reversal_never(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-04: one reversal, and no reversal of a reversal."""
    _order, delivery, invoice, payment = sold(clerk, mingrui, motor)
    for reverse, document in ((reverse_payment, payment), (reverse_invoice, invoice), (reverse_delivery, delivery)):
        counter = reverse(document, by=clerk)
        with refused("not possible any more"):
            reverse(document, by=clerk)
        with refused("is a reversal itself"):
            reverse(counter, by=clerk)


def test_reversed_order_goes_the_road_again(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-11: after reversals the open quantities are open again."""
    order, delivery, invoice, payment = sold(clerk, mingrui, motor)
    reverse_payment(payment, by=clerk)
    reverse_invoice(invoice, by=clerk)
    reverse_delivery(delivery, by=clerk)
    deliver_order(order, by=clerk)
    again = invoice_order(order, by=clerk)
    make.receive(mingrui, "452", by=clerk)
    order.refresh_from_db()
    assert (order.state, order.paid_percent, again.total) == ("closed", 100, 452)


def test_part_of_the_deliveries_is_taken_back(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-06, V-06: only what is not invoiced comes back, at the cost at which it left."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    first = deliver_order(order, {row.pk: D(6)}, by=clerk)
    make.stock(motor, 6, "100", by=clerk)  # the average rises to 72.00
    second = deliver_order(order, {row.pk: D(4)}, by=clerk)
    assert (first.cost, second.cost) == (360, 288)
    invoice_order(order, {row.pk: D(5)}, by=clerk)
    with refused("is invoiced"):
        reverse_delivery(first, by=clerk)
    back = reverse_delivery(second, by=clerk)
    assert back.cost == -288 and make.level(motor).value == D("1440.00")
    assert StockMove.objects.get(source="erp.delivery", source_id=back.pk).value == 288


def test_returned_goods_cover_negative_stock_and_the_rest_is_cost(clerk: User, mingrui: Customer) -> None:
    """V-02, V-11, V-20: a reversal at the original cost never leaves value without stock."""
    shop = make.warehouse("SHOP", allow_negative=True)
    part = make.make_product("PART", price="20", cost=D("7"))
    make.stock(part, 2, "10", by=clerk, where=shop)
    order = make.confirmed_order(mingrui, make.line(part, 2), make.line(part, 3), by=clerk, warehouse=shop)
    first, second = order.lines.all()
    delivery = deliver_order(order, {first.pk: D(2)}, by=clerk)
    deliver_order(order, {second.pk: D(3)}, by=clerk)
    assert (make.level(part, shop).on_hand, make.level(part, shop).value) == (-3, -30)
    reverse_delivery(delivery, by=clerk)
    assert (make.level(part, shop).on_hand, make.level(part, shop).value) == (-1, -10)
    make.stock(part, 1, "9", by=clerk, where=shop)
    assert (make.level(part, shop).on_hand, make.level(part, shop).value) == (0, 0)


def test_credit_used_later_is_free_again_when_its_receipt_is_reversed(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """A-02: reversing a receipt undoes all its allocations, those made by hand later as well."""
    _order, _delivery, invoice, _payment = sold(clerk, mingrui, motor)
    advance = make.receive(mingrui, "200", {}, by=clerk)
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    deliver_order(order, by=clerk)
    later = invoice_order(order, by=clerk)
    allocate_open_items([(make.items(later)[0].pk, make.items(advance)[0].pk, D(200))], by=clerk)
    reverse_payment(advance, by=clerk)
    later.refresh_from_db()
    invoice.refresh_from_db()
    assert (later.open_amount, invoice.open_amount) == (452, 0)


def test_cost_waits_for_the_invoice(clerk: User, mingrui: Customer, motor: Product) -> None:
    """D-04: goods shipped 发出商品 until the invoice takes its share to the cost of goods sold."""
    make.company(cost_at=CostAt.INVOICE)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(6)}, by=clerk)
    make.stock(motor, 6, "100", by=clerk)
    last = deliver_order(order, {row.pk: D(4)}, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (648, 0)
    part = invoice_order(order, {row.pk: D(5)}, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (324, 324)
    reverse_delivery(last, by=clerk)  # what is expensed stays, the rest of it is shipped
    assert (make.balance("shipped"), make.balance("cogs")) == (36, 324)
    reverse_invoice(part, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (360, 0)
    invoice_order(order, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (0, 360)


def test_cost_of_a_reversed_dear_delivery_comes_back_from_the_cost_of_goods_sold(
    clerk: User, mingrui: Customer
) -> None:
    """D-04: invoices expensed the average of a dear and a cheap delivery; the dear one is taken back."""
    make.company(cost_at=CostAt.INVOICE)
    part = make.make_product("PART")
    make.stock(part, 4, "10", by=clerk)
    order = make.confirmed_order(mingrui, make.line(part, 10), by=clerk)
    row = order.lines.get()
    dear = deliver_order(order, {row.pk: D(4)}, by=clerk)
    make.stock(part, 6, "1", by=clerk)
    deliver_order(order, {row.pk: D(6)}, by=clerk)
    invoice_order(order, {row.pk: D(6)}, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (D("18.40"), D("27.60"))
    reverse_delivery(dear, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (0, 6)


def test_the_setting_of_cost_may_change_between_delivery_and_invoice(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """D-04: what was shipped under either setting is cleared by the invoice."""
    make.company(cost_at=CostAt.INVOICE)
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(1)}, by=clerk)
    make.company(cost_at=CostAt.DELIVERY)
    second = deliver_order(order, {row.pk: D(2)}, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (60, 120)
    reverse_delivery(second, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (60, 0)
    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    assert (make.balance("shipped"), make.balance("cogs")) == (0, 240)


def test_documents_and_reversals_lead_to_each_other(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-04: linked both ways, on documents and entries."""
    _order, _delivery, invoice, payment = sold(clerk, mingrui, motor)
    reverse_payment(payment, by=clerk)
    counter = reverse_invoice(invoice, by=clerk)
    entry = JournalEntry.objects.get(source="erp.invoice", source_id=counter.pk)
    assert counter.reversal_of == invoice and invoice.reversal == counter
    assert entry.reversal_of.source_id == invoice.pk and entry.reversal_of.reversal == entry
