"""What the page of a document shows: its lock, its first page, its versions, its links, where it is used."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db.models import Count, F, Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from kit.exchange.limited import Refused
from kit.exchange.previews import DRAWN
from kit.pages import panels
from kit.pages.actions import Action
from kit.pages.panels import Panel, Task, Waiting
from kit.pages.resources import url_of
from kit.rules.days import business_day
from oa.approvals.models.requests import running_for
from oa.approvals.panels import show_on
from oa.documents import approving
from oa.documents.models import (
    KIND,
    LIVING,
    DocumentVersion,
    LibraryDocument,
    ReadingReceipt,
    ShareRight,
    VersionText,
)
from oa.documents.models.rights import DOWNLOAD, EDIT, MANAGE, PRINT
from oa.documents.reading import picture, why
from oa.documents.recent import remember
from oa.documents.resources import CHANGE, UNDONE, rights_on
from oa.documents.services import by_flow
from oa.documents.services.sharing import LONGEST
from oa.records.audiences import describe
from oa.records.notifications import may_see
from oa.records.receipts import current, open_for

MOST_USES = 100
SOME = 8  # people who have not read, by name
SHOWN = 20_000  # characters of a text on the page
LABEL = "oa.librarydocument"


def allowed(document: LibraryDocument, user: Any) -> dict[str, bool]:
    """The rights of `user` by name, for templates."""
    rights = rights_on(document, user)
    names = {"download": DOWNLOAD, "print": PRINT, "edit": EDIT, "manage": MANAGE}
    return {name: bool(rights & right) for name, right in names.items()}


def seen_version(document: LibraryDocument, user: Any) -> DocumentVersion | None:
    """The newest version for whoever may edit or has to decide about it, else the one for readers."""
    if document.state == "approving" and running_for(user, KIND, object_id=document.pk).exists():
        return document.current
    return document.current if rights_on(document, user) & EDIT else document.readers_version


def shown(version: DocumentVersion | None, page: int = 1) -> dict[str, Any]:
    """What a preview shows of a version: a page as a picture, or its words, or why there is nothing."""
    made: dict[str, Any] = {"version": version, "page": page, "pages": 0, "text": "", "more": False, "problem": ""}
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
    version = seen_version(document, user)
    made = {"may": allowed(document, user), **shown(version)}
    return {**made, "unread": displayed_whole(made) and unread(document, version, user)}


def displayed_whole(data: dict[str, Any]) -> bool:
    """Whether a preview ends on this page: then who looks at it has read the version."""
    return bool((data["pages"] and data["page"] >= data["pages"]) or (data["text"] and not data["more"]))


def mine(document: LibraryDocument, user: Any) -> ReadingReceipt | None:
    """The present receipt of `user`, where the document has to be read."""
    if not document.required_reading or document.state not in LIVING or document.published is None:
        return None
    return current(ReadingReceipt, document).filter(user=user.pk).first()


def unread(document: LibraryDocument, version: DocumentVersion | None, user: Any) -> bool:
    """Whether `version` is the one that `user` has to read still."""
    receipt = mine(document, user) if version is not None and version.pk == document.published_id else None
    return receipt is not None and receipt.first_read_at is None


def _reading(document: LibraryDocument, user: Any) -> dict[str, Any]:
    """What is left to do for the person, and who has read and who has not for whoever manages the folder."""
    receipt, may = mine(document, user), allowed(document, user)
    to_confirm = receipt is not None and document.must_confirm and receipt.confirmed_at is None
    made: dict[str, Any] = {
        "receipt": receipt,
        "open": receipt is not None and (receipt.first_read_at is None or to_confirm),
        "late": document.read_by is not None and document.read_by < business_day(),
        "counts": None,
    }
    if document.required_reading and (may["manage"] or document.owner_id == user.pk):
        rows = current(ReadingReceipt, document)
        made["counts"] = rows.aggregate(
            all=Count("pk"),
            read=Count("pk", filter=Q(first_read_at__isnull=False)),
            confirmed=Count("pk", filter=Q(confirmed_at__isnull=False)),
            open=Count("pk", filter=UNDONE),
        )
        made["audience"] = describe(document)
        missing = rows.filter(UNDONE).select_related("user__department").order_by("user__username")
        made["missing"] = missing[:SOME]
        made["url"] = f"/docs/readers/?{urlencode({'record': document.pk, 'record_text': document.title})}"
    return made


def _asked(user: Any) -> Sequence[QuerySet[ReadingReceipt]]:
    """What I was asked to read; most people, on most days, need not wait for the rights on folders."""
    return [ReadingReceipt.objects.filter(open_for(user))] if user.has_perm("oa.view_librarydocument") else []


def to_read(user: Any, limit: int) -> Sequence[Task]:
    """Documents that I have to read or to confirm, and still see; what is overdue first."""
    asked = [pk for rows in _asked(user) for pk in rows.values_list("record", flat=True)]
    rows = LibraryDocument.objects.visible_to(user).filter(
        pk__in=asked, required_reading=True, published__isnull=False, state__in=LIVING
    )
    today = business_day()
    return [
        Task(_("To read"), "bad" if row.read_by and row.read_by < today else "info", row.title, url_of(row),
             str(row.folder), row.read_by, _("Read"))
        for row in rows.select_related("folder").order_by(F("read_by").asc(nulls_last=True), "pk")[:limit]
    ]  # fmt: skip


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
    ("reading", _("Required reading"), "main", _reading),
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


def _require(document: LibraryDocument, user: Any) -> list[Action]:
    """The button that asks for who has to read the document."""
    if document.state not in LIVING or document.state == "approving" or not user.has_perm(CHANGE):
        return []
    if not allowed(document, user)["manage"]:
        return []
    label = _("Change who has to read") if document.required_reading else _("Require reading")
    url = reverse("docs-reading", args=[f"d-{document.pk}"])
    return [Action(label, url, icon="book-open-check", menu=True, name="require-reading")]


def _submit(document: LibraryDocument, user: Any) -> list[Action]:
    """To the approval flow, where one is in force that asks somebody about this document."""
    may = document.state == "draft" and user.has_perm(CHANGE) and allowed(document, user)["edit"]
    if not may or not by_flow(document, user):
        return []
    url = reverse("approval-submit", args=(KIND, document.pk))
    return [Action(_("Submit for approval"), url, icon="send", primary=True, name="to-flow")]


panels.panels[LABEL].append(
    Panel("readers", _("Readers"), "tab", "readingreceipt", "record",
          columns=("user", "user__department", "first_read_at", "read_count", "confirmed_at", "reminders", "edition"),
          permission="oa.view_readingreceipt", order=20)
)  # fmt: skip
panels.actions[LABEL] += [_submit, _require, _supersede]
panels.waiting.append(Waiting(_asked, to_read, exact=False))
show_on(LABEL)
__all__ = ["approving"]
