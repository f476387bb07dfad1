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

from django.contrib.auth import get_user_model
from django.db.models import QuerySet

from kit.pages.actions import Action, Command
from kit.pages.counting import FEW, CountOf


@dataclass(frozen=True)
class Panel:
    """A part of a record page that lists rows of another resource, or renders a template of its own.

    List panel: `resource` (model label) filtered by `by` = the record. Template panel: `template` and
    `context(obj, user)`. `where`: tab, side or main, on the desk also top. `permission` guards it; a list panel's
    rows are narrowed by the resource itself.
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
    room: int = 5  # rows that a card of the desk takes as long as it is on its way

    @property
    def space(self) -> range:
        """The rows that keep its room."""
        return range(self.room)

    def open_to(self, user: Any) -> bool:
        """Whether `user` has the permission, or one of several that are separated by spaces."""
        return not self.permission or any(user.has_perm(name) for name in self.permission.split())


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
    actions: Sequence[Action] = ()


@dataclass(frozen=True)
class Waiting:
    """A kind of things that wait for people: `rows(user)` finds them, none without the right; `tasks` says them.

    Most people have nothing of most kinds: all are counted in one statement, and only those that are there are read.
    Where a row may turn out not to wait for the person after all, the kind is not `exact`.
    """

    rows: Callable[[Any], Sequence[QuerySet[Any]]]
    tasks: Callable[[Any, int], Sequence[Task]]  # (user, limit)
    exact: bool = True


FigureSource = Callable[[Any, Any], Sequence[Figure]]
EventSource = Callable[[Any, Any, int], Sequence[Event]]
ActionSource = Callable[[Any, Any], Sequence[Action]]
FlowSource = Callable[[Any, Any], Sequence[FlowStep]]

panels: dict[str, list[Panel]] = defaultdict(list)
figures: dict[str, list[FigureSource]] = defaultdict(list)
events: dict[str, list[EventSource]] = defaultdict(list)
actions: dict[str, list[ActionSource]] = defaultdict(list)
commands: dict[str, list[Command]] = defaultdict(list)
flows: dict[str, FlowSource] = {}  # one chain a document
waiting: list[Waiting] = []
ANY = "*"  # registered for every record


def panels_for(label: str, user: Any) -> list[Panel]:
    """Panels of a record page that `user` may open, in order."""
    found = [p for p in (*panels[label], *panels[ANY]) if p.open_to(user)]
    return sorted(found, key=lambda panel: panel.order)


def flow_of(label: str, obj: Any, user: Any) -> Sequence[FlowStep]:
    """The chain of documents that `obj` belongs to, empty when it has none."""
    source = flows.get(label)
    return source(obj, user) if source is not None else ()


def queue(user: Any, limit: int) -> list[Task]:
    """What waits for `user`, most urgent first."""
    found = [task for kind, _number in _there(user) for task in kind.tasks(user, limit)]
    return sorted(found, key=lambda task: (task.due or dt.date.max, task.title))[:limit]


def waiting_number(user: Any) -> int:
    """How much waits for `user`, as far as it is counted."""
    numbers = (number if kind.exact else len(kind.tasks(user, FEW)) for kind, number in _there(user))
    return min(sum(numbers), FEW)


def _there(user: Any) -> list[tuple[Waiting, int]]:
    """The kinds that `user` has something of, with how much it is (one statement)."""
    columns: dict[str, CountOf] = {}
    kinds: dict[str, Waiting] = {}
    for kind in waiting:
        for rows in kind.rows(user):
            name = f"n{len(columns)}"
            columns[name], kinds[name] = CountOf(rows), kind
    numbers: dict[Waiting, int] = defaultdict(int)
    if columns:
        for name, number in get_user_model()._default_manager.values(**columns).get(pk=user.pk).items():
            numbers[kinds[name]] += number
    return [(kind, number) for kind, number in numbers.items() if number]


def timeline(label: str, obj: Any, user: Any, limit: int, kind: str = "") -> list[Event]:
    """The newest `limit` entries of all sources, or those of one kind."""
    found = [event for source in (*events[label], *events[ANY]) for event in source(obj, user, limit)]
    if kind:
        found = [event for event in found if event.kind == kind]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]
