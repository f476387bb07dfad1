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
    """Documents per second and what was refused."""

    per_second: float
    errors: list[str]


def compare(make: MakeRoad, clients: int, lines: int, *, seconds: float, turns: int) -> tuple[Rate, Rate]:
    """One client against several, in alternation: the median rate of each."""
    singles, manies = [], []
    for _turn in range(turns):
        singles.append(_rate(make, 1, lines, seconds))
        manies.append(_rate(make, clients, lines, seconds))
    return _middle(singles), _middle(manies)


def _middle(rates: list[Rate]) -> Rate:
    return Rate(median(rate.per_second for rate in rates), [error for rate in rates for error in rate.errors])


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
    rate = sum(done / taken for done, taken, _errors in answers)
    return Rate(rate, [error for _done, _taken, errors in answers for error in errors])


def _client(make: MakeRoad, number: int, lines: int, seconds: float, barrier: Barrier, answer: Connection) -> None:
    done, errors = 0, []
    road = make(number)
    for _round in range(WARM):
        run_once(road, lines)
    barrier.wait()
    start = time.monotonic()
    while time.monotonic() - start < seconds:
        try:
            run_once(road, lines)
            done += 1
        except Exception as error:
            errors.append(f"{type(error).__name__}: {error}")
            connection.close()
    answer.send((done, time.monotonic() - start, errors))
    connections.close_all()
