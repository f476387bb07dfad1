"""Required reading: the form of who has to read, and saying that one has read."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kit.pages.actions import Action
from kit.pages.forms import KitForm, form_for, wide
from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from oa.documents import services
from oa.documents.models import LibraryDocument
from oa.documents.models.rights import MANAGE
from oa.documents.places import way_to
from oa.documents.services.required import SETTINGS
from oa.documents.views.common import document_url, find_document, trail
from oa.records.audiences import AUDIENCE, COMPANY_WIDE
from oa.records.models.audiences import ADDRESS_ALL
from oa.records.receipts import device_of

FIELDS = (*AUDIENCE, *SETTINGS)


class ReadingForm(KitForm):
    """Who has to read, by when, and how."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.user.has_perm(ADDRESS_ALL):
            for name in COMPANY_WIDE:
                del self.fields[name]

    @property
    def helper(self) -> FormHelper:
        """Crispy layout in one card."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        fields = [Field(name, wrapper_class=wide(field)) for name, field in self.fields.items()]
        helper.layout = Layout(Div(Div(*fields, css_class="fgrid"), css_class="cd pad sec-b"))
        return helper


def require_view(request: HttpRequest, key: str) -> HttpResponse:
    """The form of who has to read a document, for whoever manages its folder."""
    document = find_document(request, key)
    rights = services.rights_of(request.user, document.folder_id)
    if not rights & MANAGE or not request.user.has_perm("oa.change_librarydocument"):
        raise PermissionDenied
    made = form_for(by_model[LibraryDocument], FIELDS, ReadingForm)
    form = made(request.POST or None, instance=find_document(request, key), user=request.user,
                resource=by_model[LibraryDocument])  # fmt: skip
    if request.method == "POST" and form.is_valid():
        given = {name: form.cleaned_data[name] for name in form.fields}

        def effect() -> Any:
            return services.require_reading(document, given, by=request.user)

        try:
            name = f"docs.require.{document.pk}"
            hooks.once(request.POST.get("submit_id", ""), request.user, name, effect)
            messages.success(request, _("%s was saved.") % document)
            return go(request, document_url(document))
        except BusinessError as error:
            form.add_problems(error)
    way = trail(way_to(document.folder, request.user), (document, document_url(document)), (_("Required reading"), ""))
    cancel = Action(_("Cancel"), document_url(document), name="cancel")
    head = Head(title=_("Required reading"), crumbs=way, actions=[cancel])
    context = {"head": head, "form": form, "object": document, "submit_id": head.submit_id, "version": ""}
    return fragment_or_page(request, "kit/form.html", context, 422 if request.method == "POST" else 200)


@require_POST
def read_view(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """The version was displayed to its end, or a person says that it was read: that is reading (rule N-02)."""
    document = find_document(request, key)
    said = bool(request.POST.get("said"))
    device = device_of(request.headers.get("User-Agent", ""))
    try:
        if not services.note_read(document, number, by=request.user, device=device, confirmed=said):
            raise Http404
        if said:
            messages.success(request, _("Confirmed."))
    except BusinessError as error:
        messages.error(request, str(error))
    if request.headers.get("HX-Request") and not said:
        return HttpResponse(status=204)
    return go(request, document_url(document))
