"""The drill of versions (F-24): the program as it was before a migration, at work on the tables of this version.

So goes on what somebody forgot to stop, and an earlier version beside which this one was started already.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

from config.places import ROOT, var
from tests.chaos import cluster

MIGRATIONS = [f"{app}/migrations/0*.py" for app in ("erp", "crm", "oa")]
# What no migration may do; the control does.
HARM = """
from django.db import connection
connection.cursor().execute("ALTER TABLE crm_customer ADD COLUMN demanded text NOT NULL")
"""
# Every page that the desk and its menu lead to, and the first records of each.
READ = """
import re
from django.conf import settings
from django.contrib.auth import get_user_model
from django.test import Client
settings.REQUESTS_PER_MINUTE = settings.REQUESTS_AT_ONCE = 0  # it asks faster than a person
client = Client(headers={"host": "localhost"})
client.force_login(get_user_model().objects.get(username="admin"))
def links(path, most):
    answer = client.get(path)
    assert answer.status_code in (200, 302, 422), (path, answer.status_code)  # 422: a report that asks for a product
    body = b"" if answer.streaming else answer.content
    found = re.findall(rb'href="(/[^"#?]*)', body.partition(b"<main")[2] if most else body)
    return [each.decode() for each in dict.fromkeys(found) if not each.startswith(b"/static/")][: most or None]
pages = links("/", 0)
records = {record for page in pages for record in links(page, 8)} - set(pages)
for record in records:
    links(record, 8)
print(len(pages) + len(records), "pages")
"""


class Versions:
    """One run for each of the last times that migrations came; how many it says."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.folder = var() / "versions"
        self.faults: list[str] = []

    def run(self) -> dict[str, Any]:
        """What each earlier program did, and the faults."""
        steps = dict(list(_steps().items())[: self.given.rounds])
        told = {commit: self._step(commit, added) for commit, added in steps.items()}
        if not told:
            self.faults.append("there is no history that holds an earlier version")
        return {"before": told, "faults": self.faults}

    def _step(self, commit: str, added: list[str]) -> dict[str, Any]:
        """An installation of this version, in which the program before `commit` does everything."""
        shutil.rmtree(self.folder, ignore_errors=True)
        old, begin, told = _unpack(f"{commit}^", self.folder / "old"), time.monotonic(), {"migrations": added}
        work = [
            (ROOT, "migrate", "--verbosity", "0"),
            (old, "demo", "--orders", str(self.given.orders)),
            (old, "verify"),
            (ROOT, "verify"),
            (old, "translations", "--compile"),
            (old, "collectstatic", "--no-input", "--verbosity", "0"),
            (old, "shell", "-c", READ),
        ]
        if self.given.control:
            work.insert(1, (ROOT, "shell", "-c", HARM))
        for root, *command in work:
            try:
                said = cluster.elsewhere(self.folder / "var", "manage.py", *command, root=root)
            except subprocess.CalledProcessError as error:
                self.faults.append(f"before {commit}: {command[0]} of {root.name}: {error.output[-1500:]}")
                break
        else:
            told["read"] = said.strip().splitlines()[-1]
        print(f"before {commit}: {told} in {time.monotonic() - begin:.0f} s", flush=True)
        return told


def _steps() -> dict[str, list[str]]:
    """The commits that brought the migrations of this version, the latest first, and what each brought."""
    steps: dict[str, list[str]] = {}
    log = _git("log", "--diff-filter=A", "--name-only", "--format=%x00%h", "--", *MIGRATIONS)
    for entry in log.split("\0")[1:]:
        commit, *paths = entry.split()
        if added := sorted(path for path in paths if (ROOT / path).exists()):
            steps[commit] = added
    return steps


def _unpack(commit: str, folder: Path) -> Path:
    folder.mkdir(parents=True)
    archive = folder.with_suffix(".tar")
    _git("archive", f"--output={archive}", commit)
    shutil.unpack_archive(archive, folder, filter="data")
    return folder


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout
