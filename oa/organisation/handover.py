"""What a person leaves behind and a successor takes over: the records the person owns that still need somebody.

Higher sections append to `handovers` what has another shape than a record with an owner.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Case, F, Q, QuerySet, Value, When
from django.utils import timezone
from django.utils.text import capfirst

from oa.organisation.models import User

OURS = ("oa", "crm", "erp")


@dataclass(frozen=True)
class Handover:
    """One kind of things: `rows(user)` are those of a person, `move(user, successor)` gives them away: how many."""

    label: Any
    rows: Callable[[User], QuerySet[Any]]
    move: Callable[[User, User], int]


handovers: list[Handover] = []


@cache
def owned_models() -> tuple[type[models.Model], ...]:
    """Models whose rows belong to an owner: edited by people (they have a version) and seen by whoever owns them.

    A follow-up is seen with its customer and its owner is who spoke: that stays. So does the owner of a file, and that
    of what a model calls `PERSONAL`: the money of a person who left is still owed to that person.
    """
    found = []
    for model in apps.get_models():
        names = {field.name: field for field in model._meta.concrete_fields}
        owner = names.get("owner")
        paths = getattr(model._default_manager.all(), "scope_paths", ())
        if (
            model._meta.app_label in OURS
            and not model._meta.proxy
            and not getattr(model, "PERSONAL", False)
            and owner is not None
            and owner.related_model is User
            and "version" in names
            and "pgh_id" not in names
            and (not paths or "" in paths)
        ):
            found.append(model)
    return tuple(found)


def live(model: type[models.Model]) -> QuerySet[Any]:
    """Rows of `model` that need an owner: masters always, documents until their state is an ended one."""
    rows = model._default_manager.all()
    states = getattr(model, "STATES", None)
    return rows.exclude(state__in=states.ended) if states is not None else rows


def all_handovers() -> Iterator[Handover]:
    """Owned records of every model, then what is registered."""
    for model in owned_models():
        yield Handover(capfirst(model._meta.verbose_name_plural), _rows_of(model), _move_of(model))
    yield from handovers


def preview(user: User) -> list[tuple[Any, int]]:
    """What would be handed over: label and how many, nothing for what there is none of."""
    counted = [(entry.label, entry.rows(user).count()) for entry in all_handovers()]
    return [(label, count) for label, count in counted if count]


def hand_over(user: User, successor: User) -> int:
    """Give everything to `successor`, in one statement a model; returns how many rows. In a transaction."""
    return sum(entry.move(user, successor) for entry in list(all_handovers()))


def _rows_of(model: type[models.Model]) -> Callable[[User], QuerySet[Any]]:
    return lambda user: live(model).filter(owner=user)


def _move_of(model: type[models.Model]) -> Callable[[User, User], int]:
    """Owner, version and time of change; the department where the record has one and the successor works elsewhere."""
    names = {field.name for field in model._meta.concrete_fields}

    def move(user: User, successor: User) -> int:
        values: dict[str, Any] = {"owner": successor, "version": F("version") + 1}
        if "updated_at" in names:
            values["updated_at"] = timezone.now()
        if "department" in names and successor.department_id is not None:
            stays = Q(department__isnull=True) | Q(department__in=successor.own_department_ids)
            values["department"] = Case(
                When(stays, then=F("department")), default=Value(successor.department_id, models.BigIntegerField())
            )
        return live(model).filter(owner=user).update(**values)

    return move
