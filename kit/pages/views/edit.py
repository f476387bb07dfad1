"""Edit forms of plain records: new, edit, create in a drawer; version conflicts; one effect per submit."""

from __future__ import annotations

import json
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _

from kit.pages.actions import Action
from kit.pages.forms import KitForm, form_class
from kit.pages.hooks import hooks
from kit.pages.merging import picked
from kit.pages.resources import Resource
from kit.pages.views import drafts
from kit.pages.views.conflict import Conflict, conflict_of, opened
from kit.pages.views.documents import document_view
from kit.pages.views.drafts import Unsaved
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find, go, saved_since
from kit.pages.views.similar import twins_of
from kit.values.errors import BusinessError, VersionConflict


def new_view(request: HttpRequest, resource: Resource) -> HttpResponse:
    """The form of a new record."""
    require(request.user, resource, "add")
    if not resource.fields:
        raise PermissionDenied
    if resource.lines is not None:
        return document_view(request, resource, None)
    return _form_view(request, resource, None)


def edit_view(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """The form of an existing record."""
    require(request.user, resource, "change")
    obj = find(request, resource, key)
    if not resource.editable(obj, request.user):
        messages.info(request, _("%s can no longer be edited.") % obj)
        return go(request, resource.url_for(obj))
    if resource.lines is not None:
        return document_view(request, resource, obj)
    return _form_view(request, resource, obj)


def _form_view(request: HttpRequest, resource: Resource, obj: Any) -> HttpResponse:
    initial = resource.initial(request) if obj is None else {}
    draft = drafts.unsaved(request, resource, obj)
    typed = picked(request.POST) or (draft.data if draft else None)
    form = form_class(resource)(
        typed, request.FILES or None, instance=obj, user=request.user, resource=resource, initial=initial
    )
    status = 200
    if request.method != "POST" and typed is not None:
        form.show_typed()
    if request.method == "POST":
        made = hooks.earlier(request.POST.get("submit_id", ""), request.user, f"{resource.slug}.save")
        if made is not None:
            return _saved(request, resource, obj, made)
        if form.is_valid():
            try:
                saved, _repeat = hooks.once(
                    request.POST.get("submit_id", ""),
                    request.user,
                    f"{resource.slug}.save",
                    lambda: save_form(form, request.user, request.POST.get("version")),
                )
                return _saved(request, resource, obj, saved)
            except VersionConflict as error:
                return _conflict_page(request, resource, obj, form, draft, error)
            except BusinessError as error:
                form.add_problems(error)
        status = 422
    return _form_page(request, resource, obj, form, draft, status)


@transaction.atomic
def save_form(form: KitForm, user: Any, version: str | None) -> Any:
    """Store the form's record: by the resource's own service where saving has rules, else plainly."""
    resource, obj = form.resource, form.instance
    if obj.pk:
        check_version(resource, obj, version)
        if hasattr(obj, "version"):
            obj.version += 1
    elif hasattr(obj, "created_by_id"):
        obj.created_by = user
    save = type(resource).save
    try:
        with transaction.atomic():
            if save is not None:
                save(obj, by=user)
            else:
                obj.save()
            form._save_m2m()  # what ModelForm.save does after the row
    except IntegrityError as error:
        raise BusinessError(integrity_message(resource, error)) from error
    return obj


def check_version(resource: Resource, obj: Any, version: str | None) -> None:
    """Lock the row and refuse when it was saved after the form was opened (rule G-19)."""
    if not hasattr(obj, "version") or version is None:
        return
    current: Any = resource.model._default_manager.select_for_update(of=("self",)).get(pk=obj.pk)
    if str(current.version) != version:
        raise VersionConflict(
            _("Somebody else saved %s while you were editing. Open it in a new tab, then save again over it.") % current
        )


def integrity_message(resource: Resource, error: IntegrityError) -> str:
    """What a violated constraint says in words."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "") or ""
    for constraint in resource.meta.constraints:
        if constraint.name == name:
            return str(constraint.get_violation_error_message())
    return _("This contradicts other data and was not saved.")


def _saved(request: HttpRequest, resource: Resource, obj: Any, saved: Any) -> HttpResponse:
    drafts.saved(request, resource, obj)
    if request.headers.get("HX-Target") == "drawer":
        picked = {"picked": {"value": saved.pk, "label": resource.pick_label(saved)}}
        return HttpResponse(status=204, headers={"HX-Trigger": json.dumps(picked)})
    messages.success(request, _("%s was saved.") % saved)
    return go(request, resource.url_for(saved))


def _conflict_page(
    request: HttpRequest, resource: Resource, obj: Any, form: KitForm, draft: Unsaved | None, error: VersionConflict
) -> HttpResponse:
    """Both versions in one form, or as it was typed where nobody knows what it was opened with."""
    conflict = conflict_of(request, resource, obj, form)
    if conflict is None:
        form.add_problems(error)
        return _form_page(request, resource, obj, form, draft, 409)
    return _form_page(request, resource, conflict.form.instance, conflict.form, conflict.draft, 409, conflict)


def _form_page(
    request: HttpRequest,
    resource: Resource,
    obj: Any,
    form: KitForm,
    draft: Unsaved | None,
    status: int,
    conflict: Conflict | None = None,
) -> HttpResponse:
    title = _("New %s") % resource.title if obj is None or not obj.pk else str(obj)
    trail = [(title, "")] if obj is None else [(str(obj), resource.url_for(obj)), (_("Edit"), "")]
    back = resource.url() if obj is None else resource.url_for(obj)
    head = Head(title=title, crumbs=crumbs(resource, *trail), actions=[Action(_("Cancel"), back, name="cancel")])
    version = request.POST.get("version") or form.data.get("version") or getattr(obj, "version", "")
    drawer = request.headers.get("HX-Target") == "drawer"
    context = {
        "head": head,
        "form": form,
        "resource": resource,
        "object": obj,
        "version": version,
        "drawer": drawer,
        "submit_id": drafts.submit_id(draft, obj) or head.submit_id,
        "draft": draft,
        "twins": twins_of(resource, request) if obj is None else (),
        "opened": conflict.opened if conflict else opened(form),
        "conflict": conflict,
    }
    if status == 409:
        context |= saved_since(resource, obj, request.user, str(version))
    return fragment_or_page(request, "kit/parts/drawer_form.html" if drawer else "kit/form.html", context, status)
