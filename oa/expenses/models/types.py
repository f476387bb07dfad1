"""Kinds of expenses, and what the company grants for them by position and class of city (rule E-01)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.fields import MoneyField
from kit.rules.history import tracked
from oa.organisation.models import Position
from oa.records.models import Master, Record


class CityClass(models.TextChoices):
    FIRST = "first", _("first-tier city")
    SECOND = "second", _("second-tier city")
    OTHER = "other", _("other place")
    ABROAD = "abroad", pgettext_lazy("place", "abroad")


class Per(models.TextChoices):
    NONE = "", _("no standard")
    DAY = "day", _("per day")
    CLAIM = "claim", _("per claim")


@tracked()
class ExpenseType(Master):
    """A kind of expense. With `per_diem` the amount of a line is days times the standard, nobody types it."""

    needs_invoice = models.BooleanField(_("needs an invoice"), default=True)
    per_diem = models.BooleanField(_("paid by the day"), default=False)
    per = models.CharField(
        _("standard"),
        max_length=5,
        choices=Per,
        default=Per.NONE,
        blank=True,
        help_text=_("What is claimed beyond the standard needs a reason."),
    )
    standard = MoneyField(
        _("standard amount"),
        null=True,
        blank=True,
        help_text=_("In base currency; standards by position and city come before it."),
    )

    class Meta(Master.Meta):
        verbose_name = _("expense type")
        verbose_name_plural = _("expense types")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(standard=None) | models.Q(standard__gte=0),
                name="expense_type_standard",
                violation_error_message=_("The standard cannot be negative."),
            ),
            models.CheckConstraint(
                condition=models.Q(per_diem=False) | models.Q(per="day"),
                name="expense_type_per_diem",
                violation_error_message=_("What is paid by the day has a standard per day."),
            ),
        ]


@tracked()
class ExpenseLimit(Record):
    """The standard of a type for a position, a class of city, or both; the more specific one counts."""

    type = models.ForeignKey(ExpenseType, models.CASCADE, related_name="limits", verbose_name=_("expense type"))
    position = models.ForeignKey(
        Position, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("position")
    )
    city = models.CharField(_("city class"), max_length=6, choices=CityClass, blank=True)
    amount = MoneyField(_("standard amount"))

    class Meta:
        verbose_name = _("expense standard")
        verbose_name_plural = _("expense standards")
        ordering = ["type", "position", "city", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["type", "position", "city"],
                nulls_distinct=False,
                name="expense_limit_once",
                violation_error_message=_("There is such a standard already."),
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0),
                name="expense_limit_amount",
                violation_error_message=_("The standard cannot be negative."),
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(str(part) for part in (self.type, self.position, self.get_city_display()) if part)
