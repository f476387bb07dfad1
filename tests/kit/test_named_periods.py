"""Periods by name in the filters of lists (UX 6.2.3)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from crm.customers.models import Customer
from kit.pages.periods import WORDS, Period, PeriodFilter
from kit.pages.widgets import DayField
from kit.rules.days import business_zone
from kit.values.dates import PERIODS, days_of
from tests import factories as make
from tests.oa.world import client_of


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("past", None, "2026-11-24"),
        ("today", "2026-11-25", "2026-11-25"),
        ("week", "2026-11-23", "2026-11-29"),
        ("next-week", "2026-11-30", "2026-12-06"),
        ("last-7", "2026-11-19", "2026-11-25"),
        ("last-30", "2026-10-27", "2026-11-25"),
        ("month", "2026-11-01", "2026-11-30"),
        ("last-month", "2026-10-01", "2026-10-31"),
        ("quarter", "2026-10-01", "2026-12-31"),
        ("year", "2026-01-01", "2026-12-31"),
    ],
)
def test_periods_by_name(name: str, first: str | None, last: str) -> None:
    """On a Wednesday; weeks begin on Monday."""
    days = days_of(name, dt.date(2026, 11, 25))
    assert days == (first and dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def test_every_period_has_words_and_holds_at_the_edges_of_a_year() -> None:
    """The first quarter begins in January, and the month before January is December."""
    assert set(WORDS) == set(PERIODS)
    assert days_of("quarter", dt.date(2027, 3, 31)) == (dt.date(2027, 1, 1), dt.date(2027, 3, 31))
    assert days_of("last-month", dt.date(2027, 1, 31)) == (dt.date(2026, 12, 1), dt.date(2026, 12, 31))


@pytest.fixture
def web(db: None) -> Client:
    return client_of(make.make_user("ann", language="en"))


def test_a_list_is_narrowed_by_a_period_by_name(web: Client) -> None:
    """The name wins over days that were typed, stands in the chip, and what is no name is refused."""
    make.make_customer("Today Ltd", next_contact_on=make.today())
    make.make_customer("Last Week Ltd", next_contact_on=make.days_ago(8))
    page = web.get("/crm/customers/?next_contact_on_period=today&next_contact_on_from=2020-01-01").content.decode()
    assert "Today Ltd" in page and "Last Week Ltd" not in page and ">today</button></b>" in page
    page = web.get("/crm/customers/?next_contact_on_period=past").content.decode()
    assert "Last Week Ltd" in page and "Today Ltd" not in page
    page = web.get("/crm/customers/?next_contact_on_period=nonsense").content.decode()
    assert "Today Ltd" in page and "errlist" in page
    assert Customer.objects.count() == 2


@pytest.mark.django_db
def test_a_day_holds_its_moments_until_midnight() -> None:
    """Moments are taken by the company's days: the last day of a period is part of it as a whole."""
    moments = {"Early": (0, 0), "Late": (23, 59), "Before": (-1, 59), "After": (24, 0)}
    start = dt.datetime.combine(make.today(), dt.time.min, business_zone())
    for name, (hours, minutes) in moments.items():
        make.make_customer(name, last_contact_at=start + dt.timedelta(hours=hours, minutes=minutes))
    day = PeriodFilter(field_name="last_contact_at", part=DayField, moments=True)
    found = Customer.objects.filter(day.condition(Period(make.today(), make.today())))
    assert {row.name for row in found} == {"Early", "Late"}
