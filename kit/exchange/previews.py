"""Text and pictures of documents that somebody else made, both by a child process with limits (S-10, F-20)."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kit.exchange.limited import Limits, run_limited

READABLE = frozenset({"txt", "md", "csv", "docx", "pptx", "xlsx", "pdf"})  # whose words can be read
IMAGES = {"png": "PNG", "jpg": "JPEG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP"}
DRAWN = frozenset({"pdf", *IMAGES})  # what is shown as pictures of pages
TEXT = 1_000_000  # bytes of text that are kept

_MEGABYTE = 1024 * 1024
TEXT_LIMITS = Limits(memory=512 * _MEGABYTE, seconds=30, written=2 * _MEGABYTE, waiting=60)
DRAWING_LIMITS = Limits(memory=768 * _MEGABYTE, seconds=15, written=32 * _MEGABYTE, waiting=30)


@dataclass(frozen=True)
class Picture:
    """One page as a picture that we encoded ourselves."""

    content: bytes
    type: str
    pages: int


def read_text(file: IO[bytes], kind: str) -> str:
    """The words of a document of `kind` (an extension of READABLE); raises Refused."""
    with _on_disk(file) as path, tempfile.TemporaryFile() as out:
        run_limited("text", path, kind, str(TEXT), output=out, limits=TEXT_LIMITS)
        out.seek(0)
        return out.read().decode("utf-8", "replace")


def draw(file: IO[bytes], kind: str, page: int, box: tuple[int, int]) -> Picture:
    """Page `page` of a document of `kind` (an extension of DRAWN), at most as large as `box`; raises Refused."""
    with _on_disk(file) as path, tempfile.TemporaryFile() as out:
        given = [path, IMAGES.get(kind, kind), str(page), str(box[0]), str(box[1])]
        run_limited("picture", *given, output=out, limits=DRAWING_LIMITS)
        out.seek(0)
        facts: dict[str, Any] = json.loads(out.readline())
        return Picture(out.read(), facts["type"], facts["pages"])


@contextmanager
def _on_disk(file: IO[bytes]) -> Iterator[str]:
    """A copy that a process can open by its name; storages need not be folders."""
    with tempfile.NamedTemporaryFile(suffix=".given") as copy:
        file.seek(0)
        while chunk := file.read(_MEGABYTE):
            copy.write(chunk)
        copy.flush()
        yield str(Path(copy.name))
