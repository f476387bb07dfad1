"""Drill F-26: what was changed past the program is found by `manage.py verify`, which names the object."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection

from erp.finance.models import JournalLine
from oa.records.attachments import store_attachments
from oa.records.models import AuditAction, AuditEntry
from tests import factories as make

pytestmark = pytest.mark.django_db


def verified(*codes: str) -> tuple[int, str]:
    """Exit code and words of `manage.py verify`."""
    out = StringIO()
    try:
        call_command("verify", "--only", *codes, stdout=out, stderr=StringIO(), no_color=True)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


def past_the_guards(sql: str) -> None:
    """As somebody who may switch triggers off."""
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(sql)
        assert cursor.rowcount > 0
        cursor.execute("SET LOCAL session_replication_role = origin")


def test_one_flipped_bit_of_an_attachment() -> None:
    """The size stays, the sum differs; the row and the file are named."""
    [row] = store_attachments(make.make_customer(), [ContentFile(b"contract", name="a.txt")], by=make.make_user())
    assert verified("I-33")[0] == 0
    content = bytearray(row.file.open("rb").read())
    content[3] ^= 1
    default_storage.delete(row.file.name)
    assert default_storage.save(row.file.name, ContentFile(bytes(content))) == row.file.name
    code, words = verified("I-33")
    assert code == 1 and f"attachment {row.pk}, file {row.file.name}, " in words


def test_one_lost_journal_line() -> None:
    """The entry does not balance any more, and the line is missed in the balances of its account."""
    make.stock(make.make_product(), 5)
    line = JournalLine.objects.latest("pk")
    connection.check_constraints()  # what the guards look at when a transaction ends is done here
    assert verified("I-02", "I-04", "I-14")[0] == 0
    past_the_guards(f"DELETE FROM erp_journalline WHERE id = {line.pk}")
    code, words = verified("I-02", "I-04", "I-14")
    assert code == 1 and words.count("BROKEN") == 3
    assert line.entry.number in words


def test_two_swapped_audit_entries() -> None:
    """Both are named with what they say now."""
    by = make.make_user()
    first, second = (AuditEntry.objects.create(user=by, action=AuditAction.PRINT, what=f"Paper {n}") for n in (1, 2))
    assert verified("I-30")[0] == 0
    past_the_guards(
        "UPDATE oa_auditentry a SET what = b.what, at = b.at, digest = b.digest FROM oa_auditentry b WHERE a.id <> b.id"
    )
    code, words = verified("I-30")
    assert code == 1
    assert f"audit entry {first.pk}, " in words and f"audit entry {second.pk}, " in words and "what Paper 2" in words


def test_the_servers_of_our_own_sum_their_pages() -> None:
    """A page of the database that a disk changed is refused by PostgreSQL when it is read."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW data_checksums")
        assert cursor.fetchone() == ("on",)
