"""Reading the words of uploaded documents as jobs."""

from __future__ import annotations

from typing import Any

from oa.documents.reading import read_version
from oa.documents.services.versions import READING
from oa.records.jobs import Running, job_kind


@job_kind(READING)
def read(running: Running) -> dict[str, Any]:
    """Read one version; doing it again reads nothing twice."""
    return {"state": str(read_version(running.job.params["version"]))}
