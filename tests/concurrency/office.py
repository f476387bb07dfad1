"""What the processes of the concurrency tests do in the office: approvals, people, announcements, tasks, documents."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from typing import Any

import pgtrigger
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction

from kit.values.errors import BusinessError
from oa.announcements import publishing
from oa.approvals import services as approvals
from oa.approvals.models import ApprovalRequest, ApprovalTask, FormRequest
from oa.documents import services as library
from oa.documents.models import Folder, LibraryDocument
from oa.leave.models import LeaveRequest
from oa.leave.services.requests import approve_leave, submit_leave
from oa.organisation import factors, moves, rights
from oa.organisation.models import User
from oa.records.idempotency import once
from oa.records.signatures import give_up_signature
from oa.reporting.notices import mail_notifications
from oa.tasks.models import Meeting, TaskNeed
from oa.tasks.services import bookings
from oa.tasks.services.meetings import invite_meeting
from oa.tasks.services.reminders import remind
from oa.tasks.services.series import make_due

Outcome = Counter[str]


def attempt(outcome: Outcome, effect: Callable[[], Any]) -> Any:
    """Count what comes of `effect`: ok, refused, or the name of a database error."""
    try:
        result = effect()
    except BusinessError:
        outcome["refused"] += 1
        return None
    except DatabaseError as error:
        outcome[type(error.__cause__ or error).__name__] += 1
        return None
    outcome["ok"] += 1
    return result


def decide(task: int) -> Outcome:
    """Approve a task as the person who is asked."""
    asked = ApprovalTask.objects.select_related("user").get(pk=task)
    outcome: Outcome = Counter()
    attempt(outcome, lambda: approvals.approve(asked, by=asked.user))
    return outcome


def withdraw(request: int) -> Outcome:
    """Withdraw a request as its applicant."""
    found = ApprovalRequest.objects.select_related("applicant").get(pk=request)
    outcome: Outcome = Counter()
    attempt(outcome, lambda: approvals.withdraw(found, by=found.applicant))
    return outcome


def decide_or_withdraw(task: int, request: int) -> Outcome:
    """One of both."""
    return decide(task) if task else withdraw(request)


def decide_or_give_up(task: int, person: int) -> Outcome:
    """Sign a decision, or give the signature up."""
    if task:
        return decide(task)
    outcome: Outcome = Counter()
    attempt(outcome, lambda: give_up_signature(by=User.objects.get(pk=person)))
    return outcome


def submit_request(draft: int, key: str) -> Outcome:
    """Send the form that submits a draft."""
    document = FormRequest.objects.select_related("form", "owner").get(pk=draft)
    outcome: Outcome = Counter()
    attempt(
        outcome,
        lambda: once(
            key,
            document.owner,
            "approval.submit",
            lambda: approvals.submit(document, kind=document.form.kind, by=document.owner),
        ),
    )
    return outcome


def leave(person: int, successor: int) -> Outcome:
    """A person leaves and hands over."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: moves.leave(User(pk=person), by=None, successor=User(pk=successor)))
    return outcome


def enter_code(person: int, code: str) -> Outcome:
    """The second step of a login: whether this code is taken."""
    return Counter(["ok" if factors.accept_code(User(pk=person), code) else "refused"])


def strip(person: int) -> Outcome:
    """Take all roles from a person."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: rights.give_roles(User.objects.get(pk=person), [], by=None))
    return outcome


def report_to(person: int, manager: int) -> Outcome:
    """Give a person a manager, past all forms."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: User.objects.filter(pk=person).update(manager=manager))
    return outcome


def publish_news(keys: list[int], pause: float) -> Outcome:
    """Publish each announcement; everybody dawdles between reading it and writing."""
    outcome: Outcome = Counter()
    reading = publishing.locked

    def slowly(*args: Any) -> Any:
        row = reading(*args)
        time.sleep(pause)
        return row

    publishing.locked = slowly  # type: ignore[assignment]
    try:
        for key in keys:
            made = attempt(outcome, lambda key=key: publishing.appear(key))
            outcome["published"] += made is not None
    finally:
        publishing.locked = reading
    return outcome


def book(keys: list[int], dawdle: bool = False) -> Outcome:
    """Send the invitations of meetings, which takes their rooms; with `dawdle` everybody looks before anybody books."""
    outcome: Outcome = Counter()
    looking = bookings.explain_conflicts

    def slowly(*args: Any) -> None:
        looking(*args)
        time.sleep(0.3)

    bookings.explain_conflicts = slowly if dawdle else looking
    try:
        for key in keys:
            attempt(outcome, lambda key=key: invite_meeting(Meeting(pk=key), by=None))
    finally:
        bookings.explain_conflicts = looking
    return outcome


def sweep_tasks(now: dt.datetime) -> Outcome:
    """What the timer of tasks does every minute."""
    outcome: Outcome = Counter()
    outcome["made"] = attempt(outcome, lambda: make_due(now.date())) or 0
    outcome["reminded"] = attempt(outcome, lambda: remind(now)) or 0
    return outcome


def mail_notices() -> Outcome:
    """What the timer of notifications by mail does every minute."""
    outcome: Outcome = Counter()
    outcome["mails"] = attempt(outcome, mail_notifications) or 0
    return outcome


def wait_for(pairs: list[tuple[int, int]]) -> Outcome:
    """Say that tasks wait for others, past the services."""
    outcome: Outcome = Counter()
    for task, needs in pairs:
        attempt(outcome, lambda task=task, needs=needs: TaskNeed.objects.create(task_id=task, needs_id=needs))
    return outcome


def check_out(document: int, user: int) -> Outcome:
    """Check out a document of the library."""
    outcome: Outcome = Counter()
    attempt(outcome, lambda: _dawdled(library.check_out, document, user))
    return outcome


def _dawdled(run: Callable[..., Any], document: int, user: int) -> Any:
    by = User.objects.get(pk=user)
    writing = LibraryDocument.save

    def late(self: Any, *args: Any, **kwargs: Any) -> None:
        time.sleep(0.2)  # long enough for everybody to have read
        writing(self, *args, **kwargs)

    LibraryDocument.save = late  # type: ignore[method-assign]
    try:
        return run(LibraryDocument(pk=document), by=by)
    finally:
        LibraryDocument.save = writing  # type: ignore[method-assign]


def check_in(document: int, user: int) -> Outcome:
    """Add a version to a document of the library."""
    outcome: Outcome = Counter()
    by, file = User.objects.get(pk=user), ContentFile(f"by {user}".encode(), "plan.txt")
    attempt(outcome, lambda: library.check_in(LibraryDocument(pk=document), file, by=by))
    return outcome


def move_folder(folder: int, parent: int, guarded: bool = True) -> Outcome:
    """Move a folder straight in its table, past every command."""
    outcome: Outcome = Counter()

    def move() -> None:
        with transaction.atomic(), nullcontext() if guarded else pgtrigger.ignore("oa.Folder:tree"):
            Folder.objects.filter(pk=folder).update(parent=parent)
            time.sleep(0.2)

    attempt(outcome, move)
    return outcome


def ask_for_leave(key: int) -> Outcome:
    """Submit a leave request and let it be approved, in one transaction."""
    outcome: Outcome = Counter()

    def ask() -> None:
        with transaction.atomic():
            approve_leave(submit_leave(LeaveRequest.objects.get(pk=key), by=None), by=None)

    attempt(outcome, ask)
    return outcome


COMMANDS: dict[str, Callable[..., Outcome]] = {
    command.__name__: command
    for command in (
        ask_for_leave,
        book,
        check_in,
        check_out,
        decide,
        decide_or_give_up,
        decide_or_withdraw,
        enter_code,
        leave,
        mail_notices,
        move_folder,
        publish_news,
        report_to,
        strip,
        submit_request,
        sweep_tasks,
        wait_for,
        withdraw,
    )
}
