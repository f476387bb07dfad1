"""Timers of the program itself: mails, lost jobs, report schedules, the nightly check."""

from __future__ import annotations

import datetime as dt

from django_celery_beat.models import IntervalSchedule, PeriodicTask

from oa.organisation.zones import company_zone
from oa.reporting.models import Frequency
from oa.reporting.services import crontab
from oa.reporting.timing import crontab_fields

# name, task, what it is for; every minute
MINUTELY = (
    ("oa-send-mails", "oa.reporting.send_mails", "Sends mails that wait."),
    ("oa-mail-notifications", "oa.reporting.mail_notifications", "Mails notifications, at once or once a day."),
    ("oa-sweep-schedules", "oa.reporting.sweep", "Begins scheduled reports that the timer missed."),
    ("oa-approvals", "oa.approvals.handle_overdue", "Reminds, or decides by rule, where the time of a step ran out."),
    ("oa-sweep-tasks", "oa.tasks.sweep", "Recurring tasks, deferred tasks and reminders."),
    ("oa-sweep-jobs", "oa.records.sweep_jobs", "Takes up jobs whose worker died."),
    ("oa-required-reading", "oa.documents.keep_asking", "Asks for and reminds of required reading."),
    ("oa-announcements", "oa.announcements.keep_time", "Publishes, ends and reminds of announcements."),
)
# name, task, time of day in the company's time zone, what it is for
NIGHTLY = (
    ("oa-check-books", "oa.reporting.check_books", dt.time(3, 0), "Checks the invariants of the books."),
    (
        "oa-forget-old-keys",
        "oa.records.forget_old_keys",
        dt.time(3, 30),
        "Deletes keys of submitted forms and old drafts.",
    ),
    ("oa-empty-bins", "oa.documents.purge", dt.time(2, 30), "Deletes documents that lie in the bin for long."),
    ("oa-official", "oa.official.remind", dt.time(7, 0), "Reminds of late official documents and lent seals."),
    ("oa-remind-of-documents", "oa.documents.remind", dt.time(6, 30), "Reminds owners to review documents."),
    ("oa-leave", "oa.leave.nightly", dt.time(1, 30), "Yearly leave, expiry, carry-forward, leave that is over."),
)


def install_beat() -> None:
    """Make the timers that are missing; what an administrator changed on those there are stays."""
    present = {task.name: task for task in PeriodicTask.objects.filter(name__startswith="oa-")}
    missing = [row for row in (*MINUTELY, *NIGHTLY) if row[0] not in present]
    for name, task, *_rest in (*MINUTELY, *NIGHTLY):
        if name in present and present[name].task != task:
            present[name].task = task  # the program calls it otherwise now
            present[name].save()
    if not missing:
        return
    minute, _made = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.MINUTES)
    for row in missing:
        task = PeriodicTask(name=row[0], task=row[1], description=row[-1])
        if len(row) == 3:
            task.interval, task.expire_seconds = minute, 55  # without a worker they must not pile up
        else:
            task.crontab = crontab(crontab_fields(Frequency.DAILY, row[2]), company_zone())
        task.save()
