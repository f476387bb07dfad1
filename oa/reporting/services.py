"""Report schedules: their timer rows, their subscribers, and their runs."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from kit.exchange import reports
from kit.values.errors import BusinessError
from oa.organisation.zones import company_zone
from oa.records.jobs import start_job
from oa.reporting.models import ReportRun, ReportSchedule, ReportSubscription
from oa.reporting.timing import crontab_fields, from_crontab, last_due, period_of

RUN_TASK = "oa.reporting.run_schedule"
JOB_KIND = "scheduled-report"
GRACE = dt.timedelta(minutes=3)  # the timer itself comes first
TIMED = ("frequency", "at", "active")
CRONTAB = ("minute", "hour", "day_of_week", "day_of_month", "month_of_year")


def check_schedule(name: str, params: Mapping[str, Any], *, by: Any) -> None:
    """Refuse a report that does not exist or that `by` may not run, and parameters that it does not take."""
    report = reports.get(name)
    if by is not None and not report.allowed(by):
        raise BusinessError(_("You may not open the report “%s”.") % report.title, field="report")
    unknown = sorted(set(params) - {param.name for param in report.params})
    if unknown:
        names = ", ".join(param.name for param in report.params) or _("none")
        raise BusinessError(
            _("The report has no parameter %(unknown)s; it has: %(names)s.")
            % {"unknown": ", ".join(unknown), "names": names}, field="params",
        )  # fmt: skip
    reports.parse_params(report, params, by or reports.SYSTEM)


@transaction.atomic
def save_schedule(schedule: ReportSchedule, *, by: Any) -> ReportSchedule:
    """Store a schedule and its timer row: crontab in the company's time zone, switched off with the schedule.

    Raises BusinessError for a report that does not exist or that `by` may not run, and for wrong parameters.
    """
    check_schedule(schedule.report, schedule.params, by=by)
    before = ReportSchedule.objects.filter(pk=schedule.pk).values(*TIMED).first()
    if before != {name: getattr(schedule, name) for name in TIMED}:
        schedule.timed_at = timezone.now()
    if not schedule.pk:
        schedule.owner = schedule.owner or by
        schedule.save()
    schedule.task = _timer(schedule, company_zone())
    schedule.save()
    return schedule


def _timer(schedule: ReportSchedule, zone: ZoneInfo) -> PeriodicTask:
    """The beat row of a stored schedule, made or brought in step."""
    task = schedule.task or PeriodicTask()
    task.name = f"report-schedule-{schedule.pk}"
    task.task, task.args, task.enabled = RUN_TASK, json.dumps([schedule.pk]), schedule.active
    task.crontab = crontab(crontab_fields(schedule.frequency, _time(schedule.at)), zone)
    task.interval = task.solar = task.clocked = None
    task.description = f"{schedule.title}. {_('Its page under Reports sets title, report and subscribers.')}"
    task.save()
    return task


def crontab(fields: dict[str, str], zone: ZoneInfo) -> CrontabSchedule:
    """The crontab row with `fields` in `zone`; rows are shared."""
    found = CrontabSchedule.objects.filter(**fields, timezone=zone).order_by("pk").first()
    return found or CrontabSchedule.objects.create(**fields, timezone=zone)


def _time(value: Any) -> dt.time:
    return dt.time.fromisoformat(value) if isinstance(value, str) else value


@transaction.atomic
def subscribe(schedule: ReportSchedule, *, by: Any) -> ReportSchedule:
    """Add `by` to the subscribers; whoever may not run the report is refused."""
    report = reports.get(schedule.report)
    if not report.allowed(by):
        raise BusinessError(_("You may not open the report “%s”.") % report.title)
    if not by.email:
        raise BusinessError(_("You have no mail address. Ask your administrator to enter one."))
    ReportSubscription.objects.get_or_create(schedule=schedule, user=by)
    return schedule


def unsubscribe(schedule: ReportSchedule, *, by: Any) -> ReportSchedule:
    """Take `by` off the subscribers."""
    ReportSubscription.objects.filter(schedule=schedule, user=by).delete()
    return schedule


# Runs ----------------------------------------------------------------------------------------------------------


@transaction.atomic
def begin_run(schedule: ReportSchedule, *, now: dt.datetime | None = None, occasion: str = "") -> ReportRun | None:
    """Note a run for the period that was due last and hand it to a worker; None when there is one already."""
    due, _moment = last_due(schedule.frequency, _time(schedule.at), now or timezone.now(), company_zone())
    first, last = period_of(schedule.frequency, due)
    run, made = ReportRun.objects.get_or_create(schedule=schedule, starts_on=first, ends_on=last, occasion=occasion)
    if not made:
        return None
    run.job = start_job(JOB_KIND, f"{schedule.title} {run}", {"run": run.pk}, schedule.owner)
    run.save(update_fields=["job"])
    return run


def send_now(schedule: ReportSchedule, *, by: Any) -> ReportSchedule:
    """Mail the report of the last period to all subscribers once more, whatever they have got already."""
    if not schedule.subscriptions.exists():
        raise BusinessError(_("Nobody has subscribed to “%s”.") % schedule)
    begin_run(schedule, occasion=str(uuid.uuid4()))
    return schedule


def begin_due_runs(now: dt.datetime | None = None) -> list[ReportRun]:
    """Begin what the timer missed: it was off, or the message was lost (latest period only)."""
    now, zone = now or timezone.now(), company_zone()
    begun = []
    for schedule in ReportSchedule.objects.filter(active=True):
        _day, moment = last_due(schedule.frequency, schedule.at, now, zone)
        if schedule.timed_at < moment < now - GRACE and (run := begin_run(schedule, now=now)):
            begun.append(run)
    return begun


def keep_in_step() -> None:
    """Bring timers and schedules together when one side was changed behind the back of `save_schedule`.

    What an administrator sets on the timer itself (on or off, another time) is taken over; the company's time
    zone always counts; timers of deleted schedules go.
    """
    zone = company_zone()
    for schedule in ReportSchedule.objects.select_related("task__crontab"):
        if schedule.task is None or schedule.task.crontab is None:
            schedule.task = _timer(schedule, zone)
            schedule.save(update_fields=["task"])
        else:
            _follow(schedule, schedule.task)
    for task in PeriodicTask.objects.filter(task__startswith="oa.").exclude(crontab=None).select_related("crontab"):
        if str(task.crontab.timezone) != str(zone):
            task.crontab = crontab({name: getattr(task.crontab, name) for name in CRONTAB}, zone)
            task.save()
    PeriodicTask.objects.filter(task=RUN_TASK).exclude(
        pk__in=ReportSchedule.objects.exclude(task=None).values("task")
    ).delete()


def _follow(schedule: ReportSchedule, task: PeriodicTask) -> None:
    """Take over what an administrator set on the timer, where a schedule can say it."""
    row = task.crontab
    told = from_crontab(row.minute, row.hour, (row.day_of_week, row.day_of_month), row.month_of_year)
    frequency, at = told or (schedule.frequency, schedule.at)
    if (frequency, at, task.enabled) != (schedule.frequency, schedule.at, schedule.active):
        schedule.frequency, schedule.at, schedule.active = frequency, at, task.enabled
        schedule.timed_at = timezone.now()
        schedule.version += 1
        schedule.save()
