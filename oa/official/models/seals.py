"""Seals and requests to use them (spec office 5.8.3)."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.days import business_day
from kit.rules.history import tracked
from kit.rules.permissions import ALL, DEPARTMENT, SUBTREE, VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from kit.rules.states import State, StateTable, Transition, permissions
from oa.approvals.models import ApprovalTask
from oa.records.guards import Frozen, no_truncate
from oa.records.models import Master, Record

SEAL_KIND = "oa.sealrequest"

SEAL_STATES = StateTable(
    states=(
        State("draft", pgettext_lazy("seal request", "draft"), "draft"),
        State("submitted", pgettext_lazy("seal request", "submitted"), "warn"),
        State("approving", pgettext_lazy("seal request", "in approval"), "warn", step=False),
        State("approved", pgettext_lazy("seal request", "approved"), "info"),
        State("touse", pgettext_lazy("seal request", "to use"), "viol"),
        State("used", pgettext_lazy("seal request", "used"), "ok"),
        State("lent", pgettext_lazy("seal request", "lent out"), "viol", step=False, ended=False),
        State("returned", pgettext_lazy("seal request", "given back"), "ok", step=False),
        State("rejected", pgettext_lazy("seal request", "rejected"), "bad", step=False, ended=False),
        State("cancelled", pgettext_lazy("seal request", "cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("submit", ("draft", "rejected"), "submitted", _("Submit"), primary=True, icon="send"),
        Transition("lock", ("draft", "rejected"), "approving", _("Submit for approval"), internal=True),
        Transition("unlock", ("approving",), "rejected", _("Reject"), internal=True),
        Transition("grant", ("approving",), "approved", _("Approve"), internal=True),
        Transition("approve", ("submitted",), "approved", _("Approve"), "approve_sealrequest", primary=True,
                   icon="check"),
        Transition("reject", ("submitted",), "rejected", _("Reject"), "approve_sealrequest", danger=True,
                   fields=("reason",), icon="x"),
        Transition("ready", ("approved",), "touse", _("Ready to use"), "use_sealrequest", primary=True, icon="check"),
        Transition("use", ("touse",), "used", _("Sealed"), "use_sealrequest", primary=True, icon="stamp"),
        Transition("lend", ("touse",), "lent", _("Lend out"), "use_sealrequest", primary=True, fields=("date",),
                   icon="log-out"),
        Transition("back", ("lent",), "returned", _("Given back"), "use_sealrequest", primary=True, icon="log-in"),
        Transition("cancel", ("draft", "submitted", "rejected", "approved", "touse"), "cancelled", _("Cancel"),
                   danger=True, fields=("reason",), icon="ban"),
    ),
)  # fmt: skip
OPEN = ("draft", "submitted", "rejected")  # states in which the applicant may change it


class SealKind(models.TextChoices):
    COMPANY = "company", pgettext_lazy("seal", "company seal")
    CONTRACT = "contract", pgettext_lazy("seal", "contract seal")
    FINANCE = "finance", pgettext_lazy("seal", "finance seal")
    INVOICE = "invoice", pgettext_lazy("seal", "invoice seal")
    LEGAL = "legal", pgettext_lazy("seal", "seal of the legal representative")
    DEPARTMENT = "department", pgettext_lazy("seal", "department seal")
    OTHER = "other", pgettext_lazy("seal", "other")


@tracked()
class Seal(Master):
    """A seal, who keeps it and where."""

    kind = models.CharField(_("kind"), max_length=10, choices=SealKind, default=SealKind.COMPANY)
    keeper = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("keeper"))
    place = models.CharField(_("place"), max_length=120, blank=True)

    class Meta(Master.Meta):
        verbose_name = _("seal")
        verbose_name_plural = _("seals")


class SealRequestQuerySet(VisibleQuerySet):
    """Seen by applicant, keeper and approvers, and by scope; all of them only with the right to see every one."""

    def visible_to(self, user: Any) -> Self:
        """What `user` asked for, keeps the seal of, decides about, and what the scope adds to that."""
        scope = user.data_scope(self.model)
        if scope is None:
            return self.none()
        if scope == ALL and user.has_perm("oa.view_every_sealrequest"):
            return self
        asked = ApprovalTask.objects.filter(request__kind=SEAL_KIND, user=user.pk).values("request__object_id")
        own = Q(owner=user.pk) | Q(decided_by=user.pk) | Q(pk__in=asked)
        own |= Q(seal__keeper=user.pk) & ~Q(state="draft")
        if user.has_perm("oa.approve_sealrequest"):
            own |= Q(state="submitted")
        if scope in (DEPARTMENT, SUBTREE):
            own |= Q(department__in=user.department_ids if scope == SUBTREE else user.own_department_ids)
        return self.filter(own)


@tracked()
class SealRequest(Record):
    """A wish to have a document stamped, or to take a seal out of the house for a while."""

    STATES = SEAL_STATES

    title = models.CharField(_("document to seal"), max_length=200)
    seal = models.ForeignKey(Seal, models.PROTECT, related_name="requests", verbose_name=_("seal"))
    copies = models.PositiveSmallIntegerField(_("copies"), default=1)
    counterpart = models.CharField(_("counterpart"), max_length=200, blank=True)
    date = models.DateField(_("date"), default=business_day)
    lend = models.BooleanField(_("take the seal out"), default=False)
    back_on = models.DateField(_("back on"), null=True, blank=True)
    note = models.TextField(_("reason"), blank=True)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("applicant"),
    )  # fmt: skip
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("department")
    )
    content_type = models.ForeignKey(ContentType, models.PROTECT, null=True, editable=False, related_name="+")
    object_id = models.BigIntegerField(null=True, editable=False)
    state = models.CharField(
        _("state"), max_length=9, choices=SEAL_STATES.choices, default=SEAL_STATES.initial, editable=False
    )
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("decided by"),
    )  # fmt: skip
    decision = models.CharField(_("reason of the decision"), max_length=300, blank=True, editable=False)
    used_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("handed out or stamped by"),
    )  # fmt: skip
    used_at = models.DateTimeField(_("used at"), null=True, editable=False)
    returned_at = models.DateTimeField(_("given back at"), null=True, editable=False)
    pinyin = PinyinField(sources=("title", "counterpart"))
    search = search_column("title", "counterpart", "pinyin")

    objects = SealRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("seal request")
        verbose_name_plural = _("seal requests")
        ordering = ["-id"]
        permissions = [
            *permissions(SEAL_STATES, "sealrequest", "seal request"),
            ("view_every_sealrequest", "Can view every seal request"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["seal"], condition=Q(state="lent"), name="seal_lent_once",
                violation_error_message=_("This seal is lent out already."),
            ),
            models.CheckConstraint(condition=Q(copies__gte=1), name="sealrequest_copies"),
            models.CheckConstraint(
                condition=Q(lend=False) | Q(back_on__isnull=False), name="sealrequest_back_on",
                violation_error_message=_("Say when the seal comes back."),
            ),
            models.CheckConstraint(
                condition=Q(decided_by=None) | ~Q(decided_by=models.F("created_by")), name="sealrequest_four_eyes",
                violation_error_message=_("Somebody else than the applicant has to decide."),
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["used", "lent", "returned"]) | Q(used_at__isnull=False),
                name="sealrequest_used_at",
            ),
            models.CheckConstraint(
                condition=Q(content_type=None, object_id=None)
                | Q(content_type__isnull=False, object_id__isnull=False),
                name="sealrequest_about_whole",
            ),
        ]  # fmt: skip
        triggers = [
            SEAL_STATES.trigger(),
            pgtrigger.Trigger(
                name="asked_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=Frozen(
                    OPEN,
                    ("state", "version", "updated_at", "owner", "department", "decided_by", "decision", "used_by",
                     "used_at", "returned_at", "back_on", "pinyin"),
                ),
                func="RAISE EXCEPTION 'A request in use cannot be changed.' USING ERRCODE = '23001';",
            ),
            pgtrigger.Protect(
                name="asked_stays", operation=pgtrigger.Delete, condition=~pgtrigger.Q(old__state="draft")
            ),
            no_truncate(),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.title

    @property
    def late(self) -> bool:
        """Whether the seal should be back by now."""
        return self.state == "lent" and self.back_on is not None and self.back_on < business_day()
