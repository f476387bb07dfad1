"""What higher layers add to lower pages: panels, figures, commands and timeline entries by registration.

`crm.customer` knows nothing of orders; `erp/sales/panels.py` registers them here under its model label.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from kit.pages.actions import Action, Command


@dataclass(frozen=True)
class Panel:
    """A part of a record page that lists rows of another resource, or renders a template of its own.

    List panel: `resource` (model label) filtered by `by` = the record. Template panel: `template` and
    `context(obj, user)`. `where`: tab, side or main. `permission` guards it; a list panel's rows are narrowed
    by the resource itself.
    """

    name: str
    label: Any
    where: str = "tab"
    resource: str = ""
    by: str = ""
    columns: tuple[str, ...] = ()
    template: str = ""
    context: Callable[[Any, Any], dict[str, Any]] | None = None
    permission: str = ""
    order: int = 100
    filters: tuple[tuple[str, Any], ...] = ()
    create: bool = False
    query: str = ""  # parameters of the list behind "All" where there is no record, on the desk
    distinct: bool = False  # `by` leads through lines, so that a row could be found twice


def listed(name: str, label: Any, resource: str, by: str, columns: tuple[str, ...], **more: Any) -> list[Panel]:
    """The rows of another resource twice: a few with these columns at the side, all of them behind a tab."""
    side = Panel(name, label, "side", resource, by, columns, **more)
    return [side, Panel(f"{name}-all", label, "tab", resource, by, **more)]


@dataclass(frozen=True)
class Figure:
    """A key figure that leads to the records behind it."""

    label: Any
    value: str
    url: str = ""
    note: str = ""
    unit: str = ""
    tone: str = ""
    meter: Decimal | None = None
    trend: str = ""  # "↑ 18.2%", before the note
    good: bool | None = None  # whether the trend is good news; a debt that grows is not


@dataclass(frozen=True)
class FlowEntry:
    """A document of a chain."""

    number: str
    url: str
    state: Any
    tone: str
    current: bool = False  # the one whose page this is


@dataclass(frozen=True)
class FlowStep:
    """The documents of one kind in a chain from order to money (UX 6.4.6); none of them is a step still to come."""

    label: Any  # of one
    plural: Any
    icon: str
    entries: Sequence[FlowEntry] = ()


@dataclass(frozen=True)
class Task:
    """One row of the desk's queue: what waits for a person, with the facts to decide by (UX 6.1)."""

    kind: Any  # the word in the badge
    tone: str
    title: str
    url: str
    facts: str = ""
    due: dt.date | None = None
    verb: Any = ""  # label of the inline action, which opens `action` or else `url`
    action: str = ""
    acts: Sequence[Action] = ()  # inline actions with keys of their own, instead of `verb`
    batch: str = ""  # what stands for the row where many are done at once


@dataclass(frozen=True)
class Event:
    """One entry of a timeline."""

    at: dt.datetime
    who: str
    text: str
    icon: str = "pen-line"
    tone: str = ""
    body: str = ""
    url: str = ""
    link: str = ""
    kind: str = "documents"  # notes, documents, changes
    files: Sequence[tuple[str, str]] = ()
    more: Sequence[tuple[str, str, str]] = ()  # field, old, new
    chips: Sequence[tuple[str, str]] = ()  # icon, text
    timed: bool = True  # whether the time of day is known


FigureSource = Callable[[Any, Any], Sequence[Figure]]
EventSource = Callable[[Any, Any, int], Sequence[Event]]
ActionSource = Callable[[Any, Any], Sequence[Action]]
FlowSource = Callable[[Any, Any], Sequence[FlowStep]]
TaskSource = Callable[[Any, int], Sequence[Task]]

panels: dict[str, list[Panel]] = defaultdict(list)
figures: dict[str, list[FigureSource]] = defaultdict(list)
events: dict[str, list[EventSource]] = defaultdict(list)
actions: dict[str, list[ActionSource]] = defaultdict(list)
commands: dict[str, list[Command]] = defaultdict(list)
flows: dict[str, FlowSource] = {}  # one chain a document
tasks: list[TaskSource] = []  # (user, limit) -> what waits for the user
ANY = "*"  # registered for every record


def panels_for(label: str, user: Any) -> list[Panel]:
    """Panels of a record page that `user` may open, in order."""
    found = [p for p in (*panels[label], *panels[ANY]) if not p.permission or user.has_perm(p.permission)]
    return sorted(found, key=lambda panel: panel.order)


def flow_of(label: str, obj: Any, user: Any) -> Sequence[FlowStep]:
    """The chain of documents that `obj` belongs to, empty when it has none."""
    source = flows.get(label)
    return source(obj, user) if source is not None else ()


def queue(user: Any, limit: int) -> list[Task]:
    """What waits for `user`, most urgent first."""
    found = [task for source in tasks for task in source(user, limit)]
    return sorted(found, key=lambda task: (task.due or dt.date.max, task.title))[:limit]


def timeline(label: str, obj: Any, user: Any, limit: int, kind: str = "") -> list[Event]:
    """The newest `limit` entries of all sources, or those of one kind."""
    found = [event for source in (*events[label], *events[ANY]) for event in source(obj, user, limit)]
    if kind:
        found = [event for event in found if event.kind == kind]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]
