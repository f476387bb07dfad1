"""Files of records: checked by name, content and size, stored under random names (threat S-10)."""

from __future__ import annotations

import hashlib
import unicodedata
import uuid
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

import puremagic
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import File
from django.db import transaction
from django.db.models import Model, Sum
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from kit.values.errors import BusinessError
from oa.records.models import Attachment

MEGABYTE = 1024 * 1024
LARGEST = 20 * MEGABYTE
RECORD_QUOTA = 500 * MEGABYTE
PERSON_QUOTA = 5 * 1024 * MEGABYTE
PIXELS = 50_000_000

_ZIPPED = {"zip", "docx", "xlsx", "pptx", "odt", "ods", "ofd"}
_COMPOUND = {"doc", "xls", "ppt", "msi", "msg"}
_IMAGES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
_TEXTS = {"txt", "csv", "xml"}

# What may be attached, and what its content may look like (extensions as puremagic names them).
ALLOWED: dict[str, set[str]] = {
    "pdf": {"pdf"},
    "png": {"png", "apng"},
    "gif": {"gif"},
    "webp": {"webp", "riff"},
    "jpg": {"jpg", "jpeg", "jfif", "jpe"},
    "jpeg": {"jpg", "jpeg", "jfif", "jpe"},
    **dict.fromkeys(("zip", "docx", "xlsx", "pptx", "odt", "ods", "ofd"), _ZIPPED),
    **dict.fromkeys(("doc", "xls", "ppt"), _COMPOUND),
    **{suffix: set() for suffix in _TEXTS},
}

# Rules of sections by model label: whether a person may add no files to a record, and whether a file may be
# downloaded by who sees the record; with the second one downloads go into the audit trail.
closed_to: dict[str, Callable[[Any, Any], bool]] = {}
downloads: dict[str, Callable[[Any, Any], bool]] = {}


def store_attachment(obj: Model, file: File[bytes], *, by: Any) -> Attachment:
    """Attach a file to a record. Raises BusinessError for what may not be attached, in words."""
    name = safe_name(file.name or "")
    suffix = PurePosixPath(name).suffix[1:].lower()
    digest = _check(file, name, suffix)
    kind = ContentType.objects.get_for_model(obj)
    _check_quota(kind, obj, file.size, by)
    key = uuid.uuid4()
    row = Attachment(key=key, content_type=kind, object_id=obj.pk, name=name, size=file.size, sha256=digest, owner=by)
    file.seek(0)
    row.file.save(f"{key}.{suffix}", file, save=False)
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
    try:
        with transaction.atomic():
            for file in files:
                rows.append(store_attachment(obj, file, by=by))
    except BaseException:
        for row in rows:
            row.file.delete(save=False)
        raise
    return rows


def remove_attachment(attachment: Attachment, *, by: Any) -> None:
    """Delete a file: its owner may, and who may delete files at all. The content goes with the commit."""
    if attachment.owner_id != by.pk and not by.has_perm("oa.delete_attachment"):
        raise BusinessError(_("Only %s can delete this file.") % (attachment.owner or _("an administrator")))
    storage, path = attachment.file.storage, attachment.file.name or ""
    with transaction.atomic():
        attachment.delete()
        transaction.on_commit(lambda: storage.delete(path))


def safe_name(given: str) -> str:
    """The last part of a path as a person reads it: no folders, no control or direction characters."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    plain = plain.strip(" .") or "file"
    stem, dot, suffix = plain.rpartition(".")
    return f"{stem[: 250 - len(suffix)]}{dot}{suffix}" if dot else plain[:255]


def _check(file: File[bytes], name: str, suffix: str) -> str:
    """Refuse a file by size, extension and content; returns its SHA-256."""
    if file.size > LARGEST:
        raise BusinessError(
            _("%(name)s has %(size)s MB; at most %(most)s MB can be attached.")
            % {"name": name, "size": f"{file.size / MEGABYTE:.1f}", "most": LARGEST // MEGABYTE}
        )
    if file.size == 0:
        raise BusinessError(_("%s is empty.") % name)
    if suffix not in ALLOWED:
        raise BusinessError(
            _("Files of the kind “%(suffix)s” cannot be attached. Possible are %(allowed)s.")
            % {"suffix": suffix or name, "allowed": ", ".join(sorted(ALLOWED))}
        )
    fits = _is_text(file) if suffix in _TEXTS else bool(_found(file) & ALLOWED[suffix])
    if fits and suffix in _IMAGES:
        fits = _is_image(file, _IMAGES[suffix])
    if not fits:
        raise BusinessError(
            _("The content of %(name)s is not of the kind “%(suffix)s”.") % {"name": name, "suffix": suffix}
        )
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def _found(file: File[bytes]) -> set[str]:
    """What the first and last bytes look like, as extensions."""
    file.seek(0)
    try:
        return {match.extension.lstrip(".").lower() for match in puremagic.magic_stream(file)}
    except (puremagic.PureError, ValueError):
        return set()


def _is_text(file: File[bytes]) -> bool:
    """Whether the start of the file is text in UTF-8, UTF-16 with its mark, or GB 18030."""
    file.seek(0)
    head = file.read(65536)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if b"\0" in head:
        return False
    for encoding in ("utf-8", "gb18030"):
        for cut in range(4):  # the last character may be cut off
            try:
                head[: len(head) - cut].decode(encoding)
            except UnicodeDecodeError:
                continue
            return True
    return False


def _is_image(file: File[bytes], kind: str) -> bool:
    """Whether it is an image of `kind` with a sane number of pixels."""
    file.seek(0)
    try:
        with Image.open(file, formats=(kind,)) as image:
            if image.width * image.height > PIXELS:
                return False
            image.verify()
    except (UnidentifiedImageError, Image.DecompressionBombError, OSError, SyntaxError, ValueError):
        return False
    return True


def _check_quota(kind: ContentType, obj: Model, size: int, by: Any) -> None:
    on_record = Attachment.objects.filter(content_type=kind, object_id=obj.pk)
    of_person = Attachment.objects.filter(owner=by)
    for rows, most in ((on_record, RECORD_QUOTA), (of_person, PERSON_QUOTA)):
        used = rows.aggregate(used=Sum("size"))["used"] or 0
        if used + size > most:
            raise BusinessError(
                _("There is no room for more files here (%(used)s of %(most)s MB are used). Delete some first.")
                % {"used": used // MEGABYTE, "most": most // MEGABYTE}
            )
