"""The page "Who may see this?": a person and the address of a page, and why it is shown to them or not."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import nav
from kit.pages.resources import by_model, registry, url_of
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.widgets import PickerField, resolve_text
from kit.values.keys import is_key
from oa.organisation.models import User
from oa.organisation.panels import WHY
from oa.organisation.why import explain


class AnybodyField(PickerField):
    """A person, also one who left: pickers offer those who work here."""

    def clean(self, value: Any) -> Any:
        key, text = value if isinstance(value, tuple) else ("", "")
        rows = self.resource.queryset(self.user)
        found = rows.filter(pk=key).first() if is_key(key) else None
        if found is not None and text.strip() in ("", self.resource.pick_label(found)):
            return found
        if not text.strip():
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return resolve_text(self.resource, rows, text)


class WhyForm(forms.Form):
    """Whom and what it is about."""

    person = forms.Field(label=gettext_lazy("Person"))
    page = forms.CharField(
        label=gettext_lazy("Address of the page"),
        help_text=gettext_lazy("Copied from the browser, such as /crm/customers/C-00012/."),
        max_length=500,
    )

    def __init__(self, *args: Any, by: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.by = by
        self.fields["person"] = AnybodyField(by_model[User], label=self.fields["person"].label)
        self.fields["person"].user = by  # type: ignore[attr-defined]
        self.order_fields(["person", "page"])

    def clean_page(self) -> Any:
        """The record behind an address; one that the asking person may not see is told like a missing one."""
        record = record_at(self.cleaned_data["page"], self.by)
        if record is None:
            raise forms.ValidationError(_("There is no record at this address, or you may not see it yourself."))
        return record


def record_at(address: str, user: Any) -> Any:
    """The record whose page has this address, as far as `user` may see it."""
    path = urlsplit(address.strip()).path
    try:
        match = resolve(path)
    except Resolver404:
        return None
    slug, _dash, view = (match.url_name or "").rpartition("-")
    resource = registry.get(slug)
    if resource is None or view not in ("record", "edit", "print") or not resource.may(user, "view"):
        return None
    try:
        return resource.get(user, match.kwargs["key"])
    except (ObjectDoesNotExist, ValueError):
        return None


def why_view(request: HttpRequest) -> HttpResponse:
    """The form, and below it the explanation."""
    if not request.user.has_perm(WHY):
        raise PermissionDenied
    asked = "person_text" in request.GET or "person" in request.GET
    form = WhyForm(request.GET if asked else None, by=request.user, initial={"page": request.GET.get("page", "")})
    explanation = None
    if asked and form.is_valid():
        explanation = explain(form.cleaned_data["person"], form.cleaned_data["page"], asker=request.user)
    title = _("Who may see this?")
    context = {
        "head": Head(title=title, crumbs=[(nav.tree.groups["office"].label, ""), (title, "")]),
        "form": form,
        "explanation": explanation,
        "record_url": url_of(explanation.record) if explanation else "",
    }
    return fragment_or_page(request, "oa/why.html", context)
