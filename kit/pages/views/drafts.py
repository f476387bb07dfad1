"""Unsaved input of a form: kept while somebody types, offered when the form is opened again (UX 6.5.9)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.utils.translation import gettext as _

from kit.pages.drafts import Draft
from kit.pages.formats import moment
from kit.pages.forms import form_class
from kit.pages.hooks import hooks
from kit.pages.resources import Resource
from kit.pages.views.lists import require
from kit.pages.views.records import find, go

SECRET = {"password", "file"}  # kinds of inputs that no draft ever holds
NO_FIELDS = ("csrfmiddlewaretoken", "action", "then")


@dataclass
class Unsaved:
    """What the form in hand has to do with its draft: where it goes, what is there, whether it is shown."""

    url: str
    form_url: str = ""
    draft: Draft | None = None
    shown: bool = False

    @property
    def data(self) -> QueryDict | None:
        """What the form is filled with, if the person asked for it."""
        return self.draft.data if self.draft is not None and self.shown else None

    @property
    def told(self) -> str:
        """The sentence of the bar."""
        if self.draft is None:
            return ""
        words = _("Your input from %s is back in the form.") if self.shown else _("You have unsaved input from %s.")
        return words % moment(self.draft.at)


def unsaved(request: HttpRequest, resource: Resource, obj: Any) -> Unsaved | None:
    """The draft of the form that is opened (one statement), or where that of a sent one goes."""
    if hooks.drafts is None or request.headers.get("HX-Target") == "drawer":
        return None
    key = "new" if obj is None else resource.key_of(obj)
    form_url = resource.url("new") if obj is None else resource.url_for(obj, "edit")
    made = Unsaved(resource.url("draft", key), form_url)
    if request.method != "POST":
        made.draft = hooks.drafts.recall(request.user, form_of(resource, obj))
        made.shown = "draft" in request.GET
    return made


def form_of(resource: Resource, obj: Any) -> str:
    """What a form is called where drafts are kept; it outlives the number that a draft of a document gets."""
    return f"{resource.slug}.{'new' if obj is None else obj.pk}"


def submit_id(draft: Unsaved | None, obj: Any) -> str:
    """What a restored form of a new record carries: that of its draft, so that two windows of it make one record."""
    return draft.data.get("submit_id", "") if draft is not None and draft.data is not None and obj is None else ""


def saved(request: HttpRequest, resource: Resource, obj: Any) -> None:
    """The form was saved: nothing is unsaved any more."""
    if hooks.drafts is not None and request.headers.get("HX-Target") != "drawer":
        hooks.drafts.drop(request.user, form_of(resource, obj))


def keep(request: HttpRequest, resource: Resource, obj: Any, typed: QueryDict) -> bool:
    """Keep what was posted, without what is secret; nothing of a form that was saved meanwhile."""
    if hooks.drafts is None:
        return False
    if hooks.earlier(request.POST.get("submit_id", ""), request.user, f"{resource.slug}.save") is not None:
        return True
    data = typed.copy()
    fields = form_class(resource).base_fields.items()
    for name in (*NO_FIELDS, *(n for n, field in fields if getattr(field.widget, "input_type", "") in SECRET)):
        data.pop(name, None)
    return hooks.drafts.keep(request.user, form_of(resource, obj), data)


def draft_view(request: HttpRequest, resource: Resource, key: str) -> HttpResponse:
    """Keep what somebody is typing (nothing else is stored), or forget it; asks for the rights of the form itself."""
    require(request.user, resource, "add" if key == "new" else "change")
    obj = None if key == "new" else find(request, resource, key)
    if not resource.fields or hooks.drafts is None or (obj is not None and not resource.editable(obj, request.user)):
        raise PermissionDenied
    if request.method == "POST" and "drop" not in request.POST:
        return HttpResponse(status=204 if keep(request, resource, obj, request.POST) else 413)
    if request.method == "POST":
        hooks.drafts.drop(request.user, form_of(resource, obj))
    return go(request, resource.url("new") if obj is None else resource.url_for(obj, "edit"))
