"""Commands of plain records whose transitions have no effect but the state itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.db import transaction

from oa.records.bulk import locked
from oa.records.models import Document
from oa.records.numbering import next_number


def plain_transitions(model: type[Document]) -> dict[str, Callable[..., Any]]:
    """A command for every transition of `model`: lock, check, set the state; the first one gives the number."""
    return {t.name: _command(model, t.name) for t in model.STATES.transitions if not t.internal}


def _command(model: type[Document], name: str) -> Callable[..., Any]:
    @transaction.atomic
    def command(document: Any, *, by: Any, **given: Any) -> Any:
        document = locked(model._default_manager.all(), document.pk)
        document.state = model.STATES.check(name, document).target
        document.number = document.number or next_number(model.SEQUENCE, document.date)
        document.version += 1
        document.save()
        return document

    return command
