"""What the pages of the library share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.core.exceptions import ObjectDoesNotExist, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.http import content_disposition_header
from django.utils.translation import pgettext

from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.records import go
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.documents.models import DocumentVersion, Folder, LibraryDocument
from oa.documents.places import title_of

# What came from somebody else is never run, framed, kept or taken for something it is not (S-10).
SEALED = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cache-Control": "private, no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def reader(request: HttpRequest) -> Any:
    """The person of the request, if the library is open to them."""
    user: Any = request.user
    if not user.has_perm("oa.view_librarydocument"):
        raise PermissionDenied
    return user


def find_document(request: HttpRequest, key: str) -> LibraryDocument:
    """A document the person may see, else 404 exactly as if there were none."""
    try:
        found: LibraryDocument = by_model[LibraryDocument].get(reader(request), key)
    except (ObjectDoesNotExist, ValueError):
        raise Http404 from None
    return found


def find_version(request: HttpRequest, key: Any) -> DocumentVersion:
    """A version the person may see, else 404."""
    rows: Any = DocumentVersion.objects.visible_to(reader(request))
    found: DocumentVersion | None = rows.select_related("document__folder").filter(key=key).first()
    if found is None:
        raise Http404
    return found


def find_folder(request: HttpRequest, key: str) -> Folder:
    """A folder the person may look into, else 404."""
    rows: Any = Folder.objects.visible_to(reader(request))
    found: Folder | None = rows.filter(pk=int(key)).first() if is_key(key) else None
    if found is None:
        raise Http404
    return found


def folder_url(folder: Folder) -> str:
    """The page of a folder."""
    return reverse("folder-record", args=[folder.pk])


def document_url(document: LibraryDocument) -> str:
    """The page of a document."""
    return by_model[LibraryDocument].url_for(document)


def trail(way: list[Folder], *more: tuple[Any, str]) -> list[tuple[Any, str]]:
    """The crumbs of a page in a folder."""
    return [(pgettext("library", "Documents"), reverse("docs")), *((title_of(f), folder_url(f)) for f in way), *more]


def done(request: HttpRequest, name: str, effect: Callable[[], Any], url: str, said: str = "") -> HttpResponse:
    """Run `effect` once for this form and go on to `url`; a refusal is told there."""
    try:
        hooks.once(request.POST.get("submit_id", ""), request.user, name, effect)
        if said:
            messages.success(request, said)
    except BusinessError as error:
        messages.error(request, str(error))
    return go(request, url)


def sealed(response: Any, name: str = "") -> Any:
    """The headers of what came from somebody else; with a `name` it is a download."""
    for header, value in SEALED.items():
        response.headers[header] = value
    if name:
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response
