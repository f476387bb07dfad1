"""History by database triggers: the row as it was before every change, with who changed it and when."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import pghistory
import pgtrigger
from django.db import models

ModelT = TypeVar("ModelT", bound=type[models.Model])

# Columns that commands derive from facts, or that change with every save: no history of their own.
DERIVED = ("version", "updated_at", "search", "pinyin")
LEFT_OUT = {"pinyin", "password"}  # not even stored


def tracked(*derived: str) -> Callable[[ModelT], ModelT]:
    """Class decorator: keep the old row on every update and delete, except of the `derived` columns.

    Only what is overwritten is stored: the present row is in its own table, so inserts cost nothing.
    """

    def decorate(model: ModelT) -> ModelT:
        columns = {field.name for field in model._meta.fields}
        skipped = [name for name in (*DERIVED, *derived) if name in columns]
        generated = [f.name for f in model._meta.fields if isinstance(f, models.GeneratedField)]
        left_out = [*generated, *columns.intersection(LEFT_OUT)]
        changed = pghistory.UpdateEvent(
            "changed", row=pghistory.Old, condition=pgtrigger.AnyChange(exclude=skipped, exclude_auto=False)
        )
        deleted = pghistory.DeleteEvent("deleted", row=pghistory.Old)
        track = pghistory.track(changed, deleted, exclude=left_out, model_name=f"{model.__name__}History")
        return cast(ModelT, track(model))

    return decorate
