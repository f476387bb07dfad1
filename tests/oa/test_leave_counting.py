"""How many days a leave takes (rules H-02, H-03): pure rules, without a database."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oa.leave.counting import Period, Rule, units_of
from oa.leave.hours import MIDNIGHT, NOON, OFF, Hours, Span, parse_hours

FULL = parse_hours("09:00-12:00 13:00-18:00")
MORNING = parse_hours("09:00-12:00")
FRIDAY = dt.date(2026, 5, 29)
HALF, SANDWICH, CALENDAR, HOURLY = Rule(), Rule(sandwich=True), Rule(counts_holidays=True), Rule(hourly=True)


def week(day: dt.date) -> Hours:
    """Monday to Friday."""
    return FULL if day.weekday() < 5 else OFF


def days(n: int, start: int = 0, end: int = MIDNIGHT, first: dt.date = FRIDAY) -> Period:
    return Period(first, start, first + dt.timedelta(days=n - 1), end)


@pytest.mark.parametrize(
    ("period", "rule", "wanted"),
    [
        (days(1), HALF, "1"),
        (days(1, 0, NOON), HALF, "0.5"),
        (days(1, NOON), HALF, "0.5"),
        (days(4), HALF, "2"),  # Friday to Monday
        (days(4), SANDWICH, "4"),  # the weekend lies between
        (days(4, 0, NOON), SANDWICH, "3.5"),
        (days(3), SANDWICH, "1"),  # the weekend at the end never counts
        (days(2, first=FRIDAY + dt.timedelta(days=1)), SANDWICH, "0"),
        (days(4), CALENDAR, "4"),
        (days(2, first=FRIDAY + dt.timedelta(days=1)), CALENDAR, "2"),
        (days(1, 600, 690), HOURLY, "1.5"),
        (days(1, 660, 840), HOURLY, "2"),  # without the break
        (days(1, 600, 601), HOURLY, "0.5"),  # a begun half hour
        (days(4, 1020, 600), HOURLY, "2"),  # the last hour of Friday, the first of Monday
    ],
)
def test_what_counts(period: Period, rule: Rule, wanted: str) -> None:
    """H-02, H-03: half days and hours by calendar, days off by type, the sandwich rule."""
    assert units_of(period, week, rule) == D(wanted)


def test_a_day_with_one_half_costs_a_half() -> None:
    """H-02: a Saturday that is worked in the morning."""
    assert units_of(days(1), lambda day: MORNING, HALF) == D("0.5")
    assert units_of(days(1, NOON), lambda day: MORNING, HALF) == 0


@given(
    st.integers(0, 30), st.sampled_from([0, NOON]), st.sampled_from([NOON, MIDNIGHT]),
    st.lists(st.sampled_from([FULL, MORNING, OFF]), min_size=31, max_size=31),
)  # fmt: skip
def test_halves_as_counted_one_by_one(n: int, start: int, end: int, plan: list[Hours]) -> None:
    """H-02: the same as a walk over all halves; the sandwich adds whole days between, and never more than that."""
    if n == 0 and end <= start:
        return
    period = days(n + 1, start, end)
    halves = [(d, part) for d in range(n + 1) for part in ("am", "pm")]
    halves = [h for h in halves if not (h == (0, "am") and start == NOON) and not (h == (n, "pm") and end == NOON)]
    worked = [(d, p) for d, p in halves if (plan[d].morning if p == "am" else plan[d].afternoon) is not None]

    def hours(day: dt.date) -> Hours:
        return plan[(day - FRIDAY).days]

    assert units_of(period, hours, HALF) == D(len(worked)) / 2
    assert units_of(period, hours, CALENDAR) == D(len(halves)) / 2
    between = [d for d in range(n + 1) if not plan[d].works and worked and worked[0][0] < d < worked[-1][0]]
    assert units_of(period, hours, SANDWICH) == D(len(worked)) / 2 + len(between)


def test_working_hours_as_people_write_them() -> None:
    """H-02: two halves in order; anything else is refused."""
    assert parse_hours("9:00-12:00, 13:30-24:00") == Hours(Span(540, 720), Span(810, 1440))
    assert parse_hours("13:00-18:00") == Hours(None, Span(780, 1080)) and parse_hours(" ") == OFF
    for wrong in ("9", "12:00-09:00", "09:00-12:00 10:00-11:00", "13:00-14:00 09:00-10:00", "09:00-10:00 10:00-11:00",
                  "25:00-26:00", "x-y"):  # fmt: skip
        with pytest.raises(ValueError):
            parse_hours(wrong)
