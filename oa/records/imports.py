"""Files that are too long for a request are imported by a job."""

from __future__ import annotations

from typing import Any

from kit.exchange.importing_files import work
from kit.pages.hooks import hooks
from oa.records.jobs import Running, job_kind, start_job

hooks.start_job = start_job


@job_kind("import", whole=True)
def import_file(running: Running) -> dict[str, Any]:
    """Check or import an uploaded file on behalf of who started the job."""
    return work(running.job.params, by=running.job.owner, progress=running.progress)
