"""Commands of documents and their versions: add, check out and in, restore (spec office 5.8.2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.core.files.base import File
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.exchange.previews import READABLE
from kit.values.errors import BusinessError
from oa.documents.models import LIBRARY_STATES, DocumentVersion, Folder, LibraryDocument, TextState, VersionText
from oa.documents.models.rights import EDIT, MANAGE
from oa.documents.services.rights import active, free_for, held, require, written
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.comments import add_comment
from oa.records.jobs import start_job
from oa.records.notifications import notify
from oa.records.uploads import PERSON_QUOTA, check_quota, check_upload, safe_name, suffix_of

READING = "document-text"  # the kind of job that reads the words of a version
OPEN = ("draft", "published")  # states in which a new version can be written
LOCK = ("checked_out_by", "checked_out_at")


_stored: ContextVar[list[Any] | None] = ContextVar("stored", default=None)


@contextmanager
def all_or_none() -> Iterator[None]:
    """Several uploads in one transaction: when one is refused, the files of those before it go, too."""
    files: list[Any] = []
    token = _stored.set(files)
    try:
        with transaction.atomic():
            yield
    except BaseException:
        for file in files:
            file.delete(save=False)
        raise
    finally:
        _stored.reset(token)


@command
def add_document(folder: Folder, file: File[bytes], *, by: Any, comment: str = "") -> LibraryDocument:
    """A new document from an uploaded file, called as the file is."""
    folder = locked(Folder.objects.filter(deleted_at=None), folder.pk)
    require(by, folder, EDIT)
    name = safe_name(file.name or "")
    stem, dot, suffix = name.rpartition(".")
    title = f"{stem[: 190 - len(suffix)]}{dot}{suffix}" if dot else name[:190]
    document = LibraryDocument(folder=folder, title=title, owner=by, created_by=by)
    try:
        with transaction.atomic():
            document.save(force_insert=True)
    except IntegrityError:
        raise BusinessError(
            _("There is a document “%s” in this folder already. Open it and add a version.") % title
        ) from None
    return _next_version(document, file, by=by, comment=comment)


@command
def check_out(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Reserve a document for one person, who alone writes the next version."""
    document = held(document, by)
    _open(document)
    free_for(document, by)
    if document.checked_out_by_id == by.pk:
        return document
    document.checked_out_by, document.checked_out_at = by, timezone.now()
    return written(document, *LOCK)


@command
def cancel_check_out(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Give a document back without a new version."""
    document = held(document, by)
    if document.checked_out_by_id != by.pk:
        raise BusinessError(_("You have not checked out %s.") % document)
    return _released(document)


@command
def break_lock(document: LibraryDocument, *, by: Any, reason: str) -> LibraryDocument:
    """Take a document away from whoever checked it out; both are told."""
    document = held(document, by, MANAGE)
    holder = document.checked_out_by
    if holder is None:
        raise BusinessError(_("Nobody has checked out %s.") % document)
    add_comment(document, reason, by=by)
    document = _released(document)
    told = gettext_lazy("{by} ended the check-out of {what} by {holder}.")
    notify([holder, by], format_lazy(told, by=by, what=document, holder=holder), record=document)
    return document


@command
def check_in(
    document: LibraryDocument, file: File[bytes], *, by: Any, comment: str = "", minor: bool = False
) -> LibraryDocument:
    """The next version of a document, by whoever checked it out; where nobody has, by whoever may edit it.

    A `minor` one asks nobody to read the document again (rule N-04).
    """
    document = held(document, by)
    _open(document)
    free_for(document, by)
    before = document.current
    if before is not None and suffix_of(safe_name(file.name or "")) != before.kind:
        raise BusinessError(
            _("%(document)s is a file of the kind “%(kind)s”; add others as documents of their own.")
            % {"document": document, "kind": before.kind},
            field="file",
        )
    document = _next_version(document, file, by=by, comment=comment, minor=minor)
    return _released(document) if document.checked_out_by_id else document


@command
def restore_version(document: LibraryDocument, number: int, *, by: Any) -> LibraryDocument:
    """The content of an older version as the newest one."""
    document = held(document, by)
    _open(document)
    free_for(document, by)
    older = document.versions.filter(number=number).first()
    if older is None or older.pk == document.current_id:
        raise BusinessError(_("Choose an older version."))
    with older.file.open("rb") as content:
        copied = File(content, older.name)
        comment = _("Version %s again") % number
        return _next_version(document, copied, by=by, comment=comment, restored_from=number)


def _open(document: LibraryDocument) -> None:
    if document.state not in OPEN:
        raise BusinessError(
            _("%(document)s is %(state)s; it gets no new version.")
            % {"document": document, "state": LIBRARY_STATES[document.state].label}
        )


def _released(document: LibraryDocument) -> LibraryDocument:
    document.checked_out_by = document.checked_out_at = None
    return written(document, *LOCK)


def _next_version(
    document: LibraryDocument,
    file: File[bytes],
    *,
    by: Any,
    comment: str,
    restored_from: int | None = None,
    minor: bool = False,
) -> LibraryDocument:
    """Store a file as the newest version of a document that is held; its words are read by a worker."""
    name = safe_name(file.name or "")
    digest = check_upload(file, name)
    check_quota(DocumentVersion.objects.filter(author=by), file.size, PERSON_QUOTA)
    version = DocumentVersion(
        document=document,
        number=document.current.number + 1 if document.current else 1,
        key=uuid.uuid4(),
        name=name,
        size=file.size,
        sha256=digest,
        comment=comment.strip()[:300],
        restored_from=restored_from,
        minor=minor and document.current is not None,
        author=by,
    )
    file.seek(0)
    version.file.save(f"{version.key}.{suffix_of(name)}", file, save=False)
    try:
        with transaction.atomic():
            version.save(force_insert=True)
            _have_read(version)
            if (kept := _stored.get()) is not None:
                kept.append(version.file)
            document.current = version
            if document.state == "published":
                document.state = LIBRARY_STATES.check("revise", document).target
            return written(document, "current", "state")
    except BaseException:
        version.file.delete(save=False)
        raise


def _have_read(version: DocumentVersion) -> None:
    """Let a worker read the words; the job tells no name, because its list knows no folders."""
    readable = version.kind in READABLE
    VersionText.objects.create(version=version, state=TextState.WAITING if readable else TextState.NONE)
    if readable:
        start_job(READING, _("Text of a document"), {"version": version.pk})


def told_about(document: LibraryDocument, by: Any) -> list[Any]:
    """The owner and the author of the newest version, but not who acts."""
    author = document.current.author if document.current else None
    return active({person.pk: person for person in (document.owner, author) if person}.values(), by)
