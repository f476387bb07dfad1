"""Imports, done in one transaction, and actions on many rows, done in parts, as jobs on behalf of who started them.

Of an import the file is kept, and the job leads back to its page.
"""

from __future__ import annotations

from typing import Any

from django.urls import reverse

from kit.exchange.importing_files import work
from kit.pages.bulk import work as bulk_work
from oa.records.jobs import Running, job_kind, start_job


@job_kind("import", whole=True)
def run_import(running: Running) -> dict[str, Any]:
    """Check or import a kept file in one transaction, on behalf of who started the job."""
    return work(running.job.params, by=running.job.owner, progress=running.progress)


@job_kind("bulk")
def run_bulk(running: Running) -> dict[str, Any]:
    """Do something to many rows of a list, from where an earlier worker came to."""
    return bulk_work(running.job.params, running.job.result, by=running.job.owner, keep=running.keep)


def start(kind: str, title: str, params: dict[str, Any], owner: Any) -> str:
    """Start a job and tell where its progress is shown."""
    return reverse("job", args=[start_job(kind, title, params, owner).key])
