"""Two people edited one record: what each of them changed, put together (UX 7.6, rule G-19).

Values are compared as short texts, the same for what is stored, what a form was opened with and what was typed.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core import signing
from django.db import models
from django.http import QueryDict

from kit.pages.forms import KitForm
from kit.pages.lines import GridRow, LineGrid

SALT = "kit.opened"
UNSEEN = {"password", "file", "hidden"}  # kinds of inputs that are not compared
Texts = dict[str, str]  # field or column -> value


@dataclass(frozen=True)
class State:
    """The values of a form at one moment: of its fields, and of its lines by their key."""

    fields: Texts
    lines: dict[str, Texts] = field(default_factory=dict)


@dataclass
class Difference:
    """One value that was changed since the form was opened; `side` says by whom, empty for both.

    `line` is the row that it stands in, None for a field; `name` is empty where a whole line is meant.
    """

    name: str
    was: str | None
    theirs: str | None
    yours: str | None
    side: str
    line: GridRow | None = None
    own: GridRow | None = None  # the line as you typed it


def text_of(value: Any) -> str:
    """A value as a text that is the same whether it was stored or typed."""
    if value is None or value is False:
        return ""
    if isinstance(value, models.Model):
        return str(value.pk)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    if isinstance(value, dict):
        return json.dumps({key: text_of(part) for key, part in value.items() if part}, sort_keys=True)
    if isinstance(value, list | tuple | set | models.QuerySet):
        parts = list(value)
        keys = [text_of(part) for part in parts]
        records = all(isinstance(part, models.Model) for part in parts)
        return ",".join(sorted(keys)) if records else json.dumps(keys)
    return str(value).replace("\r\n", "\n").strip()


def compared(form: KitForm) -> list[str]:
    """The fields that a person may change here."""
    return [
        name
        for name, given in form.fields.items()
        if not given.disabled and getattr(given.widget, "input_type", "") not in UNSEEN
    ]


def fields_of(form: KitForm) -> Texts:
    """The values of a form: typed and cleaned, or as it was opened."""
    if form.is_bound:
        return {name: text_of(form.cleaned_data.get(name)) for name in compared(form)}
    return {name: text_of(form.get_initial_for_field(form.fields[name], name)) for name in compared(form)}


def cells_of(row: GridRow, columns: Iterable[str]) -> Texts:
    """What stands in the inputs of a line."""
    given = ((name, row.values.get(name)) for name in columns)
    return {name: row.typed.get(name, "").strip() if value is None else text_of(value) for name, value in given}


def columns_of(grid: LineGrid, user: Any) -> list[str]:
    """The columns of a grid that a person types."""
    return [column.name for column in grid.inputs_for(user)]


def key_of(row: GridRow, grid: LineGrid) -> str:
    """What a stored line is known by; empty for a new one."""
    return str(row.pk) if row.pk else row.index if grid.fixed else ""


def state_of(form: KitForm, rows: Sequence[GridRow] = ()) -> State:
    """Everything in a form."""
    grid = form.resource.lines
    names = columns_of(grid, form.user) if rows else []
    return State(fields_of(form), {key: cells_of(row, names) for row in rows if (key := key_of(row, grid))})


def sealed(state: State) -> str:
    """A state as a hidden field carries it."""
    return signing.dumps([state.fields, state.lines], salt=SALT, compress=True)


def opened_with(sealed_state: str) -> State | None:
    """The state that a hidden field tells; None where there is none of ours."""
    try:
        return State(*signing.loads(sealed_state, salt=SALT)) if sealed_state else None
    except signing.BadSignature:
        return None


def side_of(was: str | None, theirs: str | None, yours: str | None) -> str | None:
    """Who changed a value: theirs, yours, both in different ways (empty), or nobody (None)."""
    if theirs == yours:
        return None
    return "yours" if theirs == was else "theirs" if yours == was else ""


def merged_fields(was: Texts, theirs: Texts, yours: Texts) -> list[Difference]:
    """What differs between two versions of the fields."""
    found = []
    for name, now in theirs.items():
        if name not in yours:
            continue
        before = was.get(name, "")
        side = side_of(before, now, yours[name])
        if side is not None:
            found.append(Difference(name, before, now, yours[name], side))
    return found


def merged_rows(
    was: Mapping[str, Texts], theirs: Sequence[GridRow], yours: Sequence[GridRow], grid: LineGrid, names: Sequence[str]
) -> tuple[list[GridRow], list[Difference]]:
    """The lines of both, by their keys, and what differs. Where both changed a value, theirs stands."""
    mine = {key: row for row in yours if (key := key_of(row, grid))}
    rows, found = [], []
    for row in theirs:
        key = key_of(row, grid)
        own, before = mine.pop(key, None), was.get(key)
        now = cells_of(row, names)
        if own is None:  # new, or deleted by you: kept unless it is as you saw it
            side = "theirs" if before is None else "yours" if now == before else ""
            found.append(Difference("", None if before is None else "", "", None, side, row))
            if side != "yours":
                rows.append(row)
            continue
        rows.append(row)
        found += _merged_cells(before or {}, row, own, names)
    for key, own in mine.items():  # deleted by them
        touched = cells_of(own, names) != was.get(key)
        found.append(Difference("", "", None, "", "" if touched else "theirs", own, own))
    for own in yours:
        if not key_of(own, grid):
            rows.append(own)
            found.append(Difference("", None, None, "", "yours", own, own))
    return rows, found


def _merged_cells(was: Texts, row: GridRow, own: GridRow, names: Sequence[str]) -> list[Difference]:
    """What differs within one line; what only you changed is put into it."""
    theirs, yours = cells_of(row, names), cells_of(own, names)
    found = []
    for name in names:
        before = was.get(name, "")
        side = side_of(before, theirs[name], yours[name])
        if side is None:
            continue
        found.append(Difference(name, before, theirs[name], yours[name], side, row, own))
        if side == "yours":
            take(row, own, name)
    return found


def take(row: GridRow, own: GridRow, name: str) -> None:
    """Put one value of another version of a line into it, with what follows from it unseen."""
    unseen = [key for key in own.typed if key in {"for", "found"}] if name in own.keys else []
    for column in (name, *unseen):
        row.typed[column], row.values[column] = own.typed.get(column, ""), own.values.get(column)
        if column in own.keys:
            row.keys[column] = own.keys[column]


def picked(post: QueryDict) -> QueryDict:
    """What is posted, with your values where you chose them over theirs."""
    chosen = [name[5:] for name in post if name.startswith("pick-") and post[name] == "yours"]
    if not chosen:
        return post
    data = post.copy()
    for number in chosen:
        name = post.get(f"over-{number}", "")
        for key in [key for key in data if name and stands_for(key, name)]:
            del data[key]
        for key, values in QueryDict(post.get(f"mine-{number}", "")).lists():
            data.setlist(key, values)
    return data


def stands_for(key: str, name: str) -> bool:
    """Whether a posted name belongs to a field, a cell, or a line."""
    return key in (name, f"{name}_text", f"{name}_add", f"{name}_add_text") or key.startswith(f"{name}-")


def posted(data: QueryDict, name: str) -> str:
    """What was posted for a field, as one text."""
    kept = QueryDict(mutable=True)
    for key, values in data.lists():
        if stands_for(key, name):
            kept.setlist(key, values)
    return kept.urlencode()


def parts_of(text: str) -> Any:
    """The list or mapping that a text stands for, else the text."""
    try:
        return json.loads(text) if text[:1] in "[{" else text
    except ValueError:
        return text
