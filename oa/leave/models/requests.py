"""Leave requests: their life, and that nobody is away twice at a time (rules H-01, H-04)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateTimeRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.expressions import RawSQL
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.days import business_zone
from kit.rules.fields import in_order
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.states import State, StateTable, Transition, permissions
from oa.approvals.models.requests import involving
from oa.leave.counting import Period
from oa.leave.hours import MIDNIGHT, NOON, minute_of
from oa.leave.models.ledger import EVERY
from oa.leave.models.types import LeaveType, UnitsField
from oa.records.guards import Frozen
from oa.records.models import Record

LEAVE_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("approving", _("in approval"), "viol"),
        State("approved", _("approved"), "info"),
        State("taken", pgettext_lazy("leave", "taken"), "ok"),
        State("cancelling", _("cancellation in approval"), "viol", step=False),
        State("cancelled", _("cancelled"), "mute", step=False),
    ),
    transitions=(
        Transition("submit", ("draft",), "approving", _("Submit"), "add_leaverequest", primary=True, icon="send"),
        Transition("withdraw", ("approving",), "draft", _("Withdraw"), "add_leaverequest", icon="undo-2"),
        Transition(
            "approve", ("approving",), "approved", _("Approve"), "approve_leaverequest", primary=True, icon="check"
        ),
        Transition(
            "reject", ("approving",), "draft", _("Reject"), "approve_leaverequest", danger=True, fields=("reason",),
            icon="x",
        ),
        Transition("take", ("approved",), "taken", _("Taken"), internal=True),
        Transition(
            "cancel", ("approved",), "cancelling", _("Ask for cancellation"), "add_leaverequest", danger=True,
            fields=("reason",), icon="ban",
        ),
        Transition(
            "agree", ("cancelling",), "cancelled", _("Agree to cancel"), "approve_leaverequest", primary=True,
            icon="check",
        ),
        Transition(
            "keep", ("cancelling",), "approved", _("Do not cancel"), "approve_leaverequest", icon="x",
            fields=("reason",),
        ),
    ),
)  # fmt: skip
AWAY = ("approved", "taken", "cancelling")  # states in which it is decided that the person is away
WAITING = ("approving", "cancelling")  # states in which somebody has to decide
BOOKED = ("approving", *AWAY)  # states that take the time of the person


# People without a manager of their own whom a person heads: through the nearest department with another head.
_LED = """
WITH RECURSIVE up(person, department) AS (
    SELECT u.id, u.department_id FROM oa_user u WHERE u.manager_id IS NULL AND u.department_id IS NOT NULL
       AND EXISTS (SELECT 1 FROM oa_leaverequest r WHERE r.person_id = u.id AND r.state <> 'draft')
    UNION ALL
    SELECT up.person, d.parent_id FROM up JOIN oa_department d ON d.id = up.department
      LEFT JOIN oa_user h ON h.id = d.head_id AND h.is_active
     WHERE d.parent_id IS NOT NULL AND (h.id IS NULL OR h.id = up.person)
)
SELECT up.person FROM up JOIN oa_department d ON d.id = up.department WHERE d.head_id = %s AND up.person <> %s
"""


class Part(models.TextChoices):
    MORNING = "am", _("morning")
    AFTERNOON = "pm", _("afternoon")


class LeaveQuerySet(VisibleQuerySet):
    """Seen by the person, by who decides about it, and by who manages leave; not by colleagues (rule H-04)."""

    def visible_to(self, user: Any) -> Self:
        """Own ones, those of one's people, those one was asked about; all with the right to see everybody's."""
        if user.data_scope(self.model) is None:
            return self.none()
        if user.is_superuser or user.has_perm(EVERY):
            return self
        return self.filter(self.concerning(user))

    def concerning(self, user: Any) -> Q:
        """The condition that a person has to do with a request: a draft is only its maker's."""
        first, *others = involving(user, "object_id", content_type=ContentType.objects.get_for_model(self.model))
        involved = Q(pk__in=first.union(*others, all=True))
        return Q(person=user.pk) | (~Q(state="draft") & (self.led_by(user) | involved))

    @staticmethod
    def led_by(user: Any) -> Q:
        """The condition that `user` is the manager of the person, or stands in for one that is missing."""
        return Q(person__manager=user.pk) | Q(person__in=RawSQL(_LED, [user.pk, user.pk]))  # nosec B611  # noqa: S611 - our own text


class OnePerson(models.Func):
    """`int8range(x, x, '[]')`: equality that a GiST index knows without extensions."""

    function = "int8range"
    template = "%(function)s(%(expressions)s, '[]')"


class TimeRange(models.Func):
    """`tstzrange(from, to)`: without its end, so that one leave may follow another."""

    function = "tstzrange"
    output_field = DateTimeRangeField()


@tracked("recounted")
class LeaveRequest(Record):
    """A person asks to be away. `units` is what was asked for, `returned` what was given back of it later."""

    STATES = LEAVE_STATES
    SEQUENCE = "leave-request"

    number = models.CharField(_("number"), max_length=40, null=True, unique=True, editable=False)
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="leave_requests", verbose_name=_("person")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("department")
    )
    type = models.ForeignKey(LeaveType, models.PROTECT, related_name="requests", verbose_name=_("leave type"))
    first_day = models.DateField(_("first day"))
    first_part = models.CharField(_("from"), max_length=2, choices=Part, default=Part.MORNING)
    last_day = models.DateField(_("last day"))
    last_part = models.CharField(_("until the end of"), max_length=2, choices=Part, default=Part.AFTERNOON)
    from_time = models.TimeField(_("from (leave by the hour)"), null=True, blank=True)
    to_time = models.TimeField(_("until (leave by the hour)"), null=True, blank=True)
    substitute = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("substitute"),
    )
    reason = models.TextField(_("reason"), blank=True)
    units = UnitsField(_("days or hours"), default=0, editable=False)
    returned = UnitsField(_("given back"), default=0, editable=False)
    back_on = models.DateField(_("back at work"), null=True, editable=False)
    recounted = UnitsField(_("by the present calendar"), null=True, editable=False)
    starts_at = models.DateTimeField(_("starts"), editable=False)
    ends_at = models.DateTimeField(_("ends"), editable=False)
    state = models.CharField(
        _("state"), max_length=10, choices=LEAVE_STATES.choices, default=LEAVE_STATES.initial, editable=False
    )

    objects = LeaveQuerySet.as_manager()

    class Meta:
        verbose_name = _("leave request")
        verbose_name_plural = _("leave requests")
        ordering = ["-first_day", "-id"]
        permissions = [
            *permissions(LEAVE_STATES, "leaverequest", "leave request"),
            ("manage_leaverequest", "Can manage the leave of others"),
            ("view_every_leaverequest", "Can view the leave of everybody"),
        ]
        indexes = [
            models.Index(fields=["person", "-first_day"], name="leaverequest_person"),
            models.Index(fields=["starts_at", "ends_at"], name="leaverequest_time"),
            models.Index(fields=["first_day"], condition=Q(state__in=WAITING), name="leaverequest_waiting"),
        ]
        constraints = [
            in_order("first_day", "last_day", "leaverequest_days"),
            models.CheckConstraint(
                condition=Q(ends_at__gt=models.F("starts_at")),
                name="leaverequest_period",
                violation_error_message=_("The end lies before the start."),
            ),
            models.CheckConstraint(
                condition=Q(state="draft") | Q(units__gt=0, returned__gte=0, returned__lte=models.F("units")),
                name="leaverequest_units",
            ),
            models.CheckConstraint(
                condition=Q(substitute=None) | ~Q(substitute=models.F("person")),
                name="leaverequest_substitute",
                violation_error_message=_("Nobody stands in for themselves."),
            ),
            ExclusionConstraint(
                name="leaverequest_no_overlap",
                expressions=[
                    (OnePerson("person", "person"), RangeOperators.OVERLAPS),
                    (TimeRange("starts_at", "ends_at"), RangeOperators.OVERLAPS),
                ],
                condition=Q(state__in=BOOKED),
                violation_error_message=_("There is other leave at this time."),
            ),
        ]
        triggers = [
            LEAVE_STATES.trigger(),
            pgtrigger.Trigger(
                name="approved_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=Frozen(
                    ("draft", "approving"),
                    ("state", "version", "updated_at", "returned", "back_on", "ends_at", "recounted"),
                ),
                func="RAISE EXCEPTION 'Approved leave cannot be changed.' USING ERRCODE = '23001';",
            ),
            pgtrigger.Trigger(
                name="submitted_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                condition=~pgtrigger.Q(old__state="draft"),
                func="RAISE EXCEPTION 'Submitted leave cannot be deleted.' USING ERRCODE = '23001';",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.number} {self.person}" if self.number else f"{self._meta.verbose_name} · {self.person}"

    @property
    def url_key(self) -> str:
        """What stands for it in addresses."""
        return self.number or f"d-{self.pk}"

    @property
    def period(self) -> Period:
        """The time asked for."""
        if self.type.hourly and self.from_time is not None and self.to_time is not None:
            return Period(self.first_day, minute_of(self.from_time), self.last_day, minute_of(self.to_time))
        start = NOON if self.first_part == Part.AFTERNOON else 0
        return Period(self.first_day, start, self.last_day, NOON if self.last_part == Part.MORNING else MIDNIGHT)

    @property
    def badge(self) -> tuple[Any, str]:
        """The state in words, and its tone."""
        state = LEAVE_STATES[self.state]
        return state.label, state.tone

    @property
    def net(self) -> Any:
        """What it costs in the end."""
        return self.units - self.returned


def moment(day: dt.date, minute: int) -> dt.datetime:
    """A minute of a day on the company's clock."""
    return dt.datetime.combine(day, dt.time(), business_zone()) + dt.timedelta(minutes=minute)
