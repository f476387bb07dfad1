"""Working calendars: a week, days that differ, and for whom it holds (rule H-02)."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kit.rules.days import business_day
from kit.rules.history import tracked
from oa.leave.holidays import countries
from oa.leave.hours import Hours, parse_hours
from oa.records.models import Record

WEEK = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
OFFICE = "09:00-12:00 13:00-18:00"


def check_hours(text: str) -> None:
    """Refuse what are no working hours."""
    try:
        parse_hours(text)
    except ValueError:
        raise ValidationError(_("Write working hours as “09:00-12:00 13:00-18:00”; empty for a day off.")) from None


class HoursField(models.CharField):
    """Working hours of a day as people write them; empty is a day off."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("max_length", 40)
        kwargs.setdefault("blank", True)
        super().__init__(*args, **kwargs)

    default_validators = [check_hours]


@tracked()
class WorkCalendar(Record):
    """The usual week of some people. One calendar is the standard of everybody for whom no other is named."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    monday = HoursField(_("Monday"), default=OFFICE)
    tuesday = HoursField(_("Tuesday"), default=OFFICE)
    wednesday = HoursField(_("Wednesday"), default=OFFICE)
    thursday = HoursField(_("Thursday"), default=OFFICE)
    friday = HoursField(_("Friday"), default=OFFICE)
    saturday = HoursField(_("Saturday"))
    sunday = HoursField(_("Sunday"))
    country = models.CharField(_("public holidays of"), max_length=2, choices=countries, default="CN", blank=True)
    standard = models.BooleanField(_("standard for everybody"), default=False)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("working calendar")
        verbose_name_plural = _("working calendars")
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["standard"],
                condition=Q(standard=True),
                name="workcalendar_one_standard",
                violation_error_message=_("Another calendar is the standard already."),
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def week(self) -> list[Hours]:
        """The hours of the usual week, from Monday on."""
        return [parse_hours(getattr(self, name)) for name in WEEK]


class DayKind(models.TextChoices):
    HOLIDAY = "holiday", _("day off")
    WORK = "work", _("make-up work day")


@tracked()
class CalendarDay(Record):
    """A day that differs from the week: a holiday, or a weekend that is worked in exchange."""

    calendar = models.ForeignKey(WorkCalendar, models.CASCADE, related_name="days", verbose_name=_("calendar"))
    date = models.DateField(_("date"))
    kind = models.CharField(_("kind"), max_length=7, choices=DayKind, default=DayKind.HOLIDAY)
    hours = HoursField(_("working hours"), help_text=_("Empty on a work day: those of a Monday."))
    name = models.CharField(_("occasion"), max_length=60, blank=True)

    class Meta:
        verbose_name = _("special day")
        verbose_name_plural = _("special days")
        ordering = ["-date"]
        constraints = [
            models.UniqueConstraint(
                fields=["calendar", "date"],
                name="calendarday_once",
                violation_error_message=_("The calendar has this day already."),
            ),
            models.CheckConstraint(
                condition=Q(kind="work") | Q(hours=""),
                name="calendarday_off",
                violation_error_message=_("A day off has no working hours."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.date} {self.name}".strip()


@tracked()
class CalendarAssignment(Record):
    """From when a calendar holds for a department with all below it, or for one person."""

    calendar = models.ForeignKey(WorkCalendar, models.CASCADE, related_name="assignments", verbose_name=_("calendar"))
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, null=True, blank=True, related_name="+", verbose_name=_("person")
    )
    since = models.DateField(_("since"), default=business_day)

    class Meta:
        verbose_name = _("calendar assignment")
        verbose_name_plural = _("calendar assignments")
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(department=None, person__isnull=False) | Q(department__isnull=False, person=None),
                name="calendarassignment_one",
                violation_error_message=_("Name a department or a person, one of both."),
            ),
            models.UniqueConstraint(
                fields=["department", "person", "since"],
                nulls_distinct=False,
                name="calendarassignment_once",
                violation_error_message=_("There is a calendar from this day on already."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.person or self.department} · {self.calendar}"
