"""A backup while everybody works, restored into an installation that has nothing (drill F-25)."""

from __future__ import annotations

import json
import shutil
import subprocess
import threading
import time
import traceback
from pathlib import Path
from typing import Any

from django.db import connection

from config import archive
from tests.chaos import cluster
from tests.chaos.totals import totals


class Rescue:
    """One backup under load, what it must hold, and what comes out of it elsewhere."""

    def __init__(self, folder: Path) -> None:
        self.file, self.other = folder / "backup.zip", folder / "restored"
        self.thread = threading.Thread(target=self._write, daemon=True)
        self.held: dict[str, Any] = {}
        self.told: dict[str, Any] = {}
        self.failure = ""

    def begin(self) -> None:
        """Start it beside the load, once."""
        if self.thread.ident is None:
            self.thread.start()

    def under_way(self) -> bool:
        """Whether it is being written."""
        return self.thread.is_alive()

    def wait(self) -> None:
        """Until it is written, where one was begun."""
        if self.thread.ident is not None:
            self.thread.join()

    def _write(self) -> None:
        begin = time.monotonic()
        try:
            archive.write(self.file, lambda: self.held.update(totals()))
            archive.check(self.file)
        except Exception:
            self.failure = traceback.format_exc()
        finally:
            connection.close()
        self.told["written in s"] = round(time.monotonic() - begin, 1)

    def faults(self) -> list[str]:
        """Restore it into an empty installation, whose `restore` verifies; then compare."""
        if self.failure:
            return [f"the backup failed: {self.failure}"]
        begin = time.monotonic()
        shutil.rmtree(self.other, ignore_errors=True)
        try:
            cluster.elsewhere(self.other, "manage.py", "restore", str(self.file))
        except subprocess.CalledProcessError as error:
            return [f"the restored company does not verify: {error.output[-3000:]}"]
        self.told["restored in s"] = round(time.monotonic() - begin, 1)
        found = json.loads(cluster.elsewhere(self.other, "-m", "tests.chaos.totals"))
        self.told |= {"entries": self.held["entries"][0][0], "attachments": len(self.held["attachments"])}
        faults = [
            f"restored {name} differ: {set(map(tuple, rows)) ^ set(map(tuple, found['totals'][name]))}"
            for name, rows in self.held.items()
            if rows != found["totals"][name]
        ]
        sums = {row[0]: row[3] for row in self.held["attachments"]}
        return faults + ([] if sums == found["contents"] else ["restored files are not what was attached"])
