"""The list a record was opened from: its neighbours there, and the way back to its row (UX 6.2.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from django.http import HttpRequest, QueryDict

from kit.pages.keyset import beyond
from kit.pages.lists import ListState
from kit.pages.resources import Resource, address_key
from kit.pages.views.heads import Head

LONGEST = 2000  # characters of a list's address


@dataclass(frozen=True)
class Around:
    """Addresses of the list and of the records before and after; empty where there is none."""

    back: str
    previous: str
    next: str


def around(request: HttpRequest, resource: Resource, obj: Any, head: Head) -> Around | None:
    """What stands around `obj` in the list that the address names; the crumb of the list leads back to the row."""
    if "list" not in request.GET:
        return None
    query = request.GET["list"][:LONGEST]
    state = ListState(resource, request.user, QueryDict(query))
    found = Around(
        f"{resource.url()}?{query}#r-{obj.pk}",
        _neighbour(state, obj, back=True),
        _neighbour(state, obj, back=False),
    )
    head.crumbs = [(label, found.back if url == resource.url() else url) for label, url in head.crumbs]
    return found


def _neighbour(state: ListState, obj: Any, *, back: bool) -> str:
    resource = state.resource
    rows = beyond(state.rows, state.known, obj.pk, back=back)
    found = rows.values_list("pk", resource.key_field).first()
    if found is None:
        return ""
    pk, key = found
    same_page = any(row.pk == pk for row in state.body)  # then the way back is to this page, as it was
    query = state.params.urlencode() if same_page else state.query(page=None, at=pk)
    return f"{resource.url('record', address_key(str(key or f'd-{pk}'), pk))}?list={quote(query)}"
