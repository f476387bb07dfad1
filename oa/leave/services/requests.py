"""Commands on leave requests (rules H-01, H-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.approvals.services.submission import version_in_force
from oa.leave import rules
from oa.leave.models import LeaveRequest
from oa.leave.models.requests import moment
from oa.leave.reading import counted
from oa.leave.services.ledger import give_back, lock_balances, write_use
from oa.organisation.lines import manager_of
from oa.organisation.models import User
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.comments import add_comment
from oa.records.notifications import notify
from oa.records.numbering import next_number

KIND, CANCEL = "oa.leaverequest", "oa.leaverequest.cancel"
MANAGES = "oa.manage_leaverequest"
CONSTRAINT = "leaverequest_no_overlap"


def measure(request: LeaveRequest) -> None:
    """Fill in what follows from the period: moments and units; refuses an end before the start."""
    period = request.period
    request.starts_at = moment(period.first, period.start)
    request.ends_at = moment(period.last, period.end)
    if request.ends_at <= request.starts_at:
        raise BusinessError(_("The end lies before the start."), field="last_day")
    if (period.last - period.first).days > 400:
        raise BusinessError(_("A leave lasts for a year at most."), field="last_day")
    request.units = counted([request])[request.pk]


@transaction.atomic
def save_leave(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """Store a draft of one's own; for somebody else only who manages leave. The rules count when it is submitted."""
    if request.pk is not None and locked(LeaveRequest.objects.all(), request.pk).state != "draft":
        raise BusinessError(_("%s is in approval or decided; it cannot be changed.") % request)
    if request.person_id is None:
        request.person = by
    if by is not None and request.person_id != by.pk and not by.has_perm(MANAGES):
        raise BusinessError(_("Everybody asks for their own leave."), field="person")
    if request.pk is None:
        request.created_by = by
    request.department_id = request.person.department_id
    if not request.type.hourly:
        request.from_time = request.to_time = None
    measure(request)
    request.save()
    return request


# ---- submitting ----


def begin(request: LeaveRequest, name: str) -> None:
    """Take the time and number of a locked draft; everything is tested under the lock of the balance."""
    LeaveRequest.STATES.check(name, request)
    lock_balances([request.person_id])
    measure(request)
    rules.check(request)
    request.number = request.number or next_number(LeaveRequest.SEQUENCE, business_day())
    _move(request, name)


@command
def submit_leave(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """Ask the manager, or whoever manages leave, where no flow is in force."""
    _no_flow(KIND)
    request = _own(request, by)
    begin(request, "submit")
    _ask(request, gettext_lazy("{who} asks for leave from {first} to {last}."))
    return request


@command
def withdraw_leave(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """Take a request back that nobody has decided about."""
    _no_run(request)
    return _move(_own(request, by), "withdraw")


@command
def approve_leave(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """Decide without a flow."""
    _no_run(request)
    request = _decided(request, by, "approve")
    take_effect(request, by)
    _tell(request, gettext_lazy("Your leave from {first} to {last} is approved."), by)
    return request


def take_effect(request: LeaveRequest, by: Any) -> None:
    """Approved: the balance is tested once more and the days are taken, in the transaction of the decision."""
    lock_balances([request.person_id])
    found = [*rules.balance_problems(request), *rules.time_problems(request)]
    if found:
        raise BusinessError(problems=found)
    _move(request, "approve")
    write_use(request, by)


@command
def reject_leave(request: LeaveRequest, reason: str, *, by: Any) -> LeaveRequest:
    """Give it back to its maker with the reason."""
    _no_run(request)
    request = _decided(request, by, "reject")
    text = gettext_lazy("Your leave from {first} to {last} was rejected.")
    return _say_no(_move(request, "reject"), text, reason, by)


# ---- afterwards ----


@command
def ask_cancel(request: LeaveRequest, reason: str, *, by: Any) -> LeaveRequest:
    """Approved leave is cancelled only when that is approved again."""
    _no_flow(CANCEL)
    request = _own(request, by)
    begin_cancel(request)
    add_comment(request, reason, by=by)
    _ask(request, gettext_lazy("{who} asks to cancel the leave from {first} to {last}."))
    return request


def begin_cancel(request: LeaveRequest) -> None:
    """Only leave that has not begun is cancelled as a whole; what has begun is cut short by who was told."""
    if request.state == "approved" and request.first_day <= business_day():
        raise BusinessError(_("The leave has begun: your manager or human resources enters when you are back."))
    _move(request, "cancel")


@command
def agree_cancel(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """Agree to a cancellation without a flow."""
    _no_run(request)
    request = _decided(request, by, "agree")
    undo(request, by)
    _tell(request, gettext_lazy("Your leave from {first} to {last} is cancelled."), by)
    return request


def undo(request: LeaveRequest, by: Any) -> None:
    """Cancelled: everything that was taken and not given back yet comes back."""
    lock_balances([request.person_id])
    rest = request.net
    request.returned = request.units
    _move(request, "agree")
    if rest > 0:
        give_back(request, rest, day=request.first_day, by=by, reason=_("cancelled"))


@command
def keep_leave(request: LeaveRequest, reason: str, *, by: Any) -> LeaveRequest:
    """Do not agree to a cancellation."""
    _no_run(request)
    request = _decided(request, by, "keep")
    return _say_no(
        _move(request, "keep"), gettext_lazy("Your leave from {first} to {last} is not cancelled."), reason, by
    )


@command
def recall_leave(request: LeaveRequest, date: dt.date, *, by: Any) -> LeaveRequest:
    """Somebody is back at work from `date` on: what was not taken is given back; never by oneself."""
    request = locked(LeaveRequest.objects.select_related("type", "person"), request.pk)
    _may_decide(request, by)
    if request.state not in ("approved", "taken"):
        raise BusinessError(_("%s is not approved.") % request)
    end = moment(date, 0)
    if not request.starts_at < end < request.ends_at:
        raise BusinessError(_("The day lies within the leave, after its first one."), field="date")
    lock_balances([request.person_id])
    shorter = LeaveRequest(pk=request.pk, person=request.person, type=request.type)
    for name in ("first_day", "first_part", "last_part", "from_time", "to_time"):
        setattr(shorter, name, getattr(request, name))
    shorter.last_day, shorter.last_part = date - dt.timedelta(days=1), "pm"
    shorter.to_time = None if request.to_time is None else dt.time(23, 59)
    rest = request.net - counted([shorter])[request.pk]
    request.ends_at, request.back_on = end, date
    if rest > 0:
        request.returned += rest
        give_back(request, rest, day=date, by=by, reason=_("back at work on %s") % date)
    request.version += 1
    with _in_words():
        request.save()
    _tell(request, gettext_lazy("You are back early from your leave of {first} to {last}."), by)
    return request


@transaction.atomic
def take_over_count(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """The calendar changed after approval and the leave costs less: give the difference back."""
    request = locked(LeaveRequest.objects.select_related("type", "person"), request.pk)
    if by is not None and not by.has_perm(MANAGES):
        raise BusinessError(_("Balances are changed by human resources."))
    if request.recounted is None:
        raise BusinessError(_("The calendar changes nothing here."))
    lock_balances([request.person_id])
    rest = request.net - request.recounted
    if rest < 0:
        raise BusinessError(_("It would cost more now. Talk to %s, then make an adjustment.") % request.person)
    request.returned += rest
    request.recounted = None
    request.version += 1
    request.save()
    give_back(request, rest, day=request.first_day, by=by, reason=_("the calendar changed"))
    return request


@transaction.atomic
def leave_count(request: LeaveRequest, *, by: Any) -> LeaveRequest:
    """The calendar changed after approval, and what was agreed stays."""
    request = locked(LeaveRequest.objects.select_related("person"), request.pk)
    if by is not None and not by.has_perm(MANAGES):
        raise BusinessError(_("Balances are changed by human resources."))
    request.recounted = None
    request.version += 1
    request.save()
    return request


# ---- who, and what is told ----


def _own(request: LeaveRequest, by: Any) -> LeaveRequest:
    """The locked request, of whoever acts."""
    request = locked(LeaveRequest.objects.select_related("type", "person", "substitute"), request.pk)
    if by is not None and request.person_id != by.pk and not by.has_perm(MANAGES):
        raise BusinessError(_("Everybody asks for their own leave."))
    return request


def decides(request: LeaveRequest, user: Any) -> bool:
    """Whether a person decides where there is no flow: the manager or who manages leave, never for themselves."""
    if user is None:
        return True
    if user.pk == request.person_id:
        return False
    return bool(user.has_perm(MANAGES)) or manager_of(request.person) == user


def _may_decide(request: LeaveRequest, by: Any) -> None:
    if not decides(request, by):
        raise BusinessError(_("This is decided by the manager or by human resources, never by oneself."))


def _decided(request: LeaveRequest, by: Any, name: str) -> LeaveRequest:
    request = locked(LeaveRequest.objects.select_related("type", "person", "substitute"), request.pk)
    LeaveRequest.STATES.check(name, request)
    _may_decide(request, by)
    return request


def _no_flow(kind: str) -> None:
    if version_in_force(kind) is not None:
        raise BusinessError(_("There is an approval flow for this: submit it for approval."))


def running(request: LeaveRequest) -> bool:
    """Whether a run of the approval engine decides."""
    from oa.approvals.models import ApprovalRequest
    from oa.approvals.models.requests import OPEN

    rows = ApprovalRequest.objects.filter(kind__in=(KIND, CANCEL), object_id=request.pk, state__in=OPEN)
    return rows.exists()


def _no_run(request: LeaveRequest) -> None:
    if running(request):
        raise BusinessError(_("%s is decided in its approval.") % request)


def _move(request: LeaveRequest, name: str) -> LeaveRequest:
    request.state = LeaveRequest.STATES.check(name, request).target
    request.version += 1
    with _in_words():
        request.save()
    return request


@contextmanager
def _in_words() -> Iterator[None]:
    """What the constraint refuses, in words: the same person asked twice at this very moment."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError as error:
        if getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") != CONSTRAINT:
            raise
        raise BusinessError(_("There is other leave at this time."), field="first_day") from error


def _say_no(request: LeaveRequest, text: Any, reason: str, by: Any) -> LeaveRequest:
    if not reason.strip():
        raise BusinessError(_("Enter a reason."), field="reason")
    add_comment(request, reason, by=by)
    _tell(request, text, by)
    return request


def _tell(request: LeaveRequest, text: Any, by: Any) -> None:
    people = [request.person] if by is None or by.pk != request.person_id else []
    notify(people, _filled(request, text), record=request, involved=True)


def _ask(request: LeaveRequest, text: Any) -> None:
    manager = manager_of(request.person)
    people = [manager] if manager is not None else _managers()
    notify(people, _filled(request, text), record=request, involved=True)


def _managers() -> list[User]:
    """Who manages leave."""
    rows = User.objects.filter(is_active=True, groups__permissions__codename=MANAGES.partition(".")[2])
    return list(rows.distinct()[:20])


def _filled(request: LeaveRequest, text: Any) -> Any:
    return format_lazy(text, who=request.person, first=request.first_day, last=request.last_day)
