"""What the page of a document shows: its lock, its first page, its versions, its links, where it is used."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from django.apps import apps
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from kit.exchange.limited import Refused
from kit.exchange.previews import DRAWN
from kit.pages import panels
from kit.pages.actions import Action
from kit.pages.panels import Panel
from kit.pages.resources import url_of
from oa.documents.models import DocumentVersion, LibraryDocument, ShareRight, VersionText
from oa.documents.models.rights import DOWNLOAD, EDIT, MANAGE, PRINT
from oa.documents.reading import picture, why
from oa.documents.recent import remember
from oa.documents.resources import rights_on
from oa.documents.services.sharing import LONGEST
from oa.records.notifications import may_see

MOST_USES = 100
SHOWN = 20_000  # characters of a text on the page
LABEL = "oa.librarydocument"


def allowed(document: LibraryDocument, user: Any) -> dict[str, bool]:
    """The rights of `user` by name, for templates."""
    rights = rights_on(document, user)
    names = {"download": DOWNLOAD, "print": PRINT, "edit": EDIT, "manage": MANAGE}
    return {name: bool(rights & right) for name, right in names.items()}


def seen_version(document: LibraryDocument, user: Any) -> DocumentVersion | None:
    """The newest version for whoever may edit, else the one for readers."""
    return document.current if rights_on(document, user) & EDIT else document.readers_version


def shown(version: DocumentVersion | None, page: int = 1) -> dict[str, Any]:
    """What a preview shows of a version: a page as a picture, or its words, or why there is nothing."""
    made: dict[str, Any] = {"version": version, "page": page, "pages": 0, "text": "", "problem": ""}
    if version is None:
        return made
    if version.kind in DRAWN:
        try:
            made["pages"] = picture(version, page).pages
        except Refused as refused:
            made["problem"] = why(refused.facts["error"])
        return made
    text = VersionText.objects.filter(version=version).first()
    if text is not None:
        made |= {"text": text.text[:SHOWN], "more": len(text.text) > SHOWN, "state": text.get_state_display()}
        made["problem"] = why(text.reason) if text.reason else ""
    return made


def _lock(document: LibraryDocument, user: Any) -> dict[str, Any]:
    remember(user, document)
    heir = document.superseded_by
    open_ = document.state in ("draft", "published")
    free = document.checked_out_by_id in (None, user.pk)
    return {
        "may": allowed(document, user),
        "heir": heir if heir is not None and may_see(user, heir) else None,
        "heir_url": url_of(heir) if heir is not None else "",
        "mine": document.checked_out_by_id == user.pk,
        "writable": open_ and free and allowed(document, user)["edit"],
        "favourite": document.favourites.filter(user=user.pk).exists(),
    }


def _preview(document: LibraryDocument, user: Any) -> dict[str, Any]:
    return {"may": allowed(document, user), **shown(seen_version(document, user))}


def _versions(document: LibraryDocument, user: Any) -> dict[str, Any]:
    """All versions that the person may see, the newest first; three statements however many there are."""
    rows = DocumentVersion.objects.visible_to(user).filter(document=document)
    versions = list(rows.select_related("author", "text").prefetch_related("publications").order_by("-number"))
    for version in versions:
        version.unread = why(version.text.reason) if version.text.reason else ""  # type: ignore[attr-defined]
    return {"may": allowed(document, user), "versions": versions, "newest": document.current_id}


def _shares(document: LibraryDocument, user: Any) -> dict[str, Any]:
    may = allowed(document, user)
    links = document.shares.filter(revoked_at=None).select_related("created_by")
    rows = list(links if may["manage"] else links.filter(created_by=user.pk)) if may["edit"] else []
    return {"may": may, "links": rows, "rights": ShareRight.choices, "longest": LONGEST}


def _uses(document: LibraryDocument, user: Any) -> dict[str, Any]:
    """The records that the document belongs to, as far as the person may see them; one statement for a kind."""
    kinds: dict[Any, dict[int, Any]] = defaultdict(dict)
    for use in document.uses.select_related("content_type")[:MOST_USES]:
        kinds[use.content_type][use.object_id] = use
    made = []
    for kind, uses in kinds.items():
        rows: Any = apps.get_model(kind.app_label, kind.model)._default_manager.all()
        if hasattr(rows, "visible_to"):
            found = rows.visible_to(user).filter(pk__in=uses)
            made += [(uses[record.pk], record, url_of(record)) for record in found]
    return {"may": allowed(document, user), "uses": made}


for _name, _label, _where, _context in (
    ("lock", _("State"), "main", _lock),
    ("preview", _("Preview"), "main", _preview),
    ("versions", _("Versions"), "main", _versions),
    ("shares", _("Share links"), "side", _shares),
    ("uses", _("Used in"), "side", _uses),
):
    panels.panels[LABEL].append(
        Panel(
            _name,
            _label,
            _where,
            template=f"oa/documents/parts/{_name}.html",
            context=_context,
            permission="oa.view_librarydocument",
        )
    )


def _supersede(document: LibraryDocument, user: Any) -> list[Action]:
    """The button that asks for the document that takes the place of this one."""
    if document.state != "published" or not allowed(document, user)["manage"]:
        return []
    url = reverse("docs-supersede", args=[f"d-{document.pk}"])
    return [Action(_("Supersede"), url, icon="replace", menu=True, name="supersede")]


panels.actions[LABEL].append(_supersede)
