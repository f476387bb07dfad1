"""Flows: who must approve which kind of document, as data with versions."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.states import State, StateTable, Transition
from oa.records.guards import Frozen
from oa.records.models.base import Master, Record

VERSION_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("published", pgettext_lazy("flow", "in force"), "ok"),
        State("superseded", _("superseded"), "mute"),
    ),
    transitions=(
        Transition(
            "publish",
            ("draft",),
            "published",
            _("Put into force"),
            permission="change_flow",
            primary=True,
            icon="check",
            confirm=_("Put this version into force? Running requests stay on theirs."),
        ),
        Transition("supersede", ("published",), "superseded", _("Supersede"), internal=True),
    ),
)


_FIXED = "A flow in force cannot be changed; make a new version."


class NodeKind(models.TextChoices):
    APPROVE = "approve", _("approve")
    HANDLE = "handle", _("handle (no verdict)")
    CC = "cc", _("copy for information")


class Who(models.TextChoices):
    PEOPLE = "people", _("named people")
    ROLE = "role", _("people with a role")
    MEMBERS = "members", _("members of a department")
    POSITION = "position", _("holders of a position")
    HEAD = "head", _("head of the applicant's department")
    HEAD_ABOVE = "above", _("head n levels above the applicant")
    CHAIN = "chain", _("all heads above the applicant, one after the other")
    MANAGER = "manager", _("applicant's manager")
    CHOICE = "choice", _("applicant's choice")
    PREVIOUS = "previous", _("previous approver's choice")
    FIELD = "field", _("person or department in a field of the document")
    APPLICANT = "applicant", _("applicant")


class How(models.TextChoices):
    ANY = "any", _("any one of them")
    ALL = "all", _("all of them")
    RATIO = "ratio", _("a share of them")
    SEQUENCE = "sequence", _("all, one after the other")
    RANDOM = "random", _("one of them at random")


class OnEmpty(models.TextChoices):
    ADMIN = "admin", _("ask the administrator of the flow")
    PERSON = "person", _("ask a named person")
    APPROVE = "approve", _("pass the step")
    REJECT = "reject", pgettext_lazy("approval", "reject")


class OnSelf(models.TextChoices):
    HEAD = "head", _("ask the next head above")
    SKIP = "skip", _("leave the applicant out")
    ALLOW = "allow", _("let the applicant decide")


class OnRepeat(models.TextChoices):
    OTHER = "other", _("ask somebody else, the next head above")
    ASK = "ask", _("ask each time")
    PASS = "pass", _("pass later steps")
    CONSECUTIVE = "consecutive", _("pass when the steps follow one another")


class OnTimeout(models.TextChoices):
    REMIND = "remind", _("remind")
    APPROVE = "approve", pgettext_lazy("approval", "approve")
    REJECT = "reject", pgettext_lazy("approval", "reject")


class OnReject(models.TextChoices):
    END = "end", _("end the request")
    APPLICANT = "applicant", _("return to the applicant")
    STAGE = "stage", _("return to an earlier stage")


class Resubmit(models.TextChoices):
    AGAIN = "again", _("run again from the step it was returned to")
    BACK = "back", _("continue at the step that returned it")


class WithdrawRule(models.TextChoices):
    UNDECIDED = "undecided", _("while nobody has decided")
    ANYTIME = "anytime", _("at any time")


@tracked()
class Flow(Master):
    """The approval of one kind of document; at most one flow of a kind is active. Suspended: not active."""

    kind = models.CharField(_("approves"), max_length=100)
    admin = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        related_name="+",
        verbose_name=_("administrator"),
        help_text=_("Decides where nobody else can, and may cancel and reassign."),
    )
    note = models.TextField(_("note"), blank=True)

    class Meta(Master.Meta):
        verbose_name = _("approval flow")
        verbose_name_plural = _("approval flows")
        constraints = [
            models.UniqueConstraint(
                fields=["kind"],
                condition=Q(active=True),
                name="flow_kind",
                violation_error_message=_("There is an active flow for this already."),
            )
        ]


class FlowVersion(Record):
    """One version of a flow: settings and steps. Requests stay on the version they started on."""

    STATES = VERSION_STATES

    flow = models.ForeignKey(Flow, models.CASCADE, related_name="versions", verbose_name=_("flow"))
    number = models.PositiveIntegerField(_("version"), null=True, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=VERSION_STATES.choices, default="draft", editable=False)
    on_empty = models.CharField(_("where nobody is found"), max_length=7, choices=OnEmpty, default=OnEmpty.ADMIN)
    fallback = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("named person"),
    )
    on_self = models.CharField(_("where the applicant would decide"), max_length=5, choices=OnSelf, default=OnSelf.HEAD)
    on_repeat = models.CharField(
        _("where one person would decide again"), max_length=11, choices=OnRepeat, default=OnRepeat.OTHER
    )
    resubmit = models.CharField(_("after a return"), max_length=5, choices=Resubmit, default=Resubmit.AGAIN)
    withdraw = models.CharField(
        _("the applicant may withdraw"), max_length=9, choices=WithdrawRule, default=WithdrawRule.UNDECIDED
    )
    published_at = models.DateTimeField(_("in force since"), null=True, editable=False)
    published_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("flow version")
        verbose_name_plural = _("flow versions")
        ordering = ["flow", "-id"]
        constraints = [
            models.UniqueConstraint(fields=["flow", "number"], name="flow_version_number"),
            models.UniqueConstraint(fields=["flow"], condition=Q(state="draft"), name="flow_one_draft"),
            models.UniqueConstraint(fields=["flow"], condition=Q(state="published"), name="flow_one_published"),
            models.CheckConstraint(
                condition=Q(state="draft", number=None, published_at=None)
                | (~Q(state="draft") & Q(number__isnull=False, published_at__isnull=False)),
                name="flow_version_published",
            ),
            models.CheckConstraint(
                condition=~Q(on_empty=OnEmpty.PERSON) | Q(fallback__isnull=False),
                name="flow_version_fallback",
                violation_error_message=_("Name the person who is asked where nobody is found."),
            ),
        ]
        triggers = [
            VERSION_STATES.trigger(),
            pgtrigger.Trigger(
                name="published_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=Frozen(("draft",), ("state", "version", "updated_at")),
                func=f"RAISE EXCEPTION '{_FIXED}' USING ERRCODE = '23001';",
            ),
            pgtrigger.Trigger(
                name="published_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__state="draft"),
                func="RAISE EXCEPTION 'A flow that was in force cannot be deleted.' USING ERRCODE = '23001';",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.flow} v{self.number}" if self.number else f"{self.flow} ({_('draft')})"


def _guard(query: str) -> list[pgtrigger.Trigger]:
    """Rows of a version follow it: they change only while it is a draft. `query` finds the version of a row `%s`."""
    body = f"""
        IF EXISTS ({query} AND v.state <> 'draft') THEN
            RAISE EXCEPTION '{_FIXED}' USING ERRCODE = '23001';
        END IF;
        RETURN %s;
    """
    return [
        pgtrigger.Trigger(name=f"draft_{name}", when=pgtrigger.Before, operation=operation, func=body % (row, row))
        for name, operation, row in (
            ("insert", pgtrigger.Insert, "NEW"),
            ("update", pgtrigger.Update, "OLD"),
            ("delete", pgtrigger.Delete, "OLD"),
        )
    ]


class FlowStep(models.Model):
    """A step: who is asked, how many must approve, and when. Steps of the same stage run at the same time."""

    flow_version = models.ForeignKey(FlowVersion, models.CASCADE, related_name="steps", verbose_name=_("flow version"))
    stage = models.PositiveSmallIntegerField(
        _("stage"), validators=[MinValueValidator(1)], help_text=_("Steps with the same number run at the same time.")
    )
    name = models.CharField(_("name"), max_length=100)
    kind = models.CharField(_("kind"), max_length=7, choices=NodeKind, default=NodeKind.APPROVE)
    conditions = models.JSONField(_("only if"), default=list, blank=True)
    who = models.CharField(_("who"), max_length=9, choices=Who, default=Who.HEAD)
    people: Any = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="oa.FlowStepPerson", blank=True, related_name="+", verbose_name=_("people")
    )
    role = models.ForeignKey("oa.Role", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("role"))
    position = models.ForeignKey(
        "oa.Position", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("position")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    levels = models.PositiveSmallIntegerField(
        _("levels"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(20)],
        help_text=_("How many heads above; for all heads: at most so many."),
    )
    field = models.CharField(_("field"), max_length=60, blank=True)
    how = models.CharField(_("how many decide"), max_length=8, choices=How, default=How.ANY)
    ratio = models.DecimalField(
        _("share %"),
        max_digits=5,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
    )
    on_reject = models.CharField(_("when rejected"), max_length=9, choices=OnReject, default=OnReject.END)
    reject_to = models.PositiveSmallIntegerField(_("return to stage"), null=True, blank=True)
    signed = models.BooleanField(
        _("needs a signature"),
        default=False,
        help_text=_("Nobody decides here without keeping a signature, which stands beside the decision."),
    )
    hours = models.PositiveSmallIntegerField(_("hours to decide"), null=True, blank=True)
    on_timeout = models.CharField(_("after that"), max_length=7, choices=OnTimeout, default=OnTimeout.REMIND)
    remind_hours = models.PositiveSmallIntegerField(_("remind every (hours)"), default=24)
    remind_most = models.PositiveSmallIntegerField(_("reminders at most"), default=3)
    editable = models.JSONField(_("fields they may change"), default=list, blank=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("flow step")
        verbose_name_plural = _("flow steps")
        ordering = ["flow_version", "stage", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(stage__gte=1), name="flow_step_stage"),
            models.CheckConstraint(
                condition=~Q(how=How.RATIO) | Q(ratio__gt=0, ratio__lte=100),
                name="flow_step_ratio",
                violation_error_message=_("Enter the share that must approve, more than 0 and at most 100 %."),
            ),
            models.CheckConstraint(
                condition=(~Q(who=Who.ROLE) | Q(role__isnull=False))
                & (~Q(who=Who.POSITION) | Q(position__isnull=False))
                & (~Q(who=Who.MEMBERS) | Q(department__isnull=False))
                & (~Q(who=Who.HEAD_ABOVE) | Q(levels__isnull=False))
                & (~Q(who=Who.FIELD) | ~Q(field="")),
                name="flow_step_who",
                violation_error_message=_("Tell who is asked: the role, position, department, levels or field."),
            ),
            models.CheckConstraint(
                condition=~Q(on_reject=OnReject.STAGE) | Q(reject_to__gte=1, reject_to__lt=models.F("stage")),
                name="flow_step_reject_to",
                violation_error_message=_("Name an earlier stage to return to."),
            ),
            models.CheckConstraint(
                condition=Q(remind_hours__gte=1) & (Q(hours=None) | Q(hours__gte=1)), name="flow_step_hours"
            ),
        ]
        triggers = _guard("SELECT 1 FROM oa_flowversion v WHERE v.id = %s.flow_version_id")

    def __str__(self) -> str:
        return self.name


class FlowStepPerson(models.Model):
    """A person named by a step."""

    step = models.ForeignKey(FlowStep, models.CASCADE, related_name="named")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("person of a flow step")
        verbose_name_plural = _("people of flow steps")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["step", "user"], name="flow_step_person")]
        triggers = _guard(
            "SELECT 1 FROM oa_flowversion v JOIN oa_flowstep s ON s.flow_version_id = v.id WHERE s.id = %s.step_id"
        )
