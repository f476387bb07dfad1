"""Expense claims from the draft to the audit: lines, standards, invoices, approval, cuts (rules E-01, X-06 to X-08)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kit.values.errors import BusinessError
from oa.approvals.services import submit
from oa.approvals.services.decisions import approve, reject
from oa.expenses import accounting, services
from oa.expenses.amounts import Spent, Standards, by_days, in_base, oldest_first, sums
from oa.expenses.models import ExpenseClaim, ExpenseLimit, ExpenseLine
from oa.expenses.services.audit import Cut
from oa.organisation.models import Position
from tests import approving
from tests import factories as make
from tests.oa import spending as spend

pytestmark = pytest.mark.django_db


def test_the_more_specific_standard_counts() -> None:
    """E-01: position and city, then position, then city, then the type's own."""
    granted = {(1, 7, "first"): Decimal(900), (1, 7, ""): Decimal(700), (1, None, "first"): Decimal(500)}
    of = Standards(granted, {1: Decimal(300)}, 7)
    other = Standards(granted, {1: Decimal(300)}, 8)
    assert [of.amount(1, city) for city in ("first", "other", "")] == [900, 700, 700]
    assert [other.amount(1, city) for city in ("first", "other")] == [500, 300]
    assert other.amount(2, "") is None


def test_what_lies_above_the_standard() -> None:
    """E-01: per day times the days; per claim over all lines of the type, on the later ones."""
    of = Standards({}, {1: Decimal(100), 2: Decimal(250)}, None)
    lines = [
        Spent(1, "day", "", Decimal("2.5"), Decimal(260)),
        Spent(2, "claim", "", Decimal(1), Decimal(200)),
        Spent(2, "claim", "", Decimal(1), Decimal(80)),
        Spent(2, "claim", "", Decimal(1), Decimal(40)),
        Spent(3, "", "", Decimal(1), Decimal(9999)),
    ]
    found = sums(lines, of)
    assert found.excess == [10, 0, 30, 40, 0] and found.total == Decimal(10579)


def test_amounts_by_hand() -> None:
    """E-06, G-13: rounded half up, each by itself."""
    assert in_base(Decimal("0.05"), Decimal("6.7")) == Decimal("0.34")
    assert in_base(Decimal("1"), Decimal("12.345")) == Decimal("12.35")
    assert by_days(Decimal("2.5"), Decimal("99.99")) == Decimal("249.98")
    assert oldest_first([(1, Decimal(30)), (2, Decimal(50))], Decimal(45)) == {1: Decimal(30), 2: Decimal(15)}


def test_per_diem_lines_are_computed_from_days_and_city() -> None:
    """E-01: nobody types the amount; without a standard the line says so."""
    daily = spend.kind("DAILY", per_diem=True, per="day")
    ann = spend.person(position=Position.objects.create(code="CEO", name="Head"))
    with pytest.raises(BusinessError, match="no standard"):
        spend.claim(ann, spend.line(1, daily, days="2"))
    ExpenseLimit.objects.create(type=daily, city="first", amount=Decimal("180"))
    ExpenseLimit.objects.create(type=daily, city="first", position=ann.position, amount=Decimal("220.50"))
    claim = spend.claim(ann, spend.line(9999, daily, days="2.5", city="first"))
    assert claim.total == Decimal("551.25") and claim.lines.get().excess == 0


def test_excess_needs_a_reason_when_it_is_submitted() -> None:
    """E-01: a draft only hints; submitting is refused at the line until a reason is given."""
    hotel = spend.kind("HOTEL", per="day", standard=Decimal(300))
    ann = spend.person()
    claim = spend.claim(ann, spend.line(100), spend.line(700, hotel, days="2"))
    with pytest.raises(BusinessError, match=r"100\.00 above the standard") as refused:
        services.submit_claim(claim, by=ann)
    [problem] = refused.value
    assert (problem.row, problem.field) == (1, "excess_reason")
    claim = spend.claim(ann, spend.line(700, hotel, days="2", excess_reason="Fair week"))
    assert services.submit_claim(claim, by=ann).state == "approving"


def test_types_that_need_an_invoice_are_refused_without_one() -> None:
    """E-01: at submission, not while it is written."""
    rail = spend.kind("RAIL", needs_invoice=True)
    ann = spend.person()
    claim = spend.claim(ann, spend.line(10, rail))
    with pytest.raises(BusinessError, match="needs an invoice number"):
        services.submit_claim(claim, by=ann)


def test_an_invoice_is_claimed_once() -> None:
    """E-01: the refusal names the other claim and person; blanks, dashes and case make no difference."""
    ann, bob = spend.person(name="Ann"), spend.person(name="Bob")
    first = spend.submitted(ann, spend.line(10, invoice="2411 7788-ab"))
    with pytest.raises(BusinessError) as refused:
        spend.claim(bob, spend.line(3), spend.line(10, invoice="24117788AB"))
    assert str(refused.value) == f"Invoice 24117788AB is in {first.number} of Ann already."
    assert [(p.row, p.field) for p in refused.value] == [(1, "invoice")]
    with pytest.raises(BusinessError, match="twice in this claim"):
        spend.claim(bob, spend.line(1, invoice="X1"), spend.line(2, invoice="x 1"))


def test_the_database_refuses_the_second_invoice() -> None:
    """E-01: past the commands too."""
    one, two = spend.claim(spend.person(), spend.line(invoice="N1")), spend.claim(spend.person(), spend.line())
    with pytest.raises(IntegrityError, match="expense_invoice_once"), transaction.atomic():
        ExpenseLine.objects.filter(claim=two).update(invoice="N1")
    assert one.lines.get().invoice == "N1"


def test_a_rejected_claim_frees_its_invoice_and_takes_it_again() -> None:
    """E-01: across all claims that are not rejected; whoever is first holds it, the other reads so on submission."""
    ann, bob = spend.person(), spend.person()
    first = services.reject_claim(spend.submitted(ann, spend.line(invoice="F1")), by=None, reason="wrong")
    assert first.state == "returned" and first.reason == "wrong"
    second = spend.submitted(bob, spend.line(invoice="F1"))
    with pytest.raises(BusinessError, match=second.number):
        services.submit_claim(first, by=ann)
    services.reject_claim(second, by=None, reason="no")
    assert services.submit_claim(spend.fresh(first), by=ann).number == first.number


def test_nobody_approves_or_audits_an_own_claim() -> None:
    """E-01, G-22: not by right, and the database refuses it as well."""
    chief = spend.chief()
    claim = spend.submitted(chief)
    with pytest.raises(BusinessError, match="your own"):
        services.approve_claim(claim, by=chief)
    claim = services.approve_claim(claim, by=spend.chief())
    with pytest.raises(BusinessError, match="your own"):
        services.audit_claim(claim, by=chief)
    with pytest.raises(DatabaseError, match="claim_approved_by_another"), transaction.atomic():
        ExpenseClaim.objects.filter(pk=claim.pk).update(approved_by=chief)
    claim = services.audit_claim(claim, by=spend.finance())
    with pytest.raises(BusinessError, match="your own"):
        services.post_claim(claim, by=chief)


def test_commands_ask_for_rights() -> None:
    """G-21: a colleague without the right is refused at every step, and nobody writes for another one."""
    ann, nosy = spend.person(), spend.person()
    with pytest.raises(BusinessError, match="among the records"):
        services.submit_claim(spend.claim(ann), by=nosy)
    claim = spend.submitted(ann)
    for command, more in ((services.approve_claim, {}), (services.reject_claim, {"reason": "x"})):
        with pytest.raises(BusinessError, match="do not have the right"):
            command(claim, by=nosy, **more)
    claim = services.approve_claim(claim, by=None)
    with pytest.raises(BusinessError, match="do not have the right"):
        services.audit_claim(claim, by=nosy)
    with pytest.raises(BusinessError, match="do not have the right"):
        services.post_claim(services.audit_claim(claim, by=None), by=nosy)


def test_finance_leaves_less_and_says_why() -> None:
    """E-01: what was claimed stays beside what is allowed; no more than claimed, not without a reason."""
    claim = spend.approved(spend.person(), spend.line(100), spend.line(60))
    one, two = claim.lines.all()
    for cut in (Cut(Decimal(101), "x"), Cut(Decimal(-1), "x"), Cut(Decimal(50), " "), Cut(Decimal("0.001"), "x")):
        with pytest.raises(BusinessError):
            services.audit_claim(claim, {one.pk: cut}, by=None)
    claim = services.audit_claim(claim, {one.pk: Cut(Decimal(70), "mini bar")}, by=spend.finance())
    one.refresh_from_db()
    assert (claim.total, claim.allowed) == (Decimal(160), Decimal(130))
    assert (one.amount, one.allowed, one.cut_reason) == (Decimal(100), Decimal(70), "mini bar")
    assert "Finance changed" in claim.owner.notifications.latest("pk").text
    with pytest.raises(DatabaseError, match="audited claim"), transaction.atomic():
        ExpenseLine.objects.filter(pk=two.pk).update(allowed=1, cut_reason="x")
    claim = services.return_claim(claim, by=None, reason="once more")
    one.refresh_from_db()
    assert (claim.allowed, one.allowed, one.cut_reason) == (Decimal(160), Decimal(100), "")
    with pytest.raises(BusinessError, match="Nothing is left"):
        claim = services.approve_claim(services.submit_claim(claim, by=claim.owner), by=None)
        none = {row.pk: Cut(Decimal(0), "x") for row in (one, two)}
        services.audit_claim(claim, none, by=None)


def test_what_was_submitted_stays() -> None:
    """G-03: columns and lines of a submitted claim are fixed by the database, and it is not deleted."""
    claim = spend.submitted(spend.person())
    for change in (
        lambda: ExpenseClaim.objects.filter(pk=claim.pk).update(total=1),
        lambda: ExpenseClaim.objects.filter(pk=claim.pk).update(owner=spend.person()),
        lambda: claim.lines.update(amount=5),
        lambda: claim.lines.all().delete(),
        lambda: ExpenseClaim.objects.filter(pk=claim.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_a_flow_decides_and_nobody_past_it() -> None:
    """X-06 to X-08: facts with excess and types; while the run lasts no right helps; approval goes to finance."""
    boss = spend.chief()
    approving.flow(
        approving.step(1, boss, conditions=[[{"field": "excess", "op": ">", "value": "0"}]]),
        approving.step(2, boss),
        kind="oa.expenseclaim",
    )
    ann = spend.person()
    hotel = spend.kind("HOTEL2", per="day", standard=Decimal(100))
    claim = spend.claim(ann, spend.line(150, hotel, excess_reason="late"))
    with pytest.raises(BusinessError, match="approval flow is in force"):
        services.submit_claim(claim, by=ann)
    request = submit(claim, kind="oa.expenseclaim", by=ann)
    assert request.facts["excess"] == "50.00" and request.facts["types"] == [str(hotel.pk)]
    assert request.amount == Decimal(150)
    assert request.content["lines"][0][-2:] == ["50.00", "late"]
    with pytest.raises(BusinessError, match="decided by its approval flow"):
        services.approve_claim(spend.fresh(claim), by=spend.chief())
    approve(approving.task(request, boss), by=boss)
    request.refresh_from_db()
    if request.state == "running":
        approve(approving.task(request, boss), by=boss)
    claim = spend.fresh(claim)
    assert (claim.state, claim.approved_by) == ("approved", boss) and claim.number.startswith("EC-")


def test_a_rejected_run_gives_the_claim_back() -> None:
    """X-06: rejected by the flow, it is the person's again with its number, and the invoice is free."""
    boss, ann = spend.chief(), spend.person()
    approving.flow(approving.step(1, boss), kind="oa.expenseclaim")
    claim = spend.claim(ann, spend.line(invoice="Z9"))
    request = submit(claim, kind="oa.expenseclaim", by=ann)
    reject(approving.task(request, boss), by=boss, text="no")
    claim = spend.fresh(claim)
    assert claim.state == "returned" and claim.number
    assert spend.claim(spend.person(), spend.line(invoice="Z9")).pk


def test_without_books_nothing_is_posted(monkeypatch: pytest.MonkeyPatch) -> None:
    """E-04: the hook is empty in an office alone; the refusal says so."""
    claim = spend.audited(spend.person())
    monkeypatch.setattr(accounting, "_books", [])
    assert not accounting.ready() and set(accounting.currencies()) == {"CNY"}
    with pytest.raises(BusinessError, match="no books"):
        services.post_claim(claim, by=None)


def test_saving_keeps_the_rows_and_their_receipts() -> None:
    """E-01: lines that stay are the same rows; two lines may change invoices with each other."""
    ann = spend.person()
    claim = spend.claim(ann, spend.line(1, invoice="A"), spend.line(2, invoice="B"), spend.line(3))
    one, two, three = claim.lines.all()
    claim = services.save_claim(
        claim, [spend.line(2, invoice="A", pk=two.pk), spend.line(1, invoice="B", pk=one.pk), spend.line(9)], by=ann
    )
    found = list(claim.lines.order_by("position").values_list("pk", "invoice", "amount"))
    assert found[:2] == [(two.pk, "A", Decimal(2)), (one.pk, "B", Decimal(1))]
    assert claim.total == Decimal(12) and not claim.lines.filter(pk=three.pk).exists()
    with pytest.raises(BusinessError, match="future"):
        spend.claim(ann, spend.line(1, date=make.today() + dt.timedelta(days=1)))


def _cost(lines: int) -> dict[str, int]:
    """Statements of every step of a claim with that many lines."""
    hotel = spend.kind("STM", per="claim", standard=Decimal(100000))
    ann = spend.person()
    spend.paid_advance(ann, 1)
    cost = {}
    rows = [spend.line(10, hotel, invoice=f"I{ann.pk}-{n}") for n in range(lines)]
    claim = ExpenseClaim(title="x")
    steps = (
        ("save", lambda c: services.save_claim(c, rows, by=ann)),
        ("submit", lambda c: services.submit_claim(c, by=ann)),
        ("approve", lambda c: services.approve_claim(c, by=None)),
        ("audit", lambda c: services.audit_claim(c, {r.pk: Cut(Decimal(9), "x") for r in c.lines.all()}, by=None)),
        ("post", lambda c: services.post_claim(c, by=None)),
        ("pay", lambda c: spend.pay(c)),
    )
    for name, step in steps:
        claim = spend.fresh(claim) if claim.pk else claim
        with CaptureQueriesContext(connection) as queries:
            made = step(claim)
        cost[name] = len(queries)
        claim = made if name != "pay" else claim
    return cost


def test_statements_do_not_grow_with_lines() -> None:
    """Architecture: as many statements for 40 lines as for 2, in every step."""
    _cost(1)
    few, many = _cost(2), _cost(40)
    assert few == many
    assert max(many.values()) < 45, many
