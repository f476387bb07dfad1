"""List pages, panels as fragments, and the search behind pickers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_safe

from kit.pages import formats
from kit.pages.actions import Bulk
from kit.pages.bulk import actions_of
from kit.pages.lists import COUNT_LIMIT, ListState
from kit.pages.resolving import CODES, exact, own_fields
from kit.pages.resources import Resource, registry
from kit.pages.views.heads import Head, crumbs, list_actions

PICK_ROWS = 10


@require_safe
def list_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The list of a resource; htmx gets the table alone."""
    require(request.user, resource, "view")
    state = ListState(resource, request.user, request.GET, remembered=True)
    head = Head(
        title=resource.title_plural, crumbs=crumbs(resource), actions=list_actions(resource, request.user, state)
    )
    context = {"head": head, "list": state, "resource": resource, "bulk": BulkBar(state)}
    template = "kit/parts/list.html" if request.headers.get("HX-Target") == "list" else "kit/list.html"
    return fragment_or_page(request, template, context)


@dataclass(frozen=True)
class BulkBar:
    """What can be done to the chosen rows of a list."""

    state: ListState

    @property
    def actions(self) -> list[Bulk]:
        """What the person may do."""
        return actions_of(self.state.resource, self.state.user)

    @property
    def url(self) -> str:
        """Where it is done, with the filter of the list."""
        return f"{self.state.resource.url('bulk')}?{self.state.filter_query}"

    @property
    def export_url(self) -> str:
        """Where the chosen rows are exported."""
        return f"{self.state.resource.url('export')}?{self.state.filter_query}"

    @property
    def total(self) -> int | str:
        """How many rows "all" are; nothing where they are not counted to the end."""
        return self.state.count if self.state.count <= COUNT_LIMIT else ""


def fragment_or_page(request: HttpRequest, template: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    """Render with the headers of the htmx contract (UX 5.1, 5.2)."""
    response = render(request, template, context, status=status)
    patch_vary_headers(response, ["HX-Request", "HX-Target"])
    response.headers["Cache-Control"] = "private, no-cache"
    return response


def require(user: Any, resource: Resource, action: str) -> None:
    """403 without the permission."""
    if not resource.may(user, action):
        raise PermissionDenied


@require_safe
def pick_view(request: HttpRequest, slug: str) -> HttpResponse:
    """Up to ten rows for a picker, with the facts that tell twins apart."""
    resource = registry.get(slug)
    if resource is None:
        raise Http404
    rows = resource.pick_queryset(request.user, request.GET.dict())
    text = request.GET.get("q", "").strip()
    if text:
        rows = resource.search(rows, text)
    rows = resource.with_facts(rows.select_related(*resource.related))
    found = list(rows[: PICK_ROWS + 1])
    same = _same(resource, rows, found, text)
    if same is not None:
        found = [same, *(obj for obj in found if obj != same)]
    options = [{**_option(resource, obj), "exact": obj == same} for obj in found[:PICK_ROWS]]
    create = resource.url("new") if resource.may(request.user, "add") and resource.fields else ""
    return fragment_or_page(
        request,
        "kit/parts/options.html",
        {"options": options, "more": len(found) > PICK_ROWS, "create": create, "resource": resource, "text": text},
    )


def _same(resource: Resource, rows: Any, found: list[Any], text: str) -> Any:
    """The row whose code or barcode is exactly `text`: it comes first, wherever the order of the rows has it."""
    typed, names = formats.normal(text).casefold(), own_fields(resource, CODES)
    same = [obj for obj in found if typed and any(str(getattr(obj, n)).casefold() == typed for n in names)]
    if same or len(found) <= PICK_ROWS or not any(letter.isdigit() for letter in typed):
        return same[0] if len(same) == 1 else None
    return exact(resource, rows, text)


def _option(resource: Resource, obj: Any) -> dict[str, Any]:
    """One row of a picker: the code stands in a column of its own where the label begins with it."""
    label, code = resource.pick_label(obj), str(getattr(obj, "code", ""))
    apart = bool(code) and label.startswith(f"{code} ")
    return {
        "pk": obj.pk,
        "label": label,
        "code": code if apart else "",
        "name": label[len(code) + 1 :] if apart else label,
        "facts": resource.facts(obj),
    }
