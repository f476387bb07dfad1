"""F-24: the company of every earlier version comes over to this one with its books untouched.

`tests/data/upgrades` has a backup of the demo company as each version made it (`manage.py demo --orders 60`, then
`manage.py backup`); passwords are those of the demo.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from config import archive
from tests.chaos.totals import contents, totals

BACKUPS = sorted((Path(__file__).parents[1] / "data/upgrades").glob("*.zip"))
OURS = ("erp", "crm", "oa")
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def sound() -> bool:
    """Whether every invariant holds; `verify` ends the process where not."""
    said = io.StringIO()
    call_command("verify", stdout=said)
    return "All invariants hold." in said.getvalue()


def guards() -> set[Any]:
    """Triggers and constraints of our tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal "
            "UNION SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid <> 0"
        )
        return set(cursor.fetchall())


@pytest.mark.parametrize("backup", BACKUPS, ids=lambda path: path.stem)
def test_a_company_of_an_earlier_version_comes_over(backup: Path, settings: Any, tmp_path: Path) -> None:
    """Every total and attachment is the same, every guard is there, every invariant is kept."""
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    new = guards()
    archive.restore(backup)
    books, files = totals(), archive.media_names()
    assert len(books["accounts"]) > 10 and len(files) > 3 and default_storage.exists(files[0])
    ContentType.objects.clear_cache()
    call_command("migrate", interactive=False, verbosity=0)
    assert totals() == books and guards() == new and sound()
    assert contents() == {row[0]: row[3] for row in books["attachments"]}


def test_every_migration_can_be_taken_back() -> None:
    """F-24: after the first version no migration of ours is a way of no return."""
    first = archive.check(BACKUPS[0])["migrations"]
    graph = MigrationExecutor(connection).loader.graph
    later = [key for key in graph.nodes if key[0] in OURS and key[1] > first[key[0]]]
    assert later and set(later) <= set(MigrationRecorder(connection).applied_migrations())
    for key in later:
        assert all(operation.reversible for operation in graph.nodes[key].operations), key
