"""A company as an earlier version left it, and what must be the same when it has come over."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from config import archive
from tests.chaos.totals import totals

BACKUPS = sorted((Path(__file__).parent / "data/upgrades").glob("*.zip"))
OURS = ("erp", "crm", "oa")


def sound() -> bool:
    """Whether every invariant holds; `verify` ends the process where not."""
    said = io.StringIO()
    call_command("verify", stdout=said)
    return "All invariants hold." in said.getvalue()


def guards() -> set[Any]:
    """Triggers and constraints of our tables, their indexes and columns: what a migration must leave as it says."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal "
            "UNION SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE conrelid <> 0 "
            "UNION SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public' "
            "UNION SELECT table_name, concat_ws(' ', column_name, data_type, is_nullable, generation_expression) "
            "FROM information_schema.columns WHERE table_schema = 'public'"
        )
        return set(cursor.fetchall())


def demanded() -> dict[str, set[str]]:
    """For each table the columns that every INSERT has to name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, array_agg(column_name::text) FILTER (WHERE is_nullable = 'NO' AND column_default IS NULL "
            "AND is_identity = 'NO' AND is_generated = 'NEVER') "
            "FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name"
        )
        return {table: set(columns or ()) for table, columns in cursor.fetchall()}


def begin(backup: Path) -> dict[str, Any]:
    """Restore the company of an earlier version; its totals."""
    archive.restore(backup)
    ContentType.objects.clear_cache()
    return totals()


def first_versions(backup: Path) -> dict[str, str]:
    """The last migration of each app of ours when the backup was made."""
    applied = archive.check(backup)["migrations"]
    return {app: applied[app] for app in OURS}


def back(backup: Path) -> None:
    """To where the backup was, as an operator would do it."""
    for app, migration in first_versions(backup).items():
        call_command("migrate", app, migration, interactive=False, verbosity=0)
    assert not applied() & set(later(backup)), "not taken back"


def later(backup: Path) -> list[tuple[str, str]]:
    """Our migrations that came after the backup, in their order."""
    loader = MigrationExecutor(connection).loader
    first = first_versions(backup)
    nodes: list[tuple[str, str]] = []
    for leaf in loader.graph.leaf_nodes():
        nodes += [key for key in loader.graph.forwards_plan(leaf) if key not in nodes]
    return [key for key in nodes if key[0] in OURS and key[1] > first[key[0]]]


def applied() -> set[tuple[str, str]]:
    """What the database says was done."""
    return set(MigrationRecorder(connection).applied_migrations())
