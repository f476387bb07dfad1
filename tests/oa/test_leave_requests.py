"""The life of a leave request without an approval flow (rules H-01, H-03, H-04)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from oa.leave.models import Employment, LeaveEntry, LeaveRequest, LeaveType
from oa.leave.preview import preview_of
from oa.leave.rules import warnings_of
from oa.leave.services import requests, yearly
from oa.organisation.models import Department
from oa.records.attachments import store_attachment
from oa.records.models import Comment, Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa import leaving
from tests.oa.leaving import approved, balance, draft, grant, leave_type, monday, stopped, submitted

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)


@pytest.fixture
def mia(db: Any) -> Any:
    return make.make_user("mia", "sales-manager")


@pytest.fixture
def ann(mia: Any) -> Any:
    team = Department.objects.create(code="TEAM", name="Team", head=mia)
    return make.make_user("ann", "sales", department=team)


@pytest.fixture
def rest(ann: Any) -> LeaveType:
    """A type of which Ann has five days."""
    leave = leave_type()
    grant(ann, leave, 5)
    return leave


def test_a_week_off_from_request_to_return(ann: Any, mia: Any, rest: LeaveType) -> None:
    """H-01: draft, in approval, approved with one entry, taken; the balance is a sum at every step."""
    row = draft(ann, rest, monday(), monday() + 2 * DAY)
    assert (row.state, row.units, row.number) == ("draft", D(3), None)
    row = requests.submit_leave(row, by=ann)
    assert row.state == "approving" and row.number and balance(ann, rest) == 5
    assert Notification.objects.get(user=mia).text.startswith("Ann asks for leave from")
    row = requests.approve_leave(row, by=mia)
    assert row.state == "approved" and balance(ann, rest) == 2
    assert balance(ann, rest, monday() - DAY) == 5  # as of the day before
    assert LeaveEntry.objects.get(request=row).units == -3
    assert yearly.finish_taken(monday() + 3 * DAY) == 1
    row.refresh_from_db()
    assert row.state == "taken"
    assert_books()


def test_nobody_decides_about_their_own_leave(ann: Any, mia: Any, rest: LeaveType) -> None:
    """H-01: the manager or human resources, never oneself, nobody else; a superuser for others only."""
    row = submitted(ann, rest, monday())
    bob, boss = make.make_user("bob", "sales-manager"), make.make_user("boss")
    for user in (ann, bob):
        with stopped("never by oneself"):
            requests.approve_leave(row, by=user)
    own = leave_type(limited=False)
    with stopped("never by oneself"):
        requests.approve_leave(submitted(boss, own, monday()), by=boss)
    assert requests.approve_leave(row, by=make.make_user("hr", "hr")).state == "approved"


def test_rejection_and_withdrawal_give_it_back(ann: Any, mia: Any, rest: LeaveType) -> None:
    """H-01: a draft again with the reason, the days can be asked for anew."""
    row = submitted(ann, rest, monday(), monday() + 4 * DAY)
    with stopped("reason"):
        requests.reject_leave(row, " ", by=mia)
    row = requests.reject_leave(row, "stocktaking", by=mia)
    assert row.state == "draft" and Comment.objects.get(object_id=row.pk).text == "stocktaking"
    row = requests.withdraw_leave(requests.submit_leave(row, by=ann), by=ann)
    assert row.state == "draft" and not LeaveEntry.objects.filter(request=row).exists()
    assert requests.submit_leave(row, by=ann).state == "approving"


def test_cancellation_needs_approval_again(ann: Any, mia: Any, rest: LeaveType) -> None:
    """H-01: approved leave stays until somebody else agrees, then every day comes back."""
    row = requests.ask_cancel(approved(ann, rest, monday(), monday() + 4 * DAY), "no need", by=ann)
    assert row.state == "cancelling" and balance(ann, rest) == 0
    with stopped("never by oneself"):
        requests.agree_cancel(row, by=ann)
    row = requests.keep_leave(row, "the office is closed", by=mia)
    assert row.state == "approved"
    row = requests.agree_cancel(requests.ask_cancel(row, "please", by=ann), by=mia)
    assert row.state == "cancelled" and balance(ann, rest) == 5
    assert approved(ann, rest, monday(), monday() + 4 * DAY).state == "approved"  # the time is free again
    assert_books()


def test_leave_that_has_begun_is_cut_short_by_somebody_else(ann: Any, mia: Any, rest: LeaveType) -> None:
    """H-01 recall 销假: what was not taken is given back by an entry; the time is free from that day on."""
    first = monday(-2)
    row = approved(ann, rest, first, first + 4 * DAY)
    with stopped("has begun"):
        requests.ask_cancel(row, "x", by=ann)
    with stopped("never by oneself"):
        requests.recall_leave(row, first + 2 * DAY, by=ann)
    for wrong in (first, first + 7 * DAY):
        with stopped("within the leave"):
            requests.recall_leave(row, wrong, by=mia)
    row = requests.recall_leave(row, first + 2 * DAY, by=mia)
    assert (row.units, row.returned, row.back_on) == (D(5), D(3), first + 2 * DAY) and balance(ann, rest) == 3
    assert approved(ann, rest, first + 3 * DAY).units == 1
    assert_books()


def test_what_comes_back_is_as_long_valid_as_its_grant(ann: Any, mia: Any) -> None:
    """H-01: never longer than the latest grant that was consumed; without end where that has expired."""
    leave, today = leave_type(), make.today()
    grant(ann, leave, 5, expires_on=today + 200 * DAY)
    row = approved(ann, leave, monday(), monday() + 4 * DAY)
    requests.agree_cancel(requests.ask_cancel(row, "x", by=ann), by=mia)
    assert LeaveEntry.objects.get(kind="return").expires_on == today + 200 * DAY
    other, first = leave_type(), monday(-6)
    grant(ann, other, 5, expires_on=first + 5 * DAY)
    late = approved(ann, other, first, first + 4 * DAY)
    requests.recall_leave(late, first + 3 * DAY, by=mia)
    assert LeaveEntry.objects.get(kind="return", type=other).expires_on is None
    assert yearly.expire_until(today) == 0 and balance(ann, other) == 2


def test_a_backdated_request_is_tested_against_every_later_day(ann: Any, rest: LeaveType) -> None:
    """H-01 [hrms#1198]: enough on its own day is not enough."""
    approved(ann, rest, monday(), monday() + 3 * DAY)
    with stopped("does not suffice"):
        submitted(ann, rest, monday(-4), monday(-4) + DAY)
    assert submitted(ann, rest, monday(-4)).state == "approving"


def test_days_that_expire_before_the_leave_are_no_balance_for_it(ann: Any) -> None:
    """H-01: what will have expired by then cannot be planned with; what is carried over can."""
    leave, end = leave_type(), monday(2)
    grant(ann, leave, 5, expires_on=end)
    with stopped("does not suffice"):
        submitted(ann, leave, monday(3), monday(3))
    LeaveType.objects.filter(pk=leave.pk).update(carry_limit=1)
    assert submitted(ann, LeaveType.objects.get(pk=leave.pk), monday(3)).state == "approving"


def test_requests_that_wait_count_against_the_balance(ann: Any, rest: LeaveType) -> None:
    """H-01: two requests for the last days are not both accepted."""
    submitted(ann, rest, monday(), monday() + 3 * DAY)
    with stopped("does not suffice"):
        submitted(ann, rest, monday() + 7 * DAY, monday() + 8 * DAY)


def test_leave_never_overlaps(ann: Any, rest: LeaveType) -> None:
    """H-04: refused in words and by the database; halves of a day do not overlap."""
    first = submitted(ann, rest, monday(), monday(), last_part="am")
    assert first.units == D("0.5")
    second = draft(ann, rest, monday())
    with stopped("other leave at this time"):
        requests.submit_leave(second, by=ann)
    with pytest.raises(IntegrityError, match="leaverequest_no_overlap"), transaction.atomic():
        LeaveRequest.objects.filter(pk=second.pk).update(state="approving")
    assert submitted(ann, rest, monday(), monday(), first_part="pm").units == D("0.5")


def test_the_rules_of_a_type(ann: Any) -> None:
    """H-03: length, notice, gender, service, days across a year, an archived type."""
    short = leave_type(limited=False, minimum=1, maximum=2, notice_days=3)
    with stopped("at least"):
        submitted(ann, short, monday(), last_part="am")
    with stopped("at most"):
        submitted(ann, short, monday(), monday() + 2 * DAY)
    with stopped("3 days before"):
        submitted(ann, short, monday(-1))
    women = leave_type(limited=False, gender="female")
    with stopped("is for: female"):
        submitted(ann, women, monday())
    Employment.objects.update_or_create(person=ann, defaults={"gender": "female"})
    assert submitted(ann, women, monday()).state == "approving"
    old = leave_type(limited=False, service_months=12)
    with stopped("12 months of service"):
        submitted(ann, old, monday(4))
    Employment.objects.filter(person=ann).update(worked_since=monday(4) - 400 * DAY)
    assert submitted(ann, old, monday(4)).state == "approving"
    year = make.today().year
    with stopped("one request for each year"):
        submitted(ann, leave_type(), dt.date(year, 12, 31), dt.date(year + 1, 1, 1))
    with stopped("no working time"):
        submitted(ann, leave_type(limited=False), monday(8) + 5 * DAY)
    with stopped("not used any more"):
        submitted(ann, leave_type(limited=False, active=False), monday(9))


def test_a_long_sick_leave_needs_a_certificate(ann: Any) -> None:
    """H-03: attached as a file before it is submitted."""
    sick = LeaveType.objects.get(code="SICK")
    assert submitted(ann, sick, monday()).state == "approving"
    row = draft(ann, sick, monday(5), monday(5) + DAY)
    with stopped("certificate"):
        requests.submit_leave(row, by=ann)
    store_attachment(row, ContentFile(b"%PDF-1.7\n%%EOF\n", "doctor.pdf"), by=ann)
    assert requests.submit_leave(row, by=ann).state == "approving"


def test_a_balance_may_fall_below_zero_where_the_type_says_so(ann: Any, mia: Any) -> None:
    """H-03 negative balance: exactly so far."""
    leave = leave_type(overdraft=2)
    approved(ann, leave, monday(), monday() + DAY)
    with stopped("does not suffice"):
        submitted(ann, leave, monday(5))
    assert balance(ann, leave) == -2
    assert_books()


def test_a_substitute_is_an_active_colleague(ann: Any, rest: LeaveType) -> None:
    """H-04: not oneself, not somebody who left; somebody who is away is a warning."""
    bob = make.make_user("bob", "sales")
    with stopped("stands in for themselves"), transaction.atomic():
        row = draft(ann, leave_type(limited=False), monday(), substitute=bob)
        row.substitute = ann
        requests.begin(row, "submit")
    approved(bob, leave_type(limited=False), monday())
    row = draft(ann, rest, monday(), substitute=bob)
    assert warnings_of(row) == ["Bob is away at this time, too."]
    assert requests.submit_leave(row, by=ann).state == "approving"
    bob.is_active = False
    bob.save()
    with stopped("does not work here"):
        submitted(ann, rest, monday() + DAY, substitute=bob)


def test_the_preview_is_what_will_happen(ann: Any, rest: LeaveType) -> None:
    """UX 6.22: days, the balance before and after, who of the team is away; nothing is stored."""
    bob = make.make_user("bob", "sales", department=ann.department)
    approved(bob, leave_type(limited=False), monday())
    row = LeaveRequest(person=ann, type=rest, first_day=monday(), last_day=monday() + 6 * DAY)
    seen = preview_of(row)
    assert seen and (seen.cost, seen.before, seen.after) == ("5 days", "5 days", "0 days") and seen.problems == []
    assert [who for who, _first, _last in seen.away] == ["Bob"]
    row.last_day = monday() + 7 * DAY
    seen = preview_of(row)
    assert seen and "does not suffice" in seen.problems[0]
    assert not LeaveRequest.objects.filter(person=ann).exists()


def test_every_other_change_of_state_is_stopped(ann: Any, mia: Any, rest: LeaveType) -> None:
    """5.9.1: the table is the only way; approved leave keeps its days, the ledger every entry."""
    row = approved(ann, rest, monday())
    for command in (requests.submit_leave, requests.withdraw_leave):
        with stopped("not possible any more"):
            command(row, by=ann)
    for columns in ({"state": "draft"}, {"units": 9}, {"first_day": monday(1)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            LeaveRequest.objects.filter(pk=row.pk).update(**columns)
    with pytest.raises(DatabaseError), transaction.atomic():
        row.delete()
    for change in (lambda rows: rows.update(units=1), lambda rows: rows.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            change(LeaveEntry.objects.filter(person=ann))


def test_statements_do_not_grow_with_the_ledger(ann: Any, rest: LeaveType) -> None:
    """PERFORMANCE: asking for and getting a day, with two entries and with forty; at most 60 for both."""

    def road(day: dt.date) -> int:
        row = draft(ann, rest, day)
        with CaptureQueriesContext(connection) as queries:
            requests.approve_leave(requests.submit_leave(row, by=ann), by=None)
        return len(queries)

    road(monday())
    few = road(monday() + DAY)
    for n in range(40):
        leaving.grant(ann, rest, 1, date=dt.date(2020, 1, 1) + n * DAY)
    assert road(monday() + 2 * DAY) == few <= 60
