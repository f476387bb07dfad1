"""What Celery runs for the document library."""

from __future__ import annotations

from celery import shared_task

from oa.documents import reminders
from oa.documents.services import keep_asking, purge_bins


@shared_task(name="oa.documents.remind")
def remind() -> int:
    """Every morning: reviews that are due, and documents that need not be kept any more."""
    told = 0
    while more := reminders.remind_owners():  # the next chance is tomorrow
        told += more
    return told


@shared_task(name="oa.documents.purge", time_limit=3600)
def purge() -> int:
    """Every night: what lies in the recycle bin for too long."""
    return purge_bins()


@shared_task(name="oa.documents.keep_asking")
def ask_readers() -> dict[str, int]:
    """Every minute: required reading, for people who joined later and for those who have not read."""
    return keep_asking()
