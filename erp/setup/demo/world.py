"""What all parts of the demo share: the dice, the calendar, the people and masters made so far."""

from __future__ import annotations

import datetime as dt
import heapq
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any, TypeVar

import pghistory

from kit.rules.days import business_day

DAYS = 365
CENT = Decimal("0.01")
T = TypeVar("T")


@dataclass
class World:
    """The state of the story. Every draw comes from `dice`, every day from `today`, so a seed tells it again."""

    dice: Random
    orders: int
    today: dt.date = field(default_factory=business_day)
    people: dict[str, Any] = field(default_factory=dict)
    warehouse: Any = None
    currencies: dict[str, Any] = field(default_factory=dict)
    banks: dict[str, Any] = field(default_factory=dict)  # currency code -> account
    suppliers: list[Any] = field(default_factory=list)
    products: dict[str, Any] = field(default_factory=dict)  # by code
    customers: list[Any] = field(default_factory=list)  # in the order of `customers.CUSTOMERS`
    _queue: list[tuple[dt.date, int, int, Callable[[dt.date], None]]] = field(default_factory=list)
    _tickets: Any = field(default_factory=itertools.count)

    @property
    def start(self) -> dt.date:
        """The first day of the story."""
        return self.today - dt.timedelta(days=DAYS)

    def ago(self, days: int) -> dt.date:
        """The day so many days before today."""
        return self.today - dt.timedelta(days=days)

    def later(self, day: dt.date, least: int, most: int) -> dt.date:
        """A working day between `least` and `most` days after `day`."""
        return self.working(day + dt.timedelta(days=self.dice.randint(least, most)))

    def working(self, day: dt.date) -> dt.date:
        """`day`, or the Monday after it; today and yesterday always count, so that there is something to see."""
        if day >= self.ago(1):
            return day
        return day + dt.timedelta(days=max(0, 7 - day.weekday()) if day.weekday() > 4 else 0)

    def let(self, person: Any, command: Callable[..., T], *args: Any, **more: Any) -> T:
        """Let `person` give a command: the documents and their history name them."""
        with pghistory.context(user=person.pk):
            return command(*args, by=person, **more)

    def on(self, day: dt.date, effect: Callable[[dt.date], Any], *, urgency: int = 5) -> None:
        """Let `effect` happen on `day`; what lies in the future does not happen. Low urgency comes first."""
        if day <= self.today:
            heapq.heappush(self._queue, (day, urgency, next(self._tickets), effect))

    def live(self) -> None:
        """Let everything happen, day by day."""
        while self._queue:
            day, _urgency, _ticket, effect = heapq.heappop(self._queue)
            effect(day)
