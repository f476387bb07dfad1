"""Each invariant of official documents and seals finds what it claims to find (I-78 to I-80)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection

from kit.rules.days import business_day
from oa.official.services import incoming, seals
from tests.invariants import assert_books, broken
from tests.oa import official

pytestmark = pytest.mark.django_db

MUTATIONS = [
    ("I-78", "UPDATE oa_officialnumber SET running = 7 WHERE running = 2", None),
    ("I-78", "UPDATE oa_officialnumber SET running = 1", ("oa_officialnumber", "officialnumber_once")),
    ("I-78", "DELETE FROM oa_officialnumber WHERE running = 1", None),
    ("I-78", "UPDATE oa_counter SET last = last + 1 WHERE key LIKE 'official:%'", None),
    ("I-78", "UPDATE oa_outgoingdocument SET number = 'x' WHERE number LIKE '%1号'", None),
    ("I-78", "UPDATE oa_officialnumber SET state = 'void', reason = 'x' WHERE running = 1", None),
    ("I-79", "UPDATE oa_outgoingdocument SET body = 'other' WHERE state = 'numbered'", None),
    ("I-79", "UPDATE oa_outgoingdocument SET title = 'other' WHERE state = 'distributed'", None),
    ("I-79", "UPDATE oa_outgoingtext SET body = 'other'", None),
    ("I-79", "DELETE FROM oa_outgoingtext", None),
    ("I-79", "UPDATE oa_outgoingdocument SET created_by_id = signed_by_id WHERE signed_by_id IS NOT NULL",
     ("oa_outgoingdocument", "outgoing_four_eyes")),
    ("I-79", "UPDATE oa_incomingdocument SET state = 'closed'", ("oa_incomingdocument", "incoming_fed_back")),
    ("I-80", "DELETE FROM oa_outgoingreceipt", None),
    ("I-80", "UPDATE oa_outgoingdocument SET recipients = 9 WHERE state = 'distributed'", None),
    ("I-80", "UPDATE oa_outgoingdocument SET distributed_at = NULL WHERE state = 'distributed'", None),
    ("I-80", "UPDATE oa_outgoingreceipt SET opened_at = now()", None),
    ("I-80", "UPDATE oa_sealrequest SET state = 'lent', used_at = now()", ("oa_sealrequest", "seal_lent_once")),
    ("I-80", "UPDATE oa_sealrequest SET decided_by_id = created_by_id WHERE state = 'lent'",
     ("oa_sealrequest", "sealrequest_four_eyes")),
    ("I-80", "UPDATE oa_sealrequest SET state = 'returned' WHERE state = 'lent'", None),
]  # fmt: skip


def execute(sql: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.rowcount


@pytest.fixture
def office(db: Any) -> None:
    """Two signed documents, one of them circulating in turn; an instructed letter; a lent seal and one wished for."""
    o = official.office()
    official.signed(o)
    official.distributed(o, to=[o.cid, o.kit], order="serial")
    incoming.handle(official.instructed(o, o.ben), by=o.ben, text="done")
    today = business_day()
    seals.lend(official.to_use(o, lend=True, back_on=today), by=o.kit, date=today)
    official.to_use(o, lend=True, back_on=today)
    execute("SET CONSTRAINTS ALL IMMEDIATE")


def test_the_office_is_sound(office: None) -> None:
    """What the mutations break is there, and nothing is broken before."""
    assert_books()


@pytest.mark.parametrize(("code", "sql", "drop"), MUTATIONS)
def test_a_broken_invariant_is_found(office: None, code: str, sql: str, drop: tuple[str, str] | None) -> None:
    """Broken by SQL past all guards."""
    if drop is not None:
        partial = drop[1] == "seal_lent_once"  # a condition makes it an index
        execute(f"DROP INDEX {drop[1]}" if partial else f"ALTER TABLE {drop[0]} DROP CONSTRAINT {drop[1]}")
    execute("SET LOCAL session_replication_role = replica")
    assert execute(sql) > 0
    execute("SET LOCAL session_replication_role = origin")
    assert broken((code,))
