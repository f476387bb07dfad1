"""From the order of a customer to the money in the bank."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import Allocation, JournalEntry, OpenItem, Payment
from erp.finance.services import allocate_open_items, post_payment, save_payment
from erp.inventory.models import Product, ProductUnit, StockMove, Unit
from erp.sales.models import Delivery, Invoice
from erp.sales.services import (
    deliver_order,
    draft_delivery,
    draft_invoice,
    invoice_order,
    post_delivery,
    post_invoice,
    save_delivery,
    save_invoice,
    save_order,
)
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_order_delivered_and_invoiced_in_parts_and_paid_in_parts(
    clerk: User, mingrui: Customer, motor: Product, drive: Product
) -> None:
    """G-02, G-07, G-11, S-06, D-04, A-01 to A-03: one order, two deliveries, two invoices, three receipts."""
    order = make.make_order(mingrui, make.line(motor, 4), make.line(drive, 6), by=clerk)
    assert order.number is None, "G-01: a draft has no official number"
    assert (order.net, order.tax, order.total) == (D("599.98"), D("78.00"), D("677.98"))

    order = make.confirm_order(order, by=clerk)
    assert order.number.startswith("SO-") and order.state == "confirmed"
    assert (make.level(motor).reserved, make.level(drive).reserved) == (4, 6)

    motors, drives = order.lines.all()
    first = deliver_order(order, {motors.pk: D(1), drives.pk: D(6)}, by=clerk)
    order.refresh_from_db()
    assert (order.state, order.goods_status, order.billing_status) == ("confirmed", "partial", "none")
    assert first.cost == D("183.00") and make.level(motor).on_hand == 19 and make.level(motor).reserved == 3
    assert make.balance("cogs") == D("183.00")

    deliver_order(order, by=clerk)
    order.refresh_from_db()
    assert (order.goods_status, order.goods_percent) == ("complete", 100)
    assert (make.level(motor).on_hand, make.level(motor).reserved, make.level(motor).value) == (16, 0, 960)

    part = invoice_order(order, {motors.pk: D(2)}, by=clerk)
    rest = invoice_order(order, by=clerk)
    order.refresh_from_db()
    assert (part.total, rest.total) == (D("226.00"), D("451.98"))
    assert (order.billing_status, order.billed_percent, order.state) == ("complete", 100, "closed")
    assert part.number < rest.number and make.balance("revenue") == D("-599.98")

    make.receive(mingrui, "100", by=clerk)
    part.refresh_from_db()
    order.refresh_from_db()
    assert part.open_amount == D("126.00") and order.paid_percent == D("14.74")
    make.receive(mingrui, "126", by=clerk)  # exactly what is left of the first
    make.receive(mingrui, "451.98", by=clerk)
    order.refresh_from_db()
    rest.refresh_from_db()
    assert (rest.open_amount, order.paid_percent, make.balance("receivable")) == (0, 100, 0)
    assert StockMove.objects.filter(source="erp.delivery").count() == 3


def test_documents_are_drafted_looked_over_and_posted(
    clerk: User, mingrui: Customer, motor: Product, drive: Product
) -> None:
    """G-01, G-10: the same road over drafts, whose lines keep their link to the order lines."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), make.line(drive, 6), by=clerk)
    delivery = draft_delivery(order, by=clerk)
    assert delivery.number is None and make.level(motor).on_hand == 20
    motors, drives = delivery.lines.all()
    delivery.carrier = "SF"
    save_delivery(delivery, {motors.pk: D(3), drives.pk: D(0)}, by=clerk, version=delivery.version)
    delivery = post_delivery(delivery, by=clerk)
    assert [(x.order_line.position, x.quantity) for x in delivery.lines.all()] == [(1, 3)]
    assert delivery.carrier == "SF" and delivery.cost == 180

    invoice = draft_invoice(order, by=clerk)
    [row] = invoice.lines.all()
    save_invoice(invoice, [make.line(motor, 2, pk=row.pk)], by=clerk, version=invoice.version)
    invoice = post_invoice(invoice, by=clerk)
    assert (invoice.net, invoice.tax, invoice.total) == (200, 26, 226)
    assert invoice.billing_name == "Mingrui Precision" and "Suzhou" in invoice.billing_address, "G-25"

    payment = Payment(customer=mingrui, account=make.bank(), currency=make.currency(), amount=D(226))
    save_payment(payment, {make.items(invoice)[0].pk: D(226)}, by=clerk)
    payment = post_payment(payment, by=clerk)
    invoice.refresh_from_db()
    assert payment.number.startswith("RC-") and invoice.open_amount == 0


def test_names_and_prices_of_a_posted_invoice_stay_when_masters_change(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """G-25: snapshot of party, description, price and tax rate."""
    order = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    motor.price, motor.name = D(900), "renamed"
    motor.save()
    motor.tax_code.rate = D("0.09")
    motor.tax_code.save()
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    mingrui.name = "Mingrui Group"
    mingrui.save()
    invoice.refresh_from_db()
    [row] = invoice.lines.all()
    assert (invoice.billing_name, row.price, row.tax_rate) == ("Mingrui Precision", 100, D("0.13"))
    assert (row.description, invoice.total) == ("SV-750W", 113)


def test_over_payment_stays_as_credit_and_pays_the_next_invoice(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-10, A-02, A-03: what is too much is unallocated credit, allocated later by hand."""
    first = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    deliver_order(first, by=clerk)
    invoice = invoice_order(first, by=clerk)
    payment = make.receive(mingrui, "150", by=clerk)
    [credit] = make.items(payment)
    assert (credit.remaining, make.balance("receivable")) == (D("-37.00"), D("-37.00"))

    second = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    deliver_order(second, by=clerk)
    later = invoice_order(second, by=clerk)
    [due] = make.items(later)
    with refused("more than is open"):
        allocate_open_items([(due.pk, credit.pk, D("37.01"))], by=clerk)
    allocate_open_items([(due.pk, credit.pk, D("37.00"))], by=clerk)
    later.refresh_from_db()
    second.refresh_from_db()
    assert later.open_amount == D("76.00") and second.paid_percent == D("32.74")
    assert make.items(invoice)[0].remaining == 0 and Allocation.objects.count() == 2


def test_advance_payment_before_anything_is_owed(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-01: a receipt without an invoice is an open item of its own and settles later invoices oldest first."""
    advance = make.receive(mingrui, "300", by=clerk)
    order = make.confirmed_order(mingrui, make.line(motor, 2), by=clerk)
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    [credit], [due] = make.items(advance), make.items(invoice)
    allocate_open_items([(due.pk, credit.pk, D("226"))], by=clerk)
    order.refresh_from_db()
    assert order.paid_percent == 100 and make.items(advance)[0].remaining == -74


def test_payment_can_settle_many_invoices_and_proposes_the_exact_one(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """A-04: an item of exactly the amount, else the oldest first."""
    invoices = []
    for quantity in (1, 2, 3):
        order = make.confirmed_order(mingrui, make.line(motor, quantity), by=clerk)
        deliver_order(order, by=clerk)
        invoices.append(invoice_order(order, by=clerk))
    make.receive(mingrui, "226", by=clerk)
    assert [OpenItem.objects.get(source_id=i.pk, source="erp.invoice").remaining for i in invoices] == [113, 0, 339]
    make.receive(mingrui, "200", by=clerk)
    assert [OpenItem.objects.get(source_id=i.pk, source="erp.invoice").remaining for i in invoices] == [0, 0, 252]


def test_sale_in_another_unit_moves_the_products_own_unit(clerk: User, mingrui: Customer, motor: Product) -> None:
    """V-21: 1 box = 12 pieces; the order counts boxes, stock counts pieces."""
    box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=box, factor=12)
    order = make.confirmed_order(mingrui, make.line(motor, 1, unit=box), by=clerk)
    [row] = order.lines.all()
    assert (row.price, row.factor, make.level(motor).reserved) == (1200, 12, 12)
    deliver_order(order, by=clerk)
    assert make.level(motor).on_hand == 8 and Delivery.objects.get().cost == 720


def test_quantities_fit_the_decimals_of_their_unit(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-13: pieces are whole; kilograms have four decimals."""
    with refused("decimals"):
        make.make_order(mingrui, make.line(motor, "1.5"), by=clerk)
    wire = make.make_product("WIRE", price="8.40", unit=Unit.objects.get(code="kg"))
    make.stock(wire, "10.5", "3.333333", by=clerk)
    order = make.confirmed_order(mingrui, make.line(wire, "2.3457"), by=clerk)
    deliver_order(order, by=clerk)
    assert make.level(wire).on_hand == D("8.1543") and Delivery.objects.get().cost == D("7.82")


def test_services_are_sold_without_stock(clerk: User, mingrui: Customer) -> None:
    """A service goes the same road, moves no stock and has its own revenue account (F-08)."""
    service = make.make_service("SRV", price="500")
    order = make.confirmed_order(mingrui, make.line(service, 2), by=clerk)
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    assert (invoice.net, invoice.tax) == (1000, 60)
    assert not StockMove.objects.exists() and JournalEntry.objects.count() == 1


def test_invoice_of_a_service_needs_no_order_and_goods_do(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A service may be invoiced by itself; goods are invoiced from an order (G-10)."""
    service = make.make_service("SRV", price="500")
    with refused("from an order"):
        save_invoice(Invoice(customer=mingrui), [make.line(motor)], by=clerk)
    invoice = save_invoice(Invoice(customer=mingrui), [make.line(service)], by=clerk)
    invoice = post_invoice(invoice, by=clerk)
    assert invoice.total == 530 and make.items(invoice)[0].remaining == 530


def test_more_than_ordered_is_neither_delivered_nor_invoiced(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-12, G-11: beyond the tolerance the delivery is refused; the invoice never exceeds what was delivered."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    [row] = order.lines.all()
    with refused("Only 10 of SV-750W"):
        deliver_order(order, {row.pk: D(11)}, by=clerk)
    make.company(over_receipt_tolerance=D(10))
    with refused("Only 10 of SV-750W"):
        deliver_order(order, {row.pk: D(12)}, by=clerk)
    deliver_order(order, {row.pk: D(11)}, by=clerk)
    with refused("Only 0 of SV-750W"):
        deliver_order(order, {row.pk: D(1)}, by=clerk)
    with refused("delivered and not invoiced"):
        invoice_order(order, {row.pk: D(12)}, by=clerk)
    invoice_order(order, by=clerk)
    order.refresh_from_db()
    assert (order.goods_status, order.state) == ("over", "closed")


def test_stock_of_other_orders_is_not_taken(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-06, D-01, V-20: what another order reserved is not available; the message names what is."""
    make.confirmed_order(mingrui, make.line(motor, 15), by=clerk)
    late = make.confirmed_order(mingrui, make.line(motor, 8), by=clerk)
    assert late.lines.get().reserved == 5
    with refused("Only 5 of SV-750W are available; 8 are needed"):
        deliver_order(late, by=clerk)
    make.stock(motor, 3, "70", by=clerk)
    deliver_order(late, by=clerk)
    assert make.level(motor).on_hand == 15 == make.level(motor).reserved


def test_warehouse_that_allows_negative_stock_books_the_expected_cost(clerk: User, mingrui: Customer) -> None:
    """V-20, V-11: issued at the last known cost; the receipt that covers it leaves the rest at its own price."""
    shop = make.warehouse("SHOP", allow_negative=True)
    part = make.make_product("PART", price="20", cost=D("7"))
    make.stock(part, 2, "10", by=clerk, where=shop)
    order = make.confirmed_order(mingrui, make.line(part, 5), by=clerk, warehouse=shop)
    delivery = deliver_order(order, by=clerk)
    assert delivery.cost == 2 * 10 + 3 * 10 and make.level(part, shop).on_hand == -3
    make.stock(part, 10, "12", by=clerk, where=shop)
    assert (make.level(part, shop).on_hand, make.level(part, shop).value) == (7, 84)


def test_instalments_fall_due_one_after_the_other(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-05: 30 % at once, 70 % after 60 days; the parts add up to the invoice."""
    make.terms(mingrui, payment_terms=make.payment_terms("30/70", instalments="30@0 70@60"))
    order = make.confirmed_order(mingrui, make.line(motor, 1, "99.99"), by=clerk)
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    first, second = make.items(invoice)
    assert (first.amount, second.amount) == (D("33.90"), D("79.09")) and invoice.total == D("112.99")
    assert (first.due_date, second.due_date) == (make.today(), make.days_ago(-60)) == (first.date, invoice.due_date)
    make.receive(mingrui, "40", by=clerk)
    assert [item.remaining for item in make.items(invoice)] == [0, D("72.99")]


def test_lines_from_two_warehouses_leave_in_two_deliveries(clerk: User, mingrui: Customer, motor: Product) -> None:
    """One delivery leaves one warehouse; the rest stays open."""
    shop = make.warehouse("SHOP")
    make.stock(motor, 5, "66", by=clerk, where=shop)
    order = make.confirmed_order(mingrui, make.line(motor, 2), make.line(motor, 3, warehouse=shop), by=clerk)
    main, other = order.lines.all()
    with refused("different warehouses"):
        deliver_order(order, {main.pk: D(1), other.pk: D(1)}, by=clerk)
    assert deliver_order(order, by=clerk).cost == 120
    assert deliver_order(order, by=clerk).cost == 198
    with refused("Nothing is left to deliver"):
        deliver_order(order, by=clerk)


def test_order_is_saved_by_one_person_at_a_time(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-19: who opened an older version is told, and nothing is overwritten."""
    order = make.make_order(mingrui, make.line(motor, 1), by=clerk)
    opened = order.version
    save_order(order, [make.line(motor, 2)], by=clerk, version=opened)
    with refused("changed by somebody else"):
        save_order(order, [make.line(motor, 3)], by=clerk, version=opened)
    assert order.lines.get().quantity == 2
