"""The life of a document: review, publication, the end of its validity (spec office 5.8.2)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.approvals.services.submission import needed_for
from oa.documents.models import KIND, LIBRARY_STATES, DocumentVersion, LibraryDocument, Publication
from oa.documents.models.rights import EDIT, MANAGE
from oa.documents.services.required import on_publication
from oa.documents.services.rights import active, free_for, held, people_with, require, written
from oa.documents.services.versions import told_about
from oa.records.commands import command
from oa.records.comments import add_comment
from oa.records.notifications import notify

# Who wants to know that a version became valid, in its transaction: (document, version, by). Required reading is
# asked for here (rule N-02).
on_published: list[Callable[[LibraryDocument, DocumentVersion, Any], None]] = [on_publication]


@command
def submit_document(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Ask for the publication of the newest version; whoever manages the folder is told.

    Where a flow asks somebody it is submitted to the flow instead (`approving`).
    """
    document = held(document, by)
    free_for(document, None)
    _not_by_flow(document, by)
    document.state = LIBRARY_STATES.check("submit", document).target
    document.submitted_by = by
    document = written(document, "state", "submitted_by")
    reviewers = active(people_with(document.folder, MANAGE), by)
    notify(reviewers, format_lazy(gettext_lazy("{what} waits for your review."), what=document), record=document)
    return document


@command
def publish_document(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Make the newest version the valid one. Where the folder asks for it, by another than who wrote it."""
    document = held(document, by)
    free_for(document, None)
    target = LIBRARY_STATES.check("publish", document).target
    version = document.current
    if version is None:
        raise BusinessError(_("%s has no version yet.") % document)
    _may_publish(document, version, by)
    _not_by_flow(document, by)
    return _valid(document, version, target, by)


@command
def publish_approved(document: LibraryDocument, by: Any) -> LibraryDocument:
    """What a flow approved becomes the valid version, in the transaction of the last decision (rule X-07)."""
    document = held(document, None)
    version = document.current
    if version is None:
        raise BusinessError(_("%s has no version yet.") % document)
    return _valid(document, version, LIBRARY_STATES.check("agree", document).target, by)


def _valid(document: LibraryDocument, version: DocumentVersion, state: str, by: Any) -> LibraryDocument:
    document.state, document.published = state, version
    Publication.objects.create(document=document, version=version, by=by)
    document = written(document, "state", "published")
    notify(told_about(document, by), format_lazy(gettext_lazy("{what} was published."), what=document), record=document)
    for told in on_published:
        told(document, version, by)
    return document


def by_flow(document: LibraryDocument, by: Any) -> str:
    """Why a draft is published through an approval flow only, in words; empty where it is not (rule X-10)."""
    return needed_for(document, KIND, by)


def _not_by_flow(document: LibraryDocument, by: Any) -> None:
    why = by_flow(document, by)
    if why:
        raise BusinessError(_("This document needs approval (%s). Submit it for approval.") % why)


def _may_publish(document: LibraryDocument, version: DocumentVersion, by: Any) -> None:
    if by is None or not document.folder.needs_review:
        return
    if document.state != "review":
        raise BusinessError(_("Submit %s for review first.") % document)
    if by.pk in (version.author_id, document.submitted_by_id):
        raise BusinessError(_("Somebody else than the author publishes here."))
    require(by, document.folder, MANAGE)


@command
def return_document(document: LibraryDocument, *, by: Any, reason: str) -> LibraryDocument:
    """Send a document back to its author with a reason."""
    document = held(document, by, EDIT if by is not None and by.pk == document.submitted_by_id else MANAGE)
    document.state = LIBRARY_STATES.check("return", document).target
    people = active([document.submitted_by, *told_about(document, by)], by)
    document.submitted_by = None
    document = written(document, "state", "submitted_by")
    if by is not None:
        add_comment(document, reason, by=by)
    notify(people, format_lazy(gettext_lazy("{what} was sent back."), what=document), record=document)
    return document


@command
def declare_obsolete(document: LibraryDocument, *, by: Any, reason: str) -> LibraryDocument:
    """The document is not valid any more; nothing takes its place."""
    document = held(document, by, MANAGE)
    free_for(document, None)
    document.state = LIBRARY_STATES.check("obsolete", document).target
    document = written(document, "state")
    if by is not None:
        add_comment(document, reason, by=by)
    return document


@command
def supersede_document(document: LibraryDocument, successor: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Another published document takes the place of this one."""
    first, second = sorted((document.pk, successor.pk))
    rows: Any = LibraryDocument.objects.filter(pk__in=[first, second]).order_by("pk").select_for_update(of=("self",))
    held_rows = {row.pk: row for row in rows}
    document = held(document, by, MANAGE)
    free_for(document, None)
    heir = held_rows.get(successor.pk)
    seen = by is None or LibraryDocument.objects.visible_to(by).filter(pk=successor.pk).exists()
    if heir is None or not seen or heir.pk == document.pk or heir.state != "published":
        raise BusinessError(_("Choose another document that is published."), field="successor")
    document.state = LIBRARY_STATES.check("supersede", document).target
    document.superseded_by = heir
    return written(document, "state", "superseded_by")


@command
def archive_document(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Keep a document that is not valid any more as it is."""
    document = held(document, by, MANAGE)
    document.state = LIBRARY_STATES.check("archive", document).target
    return written(document, "state")


@command
def save_details(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Store the changed name, place, dates and notes of a document."""
    before = held(LibraryDocument(pk=document.pk, title=document.title), by)
    if before.state == "archived":
        raise BusinessError(_("%s is archived and stays as it is.") % before)
    if before.state == "approving":
        raise BusinessError(_("%s is in approval and stays as it is until it is decided.") % before)
    free_for(before, by)
    if before.folder_id != document.folder_id:
        require(by, document.folder, EDIT)
    kept, wanted = before.retain_until, document.retain_until
    if kept is not None and (wanted is None or wanted < kept):
        require(by, before.folder, MANAGE)
    document.save(
        update_fields=[
            "title", "folder", "owner", "date", "review_on", "retain_until", "note", "version",
            "updated_at", "pinyin",
        ]
    )  # fmt: skip
    return document
