"""Buttons of a record page: links, and commands that change something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Action:
    """A button as the template draws it. `post` ones are small forms; `dialog` ones ask for something first."""

    label: Any
    url: str
    icon: str = ""
    primary: bool = False
    danger: bool = False
    post: bool = False
    dialog: bool = False
    confirm: Any = ""
    key: str = ""
    menu: bool = False  # in the ⋯ menu
    name: str = ""
    create: bool = False  # starts another document: the first of them is a button, the others hang under it
    focus: str = ""  # id of the field on this page that it leads to


@dataclass(frozen=True)
class Command:
    """Something a person can do to a record: `run(obj, by=user, **fields)` returns the record or a new one.

    `when(obj)` says whether it makes sense now, `permission` who may; `fields` (reason, date) are asked for.
    `goto` is where the person lands: self, result, or the result's edit form.
    """

    name: str
    label: Any
    run: Callable[..., Any]
    permission: str
    when: Callable[[Any], bool] = lambda obj: True
    icon: str = ""
    primary: bool = False
    danger: bool = False
    confirm: Any = ""
    fields: tuple[str, ...] = ()
    goto: str = "self"
    menu: bool = False


@dataclass(frozen=True)
class Bulk:
    """Something a person can do to many rows of a list: `run(obj, by=user)` for each, which refuses by itself.

    `field` is the one field that is asked for and given to `run` by its name; `undo` the action that takes it back
    (with the former value of the field); `confirm` asks before, which otherwise more than 20 rows do.
    """

    name: str
    label: Any
    run: Callable[..., Any]
    permission: str
    icon: str = ""
    field: str = ""
    undo: str = ""
    confirm: bool = False
    danger: bool = False


@dataclass(frozen=True)
class Twin:
    """A record that may be the one somebody is entering; `record` is None where that person does not see it."""

    label: str
    record: Any
    facts: str
    reason: str
