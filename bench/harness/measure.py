"""Timing, processor time, statements and rows of a road, and roads in alternation."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Protocol

from django.db import connection

Step = tuple[str, Callable[[], None]]

# What a client sends besides statements: begin and commit travel by themselves.
NOT_COUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
SERVER_TICKS = "/proc/{}/schedstat"


class Road(Protocol):
    """A way to write the same documents."""

    name: str

    def steps(self, lines: int) -> list[Step]:
        """The steps of one document of so many lines, one transaction each; what they need is loaded."""
        ...

    def backend(self) -> int:
        """Process of the server that works for this road."""
        ...

    def execute(self, sql: str) -> None:
        """Run a statement of the benchmark itself on this road's connection."""
        ...

    def counted(self) -> Any:
        """Context manager: a list that grows with every statement sent."""
        ...


@dataclass
class Sample:
    """One document: seconds by step, processor seconds of this process and of the server's."""

    wall: dict[str, float] = field(default_factory=dict)
    client: float = 0.0
    server: float = 0.0

    @property
    def total(self) -> float:
        """Seconds of all steps."""
        return sum(self.wall.values())


@dataclass
class Result:
    """All samples of a road."""

    name: str
    samples: list[Sample]

    def wall(self, step: str | None = None) -> float:
        """Median seconds of a step, or of the whole road."""
        return median(sample.wall[step] if step else sample.total for sample in self.samples)

    @property
    def client(self) -> float:
        """Median processor seconds of the client."""
        return median(sample.client for sample in self.samples)

    @property
    def server(self) -> float:
        """Mean processor seconds of the server's process (the kernel counts them coarsely)."""
        return sum(sample.server for sample in self.samples) / len(self.samples)

    @property
    def cpu(self) -> float:
        """Processor seconds of client and server."""
        return self.client + self.server


def alternate(roads: Sequence[Road], lines: int, *, warm: int, rounds: int) -> list[Result]:
    """`rounds` documents on every road after `warm` others, one road after the other in each round."""
    results = [Result(road.name, []) for road in roads]
    for number in range(warm + rounds):
        order = list(zip(roads, results, strict=True))
        for road, result in order if number % 2 else reversed(order):
            sample = run_once(road, lines)
            if number >= warm:
                result.samples.append(sample)
    return results


def run_once(road: Road, lines: int) -> Sample:
    """One document."""
    sample, steps = Sample(), road.steps(lines)
    server, client = server_seconds(road.backend()), time.process_time()
    for name, step in steps:
        start = time.perf_counter()
        step()
        sample.wall[name] = time.perf_counter() - start
    sample.client = time.process_time() - client
    sample.server = server_seconds(road.backend()) - server
    return sample


def server_seconds(process: int) -> float:
    """Processor time of a server process so far; 0 where the system does not tell."""
    file = Path(SERVER_TICKS.format(process))
    return int(file.read_text().split()[0]) / 1e9 if file.exists() else 0.0


def statements(road: Road, lines: int) -> dict[str, int]:
    """Statements of each step of one document, transaction control left out."""
    counts = {}
    for name, step in road.steps(lines):
        with road.counted() as sent:
            step()
        counts[name] = sum(1 for sql in sent if not sql.lstrip().upper().startswith(NOT_COUNTED))
    return counts


@dataclass
class Rows:
    """Rows that one document inserts and updates, by table."""

    inserted: Counter[str]
    updated: Counter[str]


def rows_of(road: Road, lines: int) -> Rows:
    """What the server counted for one document, the rows that triggers write included."""
    before = _counters(road)
    for _name, step in road.steps(lines):
        step()
    after = _counters(road)
    changes = {
        table: [b - a for a, b in zip(before.get(table, (0, 0)), row, strict=True)] for table, row in after.items()
    }
    return Rows(
        Counter({table: new for table, (new, _old) in changes.items() if new}),
        Counter({table: old for table, (_new, old) in changes.items() if old}),
    )


def _counters(road: Road) -> Mapping[str, tuple[int, int]]:
    road.execute("SELECT pg_stat_force_next_flush()")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
        cursor.execute("SELECT relname, n_tup_ins, n_tup_upd FROM pg_stat_user_tables")
        return {name: (inserted, updated) for name, inserted, updated in cursor.fetchall()}


@contextmanager
def service_statements() -> Iterator[list[str]]:
    """Every statement that Django sends."""
    sent: list[str] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        # The history context travels as a prefix of the statement it belongs to.
        sent.append(sql.partition("true); ")[2] or sql if "pghistory.context_id" in sql else sql)
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield sent
