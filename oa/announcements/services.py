"""Commands on announcements: write, submit, approve, publish, amend, withdraw, remind (rules N-01 to N-06)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.files.base import File
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.announcements.models import (
    APPROVE,
    KIND,
    STATES,
    WRITING,
    Announcement,
    AnnouncementEdition,
    AnnouncementReceipt,
)
from oa.announcements.publishing import READER_URL, REMINDER, WRITER_URL, release
from oa.approvals.models import ApprovalRequest
from oa.approvals.services.submission import needed_for
from oa.organisation.models import User
from oa.records import receipts
from oa.records.attachments import store_attachment
from oa.records.audiences import check_audience, chosen_in
from oa.records.bulk import locked
from oa.records.models import Notification
from oa.records.notifications import notify

REMIND_PAUSE = dt.timedelta(hours=1)  # between two reminders by hand


def may_manage(announcement: Announcement, by: Any) -> bool:
    """Whether `by` may write, amend or withdraw: the author, managers of the category, those of everything."""
    if by is None or by.has_perm("oa.manage_announcement") or announcement.owner_id == by.pk:
        return True
    return bool(announcement.category.managers.filter(pk=by.pk).exists())


def save_announcement(announcement: Announcement, *, by: Any) -> Announcement:
    """Store a draft; a new one belongs to who writes it, and to the department of the main post."""
    if announcement.pk is None:
        announcement.owner, announcement.created_by, announcement.department = by, by, by.department
    _require(announcement, by)
    if announcement.state not in WRITING:
        raise BusinessError(_("What was submitted is changed by a new version only."))
    if not announcement.title.strip() or not announcement.body.strip():
        raise BusinessError(_("Enter a text."), field="body")
    announcement.save()
    return announcement


@transaction.atomic
def submit(announcement: Announcement, *, by: Any) -> Announcement:
    """Ask for approval by a permission; where a flow asks somebody it is submitted to the flow (`approving`)."""
    announcement = _begin(announcement, "submit", by)
    _not_by_flow(announcement, by)
    announcement.approval_required = True
    announcement.submitted_by, announcement.decided_by, announcement.decision = by, None, ""
    _store(announcement)
    approvers = _holders(APPROVE).exclude(pk__in=[announcement.owner_id, by.pk if by else None])
    text = gettext_lazy("To approve: {title}")
    notify(approvers, _titled(text, announcement), url=WRITER_URL.format(key=announcement.pk))
    return announcement


@transaction.atomic
def publish(announcement: Announcement, *, by: Any) -> Announcement:
    """Publish at once or at the given time, where the category needs no approval."""
    announcement = _begin(announcement, "publish", by)
    _not_by_flow(announcement, by)
    if announcement.category.needs_approval:
        raise BusinessError(_("Announcements of the category “%s” have to be approved.") % announcement.category)
    announcement.approval_required = False
    announcement.submitted_by, announcement.decided_by, announcement.decision = by, None, ""
    _store(announcement)
    release(announcement, owner=by)
    return announcement


@transaction.atomic
def approve(announcement: Announcement, *, by: Any) -> Announcement:
    """Somebody else than the author agrees; it is published at once or at the given time."""
    announcement = _decide(announcement, "approve", by)
    _not_by_flow(announcement, announcement.submitted_by or announcement.owner)
    announcement.decision = ""
    _store(announcement)
    announcement.state = STATES.check("schedule", announcement).target
    _store(announcement)
    release(announcement, owner=by)
    _answer(announcement, gettext_lazy("Approved: {title}"))
    return announcement


@transaction.atomic
def reject(announcement: Announcement, *, by: Any, reason: str) -> Announcement:
    """Somebody else than the author refuses; the author may change and submit it again."""
    announcement = _decide(announcement, "reject", by)
    announcement.decision = reason[:300]
    _store(announcement)
    _answer(announcement, gettext_lazy("Rejected: {title}"))
    return announcement


@transaction.atomic
def recall(announcement: Announcement, *, by: Any) -> Announcement:
    """Take back what is not published yet, to change it."""
    announcement = locked(Announcement.objects.all(), announcement.pk)
    _require(announcement, by)
    announcement.state = STATES.check("recall", announcement).target
    announcement.approval_required, announcement.decided_by = False, None
    _store(announcement)
    return announcement


@transaction.atomic
def amend(
    announcement: Announcement,
    *,
    by: Any,
    title: str,
    body: str,
    major: bool,
    note: str = "",
    files: Iterable[File[bytes]] = (),
) -> Announcement:
    """A new version. A minor one keeps the receipts; a major one asks everybody to read again (rule N-04)."""
    announcement = locked(Announcement.objects.all(), announcement.pk)
    _require(announcement, by)
    STATES.check("amend", announcement)
    title, body = title.strip(), body.strip()
    files = list(files)
    if not title or not body:
        raise BusinessError(_("Enter a text."), field="body")
    if (title, body) == (announcement.title, announcement.body) and not files:
        raise BusinessError(_("Nothing was changed."), field="body")
    _four_eyes(announcement, by, major)
    now = timezone.now()
    announcement.title, announcement.body = title, body
    announcement.edition += 1
    if major:
        announcement.major_edition = announcement.edition
    _store(announcement)
    AnnouncementEdition.objects.create(
        announcement=announcement, number=announcement.edition, title=title, body=body, major=major, note=note[:300],
        by=by, at=now,
    )  # fmt: skip
    for file in files:
        store_attachment(announcement, file, by=by)
    if major:
        receipts.renew(AnnouncementReceipt, announcement, now)
        text = gettext_lazy("Changed, please read again: {title}")
        receipts.tell(receipts.current(AnnouncementReceipt, announcement), text, READER_URL, at=now)
        announcement.refresh_from_db(fields=["recipients"])
    return announcement


def _four_eyes(announcement: Announcement, by: Any, major: bool) -> None:
    """What was approved is changed by an approver who did not write it, or withdrawn and submitted anew.

    Where flows decide that is for small corrections only: what has to be read again goes through a flow again.
    """
    by_flow = by is not None and _through_flow(announcement, by)
    if by is None or not (announcement.approval_required or by_flow):
        return
    if by_flow and major:
        raise BusinessError(
            _("What has to be read again needs approval: withdraw this announcement and submit a new one."),
            field="kind",
        )
    if by.has_perm(APPROVE) and by.pk not in (announcement.owner_id, announcement.submitted_by_id):
        return
    raise BusinessError(
        _("This announcement was approved: only somebody who approves announcements and did not write it can amend it.")
    )


@transaction.atomic
def withdraw(announcement: Announcement, *, by: Any, reason: str) -> Announcement:
    """Hide it: readers are told and see it no more, the record stays (rule N-06)."""
    announcement = locked(Announcement.objects.all(), announcement.pk)
    _require(announcement, by)
    announcement.state = STATES.check("withdraw", announcement).target
    announcement.withdrawn_by, announcement.withdrawn_because = by, reason[:300]
    _store(announcement)
    Notification.objects.filter(
        content_type=ContentType.objects.get_for_model(Announcement), object_id=announcement.pk
    ).delete()
    readers = receipts.current(AnnouncementReceipt, announcement)
    receipts.tell(readers, gettext_lazy("Withdrawn: {title}"), "", at=timezone.now())
    return announcement


@transaction.atomic
def remind_unread(announcement: Announcement, *, by: Any) -> Announcement:
    """Remind everybody who has not read (or confirmed) it yet; by hand once an hour at most (rule N-03)."""
    announcement = locked(Announcement.objects.all(), announcement.pk)
    _require(announcement, by)
    if announcement.state != "published":
        raise BusinessError(_("Only what is published can be reminded of."))
    now = timezone.now()
    if announcement.reminded_at and announcement.reminded_at > now - REMIND_PAUSE:
        raise BusinessError(_("Readers were reminded less than an hour ago."))
    Announcement.objects.filter(pk=announcement.pk).update(reminded_at=now)
    announcement.reminded_at = now
    if not receipts.remind(AnnouncementReceipt, [announcement.pk], REMINDER, READER_URL):
        raise BusinessError(_("Everybody has read it."))
    return announcement


@transaction.atomic
def seen(announcement: Announcement, *, by: Any, device: str) -> bool:
    """The text was displayed to a recipient (rule N-02); the messages about it are read as well."""
    if not receipts.note_seen(AnnouncementReceipt, announcement, by, device):
        return False
    _read_messages(announcement, by)
    return True


@transaction.atomic
def confirm(announcement: Announcement, *, by: Any, device: str) -> bool:
    """A recipient confirms to have read it; a second time changes nothing."""
    if not announcement.must_confirm:
        raise BusinessError(_("This announcement needs no confirmation."))
    if not receipts.note_confirmed(AnnouncementReceipt, announcement, by, device):
        return False
    _read_messages(announcement, by)
    return True


def _read_messages(announcement: Announcement, by: Any) -> None:
    kind = ContentType.objects.get_for_model(Announcement)
    mine = Notification.objects.filter(user=by, content_type=kind, object_id=announcement.pk, read_at=None)
    mine.update(read_at=timezone.now())


def _begin(announcement: Announcement, name: str, by: Any) -> Announcement:
    """Lock a draft that is complete and whose audience `by` may address, and set the state."""
    announcement = locked(Announcement.objects.all(), announcement.pk)
    check_ready(announcement, by)
    announcement.state = STATES.check(name, announcement).target
    return announcement


def check_ready(announcement: Announcement, by: Any) -> None:
    """Refuse what `by` may not publish or what could not appear."""
    _require(announcement, by)
    check_audience(chosen_in(announcement), by=by)
    if announcement.expires_at and announcement.expires_at <= timezone.now():
        raise BusinessError(_("The end lies in the past."), field="expires_at")


def by_flow(announcement: Announcement, by: Any) -> str:
    """Why a draft is published through an approval flow only, in words; empty where it is not (rule X-10)."""
    return needed_for(announcement, KIND, by)


def _not_by_flow(announcement: Announcement, by: Any) -> None:
    why = by_flow(announcement, by)
    if why:
        raise BusinessError(_("This announcement needs approval (%s). Submit it for approval.") % why)


def _through_flow(announcement: Announcement, by: Any) -> bool:
    """Whether a flow approved it, or would have to today."""
    runs = ApprovalRequest.objects.filter(kind=KIND, object_id=announcement.pk, state="approved")
    return runs.exists() or bool(by_flow(announcement, by))


def _decide(announcement: Announcement, name: str, by: Any) -> Announcement:
    """Lock what waits and note who decided: never the author (the database guards that too)."""
    announcement = locked(Announcement.objects.all(), announcement.pk)
    announcement.state = STATES.check(name, announcement).target
    if by is None or not by.has_perm(APPROVE):
        raise BusinessError(_("You may not decide about announcements."))
    if by.pk in (announcement.owner_id, announcement.submitted_by_id):
        raise BusinessError(_("Somebody else than the author has to decide."))
    announcement.decided_by = by
    return announcement


def _require(announcement: Announcement, by: Any) -> None:
    if not may_manage(announcement, by):
        raise BusinessError(_("Only the author and managers of its category can do this."))


def _store(announcement: Announcement) -> None:
    announcement.version += 1
    announcement.save()


def _answer(announcement: Announcement, text: Any) -> None:
    notify([announcement.owner], _titled(text, announcement), url=WRITER_URL.format(key=announcement.pk))


def _titled(text: Any, announcement: Announcement) -> Any:
    """`{title}` in a lazy text, which everybody gets in their own language."""
    return format_lazy(text, title=announcement.title)


def _holders(permission: str) -> Any:
    """Active people with a permission, by their roles."""
    app, _dot, codename = permission.partition(".")
    rights = Q(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app)
    return User.objects.filter(rights | Q(is_superuser=True), is_active=True).distinct()
