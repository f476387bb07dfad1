"""A period is closed while people post into it (drill F-05, rule F-30, invariant I-10)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection

from erp.finance.context import ensure_fiscal_year
from erp.finance.models import Account, JournalEntry, Period
from tests import factories as make
from tests.invariants import assert_books

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY = 8
ROUNDS = 10


def months() -> list[Period]:
    """Periods that have ended, the oldest first."""
    today = make.today()
    for years in (0, 1, 2):
        ensure_fiscal_year(today.replace(year=today.year - years, day=1))
    return list(Period.objects.filter(end__lt=today).order_by("start"))[-ROUNDS:]


def race(crowd: Any, period: Period, *, locked: bool = True) -> tuple[Counter[str], int]:
    """One closes the period, seven post into it: what came of the postings, and how many entered after the close."""
    accounts = list(Account.objects.filter(is_group=False, control="").values_list("pk", flat=True)[:2])
    common = {"period": period.pk, "count": 12, "accounts": accounts, "locked": locked}
    closing, *posting = crowd.run("close_or_post", [{"close": not place, **common} for place in range(EVERYBODY)])
    assert closing["ok"] == 1
    return sum(posting, Counter()), JournalEntry.objects.filter(period=period).count() - closing["entries"]


def test_each_posting_is_before_the_close_or_refused(crowd: Any) -> None:
    """10 periods, 7 people: nothing enters a closed period, nobody sees an error, and both ends occur."""
    outcome: Counter[str] = Counter()
    for period in months():
        came, late = race(crowd, period)
        assert not late
        outcome += came
    assert set(outcome) == {"ok", "refused"}, outcome
    assert JournalEntry.objects.count() == outcome["ok"]
    assert_books()


def test_the_guard_refuses_by_itself_what_is_late(crowd: Any) -> None:
    """The control of the lock: without it the ledger's guard holds, and people read its error instead of words."""
    outcome: Counter[str] = Counter()
    for period in months():
        came, late = race(crowd, period, locked=False)
        assert not late
        outcome += came
    assert outcome["CheckViolation"], outcome


def test_postings_enter_a_closed_period_without_lock_and_guard(crowd: Any) -> None:
    """The control of both: the race is real."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_period_open%'")
        [name] = cursor.fetchone()
        cursor.execute(f"ALTER TABLE erp_journalentry DISABLE TRIGGER {name}")
    assert sum(race(crowd, period, locked=False)[1] for period in months())
