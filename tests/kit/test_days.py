"""Months and dates."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kit.values.dates import add_months, month_end

days = st.dates(dt.date(1950, 1, 1), dt.date(2150, 12, 31))


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-12-15", 1, "2027-01-15"),
        ("2026-03-31", -1, "2026-02-28"),
        ("2026-01-15", -13, "2024-12-15"),
        ("2026-05-31", 12, "2027-05-31"),
    ],
)
def test_months_are_added_by_the_calendar(day: str, months: int, expected: str) -> None:
    """The last day of a shorter month."""
    assert add_months(dt.date.fromisoformat(day), months) == dt.date.fromisoformat(expected)


@settings(deadline=None)
@given(days)
def test_the_day_after_a_months_end_is_a_first(day: dt.date) -> None:
    """Whatever the month."""
    end = month_end(day)
    assert (end.year, end.month) == (day.year, day.month) and (end + dt.timedelta(days=1)).day == 1


@settings(deadline=None)
@given(days, st.integers(-600, 600))
def test_months_come_back(day: dt.date, months: int) -> None:
    """Adding and taking away the same number of months ends in the month where it began."""
    back = add_months(add_months(day, months), -months)
    assert (back.year, back.month) == (day.year, day.month)
