"""Django's `migrate`, without rendering related models again where a change cannot concern them.

Django keeps a picture of all models while it migrates and draws every related model anew after each operation.
For new tables, indexes, constraints and triggers nothing but the one model is concerned: with our hundreds of
them, and nearly every model related to the user, leaving that out makes the first start several times faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from django.core.management.commands import migrate
from django.db.migrations.state import ModelState, ProjectState
from pgtrigger.migrations import AddTrigger


class Command(migrate.Command):
    """Updates the database to the models of this version."""

    def handle(self, *args: Any, **options: Any) -> Any:
        """Migrate."""
        with single_table_changes():
            return super().handle(*args, **options)


@contextmanager
def single_table_changes() -> Iterator[None]:
    """Within this block, indexes, constraints and triggers only enter the model state; new models are drawn once."""
    with (
        patch.object(ProjectState, "add_model", _add_model),
        patch.object(ProjectState, "_append_option", _append_option),
        patch.object(AddTrigger, "state_forwards", _add_trigger),
    ):
        yield


_django_add_model = ProjectState.add_model


def _add_model(state: ProjectState, model_state: ModelState) -> None:
    # Drawing a model enters its relations into the models it points to; those need not be drawn again.
    drawn = state.__dict__.pop("apps", None)
    _django_add_model(state, model_state)
    if drawn is not None:
        state.__dict__["apps"] = drawn
        drawn.render_multiple([model_state])


def _append_option(state: ProjectState, app_label: str, model_name: str, option_name: str, obj: Any) -> None:
    options = state.models[app_label, model_name].options
    options[option_name] = [*options[option_name], obj]


def _add_trigger(operation: AddTrigger, app_label: str, state: ProjectState) -> None:
    options = state.models[app_label, operation.model_name.lower()].options
    options["triggers"] = [*options.get("triggers", []), operation.trigger]
