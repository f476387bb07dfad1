"""Django's `migrate`, without rendering related models again where a change cannot concern them.

Django keeps a picture of all models while it migrates and draws every related model anew after each operation. With
nearly every model related to the user, that made the first start take minutes. In a migration that only builds
(tables, columns, indexes, constraints, triggers) or changes plain columns nothing but the one model is concerned;
afterwards the picture is drawn afresh. All other migrations run as Django runs them.

On the way back it is the same; and what lies behind a migration that is taken back is not drawn at all, where Django
draws it model by model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from unittest.mock import patch

from django.core.management.commands import migrate
from django.db.migrations import operations
from django.db.migrations.migration import Migration
from django.db.migrations.state import ProjectState
from pgtrigger.migrations import AddTrigger, RemoveTrigger

# What changes the picture of one model, and what is in no picture.
DRAWN = (operations.CreateModel, operations.AddField, operations.AlterField)
UNDRAWN = (
    operations.AddIndex,
    operations.RemoveIndex,
    operations.AddConstraint,
    operations.RemoveConstraint,
    operations.AlterConstraint,
    operations.AlterModelOptions,
    operations.RunSQL,
    AddTrigger,
    RemoveTrigger,
)


class Command(migrate.Command):
    """Updates the database to the models of this version."""

    def handle(self, *args: Any, **options: Any) -> Any:
        """Migrate."""
        with ExitStack() as stack:
            for name, quick in (("apply", _apply), ("unapply", _unapply), ("mutate_state", _mutate_state)):
                stack.enter_context(patch.object(Migration, name, quick))
            return super().handle(*args, **options)


_django_apply, _django_unapply, _django_mutate = Migration.apply, Migration.unapply, Migration.mutate_state


def _apply(migration: Migration, project_state: ProjectState, *args: Any, **kwargs: Any) -> ProjectState:
    if not all(map(_concerns_one_model, migration.operations)):
        return _django_apply(migration, project_state, *args, **kwargs)
    with _one_model_at_a_time():
        state = _django_apply(migration, project_state, *args, **kwargs)
    state.__dict__.pop("apps", None)
    return state


def _unapply(migration: Migration, project_state: ProjectState, *args: Any, **kwargs: Any) -> ProjectState:
    if not all(map(_concerns_one_model, migration.operations)):
        return _django_unapply(migration, project_state, *args, **kwargs)
    with _one_model_at_a_time():
        return _django_unapply(migration, project_state, *args, **kwargs)


def _mutate_state(migration: Migration, project_state: ProjectState, preserve: bool = True) -> ProjectState:
    """The state behind a migration without its picture, which is drawn when somebody looks."""
    drawn = project_state.__dict__.pop("apps", None)
    state = _django_mutate(migration, project_state, preserve)
    if preserve and drawn is not None:
        project_state.__dict__["apps"] = drawn
    return state


def _concerns_one_model(operation: Any) -> bool:
    if type(operation) is operations.AlterField:
        field = operation.field  # a column that others may refer to is not plain
        return not (field.is_relation or field.primary_key or field.unique)
    return type(operation) in (*DRAWN, *UNDRAWN)


@contextmanager
def _one_model_at_a_time() -> Iterator[None]:
    with ExitStack() as stack:
        for kind in (*DRAWN, *UNDRAWN):
            forwards = _in_small(kind.state_forwards, redraw=kind in DRAWN)
            stack.enter_context(patch.object(kind, "state_forwards", forwards))
        yield


def _in_small(django_forwards: Callable[..., None], *, redraw: bool) -> Callable[..., None]:
    """Change the state without its picture, then draw the one model anew."""

    def state_forwards(operation: Any, app_label: str, state: ProjectState) -> None:
        drawn = state.__dict__.pop("apps", None)
        django_forwards(operation, app_label, state)
        if drawn is None:
            return
        state.__dict__["apps"] = drawn
        if redraw:
            name = operation.name if isinstance(operation, operations.CreateModel) else operation.model_name
            key = (app_label, name.lower())
            state.is_delayed = True
            with drawn.bulk_update():
                drawn.unregister_model(*key)
                drawn.render_multiple([state.models[key]])

    return state_forwards
