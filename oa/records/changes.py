"""The changes of a record, read from the history its triggers keep."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from kit.pages.columns import cell, resolve, structure
from kit.pages.panels import Event
from kit.pages.resources import name_of

HIDDEN = {"version", "updated_at", "pinyin", "search", "password", "last_login"}


def history_model(model: Any) -> Any:
    """The history table of a model, None when it has none."""
    for relation in model._meta.related_objects:
        if relation.get_accessor_name() == "events" or relation.name == "events":
            return relation.related_model
    return None


def changes_of(obj: Any, limit: int) -> list[Event]:
    """Events for creation and the newest changes: each history row against what came after it.

    Columns that a model names in `UNTOLD` are kept, with their own readers, elsewhere.
    """
    history, hidden = history_model(type(obj)), {*HIDDEN, *getattr(obj, "UNTOLD", ())}
    made: list[Event] = []
    people: dict[Any, str] = {}
    if history is not None:
        rows = list(history.objects.filter(pgh_obj_id=obj.pk).select_related("pgh_context").order_by("-pgh_id")[:limit])
        later: Any = obj
        names = [f.name for f in history._meta.fields if not f.name.startswith("pgh_") and f.name not in hidden]
        joined = "created_by" in obj._state.fields_cache
        people = _people(rows, None if joined else getattr(obj, "created_by_id", None))
        for row in rows:
            diff = _diff(type(obj), row, later, names)
            later = row
            if diff:
                context = row.pgh_context.metadata if row.pgh_context else {}
                made.append(
                    Event(
                        row.pgh_created_at,
                        people.get(context.get("user"), _("System")),
                        _what(type(obj), diff),
                        "pencil",
                        kind="changes",
                        more=[(label, old, new) for _name, label, old, new in diff],
                    )
                )
    if getattr(obj, "created_at", None):
        made.append(
            Event(
                min(obj.created_at, made[-1].at) if made else obj.created_at,  # never after the first change
                people.get(getattr(obj, "created_by_id", None)) or str(getattr(obj, "created_by", None) or _("System")),
                _("created this"),
                "plus",
                kind="changes",
            )
        )
    return made


def rights_of(history: QuerySet[Any], thing: str, limit: int) -> list[Event]:
    """What was given and taken by the events `history`; `thing` leads to what it was."""
    texts, name = {"given": _("gave: %s"), "taken": _("took away: %s")}, thing.partition("__")[0]
    return _events(history.select_related(thing), limit, lambda row: texts[row.pgh_label] % name_of(getattr(row, name)))


def factors_of(history: QuerySet[Any], limit: int) -> list[Event]:
    """Second factors that were set up and removed."""
    texts = {"given": _("set up two-factor login"), "taken": _("removed the second factor")}
    keys = {"given": _("added a security key"), "taken": _("removed a security key")}
    return _events(history, limit, lambda row: (keys if row.type == "webauthn" else texts)[row.pgh_label])


def _events(history: QuerySet[Any], limit: int, text: Callable[[Any], str]) -> list[Event]:
    rows = list(history.select_related("pgh_context").order_by("-pgh_id")[:limit])
    people = _people(rows)
    return [
        Event(
            row.pgh_created_at,
            people.get((row.pgh_context.metadata if row.pgh_context else {}).get("user"), _("System")),
            text(row),
            "key-round",
            kind="changes",
        )
        for row in rows
    ]


def _people(rows: Iterable[Any], *more: Any) -> dict[Any, str]:
    keys = {*more, *(row.pgh_context.metadata.get("user") for row in rows if row.pgh_context)} - {None}
    return {user.pk: str(user) for user in get_user_model().objects.filter(pk__in=keys)} if keys else {}


def _diff(model: Any, before: Any, after: Any, names: Iterable[str]) -> list[tuple[str, str, str, str]]:
    """(name, label, old, new) of the fields that differ."""
    found = []
    for name in names:
        field = model._meta.get_field(name)
        old, new = getattr(before, field.attname), getattr(after, field.attname)
        if isinstance(old, dict) and isinstance(new, dict):
            found += _parts(name, old, new)
        elif old != new:
            column = resolve(model, name)
            found.append((name, str(column.label), _words(column, old), _words(column, new)))
    return found


def _parts(name: str, old: dict[str, Any], new: dict[str, Any]) -> list[tuple[str, str, str, str]]:
    """What differs within a column that holds several named values."""
    keys = [key for key in {**old, **new} if old.get(key) != new.get(key)]
    return [(name, key.replace("_", " "), structure(old.get(key, "")), structure(new.get(key, ""))) for key in keys]


def _words(column: Any, value: Any) -> str:
    return cell(column, value).text if not hasattr(value, "pk") else str(value)


def _what(model: Any, diff: list[tuple[str, str, str, str]]) -> str:
    state = next((new for name, _label, _old, new in diff if name == "state"), None)
    return _("set the state to %s") % state if state else _("changed")
