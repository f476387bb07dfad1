"""The migrated database is what the models say: columns, foreign keys, indexes, constraints, triggers."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from pgtrigger import registered

pytestmark = pytest.mark.django_db


def own_models():
    return [m for m in apps.get_models(include_auto_created=True) if m._meta.managed and not m._meta.proxy]


def rows(statement):
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def test_columns():
    found = {}
    for table, column in rows("SELECT table_name, column_name FROM information_schema.columns"):
        found.setdefault(table, set()).add(column)
    for model in own_models():
        assert {f.column for f in model._meta.local_fields} == found.get(model._meta.db_table), model._meta.label


def test_foreign_keys():
    found = {
        (table, target)
        for table, target in rows(
            "SELECT r.relname, t.relname FROM pg_constraint c JOIN pg_class r ON r.oid = c.conrelid "
            "JOIN pg_class t ON t.oid = c.confrelid WHERE c.contype = 'f'"
        )
    }
    for model in own_models():
        for field in model._meta.local_fields:
            if isinstance(field, models.ForeignKey) and field.db_constraint:
                pair = (model._meta.db_table, field.remote_field.model._meta.db_table)
                assert pair in found, f"{model._meta.label}.{field.name}"


def test_indexes_and_constraints():
    names = {name for (name,) in rows("SELECT conname FROM pg_constraint UNION SELECT indexname FROM pg_indexes")}
    for model in own_models():
        for thing in [*model._meta.indexes, *model._meta.constraints]:
            # Constraint triggers aside, each has its own name in the database.
            assert thing.name in names, f"{model._meta.label}: {thing.name}"


def test_triggers():
    names = {name for (name,) in rows("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")}
    missing = [f"{model._meta.label}: {t.name}" for model, t in registered() if t.get_pgid(model) not in names]
    assert not missing, "\n".join(missing)


def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=0)
