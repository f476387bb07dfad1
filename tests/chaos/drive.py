"""The driver: processes that work, and what happens to them and to their server meanwhile."""

from __future__ import annotations

import argparse
import multiprocessing
import os
import shutil
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import django

django.setup()

from django.db import connection  # noqa: E402 - needs the settings

from config import places  # noqa: E402
from tests.chaos import cluster, verdict  # noqa: E402
from tests.chaos.rescue import Rescue  # noqa: E402
from tests.chaos.worker import work  # noqa: E402

PAUSES = (0.2, 0.9)  # seconds between two kills
STANDSTILL = 180  # seconds without one answer
LONGEST_P99 = 5.0
RECOVERY = 10  # seconds until people get answers again, once the server is up


class Drill:
    """One run."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.name = f"chaos_{given.seed}"
        self.folder = places.var() / self.name
        self.dice = Random(given.seed)
        os.environ["SANHE_STATEMENT_TIMEOUT"] = "30s"  # of the processes, as of those that answer people
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.chaos.worker"])
        self.processes: list[Any] = []
        self.happened: Counter[str] = Counter()
        self.stats: dict[str, Any] = {}

    def run(self) -> dict[str, Any]:
        """The figures and the faults of the run."""
        cluster.make_company(self.given.dump, self.given.orders)
        cluster.copy_company(self.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        before = verdict.counts()
        rescue = Rescue(self.folder)
        begin = time.monotonic()
        self.processes = [self._started(place) for place in range(self.given.processes)]
        self._trouble(rescue)
        self._end()
        took = time.monotonic() - begin
        return self._result(before, took, rescue)

    def _started(self, place: int) -> Any:
        arguments = (str(self.folder), self.name, self.given.seed, place)
        process = self.context.Process(target=work, args=arguments, daemon=True)
        process.start()
        return process

    def _trouble(self, rescue: Rescue) -> None:
        """Kills, restarts and one backup until there are answers enough."""
        wanted = self.given.operations
        restarts = [wanted * (n + 1) // (self.given.restarts + 1) for n in range(self.given.restarts)]
        next_kill, last, moved = time.monotonic() + 1.5, -1, time.monotonic()
        progress = Progress(self.folder)
        while (done := progress.answers()) < wanted or self.happened["kills"] < self.given.kills:
            now = time.monotonic()
            last, moved = (done, now) if done != last else (last, moved)
            assert now - moved < STANDSTILL, f"no answer for {STANDSTILL} s after {done} operations"
            self._replace_the_dead()
            if now >= next_kill and self.happened["kills"] < self.given.kills:
                self._kill()
                next_kill = now + self.dice.uniform(*PAUSES)
            if done >= wanted * 0.55 and self.given.backups:
                rescue.begin()
            if restarts and done >= restarts[0] and not rescue.under_way():
                restarts.pop(0)
                self._restart()
            time.sleep(0.03)
        rescue.wait()

    def _replace_the_dead(self) -> None:
        for place, process in enumerate(self.processes):
            if not process.is_alive():
                self.happened["deaths"] += 1
                self.processes[place] = self._started(place)

    def _kill(self) -> None:
        self.dice.choice(self.processes).kill()
        self.happened["kills"] += 1

    def _restart(self) -> None:
        self.happened["deadlocks"] += cluster.figures(self.name)[0]
        begin = time.monotonic()
        cluster.restart()
        took = round(time.monotonic() - begin, 1)
        self.stats["longest restart"] = max(took, self.stats.get("longest restart", 0))
        self.happened["restarts"] += 1

    def _end(self) -> None:
        """Let everybody finish what they are at."""
        (self.folder / "stop").touch()
        for process in self.processes:
            process.join(90)
            if process.is_alive():
                self.happened["stuck"] += 1
                process.kill()
        deadlocks, self.stats["open transactions"] = cluster.figures(self.name)
        self.happened["deadlocks"] += deadlocks

    def _result(self, before: Counter[str], took: float, rescue: Rescue) -> dict[str, Any]:
        connection.close()  # it is older than the last restart
        notes = verdict.notes_of(self.folder)
        interruptions = self.happened["kills"] + self.happened["restarts"] * self.given.processes
        faults = verdict.judge(notes, before, interruptions=interruptions, stats=self.stats)
        waits = verdict.seconds(notes)
        if waits["p99"] > LONGEST_P99:
            faults.append(f"p99 is {waits['p99']} s")
        if waits["longest over a restart"] > self.stats.get("longest restart", 0) + RECOVERY:
            faults.append(f"{waits['longest over a restart']} s until there was an answer after a restart")
        faults += [f"{self.happened[what]} {what}" for what in ("deadlocks", "stuck") if self.happened[what]]
        faults += [f"{self.stats['open transactions']} open transactions"] * bool(self.stats["open transactions"])
        if self.happened["deaths"] > self.happened["kills"]:
            faults.append(f"{self.happened['deaths']} processes died of {self.happened['kills']} kills")
        faults += rescue.faults() if self.given.backups else []
        kinds = Counter(note["what"] for note in notes)
        acks = [note for note in notes if note["what"] == "ack"]
        return {
            "seed": self.given.seed, "seconds": round(took, 1), **kinds, **self.happened, **self.stats, **waits,
            "asked again after a death": sum(note["again"] for note in acks),
            "answered from the key": sum(note["repeated"] for note in acks),
            "busy": sum(note["busy"] for note in acks), "reconnected": sum(bool(note["lost"]) for note in acks),
            "by command": Counter(note["command"] for note in acks), "backup": rescue.told, "faults": faults,
        }  # fmt: skip


class Progress:
    """How many answers there are, read from where the last look ended."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.read, self.seen = folder, Counter[str](), 0

    def answers(self) -> int:
        """Acknowledged operations and repeats so far."""
        for path in self.folder.glob("acks-*"):
            with path.open("rb") as file:
                file.seek(self.read[path.name])
                whole, newline, _rest = file.read().rpartition(b"\n")
            self.read[path.name] += len(whole + newline)
            self.seen += whole.count(b'"what": "ack"') + whole.count(b'"what": "replay"')
        return self.seen
