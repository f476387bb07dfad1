"""Quick entry into the lines of a document: rows of a spreadsheet are looked at first, codes are scanned.

Nothing is stored here: the answers say what the page is to write into its grid (UX 6.6.5, 6.6.6).
"""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse

from kit.pages.lines import GridRow
from kit.pages.pasting import block_of, judge, read_block
from kit.pages.resources import Resource, registry
from kit.pages.scanning import scan
from kit.pages.views.documents import computing_form
from kit.pages.views.lists import fragment_or_page

FOUND = 50  # records that the drawer offers at once


def _require(request: HttpRequest, resource: Resource, method: str = "POST") -> None:
    """Whoever may compute the lines may enter them."""
    if resource.lines is None or request.method != method:
        raise Http404
    if not (resource.may(request.user, "add") or resource.may(request.user, "change")):
        raise PermissionDenied


def paste_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The rows of a pasted block as they would be taken, with the lookups and checks that saving makes."""
    _require(request, resource)
    grid, user = resource.lines, request.user
    form = computing_form(request, resource)
    typed: Any = form.data
    block = block_of(request.POST.get("paste", ""))
    at, column = request.POST.get("at", ""), request.POST.get("column", "")
    pasted, data = read_block(grid, typed, block, user, at=at, column=column)
    if pasted.lines:
        rows = grid.read(data, user)
        grid.compute(form.instance, rows, {line.index for line in pasted.lines if line.index}, user)
        judge(grid, pasted, rows, form.instance, user)
    return fragment_or_page(request, "kit/parts/pasted.html", {"pasted": pasted, "resource": resource, "grid": grid})


def choose_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Records to choose for many lines at once, with quantities (UX 6.6.7); what is chosen the page writes itself."""
    _require(request, resource, "GET")
    grid, user = resource.lines, request.user
    column = next((c for c in grid.columns_for(user) if grid.searched and c.name == grid.searched), None)
    if column is None:
        raise Http404
    target, text = registry[column.resource], request.GET.get("q", "").strip()
    rows = target.pick_queryset(user, {})
    if text:
        rows = target.search(rows, text)
    found = list(target.with_facts(rows.select_related(*target.related))[: FOUND + 1])
    context = {
        "choices": [(obj, grid.picked_text(obj), target.pick_label(obj), target.facts(obj)) for obj in found[:FOUND]],
        "more": len(found) > FOUND,
        "column": column,
        "counted": next(c for c in grid.columns if c.name == grid.counted),
        "target": target,
        "resource": resource,
        "text": text,
    }
    return fragment_or_page(request, "kit/parts/choose.html", context)


def scan_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The row that a scanned code counts in."""
    _require(request, resource)
    grid, user = resource.lines, request.user
    if not grid.scanned:
        raise Http404
    form = computing_form(request, resource)
    document: Any = form.instance
    rows: list[GridRow] = grid.read(form.data, user)
    first = "counting" not in request.POST
    found = scan(grid, document, rows, request.POST.get("code", ""), user, first=first)
    return fragment_or_page(request, "kit/parts/scanned.html", {"scanned": found})
