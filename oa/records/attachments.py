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
from oa.records.models import Attachment
from oa.records.uploads import MEGABYTE, PERSON_QUOTA, check_quota, check_upload, safe_name, suffix_of

RECORD_QUOTA = 500 * MEGABYTE

# Rules of sections by model label: whether a person may add no files to a record, and whether a file may be
# downloaded by who sees the record; with the second one downloads go into the audit trail.
closed_to: dict[str, Callable[[Any, Any], bool]] = {}
downloads: dict[str, Callable[[Any, Any], bool]] = {}


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
    if files and not by.has_perm("oa.add_attachment"):
        raise BusinessError(_("You may not add files."))
    closed = closed_to.get(obj._meta.label_lower)
    if files and closed is not None and closed(obj, by):
        raise BusinessError(_("Files cannot be added here any more."))
    rows: list[Attachment] = []
    with transaction.atomic():
        try:
            for file in files:
                rows.append(store_attachment(obj, file, by=by))
        except BaseException:
            for row in rows:
                row.file.delete(save=False)
            raise
    return rows  # a commit without an answer may have succeeded: the files stay


def remove_attachment(attachment: Attachment, *, by: Any) -> None:
    """Delete a file: its owner may, and who may delete files at all. The content goes with the commit."""
    if attachment.owner_id != by.pk and not by.has_perm("oa.delete_attachment"):
        raise BusinessError(_("Only %s can delete this file.") % (attachment.owner or _("an administrator")))
    storage, path = attachment.file.storage, attachment.file.name or ""
    with transaction.atomic():
        attachment.delete()
        transaction.on_commit(lambda: storage.delete(path))
