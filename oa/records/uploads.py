"""Files that people send: looked at by name, size and content before anything is stored (threat S-10, drill F-20).

Nothing here unpacks a file: what must be opened to be read or drawn is opened by a child process with limits
(`kit.exchange.limited`). Names never decide where a file is stored.
"""

from __future__ import annotations

import hashlib
import io
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, Any

import puremagic
from django.conf import settings
from django.core.files.base import File
from django.core.files.uploadedfile import InMemoryUploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.db.models import QuerySet, Sum
from django.utils.module_loading import import_string
from django.utils.translation import gettext as _
from PIL import Image, UnidentifiedImageError

from kit.values.errors import BusinessError

MEGABYTE = 1024 * 1024
LARGEST = 20 * MEGABYTE
PERSON_QUOTA = 5 * 1024 * MEGABYTE
PIXELS = 50_000_000
PARTS = 5_000  # of an archive
INFLATED = 1024 * MEGABYTE  # what an archive says it holds
RATIO, SMALL = 200, 100 * MEGABYTE  # how far a larger one may be compressed
NESTED = 2  # archives within archives that are looked into
UNPACKED = 3 * LARGEST  # bytes of such archives altogether

_ZIPPED = {"zip", "docx", "xlsx", "pptx", "odt", "ods", "ofd"}
_COMPOUND = {"doc", "xls", "ppt", "msi", "msg"}
_IMAGES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
_TEXTS = {"txt", "md", "csv", "xml"}
_HEART = {  # the part without which an archive is no document of its kind
    "docx": "word/document.xml",
    "xlsx": "xl/workbook.xml",
    "pptx": "ppt/presentation.xml",
    "odt": "content.xml",
    "ods": "content.xml",
    "ofd": "OFD.xml",
}
# Names that mean a device and no file on Windows, where most files are opened.
_DEVICES = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
# The test signature that every virus scanner knows; put together here, so that this file does not hold it.
_EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE" + b"!$H+H*"
_PAGE = (b"<html", b"<script", b"<!doctype html", b"<svg", b"<?php", b"<body")

# What may be stored, and what its content may look like (extensions as puremagic names them).
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


def safe_name(given: str) -> str:
    """The last part of a path as a person reads it: no folders, no control or direction characters, no device."""
    last = given.replace("\\", "/").rsplit("/", 1)[-1]
    plain = "".join(c for c in unicodedata.normalize("NFC", last) if unicodedata.category(c)[0] != "C")
    plain = plain.strip(" .") or "file"
    if plain.split(".", 1)[0].strip().lower() in _DEVICES:
        plain = f"_{plain}"
    stem, dot, suffix = plain.rpartition(".")
    return f"{stem[: 250 - len(suffix)]}{dot}{suffix}" if dot and len(suffix) < 20 else plain[:255]


def suffix_of(name: str) -> str:
    """The extension that says what a file is, without its dot."""
    return PurePosixPath(name).suffix[1:].lower()


def check_upload(file: File[bytes], name: str) -> str:
    """Refuse a file by size, extension, content and what scanners say; returns its SHA-256."""
    suffix = suffix_of(name)
    _check_size(file, name)
    if suffix not in ALLOWED:
        raise BusinessError(
            _("Files of the kind “%(suffix)s” cannot be attached. Possible are %(allowed)s.")
            % {"suffix": suffix or name, "allowed": ", ".join(sorted(ALLOWED))}
        )
    if not _fits(file, suffix):
        raise BusinessError(
            _("The content of %(name)s is not of the kind “%(suffix)s”.") % {"name": name, "suffix": suffix}
        )
    found = _virus(file)
    if found:
        raise BusinessError(_("%(name)s was refused by the virus scanner: %(found)s.") % {"name": name, "found": found})
    digest = hashlib.sha256()
    file.seek(0)
    for chunk in file.chunks():
        digest.update(chunk)
    return digest.hexdigest()


def check_quota(rows: QuerySet[Any], size: int, most: int) -> None:
    """Refuse `size` bytes more beside the files `rows` beyond `most`."""
    used = rows.aggregate(used=Sum("size"))["used"] or 0
    if used + size > most:
        raise BusinessError(
            _("There is no room for more files here (%(used)s of %(most)s MB are used). Delete some first.")
            % {"used": used // MEGABYTE, "most": most // MEGABYTE}
        )


def _check_size(file: File[bytes], name: str) -> None:
    if file.size > LARGEST:
        raise BusinessError(
            _("%(name)s has %(size)s MB; at most %(most)s MB can be attached.")
            % {"name": name, "size": f"{file.size / MEGABYTE:.1f}", "most": LARGEST // MEGABYTE}
        )
    if file.size == 0:
        raise BusinessError(_("%s is empty.") % name)


def _fits(file: File[bytes], suffix: str) -> bool:
    """Whether the content is what the extension says, and nothing else besides."""
    if suffix in _TEXTS:
        return _is_text(file)
    if not _found(file) & ALLOWED[suffix]:
        return False
    if suffix in _IMAGES:
        return _is_image(file, _IMAGES[suffix])
    if suffix == "pdf":
        return _is_pdf(file)
    return suffix not in _ZIPPED or _is_archive(file, suffix)


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


def _is_pdf(file: File[bytes]) -> bool:
    """Whether it starts as a PDF and not as a web page too: readers look for the mark further down."""
    file.seek(0)
    head = file.read(2048)
    return head.startswith(b"%PDF-") and not any(mark in head.lower() for mark in _PAGE)


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


def _is_archive(file: File[bytes], suffix: str) -> bool:
    """Whether it is an archive from its first byte, with the parts of its kind, no links, no bomb and no macros."""
    file.seek(0)
    if file.read(2) != b"PK":
        return False
    try:
        with zipfile.ZipFile(file) as archive:
            parts = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
        return False
    names = {part.filename for part in parts}
    inflated = sum(part.file_size for part in parts)
    packed = sum(part.compress_size for part in parts)
    return (
        len(parts) <= PARTS
        and inflated <= min(INFLATED, max(SMALL, RATIO * packed))
        and not any(stat.S_ISLNK(part.external_attr >> 16) or _leads_out(part.filename) for part in parts)
        and (suffix not in _HEART or _HEART[suffix] in names)
        and (suffix == "zip" or not any(name.lower().endswith("vbaproject.bin") for name in names))
    )


def _leads_out(name: str) -> bool:
    parts = name.replace("\\", "/").split("/")
    return ".." in parts or parts[0] == "" or ":" in parts[0] or "\0" in name


# ---- viruses ----


def _virus(file: File[bytes]) -> str:
    """What a scanner calls it, empty for nothing: the test signature, then the installation's own scanner."""
    if _Search().finds(file, NESTED):
        return "EICAR-Test-File"
    if settings.SANHE_VIRUS_SCANNER:
        scan: Callable[[IO[bytes]], str] = import_string(settings.SANHE_VIRUS_SCANNER)
        file.seek(0)
        return scan(file) or ""
    return ""


class _Search:
    """Looks for the test signature in a file and, where it is an archive, at the start of its parts."""

    def __init__(self) -> None:
        self.left = UNPACKED

    def finds(self, file: Any, depth: int) -> bool:
        """Whether it is there; archives within each other are looked into `depth` deep."""
        file.seek(0)
        tail = b""
        while chunk := file.read(MEGABYTE):
            if _EICAR in tail + chunk:
                return True
            tail = chunk[-len(_EICAR) :]
        file.seek(0)
        if not depth or file.read(2) != b"PK":
            return False
        try:
            with zipfile.ZipFile(file) as archive:
                return any(self._in_part(archive, part, depth) for part in archive.infolist()[:PARTS])
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError):
            return False

    def _in_part(self, archive: zipfile.ZipFile, part: zipfile.ZipInfo, depth: int) -> bool:
        try:
            with archive.open(part) as content:
                head = content.read(4096)
                if _EICAR in head:
                    return True
                if not head.startswith(b"PK") or self.left <= 0:
                    return False
                inner = head + content.read(min(LARGEST, self.left))
        except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError, EOFError, ValueError, zlib.error):
            return False  # encrypted or damaged: nobody but its reader can open it
        self.left -= len(inner)
        return self.finds(io.BytesIO(inner), depth - 1)


class BoundedUploads(FileUploadHandler):
    """The first upload handler: of a file that is too large, no more than the limit reaches memory or disk.

    It comes out with its true size and no content, so that whoever asks refuses it in words.
    """

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """A file begins."""
        super().new_file(*args, **kwargs)
        self.received = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes | None:
        """Pass on what lies within the limit."""
        self.received = start + len(raw_data)
        return raw_data if self.received <= LARGEST else None

    def file_complete(self, file_size: int) -> Any:
        """Stand in for a file that is too large."""
        if self.received <= LARGEST:
            return None
        return InMemoryUploadedFile(
            io.BytesIO(), self.field_name, self.file_name, self.content_type, self.received, self.charset
        )
