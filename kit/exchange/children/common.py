"""What runs first in a child process that opens a file somebody else made: limits, then the work, then the answer.

Started by `kit.exchange.limited`. These modules import nothing of ours but each other, so that a child starts
quickly and knows no settings. A child limits its own memory and time before it looks at the file: a hostile one
ends this process and nothing else. Results go to standard output; refusals to standard error as JSON, with exit
code 3.
"""

from __future__ import annotations

import json
import resource
import sys
import zipfile
from importlib import import_module
from typing import Any

REFUSED = 3
OLE = b"\xd0\xcf\x11\xe0"  # old office files, and new ones with a password
INFLATED = 200 * 1024 * 1024  # what the parts of an office file may add up to
RATIO = 100  # how far an office file of some size may be compressed
SMALL = 5 * 1024 * 1024  # one below this is harmless however well it is compressed
PARTS = 2_000


class Refusal(Exception):
    """Why the file is not read: a code that the parent puts into words, and what belongs to it."""

    def __init__(self, code: str, **facts: Any) -> None:
        self.facts = {"error": code, **facts}
        super().__init__(code)


def main(name: str, memory: int, seconds: int, written: int, *given: str) -> int:
    """Do the work of the module `name` of this package within bytes of memory, seconds and bytes written."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, written))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    try:
        import_module(f"kit.exchange.children.{name}").work(*given)
        sys.stdout.flush()
    except Refusal as refusal:
        print(json.dumps(refusal.facts), file=sys.stderr)
        return REFUSED
    except (MemoryError, RecursionError):
        print(json.dumps({"error": "memory"}), file=sys.stderr)
        return REFUSED
    return 0


def start_of(path: str, length: int = 8) -> bytes:
    """The first bytes of the file."""
    with open(path, "rb") as file:
        return file.read(length)


def check_parts(path: str, needed: str) -> None:
    """Inflate every part of an office file and count, because the sizes that a bomb states are not true."""
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        names = [part.filename for part in parts]
        if needed not in names or len(set(names)) < len(names) or len(parts) > PARTS:
            raise Refusal("damaged")
        if any(name.startswith("/") or ".." in name.split("/") for name in names):
            raise Refusal("damaged")
        if any(part.flag_bits & 1 for part in parts):
            raise Refusal("old")
        packed = sum(part.compress_size for part in parts)
        inflated = 0
        for part in parts:
            with archive.open(part) as file:
                first = True
                while chunk := file.read(1 << 16):
                    inflated += len(chunk)
                    if inflated > INFLATED or inflated > max(SMALL, RATIO * packed):
                        raise Refusal("inflated")
                    if first and part.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in chunk:
                        raise Refusal("damaged")
                    first = False


def decoded(data: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with mark as spreadsheets write it, else GB 18030."""
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        codecs: tuple[str, ...] = ("utf-16",)
    else:
        codecs = ("utf-8-sig", "gb18030")
    for codec in codecs:
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            continue
    raise Refusal("encoding")
