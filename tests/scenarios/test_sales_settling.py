"""Settling open items by hand, and undoing it without touching the documents (rules A-02 to A-06, A-10)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import Account, Journal, JournalEntry, Payment, Voucher
from erp.finance.services import (
    post_voucher,
    reverse_payment,
    save_payment,
    save_voucher,
    settle_item,
    undo_settlements,
)
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import Product
from erp.sales.models import Invoice, SalesOrder
from erp.sales.services import deliver_order, invoice_order, reverse_invoice
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def invoiced(clerk: User, customer: Customer, product: Product, quantity: int = 1, **head: object) -> Invoice:
    order = make.confirmed_order(customer, make.line(product, quantity), by=clerk, **head)
    deliver_order(order, by=clerk)
    return invoice_order(order, by=clerk)


def test_an_advance_settles_the_oldest_invoices(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-04: from the side of the credit; what is left of it stays open."""
    advance = make.receive(mingrui, "300", by=clerk)
    first, second = invoiced(clerk, mingrui, motor), invoiced(clerk, mingrui, motor, 3)
    [credit] = make.items(advance)
    assert settle_item(credit, by=clerk).remaining == 0
    for invoice, left in ((first, 0), (second, 152)):
        invoice.refresh_from_db()
        assert invoice.open_amount == left
    with refused("is settled already"):
        settle_item(credit, by=clerk)


def test_an_invoice_takes_the_credit_of_its_amount_first(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-04: an item of exactly the amount before older ones; never one of another customer or currency."""
    make.receive(make.make_customer("Other"), "113", by=clerk)
    usd = make.currency("USD", "7")
    make.receive(mingrui, "113", by=clerk, currency=usd, rate=D(7))
    invoice = invoiced(clerk, mingrui, motor)
    [due] = make.items(invoice)
    with refused("nothing open of the same partner"):
        settle_item(due, by=clerk)
    older, exact = make.receive(mingrui, "500", {}, by=clerk), make.receive(mingrui, "113", {}, by=clerk)
    assert settle_item(due, by=clerk).remaining == 0
    assert (make.items(older)[0].remaining, make.items(exact)[0].remaining) == (-500, 0)


def test_a_settlement_is_undone_and_made_otherwise(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-02: the receipt stays posted; the order is unpaid again; then the invoice can be reversed."""
    invoice = invoiced(clerk, mingrui, motor)
    payment = make.receive(mingrui, "113", by=clerk)
    order = SalesOrder.objects.get()
    assert order.paid_percent == 100
    [due] = make.items(invoice)
    with refused("or undo the settlement"):
        reverse_invoice(invoice, by=clerk)
    undo_settlements(due, by=clerk)
    order.refresh_from_db()
    invoice.refresh_from_db()
    payment.refresh_from_db()
    assert (payment.state, invoice.open_amount, order.paid_percent) == ("posted", 113, 0)
    assert make.items(payment)[0].remaining == -113 and make.balance("receivable") == 0
    with refused("that could be undone"):
        undo_settlements(due, by=clerk)
    counter = reverse_invoice(invoice, by=clerk)
    with refused("that could be undone"):
        undo_settlements(make.items(counter)[0], by=clerk)
    again = invoice_order(order, by=clerk)
    settle_item(make.items(payment)[0], by=clerk)
    again.refresh_from_db()
    assert again.open_amount == 0


def test_the_exchange_result_is_undone_with_its_settlement(clerk: User, mingrui: Customer) -> None:
    """A-06: one receipt settled two invoices with one entry of results; undoing one of them undoes both."""
    usd, part = make.currency("USD", "7"), make.make_product("EXP", price="700", tax="V0")
    make.stock(part, 10, "50", by=clerk)
    first, second = (invoiced(clerk, mingrui, part, currency=usd) for _ in range(2))
    payment = make.receive(mingrui, "200", currency=usd, rate=D("7.2"), by=clerk)
    assert make.balance("exchange-gain") == -40
    undo_settlements(make.items(first)[0], by=clerk)
    assert make.balance("exchange-gain") == 0 == make.items(second)[0].remaining - 100
    settle_item(make.items(first)[0], by=clerk)
    assert make.balance("exchange-gain") == -20
    reverse_payment(payment, by=clerk)
    assert make.balance("exchange-gain") == 0 and make.items(first)[0].remaining == 100
    assert JournalEntry.objects.filter(purpose__startswith="undo").count() == 2


def test_undoing_is_not_dated_before_the_settlement_nor_into_a_closed_month(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """A-02, F-30: dated in an open period, not before what it undoes."""
    invoice = invoiced(clerk, mingrui, motor)
    make.receive(mingrui, "113", by=clerk)
    with refused("The date cannot be before"):
        undo_settlements(make.items(invoice)[0], by=clerk, date=make.days_ago(1))
    with refused("lies in the future"):
        undo_settlements(make.items(invoice)[0], by=clerk, date=make.days_ago(-1))


def test_money_is_paid_back_to_a_customer(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-10, A-01: a voucher takes the money out of the bank; its item settles the credit."""
    invoiced(clerk, mingrui, motor)
    payment = make.receive(mingrui, "150", by=clerk)
    receivable = make.PostingRule.objects.get(purpose="receivable").account
    lines = [EntryInput(receivable, debit=D(37), customer=mingrui), EntryInput(make.bank(), credit=D(37))]
    voucher = Voucher(journal=Journal.objects.get(code="BNK"), memo="paid back")
    voucher = post_voucher(save_voucher(voucher, lines, by=clerk), by=clerk)
    settle_item(make.items(voucher)[0], by=clerk)
    assert make.items(payment)[0].remaining == 0 == make.balance("receivable")


@pytest.mark.parametrize(
    ("amount", "settle", "words"),
    [
        ("-5", "", "must be more than 0"),
        ("113.005", "", "CNY has 2 decimals"),
        ("113", "-5", "What is settled must be more than 0"),
        ("113", "5.005", "CNY has 2 decimals"),
        ("113", "114", "More is allocated than the amount"),
    ],
)
def test_what_no_receipt_may_hold(
    clerk: User, mingrui: Customer, motor: Product, amount: str, settle: str, words: str
) -> None:
    """G-13, A-02: refused in words when it is saved, not by the database."""
    [due] = make.items(invoiced(clerk, mingrui, motor))
    payment = Payment(customer=mingrui, account=make.bank(), currency=make.currency(), amount=D(amount))
    with refused(words):
        save_payment(payment, {due.pk: D(settle)} if settle else {}, by=clerk)


def test_a_receipt_takes_the_rate_of_its_day(clerk: User, mingrui: Customer) -> None:
    """G-17: a receipt in dollars whose rate nobody typed is not booked one to one."""
    usd = make.currency("USD", "7.2")
    assert make.receive(mingrui, "100", currency=usd, by=clerk).base_amount == 720
    draft = Payment(customer=mingrui, account=make.bank(), currency=usd, amount=D(100))
    assert save_payment(draft, {}, by=clerk).rate == D("7.2")
    with refused("The rate must be more than 0"):
        make.receive(mingrui, "100", currency=usd, rate=D(-1), by=clerk)
    with refused("no exchange rate for EUR"):
        make.receive(mingrui, "100", currency=make.currency("EUR"), by=clerk)


def test_vouchers_take_the_rate_of_their_day(clerk: User) -> None:
    """G-17, G-13: foreign lines without a rate get the day's; base currency has none; yen have no decimals."""
    usd, yen = make.currency("USD", "7.2"), make.currency("JPY", "0.05")
    expense = Account.objects.get(pk=make.PostingRule.objects.get(purpose="expense", product_group=None).account_id)

    def voucher(**more: object) -> Voucher:
        lines = [EntryInput(expense, debit=D("10.5"), **more), EntryInput(make.bank(), credit=D("10.5"), **more)]
        return save_voucher(Voucher(journal=Journal.objects.get(code="GEN"), memo="fee"), lines, by=clerk)

    post_voucher(voucher(currency=usd), by=clerk)
    assert make.balance("expense") == D("75.60")
    with refused("The rate of CNY is 1"):
        voucher(rate=D(2))
    with refused("The rate must be more than 0"):
        voucher(currency=usd, rate=D(0))
    with refused("JPY has 0 decimals"):
        voucher(currency=yen)
    draft = voucher()
    expense.active = False
    expense.save()
    with refused("is archived"):
        post_voucher(draft, by=clerk)
