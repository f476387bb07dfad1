"""What Celery runs for tasks and meetings."""

from __future__ import annotations

from celery import shared_task

from oa.tasks.services import reminders, series
from oa.tasks.services import tasks as services


@shared_task(name="oa.tasks.sweep")
def sweep() -> int:
    """Every minute: tasks that recur, tasks that come back, reminders."""
    return series.make_due() + services.resume_due() + reminders.remind()
