"""Pages of announcements: what I may read (`news`), what I write and manage, who has read, versions, categories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.db.models import BooleanField, Case, CharField, Exists, OuterRef, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.panels import Figure
from kit.pages.resources import Resource, register
from kit.rules.permissions import may
from kit.values.keys import is_key
from oa.announcements import services
from oa.announcements.forms import AnnouncementForm
from oa.announcements.models import (
    APPROVE,
    READABLE,
    WRITING,
    Announcement,
    AnnouncementCategory,
    AnnouncementEdition,
    AnnouncementReceipt,
    sees_all,
)
from oa.announcements.publishing import state_of_reading
from oa.records.audiences import AUDIENCE

READING = {"unread": _("unread"), "confirm": _("to confirm"), "": ""}


class _Found(Resource):
    """What announcements have in common: withdrawn ones are never found (rule N-06)."""

    model = Announcement
    key = "pk"
    icon = "megaphone"
    importable = False

    def findable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Without withdrawn ones."""
        return rows.exclude(state="withdrawn")


@register
class NewsResource(_Found):
    """The reader's side. List and record have pages of their own in `views`."""

    name = "news"
    path = "news"
    states = None
    can_create = can_edit = False
    columns = (
        Column("title", phone="cust"),
        "category",
        "owner",
        Column("published_at", phone="more"),
        Column("reading", _("For me"), "state", choices=READING, tones={"unread": "info", "confirm": "warn"}),
        Column(
            "pinned", _("On top"), "state", phone="amt", choices={True: _("on top"), False: ""}, tones={True: "warn"}
        ),
    )
    annotations = ("reading", "pinned")
    filters = ("category", "published_at")
    ordering = ("-pinned", "-published_at", "-id")
    views: ClassVar = {
        "unread": (_("unread"), Q(reading="unread")),
        "confirm": (_("to confirm"), Q(must_confirm=True) & ~Q(reading="")),
        "ended": (_("ended"), Q(state__in=("expired", "archived"))),
    }

    def lookup(self, key: str) -> dict[str, Any]:
        """Plain numbers only: they lead to the page in `views`, which shows readers no changes of the text."""
        return super().lookup(key) if is_key(key) else {"pk": None}

    def list_queryset(self, user: Any) -> QuerySet[Any]:
        """What is published, with what is still to do for `user`."""
        mine = AnnouncementReceipt.objects.filter(user=user.pk, superseded_at=None, record=OuterRef("pk"))
        unread = Exists(mine.filter(first_read_at=None))
        unconfirmed = Exists(mine.filter(record__must_confirm=True, confirmed_at=None))
        top = When(state="published", pinned_until__gte=timezone.localdate(), then=Value(True))
        return (
            self.queryset(user)
            .filter(state__in=READABLE)
            .annotate(
                reading=Case(
                    When(unread, state="published", then=Value("unread")),
                    When(unconfirmed, state="published", then=Value("confirm")),
                    default=Value(""),
                    output_field=CharField(),
                ),
                pinned=Case(top, default=Value(False), output_field=BooleanField()),
            )
        )


@register
class AnnouncementResource(_Found):
    """The writer's side: drafts, approval, readers, versions."""

    path = "office/announcements"
    label_plural = _("announcements to manage")
    searched = False
    create_key = "n"
    columns = (
        Column("title", phone="cust"), "category", "state", "owner", "published_at", "expires_at",
        Column("recipients", phone="amt"), "edition",
    )  # fmt: skip
    filters = ("state", "category", "owner", "published_at")
    ordering = ("-id",)
    sections = (
        (_("Announcement"), ("category", "title", "body")),
        (_("For whom"), ("to_everyone", "to_departments", "to_positions", "to_roles", "to_people",
                         "except_departments", "except_people", "include_later")),
        (_("When and how"), ("starts_at", "expires_at", "pinned_until", "must_confirm", "remind_every", "remind_most",
                             "comments_open", "watermark")),
    )  # fmt: skip
    form_only = ("category", "title", "body", *AUDIENCE)
    extra_fields = ("owner", "department", "published_at", "submitted_by", "decided_by", "decision", "edition")
    related = ("category", "owner", "department", "submitted_by", "decided_by", "withdrawn_by")
    quiet: ClassVar = {
        **Resource.quiet, "edition": 1, "to_everyone": False, "include_later": False, "must_confirm": False,
        "watermark": False, "comments_open": True, "remind_most": 3,
    }  # fmt: skip
    form_class = AnnouncementForm
    template = "oa/announcements/record.html"
    save = staticmethod(services.save_announcement)
    run: ClassVar = {
        "submit": services.submit, "publish": services.publish, "approve": services.approve,
        "reject": services.reject, "recall": services.recall, "withdraw": services.withdraw,
    }  # fmt: skip
    commands = (
        Command(
            "remind", _("Remind who has not read"), services.remind_unread, "oa.change_announcement",
            when=lambda obj: obj.state == "published", icon="bell",
        ),
    )  # fmt: skip

    def queryset(self, user: Any) -> QuerySet[Any]:
        """What `user` wrote, manages, audits or has to approve."""
        return Announcement.objects.managed_by(user)

    def subtitle(self, obj: Any) -> Sequence[Any]:
        return [obj.category]

    def editable(self, obj: Any, user: Any) -> bool:
        """Drafts and rejected ones, by author and managers."""
        return obj.state in WRITING and self.may(user, "change") and services.may_manage(obj, user)

    def deletable(self, obj: Any, user: Any) -> bool:
        return super().deletable(obj, user) and services.may_manage(obj, user)

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """Deciding is for approvers who did not write it, the rest for author and managers."""
        managing = services.may_manage(obj, user)
        unfit = {"publish"} if obj.category.needs_approval else {"submit"}
        if managing and obj.state in WRITING and services.by_flow(obj, user):
            unfit = {"publish", "submit"}
        wrote = user.pk in (obj.owner_id, obj.submitted_by_id)
        return [
            command
            for command in super().commands_for(obj, user)
            if command.name not in unfit and (not wrote if command.permission == APPROVE else managing)
        ]

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """Who has read, each figure with the people behind it (one statement)."""
        if obj.published_at is None:
            return []
        n = state_of_reading(obj)
        made = [Figure(gettext("Recipients"), f"{n['all']:,}", readers_url(obj))]
        made.append(_share(gettext("Read"), n["read"], n["all"], readers_url(obj, "read")))
        made.append(Figure(gettext("Unread"), f"{n['all'] - n['read']:,}", readers_url(obj, "unread")))
        if obj.must_confirm:
            made.append(_share(gettext("Confirmed"), n["confirmed"], n["all"], readers_url(obj, "confirmed")))
        return made


def _share(label: str, part: int, whole: int, url: str) -> Figure:
    percent = f"{part * 100 // whole}%" if whole else ""
    return Figure(label, f"{part:,}", url, note=percent, meter=None)


def readers_url(announcement: Announcement, view: str = "current") -> str:
    """The list of readers of one announcement."""
    chosen = {"record": announcement.pk, "record_text": announcement.title, "view": view}
    return f"/office/announcement-readers/?{urlencode(chosen)}"


@register
class ReceiptResource(Resource):
    model = AnnouncementReceipt
    path = "office/announcement-readers"
    key = "pk"
    icon = "eye"
    columns = (
        "user", Column("user__department", _("Department"), phone="more"), Column("record", phone="cust"),
        "delivered_at", Column("first_read_at", phone="amt"), "last_read_at",
        "read_count", "device", "confirmed_at", "reminders", "edition",
    )  # fmt: skip
    filters = ("record", "user__department", "user", "first_read_at", "confirmed_at", "device")
    labels: ClassVar = {"user__department": _("department")}
    search_fields = ("user__name", "user__username", "user__pinyin", "user__department__name")
    searched = False
    ordering = ("-record_id", "user__department__code", "user__username", "id")
    extra_fields = (
        "record", "user", "edition", "delivered_at", "first_read_at", "last_read_at", "read_count", "device",
        "confirmed_at", "reminders", "reminded_at", "superseded_at",
    )  # fmt: skip
    related = ("record", "user")
    views: ClassVar = {
        "current": (_("present version"), Q(superseded_at=None)),
        "unread": (_("unread"), Q(superseded_at=None, first_read_at=None)),
        "read": (_("read"), Q(superseded_at=None, first_read_at__isnull=False)),
        "unconfirmed": (_("not confirmed"), Q(superseded_at=None, record__must_confirm=True, confirmed_at=None)),
        "confirmed": (_("confirmed"), Q(superseded_at=None, confirmed_at__isnull=False)),
    }
    can_create = can_edit = importable = False

    def heading(self, obj: Any) -> str:
        return str(obj.user)


@register
class EditionResource(Resource):
    model = AnnouncementEdition
    path = "office/announcement-versions"
    key = "pk"
    icon = "history"
    columns = ("number", Column("title", phone="cust"), "announcement", "major", "note", "by", "at")
    filters = ("announcement", "by", "at")
    search_fields = ("title",)
    searched = False
    ordering = ("-announcement", "-number")
    extra_fields = ("announcement", "number", "title", "body", "major", "note", "by", "at")
    related = ("announcement", "by")
    can_create = can_edit = importable = False

    def findable(self, rows: QuerySet[Any]) -> QuerySet[Any]:
        """Without those of withdrawn announcements (rule N-06)."""
        return rows.exclude(announcement__state="withdrawn")


@register
class AnnouncementCategoryResource(Resource):
    model = AnnouncementCategory
    path = "office/announcement-categories"
    group = "docs"
    order = 45
    small = True
    columns = ("code", Column("name", phone="cust"), "name_zh", "needs_approval")
    search_fields = ("code", "name", "name_zh")
    searched = False
    fields = ("code", "name", "name_zh", "needs_approval", "managers", "active")


def writes(user: Any) -> bool:
    """Whether the writer's side has anything for a person."""
    return bool(may(user, "add", Announcement) or user.has_perm(APPROVE) or sees_all(user))


tree.top.append(Link(_("Announcements"), "news-list", 20, "oa.view_announcement", "megaphone", go="n"))
tree.add("docs", Link(_("Manage announcements"), "announcement-list", 44, writes))
