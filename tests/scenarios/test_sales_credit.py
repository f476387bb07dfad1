"""Credit limits and blocked customers (rules S-03 to S-05, G-24, D-03)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.sales.credit import exposure
from erp.sales.models.terms import Block, CreditAction
from erp.sales.services import (
    amend_order,
    close_order,
    confirm_order,
    deliver_order,
    invoice_order,
    release_hold,
    reopen_order,
)
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_exposure_counts_every_stage_once(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-03: receivable, delivered not invoiced, confirmed not delivered, less credits; tax included."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    assert exposure(mingrui.pk).to_deliver == 1130
    deliver_order(order, {row.pk: D(6)}, by=clerk)
    invoice_order(order, {row.pk: D(4)}, by=clerk)
    state = exposure(mingrui.pk)
    assert (state.receivable, state.to_invoice, state.to_deliver) == (452, 226, 452)
    make.receive(mingrui, "500", by=clerk)
    state = exposure(mingrui.pk)
    assert (state.receivable, state.total(), state.total(with_orders=False)) == (-48, 630, 178)
    close_order(order, reason="enough", by=clerk)
    assert exposure(mingrui.pk).to_deliver == 0


def test_order_beyond_the_limit_is_refused(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04: refused with the amount by which it exceeds; exactly the limit passes."""
    make.terms(mingrui, credit_limit=D("1130"), credit_action=CreditAction.REFUSE)
    make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    draft = make.make_order(mingrui, make.line(motor, 7), by=clerk)
    with refused(r"exceeds the credit limit of Mingrui by 113\.00"):
        confirm_order(draft, by=clerk)
    make.receive(mingrui, "113", by=clerk)
    assert confirm_order(draft, by=clerk).state == "confirmed"


def test_order_beyond_the_limit_is_held_and_released(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04, S-05, D-03: held it reserves and delivers nothing; released with a reason, up to its amount."""
    make.terms(mingrui, credit_limit=D("1000"), credit_action=CreditAction.HOLD)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    assert (order.state, order.hold, make.level(motor).reserved) == ("confirmed", "credit", 0)
    assert "by 130.00" in order.hold_reason and order.hold_reason == order.warning
    with refused("is on hold"):
        deliver_order(order, by=clerk)
    with refused("Enter the reason"):
        release_hold(order, by=clerk)
    order = release_hold(order, reason="paid by letter of credit", by=clerk)
    assert (order.hold, order.released_amount, make.level(motor).reserved) == ("", 1130, 10)

    row = order.lines.get()
    order = amend_order(order, [make.line(motor, 9, pk=row.pk)], by=clerk)
    assert order.hold == "", "what was released covers less"
    order = amend_order(order, [make.line(motor, 11, pk=row.pk)], by=clerk)
    assert (order.hold, make.level(motor).reserved) == ("credit", 0), "S-05: a later increase triggers it again"


def test_order_beyond_the_limit_warns_only(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04: warn lets it pass and says so; no check says nothing."""
    terms = make.terms(mingrui, credit_limit=D("1000"), credit_action=CreditAction.WARN)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    assert (order.hold, make.level(motor).reserved) == ("", 10) and "exceeds" in order.warning
    terms.credit_action = CreditAction.IGNORE
    terms.save()
    assert make.confirmed_order(mingrui, make.line(motor, 10), by=clerk).warning == ""


def test_confirmed_orders_count_or_not(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-03: an option of the customer."""
    make.terms(mingrui, credit_limit=D("1000"), count_orders=False)
    make.confirmed_order(mingrui, make.line(motor, 8), by=clerk)
    assert make.confirmed_order(mingrui, make.line(motor, 8), by=clerk).state == "confirmed"


def test_overdue_customers_get_no_new_orders(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04: an invoice overdue for more than the agreed days."""
    make.stock(motor, 5, "60", by=clerk, date=make.days_ago(60))
    old = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk, date=make.days_ago(50))
    deliver_order(old, by=clerk, date=make.days_ago(50))
    invoice_order(old, by=clerk, date=make.days_ago(50))
    terms = make.terms(mingrui, overdue_days=49, credit_action=CreditAction.REFUSE)
    draft = make.make_order(mingrui, make.line(motor, 1), by=clerk)
    with refused("overdue for 50 days"):
        confirm_order(draft, by=clerk)
    terms.overdue_days = 50
    terms.save()
    confirm_order(draft, by=clerk)


def test_reopening_checks_credit_again(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-09: a short-closed order does not slip past the limit when it is reopened; its invoices count once."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(4)}, by=clerk)
    close_order(order, reason="enough", by=clerk)
    invoice_order(order, by=clerk)
    terms = make.terms(mingrui, credit_limit=D("1129.99"), credit_action=CreditAction.REFUSE)
    order.refresh_from_db()
    assert order.state == "closed"
    with refused(r"by 0\.01"):
        reopen_order(order, by=clerk)
    terms.credit_limit = D("1130")
    terms.save()
    assert reopen_order(order, by=clerk).state == "confirmed"


@pytest.mark.parametrize(
    ("block", "orders", "delivers", "invoices"),
    [
        (Block.NONE, True, True, True),
        (Block.DELIVERIES, True, False, True),
        (Block.ORDERS, False, False, True),
        (Block.ALL, False, False, False),
    ],
)
def test_blocked_customer(
    clerk: User, mingrui: Customer, motor: Product, block: Block, orders: bool, delivers: bool, invoices: bool
) -> None:
    """G-24, D-03: blocked for deliveries, for orders too, or for everything."""
    draft = make.make_order(mingrui, make.line(motor, 1), by=clerk)
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(1)}, by=clerk)
    make.terms(mingrui, blocked=block)
    for allowed, command in (
        (orders, lambda: confirm_order(draft, by=clerk)),
        (delivers, lambda: deliver_order(order, by=clerk)),
        (invoices, lambda: invoice_order(order, {row.pk: D(1)}, by=clerk)),
    ):
        if allowed:
            command()
        else:
            with refused("Mingrui is blocked for"):
                command()
