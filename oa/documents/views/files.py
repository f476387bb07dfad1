"""Versions of documents: download, pages, printing, comparison, check-in; links and uses."""

from __future__ import annotations

import difflib
from typing import Any

from django import forms
from django.contrib import messages
from django.http import FileResponse, Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from kit.exchange.limited import Refused
from kit.exchange.previews import DRAWN
from kit.pages.actions import Action
from kit.pages.hooks import hooks
from kit.pages.resources import by_model
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.pages.widgets import PickerField
from kit.values.errors import BusinessError
from oa.documents import services
from oa.documents.models import DocumentVersion, LibraryDocument, VersionText
from oa.documents.models.rights import DOWNLOAD, PRINT
from oa.documents.panels import displayed_whole, shown, unread
from oa.documents.places import way_to
from oa.documents.reading import picture
from oa.documents.views.common import document_url, done, find_document, find_version, sealed, trail
from oa.records.audit import note
from oa.records.models.audit import AuditAction

LINES, WIDTH = 2_000, 400  # of a text that is compared; of a line
PRINTED = 60  # pages


def _needs(request: HttpRequest, version: DocumentVersion, right: int) -> None:
    """404 without the right: whoever may only view finds no such address."""
    if services.rights_of(request.user, version.document.folder_id) & right != right:
        raise Http404


def send_file(request: HttpRequest, version: DocumentVersion) -> FileResponse:
    """A version as a download, noted in the audit trail; never shown by the browser (S-10, G-20)."""
    try:
        content = version.file.open("rb")
    except FileNotFoundError:
        raise Http404 from None
    note(request, AuditAction.EXPORT, f"{version} ({version.name})", version.document)
    return sealed(FileResponse(content, content_type="application/octet-stream"), version.name)


def send_page(version: DocumentVersion, page: int) -> HttpResponse:
    """A page of a version as a picture of ours."""
    try:
        made = picture(version, page)
    except Refused:
        raise Http404 from None
    return sealed(HttpResponse(made.content, content_type=made.type))


@require_safe
def download_view(request: HttpRequest, key: Any) -> FileResponse:
    """The file of a version, for who may download (S-10, S-11)."""
    version = find_version(request, key)
    _needs(request, version, DOWNLOAD)
    return send_file(request, version)


@require_safe
def page_view(request: HttpRequest, key: Any, page: int) -> HttpResponse:
    """A page of a version as a picture, for who may see it."""
    return send_page(find_version(request, key), page)


@require_safe
def preview_view(request: HttpRequest, key: Any) -> HttpResponse:
    """A version page by page."""
    version = find_version(request, key)
    given = request.GET.get("page", "")
    page = int(given) if given.isdecimal() and len(given) < 6 else 1
    document = version.document
    trail_ = trail(way_to(document.folder, request.user), (document, document_url(document)))
    data = shown(version, max(page, 1))
    data["unread"] = displayed_whole(data) and unread(document, version, request.user)
    context = {"head": Head(title=str(version), crumbs=trail_), "data": data, "object": document}
    return fragment_or_page(request, "oa/documents/preview.html", context)


def print_view(request: HttpRequest, key: Any) -> HttpResponse:
    """All pages of a version for printing, for who may print; noted in the audit trail."""
    version = find_version(request, key)
    _needs(request, version, PRINT)
    data = shown(version)
    if request.method == "GET":
        note(request, AuditAction.PRINT, str(version), version.document)
    pages = range(1, min(data["pages"], PRINTED) + 1) if version.kind in DRAWN else ()
    context = {"head": Head(title=str(version)), "version": version, "data": data, "pages": pages}
    return fragment_or_page(request, "oa/documents/print.html", context)


@require_POST
def check_in_view(request: HttpRequest, key: str) -> HttpResponse:
    """The next version of a document."""
    document = find_document(request, key)
    file = request.FILES.get("file")
    if file is None:
        messages.error(request, _("Choose a file."))
        return go(request, document_url(document))
    said = _("%s has a new version.") % document
    given: dict[str, Any] = {"comment": request.POST.get("comment", ""), "minor": bool(request.POST.get("minor"))}

    def effect() -> Any:
        return services.check_in(document, file, by=request.user, **given)

    return done(request, f"docs.check_in.{document.pk}", effect, document_url(document), said)


@require_POST
def restore_view(request: HttpRequest, key: str, number: int) -> HttpResponse:
    """An older version as the newest one."""
    document = find_document(request, key)

    def effect() -> Any:
        return services.restore_version(document, number, by=request.user)

    said = _("Version %s is the newest one again.") % number
    return done(request, f"docs.restore.{document.pk}.{number}", effect, document_url(document), said)


class SupersedeForm(forms.Form):
    """Which document takes the place of another."""

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["successor"] = field = PickerField(by_model[LibraryDocument])
        field.user, field.label = user, _("The document that is valid now")


def supersede_view(request: HttpRequest, key: str) -> HttpResponse:
    """Say which document takes the place of this one."""
    document = find_document(request, key)
    form = SupersedeForm(request.POST or None, user=request.user)
    if request.method == "POST" and form.is_valid():
        try:
            heir = form.cleaned_data["successor"]
            hooks.once(
                request.POST.get("submit_id", ""),
                request.user,
                f"docs.supersede.{document.pk}",
                lambda: services.supersede_document(document, heir, by=request.user),
            )
            return go(request, document_url(document))
        except BusinessError as error:
            form.add_error(None, str(error))
    head = Head(
        title=_("Supersede"),
        crumbs=trail(way_to(document.folder, request.user), (document, document_url(document))),
        actions=[Action(_("Cancel"), document_url(document), name="cancel")],
    )
    context = {"head": head, "form": form, "submit_id": head.submit_id}
    return fragment_or_page(request, "oa/documents/form.html", context, 422 if request.method == "POST" else 200)


# ---- comparison ----


@require_safe
def compare_view(request: HttpRequest, key: str) -> HttpResponse:
    """Two versions of a document: what is told about them, and their texts line by line."""
    document = find_document(request, key)
    rows = DocumentVersion.objects.visible_to(request.user).filter(document=document)
    versions = {row.number: row for row in rows.select_related("author", "text")}
    numbers = sorted(versions, reverse=True)
    given = [request.GET.get(name, "") for name in ("a", "b")]
    chosen = [versions.get(int(n)) for n in given if n.isdecimal() and len(n) < 9]
    if len(chosen) < 2 and len(numbers) > 1:
        chosen = [versions[numbers[1]], versions[numbers[0]]]
    first, second = chosen if len(chosen) == 2 else (None, None)
    if first is None or second is None:
        raise Http404
    trail_ = trail(way_to(document.folder, request.user), (document, document_url(document)))
    context = {
        "head": Head(title=_("Compare versions"), crumbs=trail_),
        "numbers": numbers,
        "first": first,
        "second": second,
        "same": first.sha256 == second.sha256,
        "lines": changed_lines(first.text, second.text),
        "readable": all(row.text.state == "read" for row in (first, second)),
    }
    return fragment_or_page(request, "oa/documents/compare.html", context)


def changed_lines(first: VersionText, second: VersionText) -> list[tuple[str, str]]:
    """(kind, line) of what differs with three lines around it; kind is `del`, `ins`, `skip` or empty."""
    texts = [[line[:WIDTH] for line in row.text.splitlines()[:LINES]] for row in (first, second)]
    kinds = {"-": "del", "+": "ins", "@": "skip", " ": ""}
    lines = list(difflib.unified_diff(texts[0], texts[1], n=3, lineterm=""))[2:]
    return [(kinds[line[0]], "…" if line[0] == "@" else line[1:]) for line in lines]
