"""Money that goes back: to a customer, or from a supplier (rules A-01 to A-06)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from crm.customers.models import Customer
from erp.finance.models import Payment
from erp.finance.models.payments import Direction
from erp.finance.services import allocate_open_items, pay, reverse_payment
from erp.inventory.models import Product
from erp.purchasing.services import bill_order, receive_order, reverse_bill
from erp.sales.services import deliver_order, invoice_order
from kit.pages.panels import flows
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def money(direction: Direction, amount: str, by: User, allocations: Any = None, **partner: Any) -> Payment:
    payment = Payment(direction=direction, amount=D(amount), account=make.bank(), currency=make.currency(), **partner)
    return pay(payment, allocations, by=by)


def test_a_customer_who_paid_too_much_gets_the_rest_back(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-01, A-04: the refund settles the credit that the receipt left, under a number of its own."""
    order = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    receipt = make.receive(mingrui, "150", by=clerk)
    [credit] = make.items(receipt)
    assert credit.remaining == D("-37.00")
    refund = money(Direction.REFUND, "37", clerk, customer=mingrui)
    credit.refresh_from_db()
    assert (credit.remaining, make.balance("receivable")) == (0, 0)
    assert refund.number.startswith("CR-")
    reverse_payment(refund, by=clerk)
    credit.refresh_from_db()
    assert (credit.remaining, make.balance("receivable")) == (D("-37.00"), D("-37.00"))


def test_a_refund_beyond_the_credit_is_a_claim(clerk: User, mingrui: Customer) -> None:
    """A-02: what no credit covers stays open: the customer owes it; what is named cannot be overdrawn."""
    receipt = make.receive(mingrui, "50", {}, by=clerk)
    [credit] = make.items(receipt)
    with refused("More is allocated"):
        money(Direction.REFUND, "40", clerk, {credit.pk: D(50)}, customer=mingrui)
    refund = money(Direction.REFUND, "60", clerk, customer=mingrui)
    [own] = make.items(refund)
    assert (own.remaining, make.balance("receivable")) == (D("10.00"), D("10.00"))


def test_a_refund_is_for_the_right_partner(clerk: User, mingrui: Customer) -> None:
    """The field that is missing is named."""
    supplier = make.make_supplier()
    for direction, partner, field in (
        (Direction.REFUND, {"supplier": supplier}, "customer"),
        (Direction.RECOVER, {"customer": mingrui}, "supplier"),
    ):
        with refused("Choose") as caught:
            money(direction, "1", clerk, **partner)
        assert [problem.field for problem in caught.value.problems] == [field]


def test_a_supplier_pays_back(clerk: User, motor: Product) -> None:
    """A-01: after a paid bill was reversed its payment is credit; also a blocked supplier may pay it back (G-24)."""
    supplier = make.make_supplier()
    order = make.confirmed_purchase(supplier, make.line(motor, 1, "60"), by=clerk)
    receive_order(order, by=clerk)
    bill = bill_order(order, by=clerk, supplier_number="A1")
    payment = make.pay_supplier(supplier, str(bill.total), {}, by=clerk)
    reverse_bill(bill, by=clerk)
    supplier.blocked = True
    supplier.save()
    refund = money(Direction.RECOVER, str(bill.total), clerk, supplier=supplier)
    assert make.items(payment)[0].remaining == make.items(refund)[0].remaining == 0
    assert refund.number.startswith("SR-") and make.balance("payable") == 0


def test_what_was_settled_later_belongs_to_the_chain(clerk: User, mingrui: Customer, motor: Product) -> None:
    """UX 6.4.6: an advance that was settled by hand stands in the chain of the order, seen from both ends."""
    advance = make.receive(mingrui, "113", {}, by=clerk)
    order = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    [debit], [credit] = make.items(invoice), make.items(advance)
    allocate_open_items([(debit.pk, credit.pk, D(113))], by=clerk)
    for document in (order, invoice, advance):
        steps = flows[document._meta.label_lower](document, clerk)
        assert [entry.number for step in steps for entry in step.entries] == [
            order.number,
            order.lines.get().delivery_lines.get().delivery.number,
            invoice.number,
            advance.number,
        ]
