"""Recurring tasks: a rule, and what each task that it makes looks like."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.days import business_day
from kit.rules.fields import in_order
from kit.rules.history import tracked
from oa.records.models import Record
from oa.tasks.models.shared import InvolvedQuerySet, Priority


class Every(models.TextChoices):
    DAY = "day", pgettext_lazy("every", "day")
    WEEK = "week", pgettext_lazy("every", "week")
    MONTH_DAY = "monthday", _("month, on a day")
    MONTH_WEEKDAY = "weekday", _("month, on a weekday")


WEEKS = [
    (1, pgettext_lazy("of the month", "first")),
    (2, pgettext_lazy("of the month", "second")),
    (3, pgettext_lazy("of the month", "third")),
    (4, pgettext_lazy("of the month", "fourth")),
    (-1, pgettext_lazy("of the month", "last")),
]


class Makes(models.TextChoices):
    DUE = "due", _("when it is due")
    DONE = "done", _("when the last one is done")


class SeriesQuerySet(InvolvedQuerySet):
    """Recurring tasks, seen like the tasks they make."""

    every = "oa.view_every_task"

    def involving(self, key: Any) -> models.Q:
        """Who does them, who gave them, who takes part."""
        takes_part = TaskSeries.participants.through.objects.filter(user=key).values("taskseries")
        return models.Q(owner=key) | models.Q(created_by=key) | models.Q(pk__in=takes_part)


@tracked("next_on")
class TaskSeries(Record):
    """A task that comes back. Days are the company's, so a time of day holds across a change of the clocks."""

    title = models.CharField(_("title"), max_length=200)
    description = models.TextField(_("description"), blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("who does it"))
    participants = models.ManyToManyField(
        settings.AUTH_USER_MODEL, blank=True, related_name="+", verbose_name=_("participants")
    )
    checklist = models.TextField(_("checklist"), blank=True, help_text=_("One step a line."))
    due_at = models.TimeField(pgettext_lazy("time of day", "at"), null=True, blank=True)
    priority = models.PositiveSmallIntegerField(_("priority"), choices=Priority, default=Priority.NORMAL)
    reminders = models.CharField(_("reminders"), max_length=60, blank=True)
    private = models.BooleanField(_("private"), default=False)
    every = models.CharField(_("repeats every"), max_length=8, choices=Every, default=Every.WEEK)
    interval = models.PositiveSmallIntegerField(
        _("how many of them"), default=1, validators=[MinValueValidator(1), MaxValueValidator(366)]
    )
    weekdays = models.CharField(_("weekdays"), max_length=20, blank=True, editable=False)  # "MO,WE"
    month_day = models.SmallIntegerField(
        _("day of the month"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(31)],
        help_text=_("31 is the last day of every month."),
    )
    week = models.SmallIntegerField(
        _("which one in the month"),
        null=True,
        blank=True,
        choices=WEEKS,
    )
    starts_on = models.DateField(_("starts on"), default=business_day)
    until = models.DateField(_("until"), null=True, blank=True)
    count = models.PositiveSmallIntegerField(
        _("how often"), null=True, blank=True, validators=[MinValueValidator(1), MaxValueValidator(1000)]
    )
    makes = models.CharField(_("the next one is made"), max_length=4, choices=Makes, default=Makes.DUE)
    lead_days = models.PositiveSmallIntegerField(
        _("days ahead"), default=0, validators=[MaxValueValidator(60)], help_text=_("How long before it is due.")
    )
    active = models.BooleanField(_("active"), default=True)
    next_on = models.DateField(_("next one"), null=True, editable=False)

    objects = SeriesQuerySet.as_manager()

    class Meta:
        verbose_name = _("recurring task")
        verbose_name_plural = _("recurring tasks")
        ordering = ["title", "id"]
        indexes = [models.Index(fields=["next_on"], name="series_next", condition=models.Q(active=True))]
        constraints = [
            in_order("starts_on", "until", "series_period"),
            models.CheckConstraint(
                condition=models.Q(until=None) | models.Q(count=None),
                name="series_one_end",
                violation_error_message=_("Enter a last day or a number, not both."),
            ),
        ]

    def __str__(self) -> str:
        return self.title
