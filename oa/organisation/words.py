"""Rights in words: what a role may do, by area and thing (rule G-22)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.contrib.auth.models import Permission
from django.db import models
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import nav
from kit.pages.resources import resource_of
from kit.rules.states import StateTable
from oa.organisation.rights import offered_rights

PLAIN = {
    "view": gettext_lazy("see"),
    "add": gettext_lazy("create"),
    "change": gettext_lazy("change"),
    "delete": gettext_lazy("delete"),
}
OTHER = "~"  # after every area of the tree


@dataclass(frozen=True)
class Right:
    """One right of a thing, as a word."""

    key: int
    name: str  # erp.post_voucher
    word: str
    order: int


@dataclass
class Thing:
    """What rights are about, such as sales orders."""

    label: str
    rights: list[Right] = field(default_factory=list)

    def words(self, keys: Collection[int]) -> list[str]:
        """The words of those rights that are among `keys`."""
        return [right.word for right in self.rights if right.key in keys]


@dataclass
class Area:
    """A group of the navigation with its things."""

    label: str
    things: list[Thing] = field(default_factory=list)

    @property
    def keys(self) -> set[int]:
        """The keys of all its rights."""
        return {right.key for thing in self.things for right in thing.rights}


def areas() -> list[Area]:
    """All rights that a role can hold, in the order of the navigation (one statement)."""
    things: dict[tuple[str, str], Thing] = {}
    for row in offered_rights():
        model = row.content_type.model_class()
        if model is None:
            continue  # of a model that is no more
        shown = _shown(model)
        thing = things.setdefault((_area_key(shown), shown._meta.label), Thing(_name(shown)))
        thing.rights.append(_right(row, model, shown))
    found: dict[str, Area] = {}
    for (key, _label), thing in sorted(things.items(), key=lambda item: (_order(item[0][0]), item[1].label)):
        thing.rights.sort(key=lambda right: (right.order, right.key))
        found.setdefault(key, Area(_area_name(key))).things.append(thing)
    return list(found.values())


def in_words(names: Iterable[str]) -> list[str]:
    """What rights such as `erp.post_voucher` are called, as far as there are such rights."""
    words = {right.name: f"{t.label}: {right.word}" for area in areas() for t in area.things for right in t.rights}
    return [words.get(name, name) for name in names]


def choices() -> list[tuple[str, list[tuple[str, str]]]]:
    """All rights for a select, grouped by area."""
    return [
        (area.label, [(right.name, f"{t.label}: {right.word}") for t in area.things for right in t.rights])
        for area in areas()
    ]


def _shown(model: type[models.Model]) -> type[models.Model]:
    """The model that people know: of a history table what it is the history of."""
    return getattr(model, "pgh_tracked_model", None) or model


def _name(model: type[models.Model]) -> str:
    resource = resource_of(model)
    shared = resource is None or resource.default_filters  # receipts are one page of payments
    return str(capfirst(model._meta.verbose_name_plural if shared else resource.titles))  # type: ignore[union-attr]


def _area_key(model: type[models.Model]) -> str:
    """The group in which the page of the model stands, else that of what it hangs on."""
    links = [f for f in model._meta.fields if f.remote_field and f.remote_field.on_delete is models.CASCADE]
    for candidate in (model, *(link.related_model for link in links)):
        resource = resource_of(candidate)
        if resource is not None and resource.group in nav.tree.groups:
            return resource.group
    return OTHER


def _order(key: str) -> int:
    return nav.tree.groups[key].order if key != OTHER else 10_000


def _area_name(key: str) -> str:
    return str(nav.tree.groups[key].label) if key != OTHER else str(_("Program and settings"))


def _right(row: Permission, model: type[models.Model], shown: type[models.Model]) -> Right:
    name = f"{row.content_type.app_label}.{row.codename}"
    verb = row.codename.partition("_")[0]
    if model is not shown:
        return Right(row.pk, name, str(_("see the history")), 60)
    if verb in PLAIN and row.codename == f"{verb}_{model._meta.model_name}":
        return Right(row.pk, name, str(PLAIN[verb]), list(PLAIN).index(verb))
    return Right(row.pk, name, _transition(model, row.codename) or str(_(row.name)).removeprefix("Can "), 50)


def _transition(model: Any, codename: str) -> str:
    """The buttons that ask for a right."""
    table: StateTable | None = getattr(model, "STATES", None)
    found = [str(t.label) for t in table.transitions if t.permission == codename and not t.internal] if table else []
    return " / ".join(dict.fromkeys(found))
