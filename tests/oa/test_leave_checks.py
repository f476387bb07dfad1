"""Each invariant of leave finds what it claims to find (I-71 to I-73)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest

from oa.leave.services import requests, yearly
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.leaving import approved, grant, leave_type, monday, submitted
from tests.oa.test_tasks_checks import execute, unguarded

pytestmark = pytest.mark.django_db
CODES = ("I-71", "I-72", "I-73")
DAY = dt.timedelta(days=1)

MUTATIONS = [
    ("I-71", "UPDATE oa_leaveentry SET units = 1 WHERE kind = 'grant'", None),
    ("I-71", "UPDATE oa_leaveentry SET date = date + 4000 WHERE kind = 'grant' AND expires_on IS NULL", None),
    ("I-71", "UPDATE oa_leaveentry SET units = units - 3 WHERE kind = 'expiry'", None),
    ("I-71", "UPDATE oa_leaveentry SET units = units + 9 WHERE kind = 'carry'", None),
    ("I-71", "UPDATE oa_leaveentry SET date = date - 1 WHERE kind = 'expiry'", None),
    ("I-72", "UPDATE oa_leaveentry SET units = units + 0.5 WHERE kind = 'use'", None),
    ("I-72", "UPDATE oa_leaverequest SET returned = 0", None),
    ("I-72", "UPDATE oa_leaverequest SET units = units + 1 WHERE state = 'approved'", None),
    ("I-73", "DELETE FROM oa_leaveentry WHERE kind = 'use'", None),
    ("I-73", "UPDATE oa_leaveentry SET date = date + 1 WHERE kind = 'use'", None),
    ("I-73", "UPDATE oa_leaverequest SET state = 'approved' WHERE state = 'approving'", None),
    ("I-73", "UPDATE oa_leaverequest SET starts_at = '2020-01-01', ends_at = '2020-01-02'", "leaverequest_no_overlap"),
]


@pytest.fixture
def office(db: Any) -> None:
    """Leave that is approved, cancelled, waits; a grant that expired with a part that went over."""
    ann, leave = make.make_user("ann", "sales"), leave_type(carry_limit=2)
    grant(ann, leave, 8)
    grant(ann, leave, 5, date=dt.date(2021, 1, 1), expires_on=dt.date(2021, 12, 31))
    yearly.expire_until(dt.date(2022, 1, 1))
    approved(ann, leave, monday(), monday() + 3 * DAY)
    gone = approved(ann, leave, monday(5))
    requests.agree_cancel(requests.ask_cancel(gone, "x", by=ann), by=None)
    submitted(ann, leave, monday(7))


@pytest.mark.parametrize(("code", "sql", "constraint"), MUTATIONS)
def test_an_invariant_finds_what_breaks_it(code: str, sql: str, constraint: str | None, office: None) -> None:
    """I-71 to I-73: nothing before, the broken rows afterwards."""
    assert_books(CODES)
    if constraint:
        execute("SET CONSTRAINTS ALL IMMEDIATE")
        execute(f"ALTER TABLE oa_leaverequest DROP CONSTRAINT {constraint}")
    with unguarded():
        assert execute(sql) > 0
    assert code in broken(CODES)
