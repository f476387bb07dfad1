"""Claims in the books: entry, offset, payment run, reversal, closed periods, currencies (rules E-02, E-04 to E-06)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from erp.finance.context import ensure_fiscal_year
from erp.finance.expense_payments import reverse_expense_payment, take_back
from erp.finance.models import Account, JournalEntry, JournalLine, Period, PostingRule
from erp.finance.services.periods import close_period
from kit.values.errors import BusinessError
from oa.expenses import services
from oa.organisation.models import CompanyProfile, Department
from tests import factories as make
from tests.invariants import assert_books
from tests.oa import spending as spend

pytestmark = pytest.mark.django_db


def entry_of(document: Any, purpose: str = "post") -> JournalEntry:
    return JournalEntry.objects.get(source=document._meta.label_lower, source_id=document.pk, purpose=purpose)


def lines_of(document: Any, purpose: str = "post") -> list[tuple[str, Decimal, Decimal]]:
    """Account, debit and credit of an entry."""
    rows = JournalLine.objects.filter(entry=entry_of(document, purpose)).order_by("account__code", "pk")
    return list(rows.values_list("account__code", "debit", "credit"))


def test_a_claim_is_booked_by_type_department_and_tax() -> None:
    """E-04: Dr expense by account and department and input tax, Cr what is owed to the person, in one entry."""
    sales = Department.objects.create(code="SALES", name="Sales", parent=Department.objects.get(code="HQ"))
    team = Department.objects.create(code="TEAM", name="Team", parent=sales)
    travel, meal = spend.kind("TRAVEL"), spend.kind("MEAL")
    spend.account_of(travel, "5602")
    spend.account_of(travel, "5601", department=sales)
    spend.account_of(meal, "5601", tax=False)
    ann = spend.person(department=team)
    claim = spend.posted(
        ann,
        spend.line("109", travel, tax="9", invoice="A-1"),
        spend.line("50", meal, tax="3", invoice="A-2"),
        spend.line("218", travel, tax="18", department=Department.objects.get(code="HQ")),
    )
    assert lines_of(claim) == [
        ("22210101", Decimal("9.00"), Decimal("0.00")),
        ("22210101", Decimal("18.00"), Decimal("0.00")),
        ("224101", Decimal("0.00"), Decimal("377.00")),
        ("5601", Decimal("100.00"), Decimal("0.00")),
        ("5601", Decimal("50.00"), Decimal("0.00")),
        ("5602", Decimal("200.00"), Decimal("0.00")),
    ]
    owed = JournalLine.objects.get(entry=entry_of(claim), account__code="224101")
    assert owed.employee == ann
    departments = set(JournalLine.objects.filter(account__code="5601").values_list("department__code", flat=True))
    assert departments == {"TEAM"}
    assert_books()


def test_posting_twice_books_once() -> None:
    """E-04: the state refuses a second posting in words, the ledger would refuse it too."""
    claim = spend.posted(spend.person())
    with pytest.raises(BusinessError, match="not possible any more"):
        services.post_claim(claim, by=None)
    assert JournalEntry.objects.filter(source="oa.expenseclaim").count() == 1


def test_a_claim_pays_only_what_the_advances_leave() -> None:
    """E-02: two advances, the older one first; the claim pays the difference, the rest of an advance stays open."""
    ann = spend.person()
    first, second = spend.paid_advance(ann, 300), spend.paid_advance(ann, 500)
    claim = spend.posted(ann, spend.line(450))
    assert (claim.offset, claim.allowed, claim.state) == (Decimal(450), Decimal(450), "paid")
    assert (spend.open_of(first), spend.open_of(second)) == (Decimal(0), Decimal(350))
    assert spend.fresh(first).state == "settled" and spend.fresh(second).state == "paid"
    rest = spend.posted(ann, spend.line(400))
    assert (rest.offset, rest.state) == (Decimal(350), "posted")
    assert lines_of(rest)[:2] == [
        ("122101", Decimal("0.00"), Decimal("350.00")),
        ("224101", Decimal("0.00"), Decimal("50.00")),
    ]
    spend.pay(rest)
    assert spend.fresh(rest).state == "paid"
    assert_books()


def test_partly_offset_by_choice() -> None:
    """E-02: finance decides which advance takes how much, never more than is open of it or the claim comes to."""
    ann = spend.person()
    first, second = spend.paid_advance(ann, 300), spend.paid_advance(ann, 500)
    claim = spend.approved(ann, spend.line(200))
    for wrong in ({first.pk: Decimal(301)}, {first.pk: Decimal(150), second.pk: Decimal(51)}, {first.pk: Decimal(-1)}):
        with pytest.raises(BusinessError):
            services.audit_claim(claim, offsets=wrong, by=None)
    others = spend.paid_advance(spend.person(), 100)
    with pytest.raises(BusinessError, match="not open any more"):
        services.audit_claim(claim, offsets={others.pk: Decimal(1)}, by=None)
    claim = services.audit_claim(claim, offsets={second.pk: Decimal(120)}, by=None)
    claim = services.post_claim(claim, by=None)
    assert (spend.open_of(first), spend.open_of(second)) == (Decimal(300), Decimal(380))
    assert claim.payable == Decimal(80)
    assert_books()


def test_an_advance_planned_twice_is_taken_once() -> None:
    """E-02: what two audited claims plan to take of one advance is checked again when the second one is booked."""
    ann = spend.person()
    held = spend.paid_advance(ann, 300)
    one = spend.audited(ann, spend.line(250))
    two = spend.audited(ann, spend.line(250))
    assert one.offset == two.offset == Decimal(250)
    services.post_claim(one, by=None)
    with pytest.raises(BusinessError, match=r"only 50\.00 is open, not 250\.00"):
        services.post_claim(two, by=None)
    assert spend.open_of(held) == Decimal(50)
    two = services.return_claim(two, by=None, reason="again")
    two = services.approve_claim(services.submit_claim(two, by=two.owner), by=None)
    services.post_claim(services.audit_claim(two, by=None), by=None)
    assert spend.fresh(held).state == "settled"
    assert_books()


def test_the_database_refuses_to_take_more_than_is_open() -> None:
    """E-02, I-75: past all commands, by a trigger that locks the advance; rows are only added."""
    from oa.expenses.models import AdvanceMove

    ann = spend.person()
    held = spend.paid_advance(ann, 300)
    with pytest.raises(DatabaseError, match="More is taken"), transaction.atomic():
        AdvanceMove.objects.create(advance=held, kind="returned", date=make.today(), amount=-301, number="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        AdvanceMove.objects.update(amount=1)
    with pytest.raises(DatabaseError), transaction.atomic():
        AdvanceMove.objects.all().delete()


def test_a_run_pays_several_people_in_one_entry() -> None:
    """E-04: claims of two people and an advance, one bank line; taken back, everything waits for its money again."""
    ann, bob = spend.person(), spend.person()
    claims = [spend.posted(ann, spend.line(100)), spend.posted(bob, spend.line(40)), spend.posted(bob, spend.line(2))]
    asked = spend.advance(ann, 60)
    payment = spend.pay(*claims, asked)
    assert payment.amount == Decimal(202) and payment.number.startswith("EP-")
    rows = JournalLine.objects.filter(entry=entry_of(payment))
    assert rows.filter(account=make.bank()).values_list("credit", flat=True).get() == Decimal(202)
    assert sorted(rows.filter(employee__isnull=False).values_list("employee__username", "debit")) == sorted(
        [(ann.username, Decimal(100)), (ann.username, Decimal(60)), (bob.username, Decimal(42))]
    )
    assert {spend.fresh(claim).state for claim in claims} == {"paid"} and spend.fresh(asked).state == "paid"
    assert_books()
    with pytest.raises(BusinessError, match="paid"):
        spend.pay(claims[0])
    reverse_expense_payment(payment, by=None)
    assert {spend.fresh(claim).state for claim in claims} == {"posted"} and spend.fresh(asked).state == "approved"
    assert_books()
    spend.pay(*claims, asked)
    assert_books()


def test_a_used_advance_is_not_taken_back() -> None:
    """E-02, G-06: the payment of an advance that a claim has used cannot be reversed before that claim is."""
    ann = spend.person()
    asked = spend.advance(ann, 100)
    payment = spend.pay(asked)
    claim = spend.posted(ann, spend.line(30))
    with pytest.raises(BusinessError, match="offset or returned since"):
        reverse_expense_payment(payment, by=None)
    services.reverse_claim(claim, by=None)
    assert spend.open_of(asked) == Decimal(100)
    reverse_expense_payment(payment, by=None)
    assert spend.fresh(asked).state == "approved" and spend.open_of(asked) == 0
    assert_books()


def test_what_is_left_of_an_advance_is_given_back() -> None:
    """E-02: returned in cash, at most what is open; then it is settled."""
    ann = spend.person()
    held = spend.paid_advance(ann, 100)
    spend.posted(ann, spend.line(30))
    with pytest.raises(BusinessError, match=r"only 70\.00 is open"):
        take_back({held.pk: Decimal(71)}, make.bank(), by=None)
    with pytest.raises(BusinessError, match="paid out after that day"):
        take_back({held.pk: Decimal(70)}, make.bank(), by=None, date=make.today() - dt.timedelta(days=1))
    back = take_back({held.pk: Decimal(70)}, make.bank(), by=None)
    assert spend.fresh(held).state == "settled" and spend.open_of(held) == 0
    assert ("122101", Decimal("0.00"), Decimal("70.00")) in lines_of(back)
    assert_books()
    reverse_expense_payment(back, by=None)
    assert spend.fresh(held).state == "paid" and spend.open_of(held) == Decimal(70)
    assert_books()


def test_a_reversal_is_red_and_opens_the_advance_again() -> None:
    """E-04, G-05: the mirror in red letters; the claim's invoice is free and the advance open again."""
    CompanyProfile.objects.update(reversal_style="red")
    ann = spend.person()
    held = spend.paid_advance(ann, 60)
    claim = spend.posted(ann, spend.line(100, invoice="R-1"))
    reversed_claim = services.reverse_claim(claim, by=None)
    assert reversed_claim.state == "reversed" and spend.open_of(held) == Decimal(60)
    assert spend.fresh(held).state == "paid"
    red = JournalLine.objects.filter(entry=entry_of(claim, "reverse"))
    assert all(row.red for row in red)
    assert {(row.account.code, row.debit, row.credit) for row in red.filter(employee=ann)} == {
        ("224101", Decimal(0), Decimal(-40)),
        ("122101", Decimal(0), Decimal(-60)),
    }
    assert spend.posted(ann, spend.line(100, invoice="R-1")).state == "posted"
    assert_books()


def test_a_paid_claim_is_not_reversed() -> None:
    """G-06: the payment goes first, the message says so."""
    claim = spend.posted(spend.person())
    spend.pay(claim)
    with pytest.raises(BusinessError, match="Reverse the payment first"):
        services.reverse_claim(spend.fresh(claim), by=None)


def test_a_late_claim_goes_to_the_open_period_with_its_date_shown() -> None:
    """E-05: its own period is closed, so it is booked today; the entry names the day it is of."""
    past = make.today() - dt.timedelta(days=70)
    ensure_fiscal_year(past)
    for period in Period.objects.filter(end__lt=make.today().replace(day=1)).order_by("start"):
        close_period(period, by=None)
    claim = spend.posted(spend.person(), spend.line(date=past), date=past)
    entry = entry_of(claim)
    assert entry.date == make.today() == claim.posted_on and claim.date == past
    assert str(past) in entry.memo
    assert claim.lines.get().date == past
    assert_books()


def test_an_open_period_keeps_its_claims() -> None:
    """E-05: while the month of a claim is open, it is booked on its own day."""
    past = make.today() - dt.timedelta(days=40)
    assert spend.posted(spend.person(), spend.line(date=past), date=past).posted_on == past


# amount, rate -> base by hand: 12.345 -> 12.35 (half up), 0.335 -> 0.34, 0.004 is refused
CASES = [
    ("100", "USD", "7.1234", "712.34"),
    ("0.05", "USD", "6.7", "0.34"),
    ("1", "USD", "12.345", "12.35"),
    ("333", "JPY", "0.04505", "15.00"),
    ("7", "JPY", "0.0479", "0.34"),
    ("19.99", "EUR", "7.76543210", "155.23"),
]


def test_each_currency_is_converted_by_its_own_rate() -> None:
    """E-06: hand-computed base amounts, rounded half up line by line; their sum is the claim, to the cent."""
    ann = spend.person()
    for code in ("USD", "EUR", "JPY"):
        make.currency(code)
    claim = spend.posted(
        ann, spend.line("10"), *(spend.line(amount, currency=code, rate=rate) for amount, code, rate, _base in CASES)
    )
    bases = [str(value) for value in claim.lines.order_by("position").values_list("base_amount", flat=True)]
    assert bases == ["10.00", *(base for *_rest, base in CASES)]
    assert claim.total == Decimal("905.60") == sum(Decimal(base) for base in bases)
    spend.pay(claim)
    assert_books()


def test_mixed_currencies_are_never_added() -> None:
    """E-06, Dolibarr#14348: 100 USD and 100 CNY are not 200 of anything."""
    make.currency("USD", "7", dt.date(2020, 1, 1))
    claim = spend.claim(spend.person(), spend.line(100, currency="USD"), spend.line(100))
    assert claim.total == Decimal(800)
    assert claim.lines.get(currency="USD").rate == Decimal(7)


def test_without_a_rate_the_line_is_refused() -> None:
    """G-17: the line is named; a typed rate helps."""
    make.currency("GBP")
    with pytest.raises(BusinessError) as refused:
        spend.claim(spend.person(), spend.line(1), spend.line(5, currency="GBP"))
    [problem] = refused.value
    assert (problem.row, problem.field) == (1, "rate")
    assert spend.claim(spend.person(), spend.line(5, currency="GBP", rate=9)).total == Decimal(45)


def test_tax_and_cuts_in_a_foreign_currency_tie() -> None:
    """E-01, E-06: what finance leaves of a line is converted anew, its tax with it; the entry balances to the cent."""
    taxi = spend.kind("TAXI")
    spend.account_of(taxi)
    make.currency("USD")
    claim = spend.approved(spend.person(), spend.line("33.33", taxi, currency="USD", rate="7.1", tax="2.77"))
    [row] = claim.lines.all()
    cut = services.audit.Cut(Decimal("20"), "own part")
    claim = services.post_claim(services.audit_claim(claim, {row.pk: cut}, by=None), by=None)
    [row] = claim.lines.all()
    assert (row.amount, row.allowed, row.allowed_tax, row.allowed_base) == (
        Decimal("33.33"), Decimal("20"), Decimal("1.66"), Decimal("142.00"),
    )  # fmt: skip
    assert lines_of(claim) == [
        ("22210101", Decimal("11.79"), Decimal("0.00")),
        ("224101", Decimal("0.00"), Decimal("142.00")),
        ("5601", Decimal("130.21"), Decimal("0.00")),
    ]
    assert_books()


def test_nothing_is_posted_without_a_rule_and_it_is_named() -> None:
    """F-08: the missing posting rule is named; so is one that leads to an account which is none of employees."""
    rule = PostingRule.objects.get(purpose="employee-payable")
    PostingRule.objects.filter(pk=rule.pk).delete()
    claim = spend.audited(spend.person())
    with pytest.raises(BusinessError, match="owed to employees"):
        services.post_claim(claim, by=None)
    PostingRule.objects.create(purpose="employee-payable", account=Account.objects.get(code="2211"))
    with pytest.raises(BusinessError, match="control account of employees"):
        services.post_claim(claim, by=None)


def test_the_rule_of_employees_stays_while_something_is_open() -> None:
    """F-08: another account would leave behind what is owed on the one that it stands on."""
    claim = spend.posted(spend.person())
    rule = PostingRule.objects.get(purpose="employee-payable")
    rule.account = Account.objects.create(code="224102", name="Other", control="employee")
    assert "open with employees" in rule.refusal()
    spend.pay(claim)
    assert rule.refusal() == ""


def test_employee_accounts_take_no_vouchers_and_no_nameless_lines() -> None:
    """F-02, F-03: by hand refused in words, by the database without a person."""
    from erp.finance.models import Journal, Voucher
    from erp.finance.services import post_voucher, save_voucher
    from erp.finance.services.vouchers import EntryInput

    owed, cash = Account.objects.get(code="224101"), make.bank()
    voucher = Voucher(journal=Journal.objects.get(code="GEN"), date=make.today(), memo="x")
    save_voucher(voucher, [EntryInput(owed, debit=Decimal(1)), EntryInput(cash, credit=Decimal(1))], by=None)
    with pytest.raises(BusinessError, match="expense claims and advances only"):
        post_voucher(voucher, by=None)
    claim = spend.posted(spend.person())
    row = JournalLine.objects.get(entry=entry_of(claim), account=owed)
    row.pk, row.employee = None, None
    with pytest.raises(DatabaseError), transaction.atomic():
        row.save(force_insert=True)
