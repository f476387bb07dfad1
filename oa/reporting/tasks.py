"""What Celery runs for reports and mails."""

from __future__ import annotations

from celery import shared_task

from oa.reporting import books, notices, outbox, services
from oa.reporting.models import ReportSchedule


@shared_task(name=services.RUN_TASK)
def run_schedule(key: int) -> bool:
    """The timer of schedule `key`: begin the run of its last period; False when that is not to be done."""
    schedule = ReportSchedule.objects.filter(pk=key, active=True).first()
    return schedule is not None and services.begin_run(schedule) is not None


@shared_task(name="oa.reporting.sweep")
def sweep() -> int:
    """Every minute: timers in step with schedules, and runs that the timer missed."""
    services.keep_in_step()
    return len(services.begin_due_runs())


@shared_task(name=outbox.TASK)
def send_mails() -> int:
    """Every minute, and when there are new mails: send what is due."""
    return outbox.send_mails()


@shared_task(name="oa.reporting.mail_notifications")
def mail_notifications() -> int:
    """Every minute: notifications that are due by mail."""
    return notices.mail_notifications()


@shared_task(name="oa.reporting.check_books", time_limit=4 * 3600)
def check_books() -> int:
    """Every night: the invariants of the books."""
    return books.check_books()
