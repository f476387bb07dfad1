"""The life cycle of a document as one table, from which the check, the buttons and the tests all derive."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pgtrigger
from django.utils.translation import gettext_lazy as _

from kit.values.errors import BusinessError


@dataclass(frozen=True)
class State:
    """One life-cycle state: `tone` is the badge's colour (draft, viol, info, warn, bad, ok, mute).

    `ended` says that nothing is left to do in it; None leaves that to the table (see `StateTable.ended`).
    """

    name: str
    label: Any
    tone: str = "mute"
    step: bool = True  # False: a side state that is not drawn in the row of steps
    ended: bool | None = None


@dataclass(frozen=True)
class Transition:
    """An allowed change of state.

    `permission` is a codename of the model's app; `confirm` a question to ask before; `fields` what the
    person is asked for (names of keyword arguments of the command); `internal` ones have no button.
    """

    name: str
    sources: tuple[str, ...]
    target: str
    label: Any
    permission: str = ""
    primary: bool = False
    danger: bool = False
    confirm: Any = ""
    fields: tuple[str, ...] = ()
    icon: str = ""
    internal: bool = False


@dataclass(frozen=True)
class StateTable:
    """States and transitions of one document type."""

    states: tuple[State, ...]
    transitions: tuple[Transition, ...]
    _by_name: dict[str, State] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({state.name: state for state in self.states})
        for transition in self.transitions:
            for name in (*transition.sources, transition.target):
                if name not in self._by_name:
                    raise ValueError(f"transition {transition.name} names the unknown state {name}")

    def __getitem__(self, name: str) -> State:
        return self._by_name[name]

    @property
    def initial(self) -> str:
        """The state of a new document."""
        return self.states[0].name

    @property
    def ended(self) -> list[str]:
        """Names of the states in which nobody has anything left to do.

        Where a state does not say it itself: it is done (ok) or dropped (mute), or no transition leads out of it. What
        is posted can still be reversed, but waits for nobody.
        """
        left = {source for t in self.transitions for source in t.sources}
        derived = {s.name: s.tone in ("ok", "mute") or s.name not in left for s in self.states}
        return [s.name for s in self.states if (derived[s.name] if s.ended is None else s.ended)]

    @property
    def choices(self) -> list[tuple[str, Any]]:
        """(name, label) pairs for the model field."""
        return [(state.name, state.label) for state in self.states]

    @property
    def width(self) -> int:
        """Length of the longest name."""
        return max(len(state.name) for state in self.states)

    def transition(self, name: str) -> Transition:
        """The transition called `name`."""
        return next(t for t in self.transitions if t.name == name)

    def available(self, state: str) -> list[Transition]:
        """Transitions with a button that start in `state`."""
        return [t for t in self.transitions if state in t.sources and not t.internal]

    def pairs(self) -> set[tuple[str, str]]:
        """All allowed (from, to) pairs."""
        return {(s, t.target) for t in self.transitions for s in t.sources if s != t.target}

    def check(self, name: str, document: Any) -> Transition:
        """Refuse unless transition `name` may start in the state of `document`."""
        transition = self.transition(name)
        if document.state not in transition.sources:
            raise BusinessError(
                _("%(document)s is %(state)s; “%(action)s” is not possible any more.")
                % {"document": document, "state": self[document.state].label, "action": transition.label}
            )
        return transition

    def trigger(self) -> pgtrigger.Trigger:
        """The guard which makes the database refuse every other change of `state`."""
        return pgtrigger.FSM(name="state_machine", field="state", transitions=sorted(self.pairs()))


def permissions(table: StateTable, model_name: str, verbose: str) -> list[tuple[str, str]]:
    """`Meta.permissions` for the transitions of `table` that are not covered by add/change/delete."""
    names: dict[str, str] = {}
    for transition in table.transitions:
        codename = transition.permission
        if codename and codename.split("_")[0] not in {"add", "change", "delete", "view"}:
            names[codename] = f"Can {codename.split('_')[0]} {verbose}"
    return sorted(names.items())


def command_permission(model: Any, transition: Transition) -> str:
    """The full permission of a transition, `change_…` when it names none."""
    meta = model._meta
    return f"{meta.app_label}.{transition.permission or f'change_{meta.model_name}'}"
