"""Documents with a line grid: the form, and the computing of changed rows."""

from __future__ import annotations

from collections.abc import Container
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext as _

from kit.pages.actions import Action
from kit.pages.forms import KitForm, form_class
from kit.pages.hooks import hooks
from kit.pages.lines import Computed, GridRow, changed_rows
from kit.pages.merging import picked
from kit.pages.packing import folded_in, pages_of, unpacked
from kit.pages.panels import flow_of
from kit.pages.resources import Resource
from kit.pages.views import drafts
from kit.pages.views.conflict import Conflict, conflict_of, opened
from kit.pages.views.drafts import Unsaved
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import find, go, record_head, saved_since, steps
from kit.rules.states import command_permission
from kit.values.errors import BusinessError, VersionConflict
from kit.values.keys import is_key


def document_view(request: HttpRequest, resource: Resource, obj: Any) -> HttpResponse:
    """The form of a document with lines; saving goes through the document's service."""
    if request.method != "POST":
        return _opening(request, resource, obj)
    grid = resource.lines
    form = _form(request, resource, obj)
    made = hooks.earlier(request.POST.get("submit_id", ""), request.user, f"{resource.slug}.save")
    if made is not None:
        drafts.saved(request, resource, obj)
        return go(request, resource.url_for(made))
    rows = grid.read(form.data, request.user)
    valid = form.is_valid() and not any(row.errors for row in rows)
    problems: list[str] = []
    looking = request.POST.get("action") == "recalculate" or "page" in request.POST  # without scripts
    if valid and not looking:
        try:
            return _save(request, resource, obj, form, rows)
        except VersionConflict as error:
            conflict = conflict_of(request, resource, obj, form, rows)
            if conflict is not None:
                return _merged(request, resource, conflict)
            computed = grid.compute(form.instance, rows, None, request.user)
            return _page(request, resource, obj, form, rows, computed, [str(error)], 409)
        except BusinessError as error:
            problems = grid.add_problems(rows, error)
            at_fields = [p for p in error if p.row is None and p.field]
            if at_fields:
                form.add_problems(BusinessError(problems=at_fields))
    computed = grid.compute(form.instance, rows, None, request.user)
    status = 200 if looking else 422
    return _page(request, resource, obj, form, rows, computed, problems, status)


def _opening(request: HttpRequest, resource: Resource, obj: Any) -> HttpResponse:
    """The form as it is stored, copied, or typed and not saved yet."""
    grid, user = resource.lines, request.user
    draft = drafts.unsaved(request, resource, obj)
    typed = draft.data if draft is not None else None
    copied = _copied(request, resource) if obj is None and typed is None else None
    form = _form(request, resource, obj, copied, typed)
    if typed is not None:
        form.show_typed()
        document, rows = form.instance, grid.read(form.data, user)
    else:
        document = prefilled(form, form.initial if copied is not None else set(request.GET))
        if copied is not None:
            rows = grid.copied_rows(copied, document, user)
        elif obj is not None:
            rows = grid.rows_of(document, user)
        else:
            rows = grid.new_rows(document, user, request.GET.dict())
    computed = grid.compute(document, rows, None, user)
    return _page(request, resource, obj, form, rows, computed, [], 200, draft)


def prefilled(form: KitForm, asked: Container[str]) -> Any:
    """The document of an unbound form with its initial values set, and what follows from them.

    Values that were `asked` for in the address stay; defaults give way to what follows from another value.
    """
    document = form.instance
    if document.pk is None:
        given = [name for name in form.initial if _preset(form, document, name)]
        for name in given:
            for target, value in form.resource.fill(document, name, form.user).items():
                if target in form.fields and not (target in given and target in asked):
                    form.initial[target] = value
                    setattr(document, target, value)
    return document


def _preset(form: KitForm, document: Any, name: str) -> bool:
    """Set one initial value on `document`; whether there was one that means something."""
    field, value = form.fields.get(name), form.initial[name]
    if field is None or value in (None, ""):
        return False
    try:
        value = value if isinstance(value, models.Model) else field.clean(field.prepare_value(value))
    except ValidationError:
        return False
    setattr(document, name, value)
    return value is not None


def _copied(request: HttpRequest, resource: Resource) -> Any:
    """The document that a new one copies (`?copy=key`, rule G-23), if any; 404 where it is not to be seen."""
    key = request.GET.get("copy", "")
    source = find(request, resource, key) if key and resource.not_copied is not None else None
    return source if source is None or resource.lines.copyable(source) else None


def _form(request: HttpRequest, resource: Resource, obj: Any, copied: Any = None, typed: Any = None) -> KitForm:
    initial = resource.initial(request) if obj is None and request.method != "POST" else {}
    if copied is not None:
        kept = [name for name in resource.fields if name not in (resource.not_copied or ())]
        initial |= {name: getattr(copied, name) for name in kept}
    posted = picked(unpacked(request.POST, resource.lines, request.user))
    restored = unpacked(typed, resource.lines, request.user) if typed is not None else None
    return form_class(resource)(posted or restored, instance=obj, user=request.user, resource=resource, initial=initial)


def _save(request: HttpRequest, resource: Resource, obj: Any, form: KitForm, rows: list[GridRow]) -> HttpResponse:
    version = request.POST.get("version", "")
    then = request.POST.get("then", "")

    def effect() -> Any:
        document = form.instance
        return resource.lines.save(
            document, rows, by=request.user, version=int(version) if document.pk and is_key(version) else None
        )

    saved, repeat = hooks.once(request.POST.get("submit_id", ""), request.user, f"{resource.slug}.save", effect)
    drafts.saved(request, resource, obj)
    warning = getattr(saved, "warning", "")
    if warning:
        messages.warning(request, warning)
    done = ""
    if then and not repeat:
        command = next((c for c in resource.commands_for(saved, request.user) if c.name == then and not c.fields), None)
        if command is not None:
            try:
                saved, done = command.run(saved, by=request.user), str(command.label)
                if getattr(saved, "warning", ""):
                    messages.warning(request, saved.warning)
            except BusinessError as error:
                return _stopped(request, resource, saved, error)
    messages.success(request, f"{done}: {saved}" if done else _("%s was saved.") % saved)
    return go(request, resource.url_for(saved))


def _stopped(request: HttpRequest, resource: Resource, saved: Any, error: BusinessError) -> HttpResponse:
    """The form of the draft that was saved, with what keeps it from its next step at the lines that it is about."""
    obj = resource.get(request.user, resource.key_of(saved))
    rows = resource.lines.rows_of(obj, request.user)
    problems = resource.lines.add_problems(rows, error)
    problems += [str(problem.message) for problem in error if problem.row is None and problem.field]
    messages.info(request, _("%s was saved.") % saved)
    form = form_class(resource)(None, instance=obj, user=request.user, resource=resource)
    computed = resource.lines.compute(obj, rows, None, request.user)
    return _page(request, resource, obj, form, rows, computed, problems, 422)


def compute_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The changed rows, totals and notices of a grid as fragments; nothing is stored."""
    if resource.lines is None or request.method != "POST":
        raise Http404
    if not (resource.may(request.user, "add") or resource.may(request.user, "change")):
        raise PermissionDenied
    form = computing_form(request, resource)
    grid = resource.lines
    heads = {name for name in request.POST.get("head", "").split(",") if name in form.fields}
    form.follow(heads, set(request.POST.get("typed", "").split(",")))
    rows, folded = grid.read(form.data, request.user), folded_in(request.POST, grid)
    changed = changed_rows(request.POST.get("changed", ""), rows)
    again = grid.rows_again(form.instance, rows, heads, request.user) if heads else None
    if again is not None:
        rows, changed = again, None
    computed = grid.compute(form.instance, rows, changed, request.user)
    asked = [row for row in rows if changed is None or row.index in changed] if again is None else []
    context = {
        "grid": grid,
        "columns": grid.shown_for(request.user),
        "details": grid.details_for(request.user),
        "computed": computed,
        "resource": resource,
        "choices": SimpleLazyObject(lambda: grid.choices_for(request.user)),  # most answers hold no select
        "all_rows": rows if again is not None else None,
        "count": sum(1 for row in rows if row.values),
        "rows": [row for row in asked if row.index not in folded],
        "folded": [row for row in asked if row.index in folded],
        "head_fields": [form[name] for name in sorted(form.filled)],
        "hints": resource.hints(form.instance, request.user) if heads else {},
    }
    response = fragment_or_page(request, "kit/parts/grid_answer.html", context)
    response.headers["X-Seq"] = request.POST.get("seq", "")[:12]
    return response


def computing_form(request: HttpRequest, resource: Resource) -> KitForm:
    """The head as it was sent, as far as it can be understood; what is missing in it is no error."""
    form = _form(request, resource, _opened(request, resource))
    form.computing = True
    form.is_valid()
    return form


def _opened(request: HttpRequest, resource: Resource) -> Any:
    key = request.POST.get("document", "")
    if not is_key(key):
        return None
    keys = [f.name for f in resource.meta.concrete_fields if f.is_relation and f.name in resource.fields]
    return resource.queryset(request.user).select_related(*keys).filter(pk=int(key)).first()


def _page(
    request: HttpRequest,
    resource: Resource,
    obj: Any,
    form: KitForm,
    rows: list[GridRow],
    computed: Computed,
    problems: list[str],
    status: int,
    draft: Unsaved | None = None,
    conflict: Conflict | None = None,
) -> HttpResponse:
    grid = resource.lines
    head = _head(request, resource, obj, computed)
    context = {
        "head": head,
        "form": form,
        "resource": resource,
        "object": obj,
        "grid": grid,
        "then": _next_step(request, resource, obj),
        **_head_fields(resource, form),
        "columns": grid.shown_for(request.user),
        "details": grid.details_for(request.user),
        "pages": pages_of(grid.padded(rows), request.POST, grid),
        "template_row": GridRow("__i__"),
        "computed": computed,
        "problems": problems,
        "wrong_cells": grid.wrong_cells(rows),
        **_version(request, resource, obj, form, status, conflict),
        "steps": steps(resource, obj if obj is not None else form.instance),
        "flow": flow_of(resource.meta.label_lower, obj, request.user) if obj is not None else (),
        "submit_id": drafts.submit_id(draft, obj) or head.submit_id,
        "opened": conflict.opened if conflict else opened(form, rows),
        "draft": draft or drafts.unsaved(request, resource, obj),
        **_addresses(resource, obj),
        "count": sum(1 for row in rows if row.values),
        "choices": grid.choices_for(request.user),
    }
    return fragment_or_page(request, "kit/document_form.html", context, status)


def _addresses(resource: Resource, obj: Any) -> dict[str, str]:
    """Where the form and what is asked while it is typed go."""
    return {
        "compute_url": resource.url("compute"),
        "paste_url": resource.url("paste"),
        "scan_url": resource.url("scan") if resource.lines.scanned else "",
        "choose_url": resource.url("choose") if resource.lines.searched else "",
        "form_url": resource.url_for(obj, "edit") if obj is not None else resource.url("new"),
    }


def _head_fields(resource: Resource, form: KitForm) -> dict[str, Any]:
    """The fields above the lines: those in sight, and those behind "More fields"."""
    fields = [field for field in form.visible_fields() if field.name != "note"]
    more = [field for field in fields if field.name in resource.more]
    shown = [field for field in fields if field.name not in resource.more]
    hints = resource.hints(form.instance, form.user)
    return {"fields": shown, "more_fields": more, "more_open": any(field.errors for field in more), "hints": hints}


def _version(
    request: HttpRequest, resource: Resource, obj: Any, form: KitForm, status: int, conflict: Conflict | None
) -> dict[str, Any]:
    """The version that saving compares with: that of the page, after a conflict the stored one and what led to it."""
    version = request.POST.get("version") or form.data.get("version") or getattr(obj, "version", "")
    if status != 409:
        return {"version": version}
    return {"conflict": conflict, **saved_since(resource, obj, request.user, str(version))}


def _head(request: HttpRequest, resource: Resource, obj: Any, computed: Computed) -> Head:
    """Title, crumbs and the way back of the form."""
    if obj is None:
        title = _("New %s") % resource.title
        head = Head(title=title, crumbs=crumbs(resource, (title, "")), badge=_badge(resource))
        back = resource.url()
    else:
        head = record_head(resource, obj, request.user)
        head.crumbs = crumbs(resource, (str(obj), resource.url_for(obj)), (_("Edit"), ""))
        back = resource.url_for(obj)
    head.total = computed.live_total
    head.actions = [Action(_("Cancel"), back, name="cancel")]
    return head


def _merged(request: HttpRequest, resource: Resource, conflict: Conflict) -> HttpResponse:
    """Both versions in one form."""
    form, rows = conflict.form, conflict.rows
    computed = resource.lines.compute(form.instance, rows, None, request.user)
    return _page(request, resource, form.instance, form, rows, computed, [], 409, conflict.draft, conflict)


def _next_step(request: HttpRequest, resource: Resource, obj: Any) -> Any:
    """The transition that the primary button runs after saving a draft."""
    states = resource.states
    if states is None or (obj is not None and obj.state != states.initial):
        return None
    offered = (t for t in states.available(states.initial) if t.primary and not t.fields)
    return next((t for t in offered if _granted(resource, t, request.user)), None)


def _badge(resource: Resource) -> Any:
    states = resource.states
    return (states[states.initial].label, states[states.initial].tone) if states is not None else None


def _granted(resource: Resource, transition: Any, user: Any) -> bool:
    return transition.name in resource.run and user.has_perm(command_permission(resource.model, transition))
