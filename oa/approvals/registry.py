"""Documents that can be approved declare themselves here; higher sections register theirs when they start."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.db import models
from django.utils.translation import gettext_lazy as _

from kit.pages.lines import LineTable
from kit.pages.resources import url_of
from oa.approvals.conditions import RECORD, Fact
from oa.organisation.models import Department, Position


def _departments() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Department.objects.values_list("pk", "name")]


def _positions() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Position.objects.values_list("pk", "name")]


# Known of every request. A department is a list: itself first, then those above it, so that "is Sales" holds below.
COMMON = (
    Fact("applicant_department", _("applicant's department"), RECORD, _departments, department=True),
    Fact("applicant_position", _("applicant's position"), RECORD, _positions),
)


@dataclass(frozen=True)
class Approvable:
    """What the engine must know of a kind of document. `kind` is unique, its model's label for business documents.

    `facts(document)`: the values of `fields` as JSON (numbers as text): a change of one of them after approval needs
    a new run (rule X-08). `content(document)`: everything an approver decides about, as JSON; its hash is what was
    approved. `title(document)`: what it is called in lists; `summary(document)`: label and text pairs to decide by.
    `lines(document)`: its lines as a table, shown to everybody who sees the request, who need not see the document:
    what is decided about is never hidden from who decides.
    `lock(document)`, `unlock(document)`: keep it from changing while the run lasts and give it back (rule X-06).
    `effect(document, by)`: what approval means, in the transaction of the last decision; raises BusinessError when it
    cannot be, which takes the decision back with it (rule X-07).
    `check(document, by)`: refuses, in words, what is not ready to be submitted, and who may not submit it.
    `url(document)`: the page to which its requests lead.
    `editable`: fields that a step may allow to change during the run, `edit(document, values, by)` changes them.
    `batch`: whether many may be approved at once (rule X-12).
    """

    kind: str
    label: Any
    model: type[models.Model]
    fields: tuple[Fact, ...]
    facts: Callable[[Any], dict[str, Any]]
    content: Callable[[Any], dict[str, Any]]
    lock: Callable[[Any], Any]
    unlock: Callable[[Any], Any]
    effect: Callable[[Any, Any], Any]
    summary: Callable[[Any], Sequence[tuple[Any, Any]]] = lambda document: ()
    lines: Callable[[Any], LineTable | None] = lambda document: None
    title: Callable[[Any], str] = str
    check: Callable[[Any, Any], Any] = lambda document, by: None
    url: Callable[[Any], str] = url_of
    editable: tuple[tuple[str, Any], ...] = ()
    edit: Callable[[Any, Mapping[str, Any], Any], Any] | None = None
    batch: bool = True
    icon: str = "file-text"

    @property
    def known(self) -> dict[str, Fact]:
        """The fields by name, with those that every document has."""
        return {fact.name: fact for fact in (*COMMON, *self.fields)}


@dataclass
class Registry:
    """Fixed kinds, and sources of kinds that users define (forms)."""

    fixed: dict[str, Approvable] = field(default_factory=dict)
    sources: list[tuple[str, Callable[[str], Approvable | None], Callable[[], Sequence[tuple[str, Any]]]]] = field(
        default_factory=list
    )

    def register(self, approvable: Approvable) -> Approvable:
        """Make a kind known."""
        self.fixed[approvable.kind] = approvable
        return approvable

    def source(
        self,
        prefix: str,
        find: Callable[[str], Approvable | None],
        names: Callable[[], Sequence[tuple[str, Any]]],
    ) -> None:
        """Kinds that begin with `prefix` are found by `find(kind)`; `names()` gives (kind, label) pairs."""
        self.sources.append((prefix, find, names))

    def get(self, kind: str) -> Approvable:
        """The kind; raises LookupError when nobody declares it (any more)."""
        found = self.fixed.get(kind)
        if found is None:
            found = next((find(kind) for prefix, find, _names in self.sources if kind.startswith(prefix)), None)
        if found is None:
            raise LookupError(f"approvable {kind}")
        return found

    def batch(self, kind: str) -> bool:
        """Whether many of a kind may be approved at once; forms always, so that no row asks the database."""
        found = self.fixed.get(kind)
        return found.batch if found is not None else any(kind.startswith(prefix) for prefix, *_rest in self.sources)

    def choices(self) -> list[tuple[str, Any]]:
        """(kind, label) pairs of everything that can be approved."""
        made = [(kind, approvable.label) for kind, approvable in self.fixed.items()]
        return made + [pair for _prefix, _find, names in self.sources for pair in names()]


approvables = Registry()
