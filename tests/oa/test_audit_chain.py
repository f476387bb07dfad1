"""S-23: the audit trail is a chain of seals; what was changed past the triggers shows (invariant I-30, drill F-26)."""

from __future__ import annotations

import pytest
from django.db import connection

from oa.records.models import AuditAction, AuditEntry
from tests import factories as make
from tests.invariants import broken

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries() -> list[AuditEntry]:
    """Three papers that somebody printed."""
    by = make.make_user()
    return [AuditEntry.objects.create(user=by, action=AuditAction.PRINT, what=f"Paper {n}") for n in range(3)]


def past_the_guards(sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_every_entry_is_sealed_with_the_one_before(entries: list[AuditEntry]) -> None:
    """Also those that come in one statement; the keys that people get are those of the rows."""
    more = [AuditEntry(user=entries[0].user, action=AuditAction.EXPORT, what=f"List {n}") for n in range(3)]
    AuditEntry.objects.bulk_create(more)
    seals = list(AuditEntry.objects.order_by("pk").values_list("digest", flat=True))
    assert len(set(seals)) == 6 and all(len(seal) == 64 for seal in seals)
    stored = AuditEntry.objects.in_bulk()
    assert [stored[entry.pk].what for entry in more] == ["List 0", "List 1", "List 2"]
    assert not broken(["I-30"])


def test_a_missing_entry_is_found_at_the_next(entries: list[AuditEntry]) -> None:
    """One that was taken out of the middle."""
    past_the_guards(f"DELETE FROM oa_auditentry WHERE id = {entries[1].pk}")
    [found] = broken(["I-30"])["I-30"]
    assert f"audit entry {entries[2].pk}, " in found


def test_entries_of_before_the_seals_stay(entries: list[AuditEntry]) -> None:
    """An installation that had entries already: the chain begins behind them."""
    past_the_guards("UPDATE oa_auditentry SET digest = ''")
    AuditEntry.objects.create(user=entries[0].user, action=AuditAction.PRINT, what="Paper 3")
    assert not broken(["I-30"])
