"""The course of a balance: which grant each use consumes, and what is left to expire (rule H-01). Pure.

Everything that adds to a balance is a *lot*. Whatever is taken consumes the oldest lot first, of one day the one that
expires first; what no lot covers is a debt, which the next lot pays. Only what is left of a lot at its end expires.
"""

from __future__ import annotations

import datetime as dt
import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from oa.leave.granting import after_months

ZERO = Decimal(0)
_LAPSE, _ADD, _TAKE = 0, 1, 2  # the order within a day


@dataclass(frozen=True)
class Fact:
    """An entry of the ledger, reduced to what counts; `lot` is the lot that an expiry ends."""

    key: int
    date: dt.date
    units: Decimal
    expires_on: dt.date | None = None
    lot: int | None = None
    carries: bool = False  # what is left of it may be carried forward
    carried: bool = False  # it was carried forward itself


@dataclass(frozen=True)
class Carry:
    """How much of what is left at the end goes over, and for how many months (0: without end)."""

    limit: Decimal = ZERO
    months: int = 0


@dataclass(frozen=True)
class Lapse:
    """What is left of a lot on the first day after its end, and how much of that is carried forward."""

    lot: int
    day: dt.date
    units: Decimal
    carried: Decimal
    expires_on: dt.date | None


@dataclass
class _Lot:
    fact: Fact
    left: Decimal

    @property
    def order(self) -> tuple[dt.date, dt.date, int]:
        return self.fact.date, self.fact.expires_on or dt.date.max, self.fact.key


@dataclass
class Course:
    """The balance after each day on which it changes, what expires, and until when the taken lots were valid."""

    steps: dict[dt.date, Decimal] = field(default_factory=dict)
    lapses: list[Lapse] = field(default_factory=list)
    sources: dict[int, list[dt.date | None]] = field(default_factory=lambda: defaultdict(list))

    def on(self, day: dt.date) -> Decimal:
        """The balance at the end of `day`."""
        return next((self.steps[at] for at in sorted(self.steps, reverse=True) if at <= day), ZERO)

    def lowest(self, since: dt.date) -> tuple[Decimal, dt.date]:
        """The lowest balance from `since` on, and the first day it is that low."""
        later = [(balance, day) for day, balance in self.steps.items() if day >= since]
        return min([(self.on(since), since), *later])


def follow(facts: Iterable[Fact], carry: Carry) -> Course:
    """The course of all `facts`; lots without a recorded expiry expire at their end."""
    return _Walk(list(facts), carry).run()


class _Walk:
    def __init__(self, facts: list[Fact], carry: Carry) -> None:
        self.carry, self.course = carry, Course()
        self.balance, self.debt = ZERO, ZERO
        self.lots: dict[int, _Lot] = {}
        self.ended = {fact.lot for fact in facts if fact.lot is not None and fact.units < 0}
        self.gone_over: dict[dt.date, Decimal] = defaultdict(Decimal)
        self.heap: list[tuple[dt.date, int, int, Fact]] = []
        for fact in facts:
            if fact.carried:
                self.gone_over[fact.date] += fact.units
            self._push(fact)
        self.virtual = min([0, *(fact.key for fact in facts)])

    def _push(self, fact: Fact) -> None:
        order = _ADD if fact.units > 0 else _TAKE if fact.lot is None else _LAPSE
        heapq.heappush(self.heap, (fact.date, order, fact.key, fact))
        if fact.units > 0 and fact.expires_on is not None and fact.key not in self.ended:
            end = fact.expires_on + dt.timedelta(days=1)
            heapq.heappush(self.heap, (end, _LAPSE, fact.key, fact))

    def run(self) -> Course:
        while self.heap:
            day, order, _key, fact = heapq.heappop(self.heap)
            if order == _ADD:
                self._add(fact)
            elif order == _TAKE:
                self._take(fact)
            elif fact.units < 0:
                self._end(fact)
            else:
                self._expire(fact, day)
            self.course.steps[day] = self.balance
        return self.course

    def _add(self, fact: Fact) -> None:
        paid = min(self.debt, fact.units)
        self.debt -= paid
        self.balance += fact.units
        self.lots[fact.key] = _Lot(fact, fact.units - paid)

    def _take(self, fact: Fact) -> None:
        rest = -fact.units
        self.balance -= rest
        for lot in sorted(self.lots.values(), key=lambda lot: lot.order):
            part = min(lot.left, rest)
            if part:
                lot.left -= part
                rest -= part
                self.course.sources[fact.key].append(lot.fact.expires_on)
        self.debt += rest

    def _end(self, fact: Fact) -> None:
        """An expiry that is recorded: it takes from its lot, what is no longer there becomes a debt."""
        lot = self.lots.get(fact.lot or 0)
        part = min(lot.left, -fact.units) if lot is not None else ZERO
        if lot is not None:
            lot.left -= part
        self.balance += fact.units
        self.debt += -fact.units - part

    def _expire(self, fact: Fact, day: dt.date) -> None:
        lot = self.lots.get(fact.key)
        if lot is None or not lot.left:
            return
        carried = min(lot.left, max(ZERO, self.carry.limit - self.gone_over[day])) if fact.carries else ZERO
        until = after_months(day, self.carry.months) - dt.timedelta(days=1) if self.carry.months else None
        self.course.lapses.append(Lapse(fact.key, day, lot.left, carried, until))
        self.balance -= lot.left
        lot.left = ZERO
        if carried:
            self.gone_over[day] += carried
            self.virtual -= 1
            self._push(Fact(self.virtual, day, carried, until, carried=True))
