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
    distinct: bool = False  # `by` leads through lines, so that a row could be found twice


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


FigureSource = Callable[[Any, Any], Sequence[Figure]]
EventSource = Callable[[Any, Any, int], Sequence[Event]]
ActionSource = Callable[[Any, Any], Sequence[Action]]

panels: dict[str, list[Panel]] = defaultdict(list)
figures: dict[str, list[FigureSource]] = defaultdict(list)
events: dict[str, list[EventSource]] = defaultdict(list)
actions: dict[str, list[ActionSource]] = defaultdict(list)
commands: dict[str, list[Command]] = defaultdict(list)
ANY = "*"  # registered for every record


def panels_for(label: str, user: Any) -> list[Panel]:
    """Panels of a record page that `user` may open, in order."""
    found = [p for p in (*panels[label], *panels[ANY]) if not p.permission or user.has_perm(p.permission)]
    return sorted(found, key=lambda panel: panel.order)


def timeline(label: str, obj: Any, user: Any, limit: int) -> list[Event]:
    """The newest `limit` entries of all sources."""
    found = [event for source in (*events[label], *events[ANY]) for event in source(obj, user, limit)]
    return sorted(found, key=lambda event: event.at, reverse=True)[:limit]
