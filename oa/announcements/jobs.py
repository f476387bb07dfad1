"""The publication of announcements as a job."""

from __future__ import annotations

from typing import Any

from oa.announcements.publishing import JOB, appear
from oa.records.jobs import Running, job_kind


@job_kind(JOB, whole=True)
def publish_job(running: Running) -> dict[str, Any] | None:
    """Receipts and messages for everybody, or nothing; done once however often it is asked for."""
    made = appear(
        running.job.params["announcement"], progress=lambda done, total: running.progress(done, total, now=True)
    )
    return None if made is None else {"recipients": made}
