"""What Celery runs for tasks and meetings."""

from __future__ import annotations

from celery import shared_task

from oa.records.timers import each_step
from oa.tasks.services import reminders, series
from oa.tasks.services import tasks as services


@shared_task(name="oa.tasks.sweep")
def sweep() -> dict[str, int]:
    """Every minute: tasks that recur, tasks that come back, reminders."""
    return each_step(made=series.make_due, resumed=services.resume_due, reminded=reminders.remind)
