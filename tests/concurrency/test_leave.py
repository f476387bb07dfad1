"""The same person asks from several tabs at once (rules H-01, H-04). Each lock and constraint has its control."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from oa.leave.models import Employment, LeaveEntry, LeaveRequest
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.leaving import draft, grant, leave_type, monday

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

TABS = 4


def drafts(*, same_day: bool = False, units: int = 1, name: str = "ann") -> list[dict[str, Any]]:
    """One-day requests of a person, the days in a row or all the same."""
    ann, leave = make.make_user(name, "sales"), leave_type()
    grant(ann, leave, units)
    assert Employment.objects.filter(person=ann).exists()
    days = [monday() + dt.timedelta(days=0 if same_day else n) for n in range(TABS)]
    keys = [draft(ann, leave, day).pk for day in days]
    for key in keys:  # they were returned once: the counter of numbers lets nobody wait for another
        LeaveRequest.objects.filter(pk=key).update(number=f"LV-{key}")
    return [{"key": key} for key in keys]


def ask(crowd: Any, entries: list[dict[str, Any]], **more: Any) -> Counter[str]:
    """All at once, by workers that have loaded what they need: otherwise the first one is done before the others."""
    if more:
        assert ask(crowd, drafts(units=TABS, name="bob"))["ok"] == TABS
    return sum(crowd.run("ask_for_leave", entries, **more), Counter())


def test_the_last_day_is_given_once(crowd: Any) -> None:
    """H-01: the others wait for the balance, then read that it does not suffice."""
    assert ask(crowd, drafts()) == Counter(ok=1, refused=TABS - 1)
    assert LeaveRequest.objects.filter(state="approved").count() == LeaveEntry.objects.filter(kind="use").count() == 1
    assert_books()


def test_without_the_lock_the_last_day_is_given_several_times(crowd: Any) -> None:
    """The control: the race is real, and the invariant finds it."""
    outcome = ask(crowd, drafts(), control=True)
    assert outcome["ok"] > 1, outcome
    assert "I-71" in broken()


def test_nobody_is_away_twice_at_a_time(crowd: Any) -> None:
    """H-04: with the lock, and by the constraint alone without it."""
    assert ask(crowd, drafts(same_day=True, units=9)) == Counter(ok=1, refused=TABS - 1)
    assert_books()


def test_the_constraint_alone_refuses_the_second_one(crowd: Any) -> None:
    """H-04: nobody waits for the balance, and still one gets through; words come of that, too."""
    outcome = ask(crowd, drafts(same_day=True, units=9), control=True)
    assert outcome["ok"] == 1 and outcome["ok"] + outcome["refused"] + outcome["DeadlockDetected"] == TABS
    assert_books()


def test_without_lock_and_constraint_somebody_is_away_twice(crowd: Any) -> None:
    """The control of the constraint."""
    entries = drafts(same_day=True, units=9)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_leaverequest DROP CONSTRAINT leaverequest_no_overlap")
    outcome = ask(crowd, entries, control=True)
    assert outcome["ok"] > 1, outcome
    assert "I-73" in broken()
