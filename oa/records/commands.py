"""What commands of all sections have in common: one transaction, and no trace of a refusal."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from django.db import models, transaction

P = ParamSpec("P")
RecordT = TypeVar("RecordT", bound=models.Model)
ResultT = TypeVar("ResultT")


def command(function: Callable[Concatenate[RecordT, P], ResultT]) -> Callable[Concatenate[RecordT, P], ResultT]:
    """Decorator: run in one transaction; when it fails, the given record is in memory as it was before.

    Without that a page would show a record that was rolled back with a key and a version it does not have,
    and the next attempt would fail for it.
    """

    @wraps(function)
    def run(record: RecordT, *args: P.args, **kwargs: P.kwargs) -> ResultT:
        before = _snapshot(record)
        try:
            with transaction.atomic():
                return function(record, *args, **kwargs)
        except BaseException:
            record.__dict__.clear()
            record.__dict__.update(before)
            raise

    return run


def _snapshot(record: models.Model) -> dict[str, Any]:
    """The columns and the state of a record; what relations were loaded is kept, not copied."""
    state = copy.copy(record._state)
    state.fields_cache = dict(record._state.fields_cache)
    return record.__dict__ | {"_state": state}
