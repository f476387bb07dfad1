"""Services ask for the right and the record of whoever acts, not only the pages (rule G-21, RELIABILITY S-03)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest

from crm.customers.models import Customer
from erp.finance.models import Journal, Payment, Period, Voucher
from erp.finance.preview import preview
from erp.finance.services import (
    allocate_open_items,
    close_period,
    pay,
    post_payment,
    post_voucher,
    reopen_period,
    reverse_payment,
    reverse_voucher,
    save_payment,
    save_voucher,
    settle_item,
    undo_settlements,
)
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import Product
from erp.sales import services as sales
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.sales.models.terms import CreditAction
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db

NOT_ALLOWED = "You do not have the right to do this"


class Company:
    """One document of every kind in every state that a command starts from."""

    def __init__(self, by: User, customer: Customer, product: Product) -> None:
        self.customer, self.line = customer, make.line(product, 1)
        self.draft = make.make_order(customer, make.line(product, 1), by=by)
        self.order = make.confirmed_order(customer, make.line(product, 8), by=by)
        key = self.order.lines.get().pk
        other = make.confirmed_order(customer, make.line(product, 2), by=by)
        sales.deliver_order(other, {other.lines.get().pk: D(1)}, by=by)
        self.shipped = sales.deliver_order(self.order, {key: D(2)}, by=by)
        self.delivery = sales.draft_delivery(self.order, {key: D(1)}, by=by)
        self.invoiced = sales.invoice_order(self.order, {key: D(1)}, by=by)
        self.invoice = sales.draft_invoice(self.order, by=by)
        self.paid = make.receive(customer, "13", by=by)
        self.credit = make.items(make.receive(customer, "10", {}, by=by))[0]
        self.due = make.items(self.invoiced)[0]
        self.payment = save_payment(self.receipt(), {}, by=by)
        self.voucher = self.new_voucher(by)
        self.posted = post_voucher(self.new_voucher(by), by=by)
        make.terms(customer, credit_limit=D(1), credit_action=CreditAction.HOLD)
        self.held = make.confirmed_order(customer, make.line(product, 1), by=by)

    def receipt(self) -> Payment:
        return Payment(customer=self.customer, account=make.bank(), currency=make.currency(), amount=D(5))

    def entries(self) -> list[EntryInput]:
        expense = make.PostingRule.objects.get(purpose="expense", product_group=None).account
        return [EntryInput(expense, debit=D(5)), EntryInput(make.bank(), credit=D(5))]

    def new_voucher(self, by: Any) -> Voucher:
        return save_voucher(Voucher(journal=Journal.objects.get(code="GEN"), memo="rent"), self.entries(), by=by)

    def commands(self, by: User) -> dict[str, Callable[[], Any]]:
        """Every command, each on a document that it could be done to."""
        lines = [make.line(self.line.product, 8, pk=self.order.lines.get().pk)]
        new = SalesOrder(customer=self.customer, warehouse=make.warehouse())
        service = make.make_service()
        pair = (self.due.pk, self.credit.pk, D(1))
        period = Period.objects.get(start__lte=make.today(), end__gte=make.today())
        return {
            "new order": lambda: sales.save_order(new, [self.line], by=by),
            "save order": lambda: sales.save_order(self.draft, [self.line], by=by),
            "confirm": lambda: sales.confirm_order(self.draft, by=by),
            "amend": lambda: sales.amend_order(self.order, lines, by=by),
            "hold": lambda: sales.hold_order(self.order, by=by, reason="x"),
            "release": lambda: sales.release_hold(self.held, by=by, reason="x"),
            "close": lambda: sales.close_order(self.order, by=by, reason="x"),
            "reopen": lambda: sales.reopen_order(SalesOrder.objects.get(state="closed"), by=by),
            "cancel": lambda: sales.cancel_order(self.draft, by=by),
            "draft delivery": lambda: sales.draft_delivery(self.order, by=by),
            "save delivery": lambda: sales.save_delivery(self.delivery, {}, by=by),
            "add to delivery": lambda: sales.add_open(self.delivery, by=by),
            "add to invoice": lambda: sales.add_delivered(self.invoice, by=by),
            "post delivery": lambda: sales.post_delivery(self.delivery, by=by),
            "deliver": lambda: sales.deliver_order(self.order, by=by),
            "reverse delivery": lambda: sales.reverse_delivery(self.shipped, by=by),
            "draft invoice": lambda: sales.draft_invoice(self.order, by=by),
            "new invoice": lambda: sales.save_invoice(Invoice(customer=self.customer), [make.line(service)], by=by),
            "post invoice": lambda: sales.post_invoice(self.invoice, by=by),
            "invoice": lambda: sales.invoice_order(self.order, by=by),
            "reverse invoice": lambda: sales.reverse_invoice(self.invoiced, by=by),
            "save payment": lambda: save_payment(self.receipt(), {}, by=by),
            "post payment": lambda: post_payment(self.payment, by=by),
            "pay": lambda: pay(self.receipt(), {}, by=by),
            "reverse payment": lambda: reverse_payment(self.paid, by=by),
            "allocate": lambda: allocate_open_items([pair], by=by),
            "settle": lambda: settle_item(self.due, by=by),
            "undo": lambda: undo_settlements(self.due, by=by),
            "save voucher": lambda: self.new_voucher(by),
            "post voucher": lambda: post_voucher(self.voucher, by=by),
            "reverse voucher": lambda: reverse_voucher(self.posted, by=by),
            "close period": lambda: close_period(period, by=by),
            "reopen period": lambda: reopen_period(period, by=by),
        }


@pytest.fixture
def company(clerk: User, mingrui: Customer, motor: Product) -> Company:
    company = Company(clerk, mingrui, motor)
    closed = make.confirmed_order(make.make_customer("Gone"), make.line(motor, 1), by=clerk)
    sales.close_order(closed, by=clerk, reason="x")
    return company


ORDERS = {"new order", "save order", "confirm", "amend"}
MANAGING = {"hold", "close", "reopen", "cancel"}
SHIPPING = {"draft delivery", "save delivery", "add to delivery", "post delivery", "deliver"}
BILLING = {"draft invoice", "new invoice", "add to invoice", "post invoice", "invoice"}
MONEY = {"save payment", "post payment", "pay", "allocate", "settle"}
VOUCHERS = {"save voucher", "post voucher"}
CHIEF = {"release", "reverse delivery", "reverse invoice", "reverse payment", "undo", "reverse voucher"}
PERIODS = {"close period", "reopen period"}


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("sales", ORDERS),
        ("sales-manager", ORDERS | MANAGING),
        ("warehouse", SHIPPING | {"reverse delivery"}),
        ("accountant", BILLING | MONEY | VOUCHERS),
        ("chief-accountant", BILLING | MONEY | VOUCHERS | CHIEF | PERIODS),
        ("purchasing", set()),
        ("auditor", set()),
    ],
)
def test_every_command_asks_for_its_right(company: Company, mingrui: Customer, role: str, may: set[str]) -> None:
    """G-21, G-22: what a shipped role may not do is refused by the service, and nothing changes."""
    person = make.make_user("actor", role)
    mingrui.owner = person
    mingrui.save()
    for model in (SalesOrder, Delivery, Invoice):
        model.objects.update(owner=person)
    commands = company.commands(person)
    assert may <= commands.keys()
    for name in commands.keys() - may:
        with refused(NOT_ALLOWED):
            commands[name]()


@pytest.mark.parametrize(
    ("role", "name"), [("sales", "confirm"), ("sales-manager", "cancel"), ("warehouse", "post delivery")]
)
def test_who_has_the_right_may(company: Company, mingrui: Customer, role: str, name: str) -> None:
    """G-21: the same commands go through for those who may."""
    make.terms(mingrui, credit_limit=None)
    person = make.make_user("actor", role)
    SalesOrder.objects.update(owner=person)
    company.commands(person)[name]()


def test_records_of_others_are_refused_like_missing_ones(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-03: no order for somebody else's customer, and none of somebody else is confirmed or amended."""
    seller = make.make_user("seller", "sales")
    draft = make.make_order(mingrui, make.line(motor, 1), by=clerk)
    order = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk)
    missing = "This customer is not among the records that you may see"
    with refused(missing) as caught:
        make.make_order(mingrui, make.line(motor, 1), by=seller)
    assert "Mingrui" not in str(caught.value)
    with refused("This sales order is not among"):
        sales.confirm_order(draft, by=seller)
    with refused("This sales order is not among"):
        sales.amend_order(order, [make.line(motor, 2)], by=seller)
    own = make.make_customer("Own", owner=seller)
    draft = make.make_order(own, make.line(motor, 1), by=seller)
    draft.customer = mingrui
    with refused(missing):
        sales.save_order(draft, [make.line(motor, 1)], by=seller)
    draft.refresh_from_db()
    assert sales.confirm_order(draft, by=seller).owner == seller


def test_contact_and_contract_are_the_customers_own(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-03: what hangs on another customer is refused with both names."""
    other = make.make_customer("Other")
    contact = other.contacts.create(name="Li Na")
    with refused("Li Na.* does not belong to"):
        make.make_order(mingrui, make.line(motor, 1), by=clerk, contact=contact)


def test_who_may_only_look_sees_what_would_be_posted(clerk: User, mingrui: Customer, motor: Product) -> None:
    """F-08: the preview shows an auditor the same lines that posting writes."""
    order = make.confirmed_order(mingrui, make.line(motor, 2), by=clerk)
    sales.deliver_order(order, by=clerk)
    invoice = sales.draft_invoice(order, by=clerk)
    shown, problem = preview(invoice, make.make_user("reader", "auditor"))
    assert (problem, Invoice.objects.get(pk=invoice.pk).state) == ("", "draft")
    sales.post_invoice(invoice, by=clerk)
    lines = make.JournalLine.objects.filter(entry__source="erp.invoice", entry__source_id=invoice.pk).order_by("pk")
    assert [(x.account_id, x.debit, x.credit) for x in shown] == [(x.account_id, x.debit, x.credit) for x in lines]
