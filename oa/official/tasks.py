"""What Celery runs for official documents and seals."""

from __future__ import annotations

from celery import shared_task

from oa.official.services import receiving, supervision
from oa.records.timers import each_step


@shared_task(name="oa.official.remind")
def remind() -> dict[str, int]:
    """Every day: circulations that wait for people who left go on; reminders of what is late."""
    return each_step(settled=receiving.settle, reminded=supervision.remind)
