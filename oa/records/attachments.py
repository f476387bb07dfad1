"""Files of records: checked by name, content and size, stored under random names (threat S-10)."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.files.base import File
from django.db import transaction
from django.db.models import Model
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.records.deletion import held
from oa.records.models import Attachment
from oa.records.uploads import MEGABYTE, PERSON_QUOTA, check_quota, check_upload, safe_name, suffix_of

RECORD_QUOTA = 500 * MEGABYTE

# Rules of sections by model label: whether a person may add no files to a record, and whether a file may be
# downloaded by who sees the record; with the second one downloads go into the audit trail.
closed_to: dict[str, Callable[[Any, Any], bool]] = {}
downloads: dict[str, Callable[[Any, Any], bool]] = {}
# Rules of sections: the files of a record, by name and SHA-256, that have to stay, whoever wants them gone.
kept: list[Callable[[Any], set[tuple[str, str]]]] = []


def store_attachment(obj: Model, file: File[bytes], *, by: Any) -> Attachment:
    """Attach a file to a record. Raises BusinessError for what may not be attached, in words."""
    name = safe_name(file.name or "")
    digest = check_upload(file, name)
    kind = ContentType.objects.get_for_model(obj)
    check_quota(Attachment.objects.filter(content_type=kind, object_id=obj.pk), file.size, RECORD_QUOTA)
    check_quota(Attachment.objects.filter(owner=by), file.size, PERSON_QUOTA)
    key = uuid.uuid4()
    row = Attachment(key=key, content_type=kind, object_id=obj.pk, name=name, size=file.size, sha256=digest, owner=by)
    file.seek(0)
    row.file.save(f"{key}.{suffix_of(name)}", file, save=False)
    try:
        row.save(force_insert=True)
    except Exception:
        row.file.delete(save=False)
        raise
    return row


def store_attachments(obj: Model, files: Iterable[File[bytes]], *, by: Any) -> list[Attachment]:
    """Attach the files of one request, all or none of them; refused to whoever may not add files (rule G-21)."""
    files = list(files)
    if not files:
        return []
    if not by.has_perm("oa.add_attachment"):
        raise BusinessError(_("You may not add files."))
    closed = closed_to.get(obj._meta.label_lower)
    if closed is not None and closed(obj, by):
        raise BusinessError(_("Files cannot be added here any more."))
    rows: list[Attachment] = []
    with transaction.atomic():
        held(obj)
        try:
            for file in files:
                rows.append(store_attachment(obj, file, by=by))
        except BaseException:
            for row in rows:
                row.file.delete(save=False)
            raise
    return rows  # a commit without an answer may have succeeded: the files stay


def removable(files: Iterable[Attachment], record: Any, by: Any) -> list[Attachment]:
    """Those of the `files` of a record that `by` may delete: the own ones, or all who may delete files at all.

    A section that says who may add files says it for both; a document that has its number keeps what it has (rule
    G-03), and so does what was decided (rule X-08).
    """
    mine = [file for file in files if file.owner_id == by.pk or by.has_perm("oa.delete_attachment")]
    closed = closed_to.get(record._meta.label_lower)
    if not mine or (closed(record, by) if closed is not None else getattr(record, "number", None)):
        return []
    staying = set[tuple[str, str]]().union(*(rule(record) for rule in kept))
    return [file for file in mine if (file.name, file.sha256) not in staying]


def remove_attachment(attachment: Attachment, record: Any, *, by: Any) -> None:
    """Delete a file of `record`; its content goes with the commit.

    Raises BusinessError where `by` may not (see `removable`), and where somebody else has just deleted it.
    """
    if not removable([attachment], record, by):
        raise BusinessError(_("The file “%s” has to stay, or is not yours to delete.") % attachment)
    storage, path = attachment.file.storage, attachment.file.name or ""
    with transaction.atomic():
        if not Attachment.objects.filter(pk=attachment.pk).delete()[0]:
            raise BusinessError(_("The file “%s” has been deleted already.") % attachment)
        transaction.on_commit(lambda: storage.delete(path))
