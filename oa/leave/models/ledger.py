"""The ledger of leave: append-only entries, whose sum is the balance (rule H-01), and what service counts from."""

from __future__ import annotations

from typing import Any, Self

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.pages.formats import trimmed
from kit.rules.days import business_day
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from oa.leave.models.types import Gender, LeaveType, UnitsField
from oa.records.guards import append_only
from oa.records.models import Record

EVERY = "oa.view_every_leaverequest"  # the right to see the leave of others


class PersonalQuerySet(VisibleQuerySet):
    """Rows of a person: seen by that person, and with the right to see everybody's."""

    owner_path = "person"

    def visible_to(self, user: Any) -> Self:
        """Own rows, or all."""
        scope = user.data_scope(self.model)
        if scope is None:
            return self.none()
        return self if user.is_superuser or user.has_perm(EVERY) else self.filter(**{self.owner_path: user.pk})


@tracked()
class Employment(Record):
    """What leave must know of a person beyond the account. Its row is locked while the balance is decided about."""

    person = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="employment", verbose_name=_("person")
    )
    gender = models.CharField(_("gender"), max_length=6, choices=Gender.choices[1:], blank=True)
    worked_since = models.DateField(
        _("in work since"), null=True, blank=True, help_text=_("All employments count. Empty: since joining.")
    )

    objects = PersonalQuerySet.as_manager()

    class Meta:
        verbose_name = _("employment")
        verbose_name_plural = _("employments")
        ordering = ["person"]

    def __str__(self) -> str:
        return str(self.person)


class EntryKind(models.TextChoices):
    GRANT = "grant", _("grant")
    CARRY = "carry", _("carried forward")
    EXPIRY = "expiry", _("expired")
    USE = "use", _("taken")
    RETURN = "return", _("given back")
    ADJUST = "adjust", _("adjustment")
    PAYOUT = "payout", _("paid out")


class LeaveEntry(models.Model):
    """Days or hours that a person gets or loses on a day. The sum up to a day is the balance of that day."""

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="leave_entries", verbose_name=_("person")
    )
    type = models.ForeignKey(LeaveType, models.PROTECT, related_name="entries", verbose_name=_("leave type"))
    kind = models.CharField(_("kind"), max_length=6, choices=EntryKind, default=EntryKind.GRANT)
    date = models.DateField(_("date"), default=business_day)
    units = UnitsField(_("days or hours"))
    expires_on = models.DateField(_("valid until"), null=True, blank=True)
    year = models.PositiveSmallIntegerField(_("year"), null=True, editable=False)  # of a yearly grant
    grant = models.ForeignKey(  # whose rest this is
        "self", models.PROTECT, null=True, editable=False, related_name="ends", verbose_name=_("grant")
    )
    request = models.ForeignKey(
        "oa.LeaveRequest", models.PROTECT, null=True, editable=False, related_name="entries", verbose_name=_("request")
    )
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("created by"),
    )  # fmt: skip

    objects = PersonalQuerySet.as_manager()

    class Meta:
        verbose_name = _("leave entry")
        verbose_name_plural = _("leave entries")
        ordering = ["-date", "-id"]
        indexes = [models.Index(fields=["person", "type", "date"], name="leaveentry_balance")]
        constraints = [
            models.UniqueConstraint(fields=["request"], condition=Q(kind="use"), name="leaveentry_one_use"),
            models.UniqueConstraint(fields=["person", "type", "year"], name="leaveentry_year_once"),
            models.UniqueConstraint(fields=["grant"], condition=Q(kind="expiry"), name="leaveentry_expires_once"),
            models.UniqueConstraint(fields=["grant"], condition=Q(kind="carry"), name="leaveentry_carried_once"),
            models.CheckConstraint(
                condition=Q(kind__in=("grant", "carry", "return"), units__gt=0)
                | Q(kind__in=("expiry", "use", "payout"), units__lt=0)
                | (Q(kind="adjust") & ~Q(units=0)),
                name="leaveentry_sign",
                violation_error_message=_("Grants add and payments take away; an adjustment is not zero."),
            ),
            models.CheckConstraint(
                condition=(Q(kind__in=("use", "return"), request__isnull=False) | ~Q(kind__in=("use", "return")))
                & (Q(kind__in=("expiry", "carry"), grant__isnull=False) | ~Q(kind__in=("expiry", "carry"))),
                name="leaveentry_source",
            ),
            models.CheckConstraint(
                condition=Q(expires_on=None) | Q(units__gt=0, expires_on__gte=models.F("date")),
                name="leaveentry_validity",
                violation_error_message=_("The end lies before the start."),
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"{self.person} · {self.type} {trimmed(self.units)}"
