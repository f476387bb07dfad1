"""Scheduled reports and the mails they become."""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import PeriodicTask

from kit.exchange import reports
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet, scoped
from oa.records.models import Job


class Frequency(models.TextChoices):
    DAILY = "daily", _("every day")
    WEEKDAYS = "weekdays", _("Monday to Friday")
    WEEKLY = "weekly", _("every Monday")
    MONTHLY = "monthly", _("first day of the month")


def report_choices() -> list[tuple[str, Any]]:
    """Every report there is; which of them a person may choose depends on that person's rights."""
    return [(report.name, report.title) for report in reports.all_for(reports.SYSTEM)]


@tracked("timed_at")
class ReportSchedule(models.Model):
    """A report that Celery beat mails to its subscribers; the beat row is kept in step by `services`.

    `timed_at` is when its times were set: what was due before is not caught up.
    """

    title = models.CharField(_("title"), max_length=120)
    report = models.CharField(_("report"), max_length=60, choices=report_choices)
    params = models.JSONField(_("parameters"), default=dict, blank=True)
    frequency = models.CharField(_("how often"), max_length=8, choices=Frequency, default=Frequency.DAILY)
    at = models.TimeField(_("time of day"), default="07:00", help_text=_("In the time zone of the company."))
    only_if_not_empty = models.BooleanField(_("only if not empty"), default=False)
    active = models.BooleanField(_("active"), default=True)
    subscribers = models.ManyToManyField(
        settings.AUTH_USER_MODEL, through="ReportSubscription", blank=True, related_name="+",
        verbose_name=_("subscribers"),
    )  # fmt: skip
    task = models.OneToOneField(PeriodicTask, models.SET_NULL, null=True, editable=False, related_name="+")
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("owner")
    )
    timed_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("report schedule")
        verbose_name_plural = _("report schedules")
        ordering = ["title"]

    def __str__(self) -> str:
        return self.title


class ReportSubscription(models.Model):
    """A person who gets a scheduled report, with what that person may see at the time of sending."""

    schedule = models.ForeignKey(ReportSchedule, models.CASCADE, related_name="subscriptions")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="report_subscriptions", verbose_name=_("person")
    )

    class Meta:
        verbose_name = _("report subscription")
        verbose_name_plural = _("report subscriptions")
        constraints = [models.UniqueConstraint(fields=["schedule", "user"], name="subscription_once")]

    def __str__(self) -> str:
        return f"{self.schedule} → {self.user}"


class ReportRun(models.Model):
    """One run of a schedule for one period, once: how many mails were made, who got none, and why.

    `occasion` is empty for the timer and unique for what a person asked for in between. The work itself is a
    job, which is taken up again when its worker dies.
    """

    schedule = models.ForeignKey(ReportSchedule, models.CASCADE, related_name="runs", verbose_name=_("report schedule"))
    starts_on = models.DateField(_("first day"))
    ends_on = models.DateField(_("last day"))
    occasion = models.CharField(max_length=36, blank=True, default="")
    job = models.OneToOneField(Job, models.SET_NULL, null=True, related_name="+", verbose_name=_("job"))
    mails = models.PositiveIntegerField(_("mails"), default=0)
    log = models.TextField(_("remarks"), blank=True)
    created_at = models.DateTimeField(_("started at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("report run")
        verbose_name_plural = _("report runs")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["schedule", "starts_on", "ends_on", "occasion"], name="report_run_once")
        ]

    def __str__(self) -> str:
        return f"{self.starts_on} – {self.ends_on}" if self.starts_on != self.ends_on else str(self.starts_on)


class MailState(models.TextChoices):
    PENDING = "pending", _("pending")
    SENDING = "sending", _("sending")
    SENT = "sent", _("sent")
    FAILED = "failed", _("failed")


class OutboxMail(models.Model):
    """The intent to send one mail to one person (invariant I-38).

    `dedupe` is unique, so a repeated task cannot intend the same mail twice; `message_id` stays the same
    when a killed worker's mail is sent again. While it is sent, `lease_until` is how long the sender holds
    it; after a failed attempt it is when the next one is due.
    """

    dedupe = models.CharField(max_length=200, unique=True)
    message_id = models.CharField(max_length=200, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    to = models.EmailField(_("to"))
    subject = models.CharField(_("subject"), max_length=300)
    text = models.TextField(_("text"))
    html = models.TextField("HTML", blank=True)
    files = models.JSONField(_("attachments"), default=list)  # [{"name": …, "path": … in media}]
    state = models.CharField(_("state"), max_length=8, choices=MailState, default=MailState.PENDING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    lease_until = models.DateTimeField(null=True)
    error = models.TextField(_("error"), blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True)
    key = models.UUIDField(default=uuid.uuid4, editable=False, unique=True)

    objects = scoped().as_manager()

    class Meta:
        verbose_name = _("outgoing mail")
        verbose_name_plural = _("outgoing mails")
        ordering = ["-id"]
        indexes = [
            models.Index(
                fields=["created_at"], name="outbox_open", condition=models.Q(state__in=["pending", "sending"])
            )
        ]

    def __str__(self) -> str:
        return self.subject
