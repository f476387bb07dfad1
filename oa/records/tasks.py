"""What Celery runs for records."""

from __future__ import annotations

import os

from celery import current_task, shared_task

from oa.records import drafts, idempotency, jobs
from oa.records.timers import each_step


@shared_task(name=jobs.TASK, time_limit=6 * 3600)
def run_job(key: int) -> bool:
    """Do the job `key`.

    A process that had no memory left for it ends at once, as if the system had ended it: it could not even tell of its
    failure. The task comes back, and a new process begins the job again, as often as jobs are begun.
    """
    try:
        return jobs.run_job(key)
    except MemoryError:
        if current_task.request.called_directly or current_task.request.is_eager:
            raise
        os._exit(os.EX_OSERR)


@shared_task(name="oa.records.sweep_jobs")
def sweep_jobs() -> int:
    """Every minute: send lost jobs again."""
    return jobs.sweep_jobs()


@shared_task(name="oa.records.forget_old_keys")
def forget_old_keys() -> dict[str, int]:
    """Every night: delete keys and unsaved input of forms that are long gone."""
    return each_step(keys=idempotency.forget_old_keys, drafts=drafts.forget_old_drafts)
