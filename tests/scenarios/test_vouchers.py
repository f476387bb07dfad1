"""Entries that an accountant writes by hand (rules F-01 to F-04, A-01)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from crm.customers.models import Customer
from erp.finance.models import Account, Journal, JournalEntry, JournalLine, Voucher
from erp.finance.services import post_voucher, reverse_payment, reverse_voucher, save_voucher
from erp.finance.services.vouchers import EntryInput
from oa.organisation.models import User
from oa.organisation.models.company import ReversalStyle
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def account(purpose: str) -> Account:
    return make.PostingRule.objects.get(purpose=purpose, product_group=None).account


def debit(where: Account, amount: str, **more: Any) -> EntryInput:
    return EntryInput(where, debit=D(amount), **more)


def credit(where: Account, amount: str, **more: Any) -> EntryInput:
    return EntryInput(where, credit=D(amount), **more)


def draft(by: User, *lines: EntryInput, memo: str = "rent of November", **head: Any) -> Voucher:
    voucher = Voucher(journal=Journal.objects.get(code="GEN"), memo=memo, **head)
    return save_voucher(voucher, list(lines), by=by)


def test_a_voucher_is_drafted_unbalanced_and_posted_balanced(clerk: User) -> None:
    """F-01: a draft may differ; posting is refused with the difference; lines stand as they were written."""
    expense, bank = account("expense"), make.bank()
    voucher = draft(clerk, debit(expense, "100"), debit(expense, "20"), credit(bank, "110"))
    with refused(r"differ by 10\.00"):
        post_voucher(voucher, by=clerk)
    save_voucher(
        voucher,
        [debit(expense, "100"), debit(expense, "20"), credit(bank, "120", memo="bank transfer")],
        by=clerk,
        version=voucher.version,
    )
    voucher = post_voucher(voucher, by=clerk)
    entry = JournalEntry.objects.get()
    assert voucher.number.startswith("VC-") and entry.number.startswith("GEN-")
    assert [(x.debit, x.credit, x.memo) for x in entry.lines.all()] == [
        (100, 0, "rent of November"),
        (20, 0, "rent of November"),
        (0, 120, "bank transfer"),
    ]
    with refused("is posted and cannot be changed"):
        save_voucher(voucher, [debit(expense, "1"), credit(bank, "1")], by=clerk)


def test_what_no_voucher_may_hold(clerk: User, mingrui: Customer) -> None:
    """F-01 to F-04: each problem is named with its line."""
    expense, bank = account("expense"), make.bank()
    group = Account.objects.filter(is_group=True).first()
    with refused("is a group"):
        draft(clerk, debit(group, "1"), credit(bank, "1"))
    with refused("either a debit or a credit"):
        draft(clerk, EntryInput(expense, D(1), D(1)), credit(bank, "1"))
    expense.active = False
    expense.save()
    with refused("is archived"):
        draft(clerk, debit(expense, "1"), credit(bank, "1"))
    for lines, message in (
        ([debit(bank, "1")], "at least two lines"),
        ([debit(bank, "0"), credit(bank, "0")], "Enter a debit or a credit"),
        ([debit(account("inventory"), "1"), credit(bank, "1")], "stock documents only"),
        ([debit(account("grni"), "1"), credit(bank, "1")], "stock documents only"),
        ([debit(account("receivable"), "1"), credit(bank, "1")], "needs a customer"),
        ([debit(bank, "1"), credit(account("payable"), "1", customer=mingrui)], "needs a supplier"),
    ):
        voucher = draft(clerk, *lines)
        with refused(message):
            post_voucher(voucher, by=clerk)
    voucher = draft(clerk, debit(bank, "1"), credit(bank, "1"), memo="")
    with refused("Enter a summary"):
        post_voucher(voucher, by=clerk)


def test_opening_balances_of_customers_are_open_items(clerk: User, mingrui: Customer) -> None:
    """A-01: a line on receivables is owed until it is paid; settled, the voucher is not reversed."""
    receivable, opening = account("receivable"), account("opening")
    other = make.make_customer("Other")
    voucher = draft(
        clerk,
        debit(receivable, "300", customer=mingrui),
        debit(receivable, "50", customer=other),
        credit(receivable, "20", customer=other),
        credit(opening, "330"),
    )
    voucher = post_voucher(voucher, by=clerk)
    assert [(i.customer, i.remaining) for i in make.items(voucher)] == [(mingrui, 300), (other, 50), (other, -20)]
    payment = make.receive(mingrui, "100", by=clerk)
    with refused("is settled by payments"):
        reverse_voucher(voucher, by=clerk)
    reverse_payment(payment, by=clerk)
    counter = reverse_voucher(voucher, by=clerk)
    assert all(i.remaining == 0 for document in (voucher, counter) for i in make.items(document))
    assert make.balance("receivable") == make.balance("opening") == 0
    with refused("is a reversal itself"):
        reverse_voucher(counter, by=clerk)


@pytest.mark.parametrize("style", [ReversalStyle.RED, ReversalStyle.OPPOSITE])
def test_red_letters_stand_on_their_side(clerk: User, style: ReversalStyle) -> None:
    """G-05: negative amounts written by hand and their reversal, which is black again."""
    make.company(reversal_style=style)
    expense, bank = account("expense"), make.bank()
    voucher = post_voucher(draft(clerk, debit(expense, "-30"), credit(bank, "-30")), by=clerk)
    assert sorted((x.debit, x.credit, x.red) for x in JournalLine.objects.all()) == [(-30, 0, True), (0, -30, True)]
    reverse_voucher(voucher, by=clerk)
    mirrored = JournalLine.objects.exclude(entry__reversal_of=None)
    assert sorted((x.debit, x.credit, x.red) for x in mirrored) == [(0, 30, False), (30, 0, False)]
    assert make.balance("expense") == 0


def test_a_foreign_voucher_balances_in_both_currencies(clerk: User) -> None:
    """F-01, G-17: it balances in its own currency; what rounding leaves in base currency is a line of its own."""
    usd, rate = make.currency("USD"), D("7.123457")
    lines = [
        debit(account("expense"), "0.20", currency=usd, rate=rate),
        debit(account("expense"), "0.03", currency=usd, rate=rate),
        credit(make.bank(), "0.23", currency=usd, rate=rate),
    ]
    post_voucher(draft(clerk, *lines), by=clerk)
    assert make.balance("expense") == D("1.63") and make.balance("rounding") == D("0.01")
    mixed = draft(clerk, debit(account("expense"), "7.12"), credit(make.bank(), "1", currency=usd, rate=D("7.12")))
    post_voucher(mixed, by=clerk)


def test_statements_of_a_voucher_do_not_grow_with_its_lines(clerk: User, mingrui: Customer) -> None:
    """House rule: 4 lines and 40 lines take the same number of statements, open items included."""
    from tests.erp.test_sales_statements import Counter

    def run(pairs: int) -> dict[str, int]:
        counter = Counter()
        lines = []
        for _ in range(pairs):
            lines += [debit(account("receivable"), "10", customer=mingrui), credit(account("opening"), "10")]
        voucher = counter.run("save", lambda: draft(clerk, *lines))
        counter.run("post", lambda: post_voucher(voucher, by=clerk))
        counter.run("reverse", lambda: reverse_voucher(voucher, by=clerk))
        return counter.counts()

    run(1)
    assert run(2) == run(20)
