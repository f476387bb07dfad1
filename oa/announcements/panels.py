"""Announcements on the desk, and what their own page shows: text, audience, versions, readers, downloads."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.pages.actions import Action
from kit.pages.panels import Panel, Task, Waiting, actions, panels, waiting
from kit.pages.resources import by_model, registry
from oa.announcements import approving
from oa.announcements.markup import render
from oa.announcements.models import APPROVE, AUDIT, KIND, READABLE, WRITING, Announcement, AnnouncementReceipt
from oa.announcements.services import by_flow, may_manage
from oa.approvals.panels import show_on
from oa.records import attachments
from oa.records.audiences import describe
from oa.records.models import AuditAction, AuditEntry
from oa.records.receipts import current, open_for

SHOWN = 4  # announcements on the desk
DOWNLOADS = 100


def newest(user: Any, _same: Any) -> dict[str, Any]:
    """The newest announcements for the desk and how many are unread (two statements)."""
    news = by_model[Announcement]
    rows = news.list_queryset(user).filter(state="published").order_by(*news.ordering)
    unread = current(AnnouncementReceipt).filter(user=user.pk, first_read_at=None, record__state="published")
    shown = [(row, news.url_for(row), _day(row.published_at)) for row in rows[:SHOWN]]
    return {"news": shown, "unread": unread[:100].count(), "all_url": news.url()}


def _day(at: dt.datetime | None) -> dt.date | None:
    return timezone.localtime(at).date() if at else None


def _unread(user: Any) -> Sequence[QuerySet[Announcement]]:
    """Announcements that wait for my confirmation."""
    if not user.has_perm("oa.view_announcement"):
        return []
    mine = AnnouncementReceipt.objects.filter(open_for(user), record__must_confirm=True).values("record")
    return [Announcement.objects.filter(pk__in=mine, state="published")]


def to_read(user: Any, limit: int) -> Sequence[Task]:
    """Announcements that wait for my confirmation, as tasks."""
    news = by_model[Announcement]
    return [
        Task(_("To read"), "info", row.title, news.url_for(row), str(row.category), _day(row.expires_at), _("Read"))
        for rows in _unread(user)
        for row in rows.select_related("category").order_by("published_at", "pk")[:limit]
    ]


def _submitted(user: Any) -> Sequence[QuerySet[Announcement]]:
    """Announcements that wait for somebody else than their author."""
    if not user.has_perm(APPROVE):
        return []
    return [Announcement.objects.filter(state="submitted").exclude(owner=user.pk).exclude(submitted_by=user.pk)]


def to_approve(user: Any, limit: int) -> Sequence[Task]:
    """Announcements that wait for somebody else than their author, as tasks."""
    managed = registry["announcement"]
    return [
        Task(_("To approve"), "warn", row.title, managed.url_for(row), str(row.owner), verb=_("Open"))
        for rows in _submitted(user)
        for row in rows.select_related("owner").order_by("pk")[:limit]
    ]


def text_of(announcement: Any, user: Any) -> dict[str, Any]:
    """The text as readers see it, and for whom it is; of a withdrawn one why, and the text for auditors only."""
    hidden = announcement.state == "withdrawn" and not user.has_perm(AUDIT)
    return {
        "announcement": announcement,
        "body": "" if hidden else render(announcement.body),
        "audience": describe(announcement),
    }


def taken(announcement: Any, user: Any) -> dict[str, Any]:
    """Who downloaded which file, newest first (rule N-05)."""
    kind = ContentType.objects.get_for_model(Announcement)
    rows = AuditEntry.objects.filter(content_type=kind, object_id=announcement.pk, action=AuditAction.DOWNLOAD)
    return {"downloads": rows.select_related("user__department")[:DOWNLOADS]}


def writer_actions(announcement: Any, user: Any) -> Sequence[Action]:
    """To the approval flow, the reader's page, and the form of a new version."""
    managed, news = registry["announcement"], by_model[Announcement]
    made = []
    mine = managed.may(user, "change") and may_manage(announcement, user)
    if announcement.state in WRITING and mine and by_flow(announcement, user):
        url = reverse("approval-submit", args=(KIND, announcement.pk))
        made.append(Action(_("Submit for approval"), url, icon="send", primary=True, key="e", name="to-flow"))
    if announcement.state in READABLE:
        made.append(Action(_("As readers see it"), news.url_for(announcement), icon="eye", menu=True, name="read"))
    if announcement.state == "published" and mine:
        made.append(
            Action(_("Amend"), f"{managed.url_for(announcement)}amend/", icon="pencil-line", key="e", name="amend")
        )
    return made


def _no_more_files(announcement: Any, by: Any) -> bool:
    """Files are added by those who write it, as long as it is written."""
    return announcement.files_closed or not may_manage(announcement, by)


def _downloadable(announcement: Any, by: Any) -> bool:
    """Files of withdrawn announcements are hidden with them."""
    return announcement.state != "withdrawn" or bool(by.has_perm(AUDIT))


ON = "oa.announcement"
panels["desk"].append(
    Panel("announcements", _("Announcements"), "side", template="oa/announcements/card.html", context=newest,
          permission="oa.view_announcement", order=30, room=4)
)  # fmt: skip
panels[ON] += [
    Panel("text", _("Text"), "main", template="oa/announcements/text.html", context=text_of, order=10),
    Panel("readers", _("Readers"), "tab", "announcementreceipt", "record",
          columns=("user", "user__department", "first_read_at", "last_read_at", "read_count", "device",
                   "confirmed_at", "reminders", "edition"),
          permission="oa.view_announcementreceipt", order=20),
    Panel("versions", _("Versions"), "tab", "announcementedition", "announcement",
          columns=("number", "title", "major", "note", "by", "at"), permission="oa.view_announcementedition", order=30),
    Panel("downloads", _("Downloads"), "side", template="oa/announcements/downloads.html", context=taken, order=40),
]  # fmt: skip
waiting += [Waiting(_unread, to_read), Waiting(_submitted, to_approve)]
actions[ON].append(writer_actions)
attachments.closed_to[ON] = _no_more_files
attachments.downloads[ON] = _downloadable
show_on(ON)
__all__ = ["approving"]
