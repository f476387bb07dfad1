"""What Celery runs for leave."""

from __future__ import annotations

from celery import shared_task

from oa.leave.services import yearly


@shared_task(name="oa.leave.nightly")
def nightly() -> dict[str, int]:
    """Every night: yearly grants, expiry, carry-forward, leave that is over."""
    return yearly.nightly()
