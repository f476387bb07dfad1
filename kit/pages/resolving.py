"""Typed texts as records: by exact code, then by name, else the only hit of a search; many texts at once."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import models
from django.db.models import Value
from django.utils.translation import gettext as _

from kit.pages import formats
from kit.pages.resources import Resource
from kit.rules.search import tsquery

CODES = ("code", "number", "barcode", "username")
NAMES = ("name", "title", "short_name", "name_en", "name_zh")
FEW = 5  # records that may share a barcode
SEARCHED = 200  # texts of one request that are searched for; more of them are no codes, but a wrong column


@dataclass(frozen=True)
class Meant:
    """What a text means: a record, `guessed` if a search led to it; None when nothing or `several` fit."""

    obj: Any = None
    guessed: bool = False
    several: bool = False

    def problem(self, text: str) -> str:
        """Why the text means no record, in words."""
        if self.obj is not None:
            return ""
        if self.several:
            return _("“%s” fits several; choose one from the list.") % text
        return _("“%s” was not found.") % text


def own_fields(resource: Resource, names: Sequence[str]) -> list[str]:
    """Those of `names` that the model has."""
    known = {field.name for field in resource.meta.fields}
    return [name for name in names if name in known]


def exact(resource: Resource, rows: models.QuerySet[Any], text: str) -> Any:
    """The one record whose code, number or barcode is `text`, as a scanner sends it; None if there is none."""
    names, plain = own_fields(resource, CODES), formats.normal(text)
    values = {plain, plain.upper()}
    condition = models.Q(*((f"{name}__in", values) for name in names), _connector=models.Q.OR)
    found = list(rows.filter(condition)[:FEW]) if plain and names else []
    same = ([row for row in found if getattr(row, name) in values] for name in names)
    return next((hits[0] for hits in same if len(hits) == 1), None)


def resolve_texts(resource: Resource, rows: models.QuerySet[Any], texts: Collection[str]) -> dict[str, Meant]:
    """What each of `texts` means among `rows`; the number of statements does not grow with theirs."""
    typed = {text: formats.normal(text) for text in texts}
    codes, names = own_fields(resource, CODES), own_fields(resource, NAMES)
    words = {text: plain.partition(" ")[0] for text, plain in typed.items() if " " in plain}
    found: dict[str, Meant] = {}
    for fields, wanted in ((codes, _cases(typed)), (codes, _cases(words)), (names, {t: [p] for t, p in typed.items()})):
        made = _alone(rows, fields, {text: values for text, values in wanted.items() if text not in found})
        found |= {text: Meant(obj) for text, obj in made.items()}
    rest = {text: plain for text, plain in typed.items() if text not in found and plain}
    return {text: Meant() for text in typed} | found | _by_search(resource, rows, dict(list(rest.items())[:SEARCHED]))


def _cases(typed: dict[str, str]) -> dict[str, list[str]]:
    return {text: [code, code.upper()] for text, code in typed.items() if code}


def _alone(rows: models.QuerySet[Any], names: Sequence[str], wanted: dict[str, list[str]]) -> dict[str, Any]:
    """The only row that has one of the wanted values in the first field that knows it; one statement for each field."""
    found: dict[str, Any] = {}
    for name in names:
        open_ = {text: values for text, values in wanted.items() if text not in found}
        if not open_:
            break
        known: dict[str, list[Any]] = {}
        for row in rows.filter(**{f"{name}__in": {value for values in open_.values() for value in values}}):
            known.setdefault(str(getattr(row, name)), []).append(row)
        for text, values in open_.items():
            one = next((known[value] for value in values if value in known), [])
            if len(one) == 1:
                found[text] = one[0]
    return found


def _by_search(resource: Resource, rows: models.QuerySet[Any], typed: dict[str, str]) -> dict[str, Meant]:
    """The only hits of searches: one statement for the keys of all of them, one for the rows."""
    if len(typed) == 1 or type(resource).search is not Resource.search:
        hits = {text: list(resource.search(rows, plain)[:2]) for text, plain in typed.items()}
        return {text: _meant(found) for text, found in hits.items()}
    parts = [
        rows.filter(_condition(resource, plain)).order_by().annotate(place=Value(place)).values_list("place", "pk")[:2]
        for place, plain in enumerate(typed.values())
    ]
    if not parts:
        return {}
    pairs = list(parts[0].union(*parts[1:], all=True))
    objects = rows.in_bulk({pk for _place, pk in pairs})
    texts = list(typed)
    keys: dict[str, list[Any]] = {text: [] for text in texts}
    for place, pk in pairs:
        keys[texts[place]].append(objects[pk])
    return {text: _meant(found) for text, found in keys.items()}


def _meant(found: Sequence[Any]) -> Meant:
    return Meant(found[0], guessed=True) if len(found) == 1 else Meant(several=len(found) > 1)


def _condition(resource: Resource, text: str) -> models.Q:
    """What `Resource.search` asks for, without looking anything up first."""
    condition, query = models.Q(pk__in=[]), tsquery(text)
    paths = [*(["search"] if own_fields(resource, ("search",)) else []), *resource.search_fields]
    for path in paths:
        if path.rpartition("__")[2] != "search":
            condition |= models.Q(**{f"{path}__icontains": text})
        elif query:
            condition |= models.Q(**{f"{path}__tokens": query})
    return condition
