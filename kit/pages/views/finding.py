"""The search over everything: what the field in the top bar offers while one types, and the page behind it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.db.models import F, QuerySet, TextField, Value
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from kit.pages import nav
from kit.pages.columns import field_of
from kit.pages.lists import narrowed_state
from kit.pages.resources import Resource, address_key, registry
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.rules.search import matching

FOUND = 5  # of a kind
FEW = 1_000  # that are looked up before it is asked which of them a person sees
SHOWN = 15  # in the list under the field


@dataclass(frozen=True)
class Hit:
    """A place that the field in the top bar offers."""

    url: str
    kind: str
    name: str
    code: str = ""

    @property
    def label(self) -> str:
        """What stands in the field once it is taken."""
        return f"{self.code} {self.name}".strip()


@require_safe
def search_view(request: HttpRequest) -> HttpResponse:
    """Search over all searchable resources the person may see; an exact number or code goes straight there.

    The field in the top bar asks for its list of hits by the target `combo` (UX 3.3).
    """
    text = request.GET.get("q", "").strip()
    if request.headers.get("HX-Target") == "combo":
        return fragment_or_page(request, "kit/parts/hits.html", {"hits": _hits(request.user, text), "text": text})
    groups = []
    if text:
        for resource in _searched(request.user):
            if resource.key_field != "pk":
                exact = resource.queryset(request.user).filter(**{resource.key_field: text}).first()
                if exact is not None:
                    return HttpResponseRedirect(resource.url_for(exact))
            state = narrowed_state(resource, request.user, {}, (), FOUND)
            state.params = request.GET
            if state.body:
                groups.append({"resource": resource, "list": state})
    head = Head(title=_("Search: %s") % text if text else _("Search"))
    return fragment_or_page(request, "kit/search.html", {"head": head, "groups": groups, "search_text": text})


def _searched(user: Any) -> Iterator[Resource]:
    """What `user` may see and search."""
    for resource in registry.values():
        found = field_of(resource.model, "search") is not None or bool(resource.search_fields)
        if resource.searched and found and resource.may(user, "view"):
            yield resource


def _hits(user: Any, text: str) -> list[Hit]:
    """Exact numbers and codes, then places of the menu, then records in the order of the menu; last the page of all.

    A single Latin letter finds too much to be of use.
    """
    if not text or (len(text) == 1 and text.isascii()):
        return []
    exact, others = _records(user, text)
    everything = Hit(f"{reverse('kit:search')}?{urlencode({'q': text})}", "", _("All results for “%s”") % text)
    return [*exact, *_places(user, text), *others[:SHOWN], everything]


def _places(user: Any, text: str) -> list[Hit]:
    """Pages of the menu whose name has a word that begins like this."""
    tree = nav.build(user, "")
    items = [(group["label"], item) for group in tree["nav"] for item in group["items"]]
    items += [(_("New"), item) for item in tree["create"]]
    typed = text.casefold()
    found = [Hit(item["url"], str(kind), capfirst(item["label"])) for kind, item in items if _begins(item, typed)]
    return found[:FOUND]


def _begins(item: dict[str, Any], typed: str) -> bool:
    label = item["label"].casefold()
    return f" {label}".find(f" {typed}") >= 0 or (not typed.isascii() and typed in label)


def _records(user: Any, text: str) -> tuple[list[Hit], list[Hit]]:
    """Records with exactly this number, and the first of each kind that match; one statement for all of them."""
    order = {key: group.order for key, group in nav.tree.groups.items()}
    found = sorted(_searched(user), key=lambda one: (order.get(one.group, 1000), one.order))
    parts = []
    for place, one in enumerate(found):
        if one.key_field != "pk" and any(c.isdigit() for c in text):
            same = one.queryset(user).filter(**{f"{one.key_field}__in": [text, text.upper()]})
            parts.append(_part(one, same, place))
        if type(one).search is not Resource.search:  # what is found there is more than the search column has
            parts.append(_part(one, one.search(one.queryset(user), text), len(found) + place))
        elif field_of(one.model, "search") is not None:
            # Looked up among all first: who is to find five visible ones otherwise walks along a table that has none.
            hits = matching(one.model._default_manager.order_by(), text).values("pk")[:FEW]
            parts.append(_part(one, one.findable(one.queryset(user)).filter(pk__in=hits), len(found) + place))
    if not parts:
        return [], []
    rows = parts[0].union(*parts[1:], all=True) if len(parts) > 1 else parts[0]
    seen: set[tuple[str, int]] = set()
    made: tuple[list[Hit], list[Hit]] = ([], [])
    latest = [one.key_field == "number" for one in found]  # of documents the last, of masters those known longest
    for place, pk, key, name in sorted(rows, key=lambda r: (r[0], -r[1] if latest[r[0] % len(found)] else r[1])):
        resource = found[place % len(found)]
        if (resource.slug, pk) not in seen:
            seen.add((resource.slug, pk))
            made[place >= len(found)].append(_hit(resource, pk, key, name))
    return made


def _part(resource: Resource, rows: QuerySet[Any], place: int) -> QuerySet[Any, Any]:
    """The first rows of one kind, as columns that all kinds share."""
    key = "pk" if resource.key_field == "pk" else resource.key_field
    named = next((c for c in resource.all_columns if c.phone == "cust" and field_of(resource.model, c.shown)), None)
    name = Cast(named.value, TextField()) if named is not None else Value("", TextField())
    texts = {"hit_key": Cast(key, TextField()), "hit_name": name}
    kept = rows.order_by().annotate(hit_place=Value(place), hit_pk=F("pk"), **texts)
    return kept.values_list("hit_place", "hit_pk", "hit_key", "hit_name")[:FOUND]


def _hit(resource: Resource, pk: int, key: str | None, name: str | None) -> Hit:
    url = resource.url("record", address_key(str(key or f"d-{pk}"), pk))
    code = "" if resource.key_field == "pk" else key or _("Draft")
    return Hit(url, str(capfirst(resource.title)), name or key or "", code)
