"""Imports of many rows as jobs: the file is kept, a worker reads it, the result stays on the job's page."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.urls import reverse

from kit.exchange import importing
from kit.exchange.importing import Options
from kit.exchange.importing_views import importer_for
from kit.exchange.reading import read_table
from kit.pages.resources import registry
from oa.records.jobs import Running, job_kind, start_job


@job_kind("import", whole=True)
def run_import(running: Running) -> dict[str, Any]:
    """Import a kept file in one transaction; good rows only, the bad ones are told."""
    given = running.job.params
    with default_storage.open(given["path"]) as file:
        table = read_table(file.read(), given["name"])
    resource = registry[given["slug"]]
    options = Options(**given["options"], partial=True)
    report = importing.run(
        importer_for(resource), table, by=running.job.owner, options=options, progress=running.progress
    )
    return {
        "url": resource.url(),
        "new": report.new,
        "updated": report.updated,
        "unchanged": report.unchanged,
        "errors": [str(error) for error in report.errors[:200]],
    }


def start(kind: str, title: str, params: dict[str, Any], owner: Any) -> str:
    """Start a job and tell where its progress is shown."""
    return reverse("job", args=[start_job(kind, title, params, owner).key])
