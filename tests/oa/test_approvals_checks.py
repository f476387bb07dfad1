"""Each invariant of approvals finds what it claims to find (I-27, I-28, I-29, I-34)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.db import connection

from oa.approvals import services
from oa.approvals.services import approve
from tests import approving as make
from tests.invariants import assert_books, broken

pytestmark = pytest.mark.django_db

MUTATIONS = [
    ("I-27", "UPDATE oa_approvalaction a SET by_id = r.applicant_id FROM oa_approvalrequest r"
             " WHERE r.id = a.request_id AND a.act = 'approve'"),
    ("I-27", "UPDATE oa_approvalaction SET by_id = (SELECT id FROM oa_user WHERE username = 'other') WHERE act = 'approve'"),
    ("I-27", "UPDATE oa_approvalaction SET by_id = NULL WHERE act = 'approve'"),
    ("I-27", "UPDATE oa_proxy SET until = since - 9, since = since - 10"),
    ("I-27", "UPDATE oa_proxy SET kinds = '{form:ELSE}'"),
    ("I-27", "WITH b AS (SELECT id FROM oa_user WHERE username = 'b'), d AS (SELECT id FROM oa_user WHERE username = 'd'),"
             " t AS (UPDATE oa_approvaltask SET user_id = b.id FROM b, d WHERE user_id = d.id)"
             " UPDATE oa_approvalaction SET by_id = b.id FROM b, d WHERE act = 'approve' AND by_id = d.id"),
    ("I-28", "UPDATE oa_approvalrequest SET content = content || '{\"amount\": \"1.00\"}' WHERE state = 'approved'"),
    ("I-28", "UPDATE oa_approvalrequest SET facts = facts || '{\"amount\": \"1.00\"}' WHERE state = 'approved'"),
    ("I-28", "DELETE FROM oa_approvalnode WHERE stage = 2"),
    ("I-28", "UPDATE oa_approvalnode SET facts_hash = 'x' WHERE stage = 1"),
    ("I-29", "UPDATE oa_approvalrequest SET state = 'approved', decided_at = now() WHERE state = 'running'"),
    ("I-29", "UPDATE oa_approvalrequest SET state = 'withdrawn' WHERE state = 'approved'"),
    ("I-29", "DELETE FROM oa_approvalaction WHERE act = 'submit'"),
    ("I-29", "DELETE FROM oa_approvalaction WHERE act = 'approve'"),
    ("I-29", "UPDATE oa_approvaltask SET state = 'cancelled' WHERE state = 'running'"),
    ("I-29", "UPDATE oa_approvaltask SET state = 'running' WHERE state = 'approved'"),
    ("I-29", "UPDATE oa_formrequest SET state = 'draft' WHERE state = 'approving'"),
    ("I-29", "UPDATE oa_formrequest SET state = 'approved' WHERE state = 'approving'"),
    ("I-34", "UPDATE oa_user SET is_active = false WHERE id IN (SELECT user_id FROM oa_approvaltask WHERE state = 'running')"),
]  # fmt: skip


@contextmanager
def unguarded() -> Iterator[None]:
    """Triggers and foreign keys sleep, as for a superuser who means harm."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        yield
        cursor.execute("SET LOCAL session_replication_role = origin")


@pytest.fixture
def requests(db: None) -> None:
    """One approved in two stages, by a stand-in at the first; one that waits."""
    boss, a, b, c, _other = make.people("boss", "a", "b", "c", "other")
    flow = make.flow(make.step(1, a), make.step(2, b, c, how="all"))
    make.stand_in(a, c)
    done = make.request(flow, boss, amount="900")
    services.approve(make.task(done, a), by=a)
    services.take_back(make.task(done, a, "approved"), by=a)
    for user, by in ((a, c), (b, b)):
        approve(make.task(done, user), by=by)
    services.transfer(make.task(done, c), make.person("d"), by=c)
    last = done.tasks.get(state="running")
    approve(last, by=last.user)
    make.request(flow, boss, amount="1200")


def test_sound_requests_break_nothing(requests: None) -> None:
    """The rows that the mutations need are there."""
    assert_books(["I-07", "I-27", "I-28", "I-29", "I-34"])


@pytest.mark.parametrize(("code", "sql"), MUTATIONS)
def test_a_broken_invariant_is_found(requests: None, code: str, sql: str) -> None:
    """Broken by SQL, past all guards."""
    with unguarded(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for name in ("request_decided", "proxy_period"):
            table = "oa_proxy" if name == "proxy_period" else "oa_approvalrequest"
            cursor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
        cursor.execute(sql)
        assert cursor.rowcount > 0, "this mutation changes nothing"
    assert code in broken([code])
