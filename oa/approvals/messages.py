"""What people are told in the course of an approval; each only what they may see (rules X-09, X-12, G-21)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kit.rules.days import business_day
from oa.approvals.models import ApprovalCopy, ApprovalRequest, ApprovalTask, Proxy
from oa.organisation.models import User
from oa.records.notifications import mark_answered, notify

if TYPE_CHECKING:
    from oa.approvals.engine import Run


def tell_asked(run: Run, tasks: Sequence[ApprovalTask]) -> None:
    """People who are asked now, and who stands in for them."""
    if not tasks:
        return
    people = {task.user_id: task.user for task in tasks}
    text = format_lazy(
        _("{who} asks for your approval: {what}"), who=str(run.request.applicant), what=run.request.title
    )
    notify([*people.values(), *stand_ins(run.request, people)], text, record=run.request, involved=True)


def answered(run: Run, tasks: Iterable[ApprovalTask]) -> None:
    """Whoever has nothing to decide any more need not read that they were asked, neither here nor by mail (X-12)."""
    still = {task.user_id for rows in run.tasks.values() for task in rows if task.state == "running"}
    done = {key for task in tasks for key in (task.user_id, task.decided_by_id) if key is not None} - still
    if done:
        mark_answered(done, run.request)


def stand_ins(request: ApprovalRequest, keys: Iterable[int]) -> list[User]:
    """Who decides for the people with `keys` today, the applicant never."""
    rows = Proxy.objects.filter(principal__in=list(keys)).on(business_day())
    rows = rows.filter(Q(kinds=[]) | Q(kinds__contains=[request.kind])).exclude(proxy=request.applicant_id)
    return [row.proxy for row in rows.select_related("proxy")]


def tell_relieved(run: Run, task: ApprovalTask, to: User) -> None:
    """Somebody whose task the administrator gave to a colleague."""
    text = format_lazy(_("{who} decides instead of you: {what}"), who=str(to), what=run.request.title)
    notify([task.user], text, record=run.request, involved=True)


def tell_returned(run: Run, user: User) -> None:
    """The applicant, or who revises instead."""
    _tell(run, user, _("Returned to you: {what}"))


def tell_end(run: Run) -> None:
    """The applicant, unless it was the applicant who ended it."""
    texts = {"approved": _("Approved: {what}"), "rejected": _("Rejected: {what}"), "cancelled": _("Cancelled: {what}")}
    text = texts.get(run.request.state)
    if text is not None:
        _tell(run, run.request.applicant, text)


def _tell(run: Run, user: User, text: Any) -> None:
    if run.by is None or run.by.pk != user.pk:
        notify([user], format_lazy(text, what=run.request.title), record=run.request, involved=True)


def tell_late(request: ApprovalRequest, people: Iterable[User], *, urged_by: Any = None) -> None:
    """People who have not decided yet: by the clock of the step, or because somebody urges (rule X-04)."""
    text = (
        format_lazy(_("{who} urges: {what}"), who=str(urged_by), what=request.title)
        if urged_by is not None
        else format_lazy(_("Still waiting for you: {what}"), what=request.title)
    )
    found = list(people)
    notify([*found, *stand_ins(request, [user.pk for user in found])], text, record=request, involved=True)


def send_copies(request: ApprovalRequest, people: Iterable[User], now: dt.datetime) -> list[User]:
    """Copies for information, one a person; only those who had none are told (UX 6.12). Returns them."""
    wanted = {user.pk: user for user in people}
    had = set(ApprovalCopy.objects.filter(request=request, user__in=wanted).values_list("user_id", flat=True))
    fresh = [user for key, user in wanted.items() if key not in had]
    ApprovalCopy.objects.bulk_create(
        [ApprovalCopy(request=request, user=user, at=now) for user in fresh], ignore_conflicts=True
    )
    notify(fresh, format_lazy(_("Copy for you: {what}"), what=request.title), record=request, involved=True)
    return fresh
