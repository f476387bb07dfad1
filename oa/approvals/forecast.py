"""The path a request will take, with names, before it is submitted and while it runs (rule X-09)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from django.utils.translation import gettext as _

from oa.approvals.conditions import Fact, holds, in_words, reasons
from oa.approvals.models import FlowStep, FlowVersion
from oa.approvals.models.flows import How, NodeKind, Who
from oa.approvals.people import REPEATED, Asked, Situation, asked
from oa.approvals.registry import Approvable
from oa.organisation.models import User


@dataclass(frozen=True)
class Planned:
    """A step of the path: the people who will be asked and why; steps whose conditions do not hold are `left_out`."""

    step: FlowStep
    asked: Asked
    left_out: bool = False
    why: str = ""

    @property
    def choice(self) -> str:
        """Who has still to choose the people of this step, in words."""
        if not self.asked.open:
            return ""
        return _("Who approves before chooses.") if self.step.who == Who.PREVIOUS else _("You choose who decides.")

    @property
    def rule(self) -> str:
        """How many of several people must approve, in words."""
        if self.step.kind != NodeKind.APPROVE or len(self.asked.people) < 2:
            return ""
        if self.step.how == How.RATIO:
            return _("%s %% must approve") % f"{self.step.ratio:g}"
        return "" if self.step.who == Who.CHAIN else str(How(self.step.how).label)


@dataclass
class Path:
    """Everything a flow would do with these facts."""

    steps: list[Planned] = field(default_factory=list)

    @property
    def needed(self) -> list[Planned]:
        """Steps that will be run."""
        return [planned for planned in self.steps if not planned.left_out]

    @property
    def to_choose(self) -> list[FlowStep]:
        """Steps whose approvers the applicant has to choose."""
        return [p.step for p in self.needed if p.step.who == Who.CHOICE]


def choice_field(step: FlowStep) -> str:
    """Name of the form field in which the applicant chooses who decides at a step."""
    return f"choice_{step.pk}"


def forecast(
    version: FlowVersion,
    approvable: Approvable,
    facts: Mapping[str, Any],
    applicant: User,
    department_id: int | None,
    choices: Mapping[str, Sequence[int]] | None = None,
) -> Path:
    """The path of a document with `facts`, if everybody approves. Two statements a step at most."""
    known = approvable.known
    given = {key: list(keys) for key, keys in (choices or {}).items()}
    here = Situation(version, approvable, applicant, department_id, dict(facts), given)
    path, earlier = Path(), []
    steps = list(version.steps.order_by("stage", "pk").prefetch_related("named__user"))
    for stage in sorted({step.stage for step in steps}):
        sure: list[int] = []
        for step in (step for step in steps if step.stage == stage):
            if not holds(step.conditions, facts, known):
                path.steps.append(Planned(step, Asked(), left_out=True, why=conditions_in_words(step, known)))
                continue
            found = asked(step, here)
            path.steps.append(Planned(step, found, why=why_in_words(step, facts, known)))
            if step.kind == NodeKind.APPROVE and (step.how not in (How.ANY, How.RANDOM) or len(found.people) == 1):
                sure += [user.pk for user in found.people]
        earlier += sure
        here = replace(here, earlier=tuple(earlier), before=frozenset(sure))
    return path


def approvals_needed(version: FlowVersion, approvable: Approvable, facts: Mapping[str, Any]) -> str:
    """Why a document with `facts` needs approval, in words; empty when no approving step holds (one statement)."""
    known = approvable.known
    steps = version.steps.filter(kind=NodeKind.APPROVE).order_by("stage", "pk")
    first = next((step for step in steps if holds(step.conditions, facts, known)), None)
    if first is None:
        return ""
    return why_in_words(first, facts, known) or _("every one needs it")


def why_in_words(step: FlowStep, facts: Mapping[str, Any], known: Mapping[str, Fact]) -> str:
    """Why a step is needed: the comparisons that are true."""
    return in_words(reasons(step.conditions, facts, known), known)


def conditions_in_words(step: FlowStep, known: Mapping[str, Fact]) -> str:
    """When a step is needed."""
    return f" {_('or')} ".join(in_words(group, known) for group in step.conditions)


NOTES = {
    "self-head": lambda: _("the applicant would decide; the next head above stands in"),
    "self-skip": lambda: _("the applicant would decide; passed"),
    "repeat-other": lambda: _("has approved before; somebody else decides"),
    REPEATED: lambda: _("has approved before; passed"),
    "empty-admin": lambda: _("nobody found; the administrator of the flow decides"),
    "empty-person": lambda: _("nobody found; the named person decides"),
    "empty-approve": lambda: _("nobody found; passed"),
    "empty-reject": lambda: _("nobody found; rejected"),
    "only-applicant": lambda: _("nobody but the applicant had decided"),
}


def note_in_words(note: str) -> str:
    """What the engine did by itself."""
    return NOTES[note]() if note in NOTES else ""


def names(people: Iterable[User]) -> str:
    """People in a row."""
    return ", ".join(str(user) for user in people)
