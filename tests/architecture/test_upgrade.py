"""F-24: the company of every earlier version comes over to this one with its books untouched.

`tests/data/upgrades` has a backup of the demo company as each version made it (`manage.py demo --orders 60`, then
`manage.py backup`); passwords are those of the demo. How long locks are held: `tests/chaos/migrating.py`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from config import archive
from tests import upgrading
from tests.chaos.totals import contents, totals
from tests.oa.processes import PRELUDE, killed
from tests.upgrading import BACKUPS, guards, sound

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture
def media(settings: Any, tmp_path: Path) -> Path:
    """Attachments in a folder of this test."""
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    return tmp_path


@pytest.mark.parametrize("backup", BACKUPS, ids=lambda path: path.stem)
def test_a_company_of_an_earlier_version_comes_over(backup: Path, media: Path) -> None:
    """Every total, attachment, guard and invariant is kept: forward, back as an operator would go, forward again.

    And no table that was there demands a column of which the earlier program, if it still runs, knows nothing.
    """
    new = guards()
    books, files, old, known = upgrading.begin(backup), archive.media_names(), guards(), upgrading.demanded()
    assert len(books["accounts"]) > 10 and len(files) > 3 and default_storage.exists(files[0])
    call_command("migrate", interactive=False, verbosity=0)
    assert totals() == books and guards() == new and sound()
    now = upgrading.demanded()
    assert not {table: now[table] - known[table] for table in known if now.get(table, set()) - known[table]}
    upgrading.back(backup)
    assert totals() == books and guards() == old != new
    call_command("migrate", interactive=False, verbosity=0)
    assert totals() == books and guards() == new and sound()
    assert contents() == {row[0]: row[3] for row in books["attachments"]}


# Dies within a migration: before the change of a table that is so many changes behind the first one.
DIES = (
    PRELUDE
    + """
from django.core.management import call_command
changes = 0
def count(execute, sql, params, many, context):
    global changes
    changes += str(sql).startswith(("ALTER TABLE", "CREATE INDEX", "DROP INDEX"))
    if changes == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
    return execute(sql, params, many, context)
with connection.execute_wrapper(count):
    call_command("migrate", interactive=False, verbosity=0)
"""
)


def test_migrations_that_are_killed_go_on(media: Path) -> None:
    """F-24: kill -9 in the middle of `migrate`, in the middle of a migration: the next one brings everything over.

    Twice, so that the second one dies in another migration than the first.
    """
    new, backup = guards(), BACKUPS[0]
    books, wanted = upgrading.begin(backup), set(upgrading.later(backup))
    old, reached = guards(), [0]
    for changes in (6, 12):
        killed(DIES, media, changes)
        reached.append(len(wanted & upgrading.applied()))
        assert old != guards() != new and totals() == books
    assert 0 < reached[1] < reached[2] < len(wanted), reached
    call_command("migrate", interactive=False, verbosity=0)
    assert wanted <= upgrading.applied() and guards() == new and totals() == books and sound()
    assert contents() == {row[0]: row[3] for row in books["attachments"]}


def test_every_migration_can_be_taken_back() -> None:
    """F-24: after the first version no migration of ours is a way of no return."""
    graph, later = MigrationExecutor(connection).loader.graph, upgrading.later(BACKUPS[0])
    assert later and set(later) <= upgrading.applied()
    for key in later:
        assert all(operation.reversible for operation in graph.nodes[key].operations), key
