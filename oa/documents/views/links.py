"""Share links, and the records that documents belong to."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.urls import Resolver404, resolve, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kit.pages.resources import registry
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from oa.documents import services
from oa.documents.models import DocumentUse, ShareLink
from oa.documents.models.rights import DOWNLOAD, EDIT
from oa.documents.panels import shown
from oa.documents.views.common import document_url, done, find_document
from oa.documents.views.files import send_file, send_page


@require_POST
def share_view(request: HttpRequest, key: str) -> HttpResponse:
    """Make a link; its address is shown once."""
    document = find_document(request, key)
    numbers = [request.POST.get(name, "") for name in ("rights", "days")]
    rights, days = (int(n) if n.isdecimal() and len(n) < 6 else 0 for n in numbers)
    tokens: list[str] = []

    def effect() -> ShareLink:
        link, token = services.share_document(document, rights, days, by=request.user)
        tokens.append(token)
        return link

    answer = done(request, f"docs.share.{document.pk}", effect, document_url(document))
    if tokens:  # nothing but its digest is stored, not even with the form
        address = f"{settings.SANHE_URL}{reverse('docs-shared', args=[tokens[0]])}"
        messages.success(request, _("Copy the link now, it is not shown again: %s") % address)
    return answer


@require_POST
def revoke_view(request: HttpRequest, key: str, link: int) -> HttpResponse:
    """End a link."""
    document = find_document(request, key)
    found = ShareLink.objects.filter(document=document, pk=link).first()
    if found is None:
        raise Http404

    def effect() -> None:
        services.revoke_share(found, by=request.user)

    return done(request, f"docs.revoke.{link}", effect, document_url(document), _("The link is ended."))


def _shared(request: HttpRequest, token: str) -> ShareLink:
    link = services.living_share(token)
    if link is None:
        raise Http404
    return link


def shared_view(request: HttpRequest, token: str) -> HttpResponse:
    """A document by a link: only what the link allows, whatever else the person may do."""
    link = _shared(request, token)
    given = request.GET.get("page", "")
    page = int(given) if given.isdecimal() and len(given) < 6 else 1
    version = link.document.readers_version
    context = {
        "head": Head(title=str(link.document), note=_("shared by %s") % link.created_by),
        "data": shown(version, max(page, 1)),
        "token": token,
        "download": bool(link.rights & DOWNLOAD),
    }
    return fragment_or_page(request, "oa/documents/shared.html", context)


def shared_page_view(request: HttpRequest, token: str, page: int) -> HttpResponse:
    """A page of a shared document."""
    version: Any = _shared(request, token).document.readers_version
    return send_page(version, page)


def shared_file_view(request: HttpRequest, token: str) -> FileResponse:
    """The file of a shared document, where the link allows it."""
    link = _shared(request, token)
    if not link.rights & DOWNLOAD:
        raise Http404
    version: Any = link.document.readers_version
    return send_file(request, version)


@require_POST
def use_view(request: HttpRequest, key: str) -> HttpResponse:
    """Note that a document belongs to the record with a certain address."""
    document = find_document(request, key)
    record = record_at(request, request.POST.get("address", ""))
    if record is None or services.rights_of(request.user, document.folder_id) & EDIT != EDIT:
        messages.error(request, _("There is no record with this address."))
        return go(request, document_url(document))

    def effect() -> Any:
        return services.use_document(document, record, by=request.user)

    return done(request, f"docs.use.{document.pk}", effect, document_url(document))


def record_at(request: HttpRequest, address: str) -> Any:
    """The record whose page has an address, if the person may see it."""
    try:
        match = resolve(urlsplit(address.strip()).path)
        slug, _dash, view = (match.url_name or "").rpartition("-")
        return registry[slug].get(request.user, match.kwargs["key"]) if view == "record" else None
    except (Resolver404, KeyError, ValueError, ObjectDoesNotExist):
        return None


@require_POST
def forget_use_view(request: HttpRequest, key: str, use: int) -> HttpResponse:
    """A document does not belong to a record any more."""
    document = find_document(request, key)
    found = DocumentUse.objects.filter(document=document, pk=use).first()
    if found is None:
        raise Http404

    def effect() -> None:
        services.forget_use(found, by=request.user)

    return done(request, f"docs.forget_use.{use}", effect, document_url(document))
