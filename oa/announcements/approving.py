"""Announcements in approval by a flow: what approvers decide about, and what approval means (rules X-06 to X-08).

Where a flow is in force and asks somebody, an announcement is published through it only. Elsewhere its category says
whether somebody else has to approve it.
"""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.pages.resources import registry
from kit.values.errors import BusinessError
from oa.announcements.models import KIND, STATES, Announcement, AnnouncementCategory
from oa.announcements.publishing import publish_approved
from oa.announcements.services import check_ready
from oa.approvals.conditions import FLAG, RECORD, Fact
from oa.approvals.contents import departments_up
from oa.approvals.models import ApprovalRequest
from oa.approvals.registry import Approvable, approvables
from oa.organisation.models import Department
from oa.records.audiences import AUDIENCE, check_audience, chosen_in, describe

SETTINGS = (
    "starts_at", "expires_at", "pinned_until", "must_confirm", "remind_every", "remind_most", "include_later",
    "comments_open", "watermark", "to_everyone",
)  # fmt: skip


def facts(announcement: Announcement) -> dict[str, Any]:
    """What conditions may ask of an announcement."""
    return {
        "category": str(announcement.category_id),
        "department": departments_up(announcement.department_id),
        "author": str(announcement.owner_id),
        "to_everyone": "yes" if announcement.to_everyone else "",
        "must_confirm": "yes" if announcement.must_confirm else "",
    }


def content(announcement: Announcement) -> dict[str, Any]:
    """The text, and for whom, when and how it appears; sets by key, so that nothing depends on a language."""
    chosen = chosen_in(announcement)
    sets = {name: sorted(row.pk for row in chosen[name]) for name in AUDIENCE if name != "to_everyone"}
    settings = {name: str(getattr(announcement, name)) for name in SETTINGS}
    words = {"title": announcement.title, "body": announcement.body, "category": announcement.category.code}
    return {**words, **settings, **sets}


def summary(announcement: Announcement) -> list[tuple[Any, Any]]:
    """What an approver reads, as long as it is to be decided: before and afterwards the text has its own readers."""
    category = (_("category"), announcement.category)
    if announcement.state != "approving":
        return [category]
    return [
        category,
        (_("For"), describe(announcement)),
        (_("publish at"), formats.moment(announcement.starts_at) if announcement.starts_at else _("at once")),
        (_("ends at"), formats.moment(announcement.expires_at) if announcement.expires_at else ""),
        (_("must be confirmed"), _("yes") if announcement.must_confirm else ""),
        (_("Text"), announcement.body),
    ]


def lock(announcement: Announcement) -> None:
    """Text and audience stay as they are while the run lasts."""
    announcement.state = STATES.check("lock", announcement).target
    announcement.approval_required, announcement.submitted_by, announcement.decided_by = False, None, None
    _store(announcement)


def unlock(announcement: Announcement) -> None:
    """Back to its author, who may change it."""
    announcement.state = STATES.check("unlock", announcement).target
    _store(announcement)


def effect(announcement: Announcement, by: Any) -> None:
    """Published now or at its time, for whoever belongs to the audience by then (rule N-01)."""
    run = ApprovalRequest.objects.filter(kind=KIND, object_id=announcement.pk).select_related("applicant").latest("pk")
    check_audience(chosen_in(announcement), by=run.applicant)
    publish_approved(announcement.pk)


def check(announcement: Announcement, by: Any) -> None:
    """Only what could be published is submitted, by who may publish it."""
    check_ready(announcement, by)
    if announcement.state == "submitted":
        raise BusinessError(_("Take it back first: it waits for another approval."))


def _store(announcement: Announcement) -> None:
    announcement.version += 1
    announcement.save()


def _categories() -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in AnnouncementCategory.objects.all()]


def _departments() -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in Department.objects.all()]


approvables.register(
    Approvable(
        kind=KIND,
        label=gettext_lazy("Announcement"),
        model=Announcement,
        fields=(
            Fact("category", gettext_lazy("category"), RECORD, _categories),
            Fact("department", gettext_lazy("department"), RECORD, _departments, department=True),
            Fact("author", gettext_lazy("author"), RECORD, person=True),
            Fact("to_everyone", gettext_lazy("for everyone"), FLAG),
            Fact("must_confirm", gettext_lazy("must be confirmed"), FLAG),
        ),
        facts=facts,
        content=content,
        lock=lock,
        unlock=unlock,
        effect=effect,
        summary=summary,
        check=check,
        url=lambda announcement: registry["announcement"].url_for(announcement),
        icon="megaphone",
    )
)
