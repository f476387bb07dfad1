"""Kinds of leave with their rules (rule H-03)."""

from __future__ import annotations

from typing import Any

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from oa.leave.counting import Rule
from oa.leave.course import Carry
from oa.records.models.base import Master


class UnitsField(models.DecimalField):
    """Days or hours of leave, as the type counts: numeric(8,2)."""

    shown = 0  # decimals that are written even where they are zeros

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_digits", 8)
        kwargs.setdefault("decimal_places", 2)
        super().__init__(*args, **kwargs)


class Unit(models.TextChoices):
    HALF_DAY = "half", _("half day")
    HOUR = "hour", _("hour")


class Gender(models.TextChoices):
    ANY = "", _("any")
    FEMALE = "female", _("female")
    MALE = "male", _("male")


@tracked()
class LeaveType(Master):
    """A kind of leave; balances, lengths and limits are counted in its own unit: days or hours."""

    unit = models.CharField(_("unit"), max_length=4, choices=Unit, default=Unit.HALF_DAY)
    paid = models.BooleanField(pgettext_lazy("leave", "paid"), default=True)
    limited = models.BooleanField(
        _("needs a balance"), default=True, help_text=_("Only what was granted before can be taken.")
    )
    overdraft = UnitsField(_("balance may fall below zero by"), default=0, validators=[MinValueValidator(0)])
    minimum = UnitsField(_("shortest"), null=True, blank=True)
    maximum = UnitsField(_("longest"), null=True, blank=True)
    notice_days = models.PositiveSmallIntegerField(
        _("days of notice"), default=0, help_text=_("With 0 it may be requested afterwards.")
    )
    certificate_after = UnitsField(
        _("certificate for more than"), null=True, blank=True, help_text=_("Empty: never needed.")
    )
    gender = models.CharField(_("gender"), max_length=6, choices=Gender, blank=True)
    service_months = models.PositiveSmallIntegerField(_("months of service"), default=0)
    counts_holidays = models.BooleanField(_("days off count"), default=False)
    sandwich = models.BooleanField(_("days off between two days of leave count"), default=False)
    carry_limit = UnitsField(_("carried into the next year at most"), default=0, validators=[MinValueValidator(0)])
    carry_months = models.PositiveSmallIntegerField(
        _("months that what is carried stays valid"), default=3, help_text=_("0: without end.")
    )

    class Meta(Master.Meta):
        verbose_name = _("leave type")
        verbose_name_plural = _("leave types")
        constraints = [
            models.CheckConstraint(
                condition=Q(overdraft__gte=0, carry_limit__gte=0),
                name="leavetype_limits",
                violation_error_message=_("Limits are not negative."),
            ),
            models.CheckConstraint(
                condition=Q(minimum=None) | Q(maximum=None) | Q(maximum__gte=F("minimum")),
                name="leavetype_lengths",
                violation_error_message=_("The longest leave is shorter than the shortest."),
            ),
            models.CheckConstraint(
                condition=Q(unit=Unit.HALF_DAY) | Q(counts_holidays=False, sandwich=False),
                name="leavetype_hourly",
                violation_error_message=_("Leave by the hour counts working time only."),
            ),
        ]

    @property
    def hourly(self) -> bool:
        """Whether it is counted in hours."""
        return self.unit == Unit.HOUR

    @property
    def rule(self) -> Rule:
        """What counting must know."""
        return Rule(self.hourly, self.counts_holidays, self.sandwich)

    @property
    def carry(self) -> Carry:
        """What goes over at the end of a grant."""
        return Carry(self.carry_limit, self.carry_months)


@tracked()
class GrantStep(models.Model):
    """What a type grants every year from so many months of service on, all employments counted."""

    type = models.ForeignKey(LeaveType, models.CASCADE, related_name="steps", verbose_name=_("leave type"))
    months = models.PositiveSmallIntegerField(_("months of service"))
    units = UnitsField(_("granted a year"), validators=[MinValueValidator(0)])
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("yearly grant")
        verbose_name_plural = _("yearly grants")
        ordering = ["type", "months"]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "months"],
                name="grantstep_once",
                violation_error_message=_("There is a grant for these months of service already."),
            ),
            models.CheckConstraint(condition=Q(units__gte=0), name="grantstep_units"),
        ]

    def __str__(self) -> str:
        return f"{self.type} · {self.months}"
