"""Several clients at once, each a process with a connection of its own."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.synchronize import Barrier
from statistics import median

from django.db import connection, connections

from harness.measure import Road, run_once

WARM = 3
MakeRoad = Callable[[int], Road]


@dataclass
class Rate:
    """Documents per second, processor seconds of client and server for each, and what was refused."""

    per_second: float
    cpu: float
    errors: list[str]


@dataclass
class Comparison:
    """One client against several: median rates, and the median of the ratios of each turn."""

    one: Rate
    many: Rate
    ratio: float


def compare(make: MakeRoad, clients: int, lines: int, *, seconds: float, turns: int) -> Comparison:
    """One client and several in alternation; a ratio is taken from neighbours, which other work disturbs alike."""
    pairs = [(_rate(make, 1, lines, seconds), _rate(make, clients, lines, seconds)) for _turn in range(turns)]
    ratio = median(many.per_second / one.per_second for one, many in pairs)
    return Comparison(_middle([one for one, _many in pairs]), _middle([many for _one, many in pairs]), ratio)


def _middle(rates: list[Rate]) -> Rate:
    errors = [error for rate in rates for error in rate.errors]
    return Rate(median(rate.per_second for rate in rates), median(rate.cpu for rate in rates), errors)


def _rate(make: MakeRoad, clients: int, lines: int, seconds: float) -> Rate:
    connections.close_all()  # a child must not share its parent's connection
    fork = multiprocessing.get_context("fork")
    barrier = fork.Barrier(clients)
    ends, children = [], []
    for number in range(clients):
        ours, theirs = fork.Pipe(duplex=False)
        child = fork.Process(target=_client, args=(make, number, lines, seconds, barrier, theirs))
        child.start()
        ends.append(ours)
        children.append(child)
    answers = [end.recv() for end in ends]
    for child in children:
        child.join()
    rate = sum(done / taken for done, taken, _cpu, _errors in answers)
    cpu = sum(cpu for _done, _taken, cpu, _errors in answers) / max(sum(answer[0] for answer in answers), 1)
    return Rate(rate, cpu, [error for _done, _taken, _cpu, errors in answers for error in errors])


def _client(make: MakeRoad, number: int, lines: int, seconds: float, barrier: Barrier, answer: Connection) -> None:
    done, cpu, errors = 0, 0.0, []
    road = make(number)
    for _round in range(WARM):
        run_once(road, lines)
    barrier.wait()
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        try:
            sample = run_once(road, lines)
            done, cpu = done + 1, cpu + sample.client + sample.server
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
            connection.close()
    answer.send((done, time.monotonic() - start, cpu, errors))
    connections.close_all()
