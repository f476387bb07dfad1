"""What Celery runs for announcements."""

from __future__ import annotations

from celery import shared_task

from oa.announcements import publishing


@shared_task(name="oa.announcements.keep_time")
def keep_time() -> dict[str, int]:
    """Every minute: publish, end, deliver to people who joined later, remind."""
    return publishing.keep_time()
