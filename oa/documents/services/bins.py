"""The recycle bin of the library: into it, back, and away for good."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.approvals.models.requests import open_documents
from oa.documents.models import KIND, DocumentVersion, Folder, FolderGrant, LibraryDocument
from oa.documents.models.rights import EDIT, MANAGE, folders_with
from oa.documents.services.folders import below
from oa.documents.services.rights import free_for, held, require, written
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.deletion import delete_record

BATCH = 200  # documents that one run of the timer deletes


def days() -> int:
    """How long what was deleted can be restored."""
    return int(settings.SANHE_BIN_DAYS)


def binned_documents(user: Any) -> QuerySet[LibraryDocument]:
    """Deleted documents of the folders in which `user` edits."""
    if user.data_scope(LibraryDocument) is None:
        return LibraryDocument.objects.none()
    return LibraryDocument.objects.filter(folder__in=folders_with(user, EDIT), deleted_at__isnull=False)


def binned_folders(user: Any) -> QuerySet[Folder]:
    """Deleted folders that `user` may restore: those out of a folder that `user` manages, or deleted by `user`."""
    if user.data_scope(Folder) is None:
        return Folder.objects.none()
    mine = Q(parent__in=folders_with(user, MANAGE)) | Q(deleted_by=user.pk, parent__in=folders_with(user, EDIT))
    if user.has_perm("oa.administer_folder"):
        mine |= Q(parent=None, space="company")
    return Folder.objects.filter(mine, deleted_at__isnull=False)


@command
def bin_document(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Put a document into the recycle bin."""
    document = held(document, by)
    free_for(document, None)
    if document.state == "approving":
        raise BusinessError(_("%s is in approval and stays as it is until it is decided.") % document)
    _not_kept(document)
    document.deleted_at, document.deleted_by = timezone.now(), by
    return written(document, "deleted_at", "deleted_by")


def _not_kept(document: LibraryDocument) -> None:
    if document.retain_until is not None and document.retain_until >= business_day():
        raise BusinessError(
            _("%(document)s must be kept until %(day)s.") % {"document": document, "day": document.retain_until}
        )


@command
def restore_document(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Take a document out of the bin again, under another name where its own is taken."""
    document = locked(binned_documents(by), document.pk)
    twin = LibraryDocument.objects.filter(folder=document.folder_id, title__iexact=document.title, deleted_at=None)
    if twin.exists():
        document.title = f"{document.title[:180]} ({document.pk})"
    document.deleted_at = document.deleted_by = None
    return written(document, "title", "deleted_at", "deleted_by")


@command
def restore_folder(folder: Folder, *, by: Any) -> Folder:
    """Take a folder with everything in it out of the bin again."""
    folder = locked(binned_folders(by), folder.pk)
    twin = Folder.objects.filter(parent=folder.parent_id, name__iexact=folder.name, deleted_at=None)
    if twin.exists():
        folder.name = f"{folder.name[:100]} ({folder.pk})"
    folder.deleted_at = folder.deleted_by = None
    folder.save(update_fields=["name", "deleted_at", "deleted_by", "updated_at"])
    return folder


@command
def purge_document(document: LibraryDocument, *, by: Any) -> None:
    """Delete a document of the bin for good, with its versions and files; by whoever manages its folder."""
    document = locked(LibraryDocument.objects.filter(deleted_at__isnull=False), document.pk)
    require(by, document.folder, MANAGE)
    _not_kept(document)
    if open_documents(KIND).filter(object_id=document.pk).exists():
        raise BusinessError(_("%s is in approval and stays as it is until it is decided.") % document)
    _delete(document)


def _delete(document: LibraryDocument) -> None:
    files = [version.file for version in DocumentVersion.objects.filter(document=document)]
    delete_record(document)
    for file in files:
        transaction.on_commit(lambda file=file: file.storage.delete(file.name))


def purge_bins(now: dt.datetime | None = None) -> int:
    """Delete for good what lies in the bin longer than `days()`, but nothing that must be kept; returns how many."""
    limit = (now or timezone.now()) - dt.timedelta(days=days())
    for folder in Folder.objects.filter(deleted_at__lt=limit).order_by("pk"):
        _empty(folder)
    done = 0
    old = LibraryDocument.objects.filter(deleted_at__lt=limit).filter(_expired()).order_by("pk")
    for key in list(old.values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            row = old.select_for_update(of=("self",), skip_locked=True).filter(pk=key).first()
            if row is not None:
                _delete(row)
                done += 1
    return done + _drop_folders(limit)


def _expired() -> Q:
    """What need not be kept: not for its date, and not for a run of a flow that is open still."""
    return (Q(retain_until=None) | Q(retain_until__lt=business_day())) & ~Q(pk__in=open_documents(KIND))


@transaction.atomic
def _empty(folder: Folder) -> None:
    """What is in a deleted folder has been in the bin as long as the folder."""
    keys = below(folder)
    inside = LibraryDocument.objects.filter(folder__in=keys, deleted_at=None)
    inside.update(deleted_at=folder.deleted_at, checked_out_by=None, checked_out_at=None)
    Folder.objects.filter(pk__in=keys, deleted_at=None).update(deleted_at=folder.deleted_at)
    FolderGrant.objects.filter(folder__in=keys).delete()


@transaction.atomic
def _drop_folders(limit: dt.datetime) -> int:
    """Delete folders of the bin that are empty, from the bottom up, in one statement for each level."""
    dropped = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(
                "DELETE FROM oa_folder f WHERE deleted_at < %s"
                " AND NOT EXISTS (SELECT 1 FROM oa_folder c WHERE c.parent_id = f.id)"
                " AND NOT EXISTS (SELECT 1 FROM oa_librarydocument d WHERE d.folder_id = f.id)"
                " AND NOT EXISTS (SELECT 1 FROM oa_foldergrant g WHERE g.folder_id = f.id)",
                [limit],
            )
            if not cursor.rowcount:
                return dropped
            dropped += cursor.rowcount
