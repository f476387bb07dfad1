"""Actions on many rows of a list: asked for, done at once or as a job, told, taken back (UX 6.2.8, 7.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.core import signing
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from kit.pages.actions import Bulk
from kit.pages.bulk import CHUNK, MOST, Outcome, actions_of, known, run_rows
from kit.pages.forms import KitForm, form_for
from kit.pages.hooks import hooks
from kit.pages.lists import ListState
from kit.pages.resources import Resource
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find, go
from kit.values.errors import BusinessError

SALT = "kit.undo"
UNDONE_WITHIN = 3600  # seconds; the toast itself is gone after 10
EFFORT = 20  # rows above which an action that can be taken back asks all the same


def bulk_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Do something to the rows that were chosen, or to all of the filter (`all`, with the `count` that was seen)."""
    require(request.user, resource, "view")
    if request.method != "POST":
        return go(request, resource.url())
    if "undo" in request.GET:
        return _undo(request, resource)
    name = request.POST.get("action") or request.GET.get("action", "")
    action = next((one for one in actions_of(resource, request.user) if one.name == name), None)
    if action is None:
        raise PermissionDenied
    keys = _keys(request, resource)
    if not keys:
        messages.info(request, _("Nothing was selected."))
        return go(request, _back(request, resource))
    if len(keys) > MOST:
        messages.error(request, _("At most %s rows at once.") % f"{MOST:,}")
        return go(request, _back(request, resource))
    seen = request.POST.get("count", "")
    changed = "all" in request.POST and seen != str(len(keys))
    form = _field(request, resource, action)
    asks = action.confirm or form is not None or len(keys) > EFFORT
    if changed or (asks and ("confirmed" not in request.POST or (form is not None and not form.is_valid()))):
        return _ask(request, resource, action, keys, form, seen if changed else "")
    values = {action.field: form.cleaned_data[action.field]} if form is not None else {}
    if len(keys) > CHUNK and hooks.start_job is not None:
        return _start(request, resource, action, keys, values)
    return _now(request, resource, action, keys, values)


def _keys(request: HttpRequest, resource: Resource) -> list[int]:
    """The chosen rows; those of the filter are looked up now."""
    if "all" in request.POST:
        rows = ListState(resource, request.user, request.GET, remembered=True).rows
        return list(rows.values_list("pk", flat=True)[: MOST + 1])
    return known(request.POST.getlist("ids") or request.GET.getlist("ids"))


def _back(request: HttpRequest, resource: Resource) -> str:
    """The list as it was, or the record whose page asked."""
    if "record" in request.GET:
        return resource.url_for(find(request, resource, request.GET["record"]))
    return f"{resource.url()}?{ListState(resource, request.user, request.GET).filter_query}".rstrip("?")


def _field(request: HttpRequest, resource: Resource, action: Bulk) -> Any:
    """The form of the one field that the action asks for."""
    if not action.field:
        return None
    posted = request.POST if "confirmed" in request.POST else None
    form = form_for(resource, [action.field], KitForm)(
        posted, user=request.user, resource=resource, instance=resource.model()
    )
    form.computing = True  # the record of the form is none that is stored
    form.fields[action.field].required = True
    return form


def _ask(
    request: HttpRequest, resource: Resource, action: Bulk, keys: Sequence[int], form: Any, before: str
) -> HttpResponse:
    title = f"{action.label} · {resource.title_plural} ({len(keys)})"
    context = {
        "head": Head(title=title, crumbs=crumbs(resource, (action.label, ""))),
        "resource": resource,
        "action": action,
        "keys": keys,
        "all": "all" in request.POST,
        "form": form,
        "changed": bool(before),
        "before": before,
        "question": _("%(what)s: %(count)s rows. Each one is checked by itself.")
        % {"what": action.label, "count": len(keys)},
        "verb": f"{action.label} ({len(keys)})",
        "url": request.get_full_path(),
        "back": _back(request, resource),
    }
    wrong = form is not None and form.is_bound and bool(form.errors)
    return fragment_or_page(request, "kit/bulk.html", context, 422 if wrong else 200)


def _now(
    request: HttpRequest, resource: Resource, action: Bulk, keys: Sequence[int], values: dict[str, Any]
) -> HttpResponse:
    made: list[Outcome] = []

    def effect() -> str:
        made.append(run_rows(resource, action, keys, request.user, values))
        return made[0].told

    try:
        told, _repeat = hooks.once(
            request.POST.get("submit_id", ""), request.user, f"{resource.slug}.bulk.{action.name}", effect
        )
    except BusinessError as error:
        messages.error(request, str(error))
        return go(request, _back(request, resource))
    return _told(request, resource, action, made[0] if made else None, str(told or ""))


def _told(request: HttpRequest, resource: Resource, action: Bulk, outcome: Outcome | None, told: str) -> HttpResponse:
    """A toast with Undo, and a page with the reasons where rows were skipped."""
    undo = ""
    if outcome is not None and outcome.done and action.undo:
        undo = f"{resource.url('bulk')}?{_sealed(request, resource, action, outcome)}"
    messages.success(request, f"{action.label}: {told}", extra_tags=undo)
    back = _back(request, resource)
    if outcome is None or not outcome.skipped:
        return go(request, back)
    head = Head(title=f"{action.label}: {told}", crumbs=crumbs(resource, (action.label, "")))
    return fragment_or_page(request, "kit/bulk_done.html", {"head": head, "outcome": outcome, "back": back})


def _sealed(request: HttpRequest, resource: Resource, action: Bulk, outcome: Outcome) -> str:
    """What the button Undo sends: which rows, and what was there before."""
    given = [request.user.pk, resource.slug, action.undo, [[key, value] for key, value in outcome.done.items()]]
    kept = request.GET.copy()
    kept["undo"] = signing.dumps(given, salt=SALT, compress=True)
    return kept.urlencode()


def _undo(request: HttpRequest, resource: Resource) -> HttpResponse:
    """Take an action back by its inverse, with the rights and checks of the moment."""
    try:
        person, slug, name, done = signing.loads(request.GET["undo"], salt=SALT, max_age=UNDONE_WITHIN)
    except signing.BadSignature:
        raise Http404 from None
    action = next((one for one in actions_of(resource, request.user) if one.name == name), None)
    if (person, slug) != (request.user.pk, resource.slug) or action is None:
        raise PermissionDenied
    keys = [key for key, _before in done]
    values: dict[str, Any] = {}
    if action.field:
        model: Any = resource.meta.get_field(action.field).related_model
        rows = model._default_manager.in_bulk({before for _key, before in done if before is not None})
        values = {str(key): {action.field: rows.get(before)} for key, before in done}
    outcome = run_rows(resource, action, keys, request.user, values)
    tell = messages.success if outcome.done else messages.error
    reasons = "\n".join(outcome.reasons[:3])
    tell(request, f"{_('Taken back')}: {outcome.told}\n{reasons}".strip())
    return go(request, _back(request, resource))


def _start(
    request: HttpRequest, resource: Resource, action: Bulk, keys: Sequence[int], values: dict[str, Any]
) -> HttpResponse:
    """Many rows are done by a worker; the page shows how far it is."""
    start: Any = hooks.start_job
    params = {
        "resource": resource.slug,
        "action": action.name,
        "keys": list(keys),
        "values": {name: value.pk for name, value in values.items()},
        "language": translation.get_language(),
        "back": _back(request, resource),
    }
    title = f"{action.label} · {resource.title_plural} ({len(keys)})"
    address, _repeat = hooks.once(
        request.POST.get("submit_id", ""),
        request.user,
        f"{resource.slug}.bulk.{action.name}",
        lambda: start("bulk", title, params, request.user),
    )
    return go(request, str(address))
