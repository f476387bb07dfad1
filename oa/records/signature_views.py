"""My signature: draw, choose or give up; and the picture of a signature for whoever may see what it stands on."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from oa.records.idempotency import once
from oa.records.models import PersonSignature
from oa.records.signatures import give_up_signature, keep_signature, present_signature

# Ours by its encoding, but nothing that a browser shares, keeps or takes for something else (S-10).
SEALED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class SignatureForm(forms.Form):
    """A picture; scripts put a drawing in its place."""

    image = forms.FileField(
        label=gettext_lazy("Picture of your signature"),
        help_text=gettext_lazy("PNG, JPG, GIF or WebP, dark on white. Margins are cut off."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg,image/gif,image/webp"}),
        error_messages={"required": gettext_lazy("Draw your signature, or choose a picture of it.")},
    )


def signature_view(request: HttpRequest) -> HttpResponse:
    """The signature that I use now, and a new one in its place; nobody has a page for that of somebody else."""
    user: Any = request.user
    form = SignatureForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["image"]
        try:
            once(request.POST.get("submit_id", ""), user, "signature.keep", lambda: keep_signature(file, by=user))
            messages.success(request, _("Your signature was saved. It stands beside what you decide from now on."))
            return go(request, request.path)
        except BusinessError as error:
            form.add_error("image", str(error))
    head = Head(title=_("My signature"))
    context = {"head": head, "form": form, "signature": present_signature(user), "give_up_id": uuid.uuid4()}
    return fragment_or_page(request, "oa/signature.html", context, 422 if request.method == "POST" else 200)


@require_POST
def give_up_view(request: HttpRequest) -> HttpResponse:
    """Use no signature any more; what was signed keeps it."""
    user: Any = request.user
    try:
        once(request.POST.get("submit_id", ""), user, "signature.give_up", lambda: give_up_signature(by=user))
        messages.success(request, _("Your signature is not used any more. What you signed keeps it."))
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, reverse("signature"))


def picture_view(request: HttpRequest, key: uuid.UUID) -> FileResponse:
    """A signature as a picture; 404 for who sees nothing that it stands on, as if there were none."""
    row = PersonSignature.objects.visible_to(request.user).filter(key=key).first()
    if row is None:
        raise Http404
    try:
        content = row.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    response = FileResponse(content, content_type="image/png")
    for name, value in SEALED.items():
        response.headers[name] = value
    return response
