"""Announcements: texts for an audience, with receipts and versions (rules N-01 to N-06)."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from kit.rules.states import State, StateTable, Transition, permissions
from oa.approvals.models.requests import decided_by_flow, running_for
from oa.records.guards import append_only, no_truncate
from oa.records.models import Circulated, Document, Master, Receipt, Record
from oa.records.models.audiences import receipt_guards

WRITING = ("draft", "rejected")  # states in which text and audience are written
KIND = "oa.announcement"  # what approval flows call them
STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("submitted", _("to be approved"), "warn", step=False),
        State("rejected", _("rejected"), "bad", step=False),
        State("approving", _("in approval"), "viol", step=False),
        State("approved", _("approved"), "info", step=False),
        State("scheduled", _("scheduled"), "info"),
        State("published", _("published"), "ok"),
        State("expired", _("expired"), "mute"),
        State("archived", pgettext_lazy("announcement", "archived"), "mute"),
        State("withdrawn", _("withdrawn"), "bad", step=False),
    ),
    transitions=(
        Transition("submit", ("draft", "rejected"), "submitted", _("Submit for approval"), primary=True, icon="send"),
        Transition("publish", ("draft", "rejected"), "scheduled", _("Publish"), primary=True, icon="megaphone",
                   confirm=_("Publish this announcement?")),
        Transition("approve", ("submitted",), "approved", _("Approve"), "approve_announcement", primary=True,
                   icon="check"),
        Transition("reject", ("submitted",), "rejected", _("Reject"), "approve_announcement", danger=True,
                   fields=("reason",), icon="x"),
        Transition("recall", ("submitted", "scheduled"), "draft", _("Take back"), icon="undo-2"),
        Transition("lock", WRITING, "approving", _("Submit for approval"), internal=True),
        Transition("unlock", ("approving",), "draft", _("Return from approval"), internal=True),
        Transition("agree", ("approving",), "scheduled", _("Publish"), internal=True),
        Transition("schedule", ("approved",), "scheduled", _("Schedule"), internal=True),
        Transition("appear", ("scheduled",), "published", _("Publish"), internal=True),
        Transition("amend", ("published",), "published", _("Amend"), internal=True),
        Transition("withdraw", ("published", "expired", "archived"), "withdrawn", _("Withdraw"), danger=True,
                   fields=("reason",), icon="ban"),
        Transition("expire", ("published",), "expired", _("Expire"), internal=True),
        Transition("archive", ("expired",), "archived", _("Archive"), internal=True),
    ),
)  # fmt: skip
READABLE = ("published", "expired", "archived")  # states in which recipients may read
ISSUED = (*READABLE, "withdrawn")
MANAGE, AUDIT, APPROVE = "oa.manage_announcement", "oa.view_any_announcement", "oa.approve_announcement"


def sees_all(user: Any) -> bool:
    """Whether a person manages or audits the announcements of all categories."""
    return bool(user.has_perm(MANAGE) or user.has_perm(AUDIT))


@tracked()
class AnnouncementCategory(Master):
    """A kind of announcement: whether somebody else has to approve it, and who manages it beside the authors."""

    needs_approval = models.BooleanField(_("needs approval"), default=False)
    managers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("managers")
    )

    class Meta(Master.Meta):
        verbose_name = _("announcement category")
        verbose_name_plural = _("announcement categories")


class AnnouncementQuerySet(VisibleQuerySet):
    """Read by recipients, and at any time by author, managers of the category and auditors (rule N-06)."""

    def visible_to(self, user: Any) -> Self:
        """What `user` may read or work on."""
        if user.data_scope(self.model) is None:
            return self.none()
        if sees_all(user):
            return self
        mine = AnnouncementReceipt.objects.filter(user=user.pk, superseded_at=None).values("record")
        return self.filter(_worked_on(user) | Q(state__in=READABLE, pk__in=mine))

    def managed_by(self, user: Any) -> Self:
        """What `user` wrote, manages, audits, or has to approve: with readers and versions."""
        if user.data_scope(self.model) is None:
            return self.none()
        return self if sees_all(user) else self.filter(_worked_on(user))


def _worked_on(user: Any) -> Q:
    """Own ones and those of categories that a person manages; approvers see what waits and what they decided.

    Who is asked by a flow sees it as long as it is in approval, and gains nothing else.
    """
    managed = AnnouncementCategory.managers.through.objects.filter(user=user.pk).values("announcementcategory")
    found = Q(owner=user.pk) | Q(category__in=managed) | Q(state="approving", pk__in=running_for(user, KIND))
    return found | Q(state="submitted") | Q(decided_by=user.pk) if user.has_perm(APPROVE) else found


def _submitted_changes() -> pgtrigger.Condition:
    """What a submitted announcement never does: a new text without a new version, another audience or author."""
    text = "(OLD.title, OLD.body) IS DISTINCT FROM (NEW.title, NEW.body) AND NEW.edition <> OLD.edition + 1"
    rest = "(OLD.category_id, OLD.owner_id, OLD.to_everyone, OLD.must_confirm)"
    moved = "OLD.published_at IS NOT NULL AND NEW.published_at IS DISTINCT FROM OLD.published_at"
    states = ", ".join(f"'{state}'" for state in WRITING)
    fixed = f"({text} OR {rest} IS DISTINCT FROM {rest.replace('OLD', 'NEW')})"
    return pgtrigger.Condition(f"((OLD.state NOT IN ({states}) AND {fixed}) OR ({moved}))")


@tracked("recipients", "reminded_at")
class Announcement(Circulated, Record):
    """A text for an audience. Its present text stands here, all published ones in its editions."""

    STATES = STATES

    category = models.ForeignKey(
        AnnouncementCategory, models.PROTECT, related_name="announcements", verbose_name=_("category")
    )
    title = models.CharField(_("title"), max_length=200)
    body = models.TextField(
        _("text"),
        max_length=50_000,
        help_text=_(
            "A blank line parts paragraphs. “- ” makes a list, “1. ” a numbered one, “# ” a heading, **bold**."
        ),
    )
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("author")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("department")
    )
    starts_at = models.DateTimeField(_("publish at"), null=True, blank=True, help_text=_("Empty: at once."))
    expires_at = models.DateTimeField(_("ends at"), null=True, blank=True)
    pinned_until = models.DateField(_("on top until"), null=True, blank=True)
    comments_open = models.BooleanField(_("comments"), default=True)
    watermark = models.BooleanField(_("reader's name as watermark"), default=False)
    state = Document.state_field(STATES)
    approval_required = models.BooleanField(default=False, editable=False)
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("submitted by"),
    )  # fmt: skip
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decision = models.CharField(_("reason of the decision"), max_length=300, blank=True, editable=False)
    published_at = models.DateTimeField(_("published at"), null=True, editable=False)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("withdrawn by"),
    )  # fmt: skip
    withdrawn_because = models.CharField(_("reason of the withdrawal"), max_length=300, blank=True, editable=False)
    pinyin = PinyinField(sources=("title",))
    search = search_column("title", "body", "pinyin")

    objects = AnnouncementQuerySet.as_manager()

    class Meta:
        verbose_name = _("announcement")
        verbose_name_plural = _("announcements")
        ordering = ["-id"]
        permissions = [
            *permissions(STATES, "announcement", "announcement"),
            ("manage_announcement", "Can manage announcement of everybody"),
            ("view_any_announcement", "Can view announcement of everybody"),
            ("address_everyone", "Can address the whole company"),
        ]
        indexes = [
            GinIndex(fields=["search"], name="announcement_search"),
            models.Index(
                fields=["state", "starts_at"], name="announcement_due",
                condition=Q(state__in=["scheduled", "published", "expired"]),
            ),
        ]  # fmt: skip
        constraints = [
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(expires_at=None) | Q(starts_at__lt=F("expires_at")),
                name="announcement_period",
                violation_error_message=_("The end must come after the beginning."),
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None)
                | (~Q(decided_by=F("owner")) & (Q(submitted_by=None) | ~Q(decided_by=F("submitted_by")))),
                name="announcement_four_eyes",
                violation_error_message=_("Somebody else than the author has to decide."),
            ),
            models.CheckConstraint(
                condition=Q(approval_required=False)
                | Q(decided_by__isnull=False)
                | Q(state__in=["draft", "submitted", "rejected", "approving"]),
                name="announcement_approved",
                violation_error_message=_("This announcement has to be approved first."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=ISSUED, published_at__isnull=False)
                | (~Q(state__in=ISSUED) & Q(published_at=None)),
                name="announcement_published",
            ),
            models.CheckConstraint(
                condition=Q(major_edition__gte=1, major_edition__lte=F("edition")), name="announcement_editions"
            ),
        ]
        triggers = [
            STATES.trigger(),
            pgtrigger.Trigger(
                name="text_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=_submitted_changes(),
                func="RAISE EXCEPTION 'A submitted announcement is changed by a new version only.' "
                "USING ERRCODE = '23001';",
            ),
            *decided_by_flow(KIND, "approving", "scheduled"),
            pgtrigger.Protect(
                name="issued_stays", operation=pgtrigger.Delete, condition=~pgtrigger.Q(old__state__in=list(WRITING))
            ),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def notes_closed(self) -> bool:
        """Whether nobody can write comments any more; while it is prepared, notes are for those who prepare it."""
        return not self.comments_open and self.state in ISSUED

    @property
    def files_closed(self) -> bool:
        """Files belong to the text: to the draft, or to a new version."""
        return self.state not in WRITING


class AnnouncementEdition(models.Model):
    """One published text of an announcement, kept as it was (rule N-04)."""

    announcement = models.ForeignKey(
        Announcement, models.PROTECT, related_name="editions", editable=False, verbose_name=_("announcement")
    )
    number = models.PositiveIntegerField(_("version"), editable=False)
    title = models.CharField(_("title"), max_length=200, editable=False)
    body = models.TextField(_("text"), editable=False)
    major = models.BooleanField(_("to be read again"), default=True, editable=False)
    note = models.CharField(_("what changed"), max_length=300, blank=True, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Rows(VisibleQuerySet):
        def visible_to(self, user: Any) -> Self:
            """Versions are for authors, managers and auditors; readers see the present text only."""
            managed = Announcement.objects.managed_by(user)
            return super().visible_to(user).filter(announcement__in=managed.values("pk"))

    objects = Rows.as_manager()

    class Meta:
        verbose_name = _("version of an announcement")
        verbose_name_plural = _("versions of announcements")
        default_permissions = ("view",)
        ordering = ["-announcement", "-number"]
        constraints = [models.UniqueConstraint(fields=["announcement", "number"], name="edition_number")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.title} · {self.number}"


class AnnouncementReceipt(Receipt):
    """That an announcement was delivered to a person, and when it was read (rule N-02)."""

    record = models.ForeignKey(
        Announcement, models.PROTECT, related_name="receipts", editable=False, verbose_name=_("announcement")
    )

    class Rows(VisibleQuerySet):
        def visible_to(self, user: Any) -> Self:
            """Who has read is for authors and managers; replaced receipts are for auditors (rules N-03, N-04)."""
            rows = super().visible_to(user)
            if sees_all(user):
                return rows
            managed = Announcement.objects.managed_by(user)
            return rows.filter(record__in=managed.values("pk"), superseded_at=None)

    objects = Rows.as_manager()

    class Meta(Receipt.Meta):
        verbose_name = _("reader of an announcement")
        verbose_name_plural = _("readers of announcements")
        default_permissions = ("view",)
        triggers = receipt_guards()

    def __str__(self) -> str:
        return f"{self.record} · {self.user}"
