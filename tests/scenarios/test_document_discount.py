"""A discount on the whole document (rule G-14), through orders, invoices, bills and their reversals."""

from __future__ import annotations

import re
from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import Supplier
from erp.inventory.models import Product
from erp.purchasing.services import add_received, bill_order, draft_bill, receive_order, reverse_bill
from erp.sales.models import Invoice, SalesOrder
from erp.sales.services import (
    add_delivered,
    amend_order,
    deliver_order,
    draft_invoice,
    invoice_order,
    post_invoice,
    reverse_invoice,
    save_invoice,
)
from erp.trade.lines import LineInput
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def hengtuo() -> Supplier:
    return make.make_supplier()


def amended(order: SalesOrder) -> list[LineInput]:
    """The lines of an order as its form sends them."""
    return [LineInput(line.product, line.quantity, line.price, line.discount, pk=line.pk) for line in order.lines.all()]


def test_percentage_and_amount_are_spread_by_value(
    clerk: User, mingrui: Customer, motor: Product, drive: Product
) -> None:
    """599.98 less 5 % less 9.98: 400.00 and 199.98 give 26.65 and 13.33, the cent left over to the larger."""
    order = make.make_order(
        mingrui, make.line(motor, 4), make.line(drive, 6), by=clerk, discount=D(5), discount_amount=D("9.98")
    )
    first, second = order.lines.all()
    assert (first.discount_share, second.discount_share) == (D("26.65"), D("13.33"))
    assert (first.net, second.net) == (D("373.35"), D("186.65"))
    assert (order.net, order.tax, order.total) == (D("560.00"), D("72.80"), D("632.80"))


def test_every_invoice_takes_its_part(clerk: User, mingrui: Customer, motor: Product, drive: Product) -> None:
    """G-11, G-14: the parts of three invoices add up to the order's discount; the books tie, a reversal takes back."""
    order = make.confirmed_order(
        mingrui, make.line(motor, 3), make.line(drive, 3), by=clerk, discount=D("2.5"), discount_amount=D("10.01")
    )
    motors, drives = order.lines.all()
    deliver_order(order, by=clerk)
    bills = [
        invoice_order(order, {motors.pk: D(1)}, by=clerk),
        invoice_order(order, {motors.pk: D(1), drives.pk: D(2)}, by=clerk),
        invoice_order(order, by=clerk),
    ]
    assert sum(bill.discount_amount for bill in bills) == D("10.01")
    assert {bill.discount for bill in bills} == {D("2.5")}
    assert sum(bill.total for bill in bills) == pytest.approx(order.total, abs=D("0.03"))
    assert make.balance("revenue") == -sum(bill.net for bill in bills)
    counter = reverse_invoice(bills[1], by=clerk)
    assert (counter.discount_amount, counter.total) == (-bills[1].discount_amount, -bills[1].total)
    again = invoice_order(order, by=clerk)
    assert (again.discount_amount, again.total) == (bills[1].discount_amount, bills[1].total)


def test_prices_with_tax_keep_their_gross(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-15: a discount off prices that include tax is off the gross amount; the customer pays round money."""
    order = make.confirmed_order(
        mingrui, make.line(motor, 1, "113.27"), by=clerk, prices_include_tax=True, discount_amount=D("0.27")
    )
    assert (order.net, order.tax, order.total) == (D("100.00"), D("13.00"), D("113.00"))
    deliver_order(order, by=clerk)
    assert invoice_order(order, by=clerk).total == D("113.00")


def test_no_more_than_the_lines_are_worth(clerk: User, mingrui: Customer, motor: Product) -> None:
    """Nothing is given away beyond the document; the message stands at the field."""
    for head, field in (
        ({"discount_amount": D("100.01")}, "discount_amount"),
        ({"discount": D(50), "discount_amount": D("50.01")}, "discount_amount"),
        ({"discount_amount": D(-1)}, "discount_amount"),
        ({"discount": D("100.01")}, "discount"),
        ({"discount": D(-1)}, "discount"),
    ):
        with refused("discount") as caught:
            make.make_order(mingrui, make.line(motor, 1), by=clerk, **head)
        assert [problem.field for problem in caught.value.problems] == [field]
    free = make.make_order(mingrui, make.line(motor, 1), by=clerk, discount=D(100))
    assert free.total == 0


def test_an_amended_order_keeps_what_was_invoiced(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08: the discount of a confirmed order changes until a part of it is invoiced."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    order.discount = D(10)
    order = amend_order(order, amended(order), by=clerk)
    assert (order.net, order.revision) == (D("360.00"), 2)
    deliver_order(order, by=clerk)
    invoice_order(order, {order.lines.get().pk: D(1)}, by=clerk)
    order.refresh_from_db()
    lines = amended(order)
    order.discount = D(20)
    with refused(re.escape(f"A part of {order} is invoiced")):
        amend_order(order, lines, by=clerk)


def test_an_invoice_of_services_has_a_discount_of_its_own(clerk: User, mingrui: Customer) -> None:
    """G-14: also without an order."""
    invoice = Invoice(customer=mingrui, discount_amount=D("5"))
    save_invoice(invoice, [make.line(make.make_service(price="100", tax="V6"), 1)], by=clerk)
    assert (invoice.net, invoice.tax) == (D("95.00"), D("5.70"))


def test_goods_come_in_at_the_discounted_price(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-08, P-12: stock, goods received not invoiced and bill agree; no difference is left."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk, discount=D(1), discount_amount=D(94))
    before = make.level(motor).value
    receive_order(order, {order.lines.get().pk: D(4)}, by=clerk)
    receive_order(order, by=clerk)
    assert make.level(motor).value - before == D("500.00") == -make.balance("grni")
    bill = bill_order(order, {order.lines.get().pk: D(3)}, by=clerk, supplier_number="A1")
    rest = bill_order(order, by=clerk, supplier_number="A2")
    assert bill.discount_amount + rest.discount_amount == D(94)
    assert (bill.net + rest.net, make.balance("grni")) == (D("500.00"), 0)
    assert make.level(motor).value - before == D("500.00")
    counter = reverse_bill(rest, by=clerk)
    assert (counter.net, counter.discount_amount) == (-rest.net, -rest.discount_amount)


def test_a_bill_collects_orders_on_its_own_terms_only(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: one bill has one discount; what was ordered on other terms is billed by itself."""
    orders = [
        make.confirmed_purchase(hengtuo, make.line(motor, 1, "60"), by=clerk, **head)
        for head in ({"discount": D(5)}, {"discount": D(5)}, {"discount": D(10)}, {"discount_amount": D(1)})
    ]
    for order in orders:
        receive_order(order, by=clerk)
    bill = add_received(draft_bill(orders[0], by=clerk), by=clerk)
    assert {line.order_line.order for line in bill.lines.all()} == {orders[0], orders[1]}
    assert bill.net == D("114.00")


def test_an_order_that_grows_gives_its_amount_once(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08, G-14: what earlier invoices gave counts, also after the order got further lines."""
    order = make.confirmed_order(mingrui, make.line(motor, 2), by=clerk, discount_amount=D(20))
    deliver_order(order, by=clerk)
    first = invoice_order(order, {order.lines.get().pk: D(1)}, by=clerk)
    order.refresh_from_db()
    order = amend_order(order, [*amended(order), make.line(motor, 8)], by=clerk)
    deliver_order(order, by=clerk)
    rest = invoice_order(order, by=clerk)
    assert (first.discount_amount, rest.discount_amount) == (D("10.00"), D("10.00"))


def test_what_is_delivered_beyond_the_order_gets_no_more_discount(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """G-12, G-14: all parts add up to the amount, also of an order that was exceeded."""
    make.company(over_receipt_tolerance=D(50))
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk, discount_amount=D(20))
    deliver_order(order, {order.lines.get().pk: D(15)}, by=clerk)
    assert invoice_order(order, by=clerk).discount_amount == D(20)


def test_a_draft_that_was_given_its_share_keeps_the_discount(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-08, G-14: the discount is not amended below a draft invoice, nor the lines below what is still to be given."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk, discount_amount=D(20))
    deliver_order(order, {order.lines.get().pk: D(4)}, by=clerk)
    draft = draft_invoice(order, by=clerk)
    order.refresh_from_db()
    lines = amended(order)
    order.discount_amount = D(10)
    with refused("stands on a draft"):
        amend_order(order, lines, by=clerk)
    assert post_invoice(draft, by=clerk).discount_amount == D(8)
    order.refresh_from_db()
    with refused("12.00 of the discount are not given yet"):
        amend_order(order, [make.line(motor, 4, pk=order.lines.get().pk)], by=clerk)


def test_an_amount_of_its_own_is_not_spread_over_other_orders(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-14: an invoice with a discount amount takes no other deliveries."""
    orders = [
        make.confirmed_order(mingrui, make.line(motor, 1), by=clerk, **head)
        for head in ({"discount_amount": D(50)}, {})
    ]
    for order in orders:
        deliver_order(order, by=clerk)
    draft = draft_invoice(orders[0], by=clerk)
    with refused("has a discount amount of its own"):
        add_delivered(draft, by=clerk)


def test_a_partial_bill_as_ordered_is_within_no_tolerance(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-12, P-09: what the shares of a discount round to the largest line is no price difference."""
    make.company(bill_tolerance=D(0))
    small = [make.line(make.make_product(), 1, "1.00") for _ in range(8)]
    order = make.confirmed_purchase(hengtuo, make.line(motor, 1, "100"), *small, by=clerk, discount=D("1.4"))
    receive_order(order, by=clerk)
    assert bill_order(order, {order.lines.first().pk: D(1)}, by=clerk, supplier_number="1").net == D("98.60")
