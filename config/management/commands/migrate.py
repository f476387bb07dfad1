"""Django's `migrate`, without rendering related models again where a change cannot concern them.

Django keeps a picture of all models while it migrates and draws every related model anew after each operation. With
nearly every model related to the user, that made the first start take minutes. In a migration that only builds
(tables, columns, indexes, constraints, triggers) nothing but the one model is concerned; afterwards the picture is
drawn afresh. All other migrations run as Django runs them.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.core.management.commands import migrate
from django.db.migrations import operations
from django.db.migrations.migration import Migration
from django.db.migrations.state import ModelState, ProjectState
from pgtrigger.migrations import AddTrigger

BUILDING = (
    operations.CreateModel,
    operations.AddField,
    operations.AddIndex,
    operations.AddConstraint,
    operations.RunSQL,
    AddTrigger,
)


class Command(migrate.Command):
    """Updates the database to the models of this version."""

    def handle(self, *args: Any, **options: Any) -> Any:
        """Migrate."""
        with patch.object(Migration, "apply", _apply):
            return super().handle(*args, **options)


_django_apply = Migration.apply
_django_add_model = ProjectState.add_model
_django_add_field = ProjectState.add_field


def _apply(migration: Migration, project_state: ProjectState, *args: Any, **kwargs: Any) -> ProjectState:
    if not all(type(operation) in BUILDING for operation in migration.operations):
        return _django_apply(migration, project_state, *args, **kwargs)
    with _one_model_at_a_time():
        state = _django_apply(migration, project_state, *args, **kwargs)
    state.__dict__.pop("apps", None)
    return state


@contextmanager
def _one_model_at_a_time() -> Iterator[None]:
    with (
        patch.object(ProjectState, "add_model", _add_model),
        patch.object(ProjectState, "add_field", _add_field),
        patch.object(ProjectState, "_append_option", _append_option),
        patch.object(AddTrigger, "state_forwards", _add_trigger),
    ):
        yield


@contextmanager
def _only(state: ProjectState, app_label: str, model_name: str) -> Iterator[None]:
    """Change the state without its picture, then draw the one model anew."""
    drawn = state.__dict__.pop("apps", None)
    yield
    if drawn is not None:
        state.__dict__["apps"] = drawn
        state.is_delayed = True
        key = (app_label, model_name.lower())
        with drawn.bulk_update():
            drawn.unregister_model(*key)
        drawn.render_multiple([state.models[key]])


def _add_model(state: ProjectState, model_state: ModelState) -> None:
    with _only(state, model_state.app_label, model_state.name):
        _django_add_model(state, model_state)


def _add_field(state: ProjectState, app_label: str, model_name: str, *args: Any, **kwargs: Any) -> None:
    with _only(state, app_label, model_name):
        _django_add_field(state, app_label, model_name, *args, **kwargs)


def _append_option(state: ProjectState, app_label: str, model_name: str, option_name: str, obj: Any) -> None:
    options = state.models[app_label, model_name].options
    options[option_name] = [*options[option_name], obj]


def _add_trigger(operation: AddTrigger, app_label: str, state: ProjectState) -> None:
    options = state.models[app_label, operation.model_name.lower()].options
    options["triggers"] = [*options.get("triggers", []), operation.trigger]
