"""What Celery runs for approvals."""

from __future__ import annotations

from celery import shared_task

from oa.approvals import timeouts


@shared_task(name="oa.approvals.handle_overdue")
def handle_overdue() -> int:
    """Every minute: remind, or decide by rule, where time ran out."""
    return timeouts.handle_overdue()
