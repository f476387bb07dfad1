"""How many days or hours a leave takes: a pure rule over the working calendar and the type (rules H-02, H-03)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from oa.leave.hours import MIDNIGHT, NOON, Hours, Plan, Span

HALF = Decimal("0.5")


@dataclass(frozen=True)
class Period:
    """From minute `start` of the day `first` to before minute `end` of the day `last`."""

    first: dt.date
    start: int
    last: dt.date
    end: int

    def days(self) -> Iterator[tuple[dt.date, int, int]]:
        """Every day with the minutes between which it lies in the period."""
        for n in range((self.last - self.first).days + 1):
            day = self.first + dt.timedelta(days=n)
            yield day, self.start if day == self.first else 0, self.end if day == self.last else MIDNIGHT


@dataclass(frozen=True)
class Rule:
    """What a type says about counting."""

    hourly: bool = False
    counts_holidays: bool = False
    sandwich: bool = False


def units_of(period: Period, plan: Plan, rule: Rule) -> Decimal:
    """Working half days as days, or working time as hours, begun half hours counting fully.

    With `counts_holidays` every day of the calendar counts. With `sandwich` days off that lie between two days of
    leave count as well; those before the first and after the last one never do.
    """
    if rule.hourly:
        minutes = sum(_worked(plan(day), start, end) for day, start, end in period.days())
        return Decimal(-(-minutes // 30)) * HALF
    taken = [(_halves(plan(day), start, end, rule), plan(day).works) for day, start, end in period.days()]
    counted = [n for n, (halves, _works) in enumerate(taken) if halves]
    total = sum(halves for halves, _works in taken)
    if rule.sandwich and not rule.counts_holidays and counted:
        total += sum(2 for halves, works in taken[counted[0] : counted[-1]] if not works)
    return total * HALF


def _halves(hours: Hours, start: int, end: int, rule: Rule) -> int:
    morning = start < NOON and end > 0 and (rule.counts_holidays or hours.morning is not None)
    afternoon = end > NOON and (rule.counts_holidays or hours.afternoon is not None)
    return int(morning) + int(afternoon)


def _worked(hours: Hours, start: int, end: int) -> int:
    spans: tuple[Span | None, ...] = (hours.morning, hours.afternoon)
    return sum(span.overlap(start, end) for span in spans if span is not None)
