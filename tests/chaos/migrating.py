"""The drill of migrations (F-24): the company of an earlier version forward, back and forward again, and the locks.

Forward it runs on two copies, as the backup is and with many more rows in every table that a migration locks, so that
what grows with the rows is told from what does not.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - needs the settings

from tests import upgrading  # noqa: E402
from tests.chaos import cluster  # noqa: E402
from tests.chaos.locks import Locks, Watched, grow  # noqa: E402
from tests.chaos.totals import contents, totals  # noqa: E402

FRESH, OLD, LARGE = "migrated_fresh", "migrated_old", "migrated_large"
LONGEST = 2.0  # seconds for which nobody may have to wait in a company of the size of the backup
MILLION = 1_000_000
GROWS = 3.0  # times as long with more rows: a migration that does this grows with them


class Migrations:
    """One run for each earlier version."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.faults: list[str] = []
        self.seconds: dict[str, float] = {}

    def run(self) -> dict[str, Any]:
        """The figures and the faults."""
        cluster.empty(FRESH)
        call_command("migrate", interactive=False, verbosity=0)
        new = upgrading.guards()
        told = {backup.stem: self._version(backup, new) for backup in upgrading.BACKUPS}
        return {"rows added": self.given.rows, **told, "faults": self.faults}

    def _version(self, backup: Path, new: set[Any]) -> dict[str, Any]:
        cluster.empty(OLD)
        books, old = upgrading.begin(backup), upgrading.guards()
        small = self._timed("forward", self._forward)
        self._compare("forward", books, new)
        self._timed("back", lambda: upgrading.back(backup))
        self._compare("back", books, old, checks=False)
        self._timed("forward again", self._forward)
        self._compare("forward again", books, new)
        cluster.empty(LARGE)
        upgrading.begin(backup)
        tables = {table for found in small.values() for table in found.tables}
        self._timed("more rows", lambda: grow(tables, self.given.rows))
        large = self._timed("forward with more rows", self._forward)
        self.faults += [
            f"{name} held a table for {found.writing} s" for name, found in small.items() if found.writing > LONGEST
        ]
        return {"migrations": len(upgrading.later(backup)), "seconds": self.seconds, "locks": longest(small, large)}

    def _timed(self, what: str, work: Any) -> Any:
        begin = time.monotonic()
        found = work()
        self.seconds[what] = round(time.monotonic() - begin, 1)
        print(f"{what}: {self.seconds[what]} s", flush=True)
        return found

    def _forward(self) -> dict[str, Locks]:
        """All migrations of this version, and what each held."""
        with Watched() as watched:
            call_command("migrate", interactive=False, verbosity=0)
        return watched.found

    def _compare(self, when: str, books: Any, guards: set[Any], *, checks: bool = True) -> None:
        """Every total, attachment, column, constraint, index and trigger; what `verify` knows is of this version."""
        now = totals()
        self.faults += [f"{when}: {name} differ" for name in books if books[name] != now[name]]
        if difference := upgrading.guards() ^ guards:
            self.faults.append(f"{when}: {sorted(difference)[:10]}")
        if contents() != {row[0]: row[3] for row in books["attachments"]}:
            self.faults.append(f"{when}: attachments differ")
        if checks and not upgrading.sound():
            self.faults.append(f"{when}: broken invariants")


def longest(small: dict[str, Locks], large: dict[str, Locks]) -> dict[str, Any]:
    """For each migration how long people waited at the most, in both sizes, and what a million rows would make of it."""
    told = {}
    for name, few in small.items():
        many = large[name]
        told[name] = {
            "reading waits": [few.exclusive, many.exclusive],
            "writing waits": [few.writing, many.writing],
            "rows": [few.rows, many.rows],
            "tables": many.words(),
        }
        if many.writing > GROWS * few.writing and many.rows > few.rows:
            rate = (many.writing - few.writing) / (many.rows - few.rows)
            told[name]["at a million rows"] = round(few.writing + rate * MILLION, 1)
    return told
