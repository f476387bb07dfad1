"""The hostile uploads of drill F-20, made when they are needed: nothing of them lies in the repository.

`python -m tests.oa.hostile FOLDER` writes them into a folder, to try them on a running installation by hand.
"""

from __future__ import annotations

import io
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from PIL import Image

EICAR = rb"X5O!P%@AP[4\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE" + b"!$H+H*"
SCRIPT = b"<script>fetch('/evil')</script>"
REFUSED, HARMLESS = "refused", "harmless"


class Zeros(io.RawIOBase):
    """A stream of `size` zero bytes that needs no memory and no disk."""

    def __init__(self, size: int) -> None:
        self.left = size

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        part = min(self.left, 1 << 16 if size < 0 else size)
        self.left -= part
        return bytes(part)


@dataclass(frozen=True)
class Upload:
    """A file under the name its sender gives; `ends` tells whether it must be refused or stored without harm."""

    name: str
    make: Callable[[], bytes]
    ends: str = REFUSED
    type: str = "application/octet-stream"


def _zip(*parts: tuple[str, bytes], mode: int = 0, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in parts:
            info = zipfile.ZipInfo(name)
            info.compress_type = method
            info.external_attr = (mode or stat.S_IFREG | 0o644) << 16
            archive.writestr(info, content)
    return out.getvalue()


def _image(kind: str, **options: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (8, 8), "red").save(out, kind, **options)
    return out.getvalue()


def _huge_png() -> bytes:
    """50,000 x 50,000 pixels in a few bytes."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 50_000, 50_000, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


def _docx(xml: str, *more: tuple[str, bytes]) -> bytes:
    return _zip(("[Content_Types].xml", b"<Types/>"), ("word/document.xml", xml.encode()), *more)


PDF = b"%%PDF-1.7\n%%\xe2\xe3\xcf\xd3\n1 0 obj\n<</Type/Catalog%s>>\nendobj\ntrailer<</Root 1 0 R>>\n%%%%EOF\n"
WORDS = "<w:document xmlns:w='w'><w:body><w:p><w:r><w:t>hello</w:t></w:r></w:p></w:body></w:document>"
PLAIN = PDF % b""

UPLOADS = (
    Upload("picture.svg", lambda: b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + SCRIPT + b"</svg>"),
    Upload("page.html", lambda: b"<html>" + SCRIPT, type="text/html"),
    Upload("page.txt", lambda: b"<html>" + SCRIPT, HARMLESS, "text/html"),
    Upload("data.xml", lambda: b"<?xml version='1.0'?><svg onload='alert(1)'/>", HARMLESS, "image/svg+xml"),
    Upload("gif-and-js.gif", lambda: b"GIF89a/*" + b"\0" * 20 + b"*/=1;alert(1)"),
    Upload("gif-and-html.gif", lambda: _image("GIF") + SCRIPT, HARMLESS, "text/html"),
    Upload("pdf-and-html.pdf", lambda: b"<html>" + SCRIPT + b"<!--" + PLAIN),
    Upload("html-in-pdf.pdf", lambda: b"%PDF-1.7\n<html>" + SCRIPT + PLAIN),
    Upload("jpg-and-zip.jpg", lambda: _image("JPEG") + _zip(("a.txt", b"a")), HARMLESS),
    Upload("page-and-zip.zip", lambda: b"<html>" + SCRIPT + _zip(("a.txt", b"a"))),
    Upload("virus.txt", lambda: EICAR),
    Upload("virus.zip", lambda: _zip(("readme.txt", b"fine"), ("deep/virus.com", EICAR))),
    Upload("virus-in-zip-in-zip.zip", lambda: _zip(("inner.zip", _zip(("v.com", EICAR))))),
    Upload("virus.docx", lambda: _docx(WORDS, ("word/media/x.bin", EICAR))),
    Upload("shell.php", lambda: b"<?php system($_GET['c']); ?>"),
    Upload("tool.py", lambda: b"import os"),
    Upload("tool.sh", lambda: b"#!/bin/sh\nrm -rf ~"),
    Upload("shell.php.jpg", lambda: b"<?php system($_GET['c']); ?>", type="image/jpeg"),
    Upload("shell.jpg", lambda: _image("JPEG", comment=b"<?php evil(); ?>"), HARMLESS, "application/x-php"),
    Upload("../../../../tmp/evil.txt", lambda: b"x", HARMLESS),
    Upload("..\\..\\evil.txt", lambda: b"x", HARMLESS),
    Upload("%2e%2e%2f%2e%2e%2fevil.txt", lambda: b"x", HARMLESS),
    Upload("/etc/cron.d/evil.txt", lambda: b"x", HARMLESS),
    Upload("nul\0.php.txt", lambda: b"x", HARMLESS),
    Upload("invoice\u202efdp.txt", lambda: b"x", HARMLESS),
    Upload("n" * 300 + ".txt", lambda: b"x", HARMLESS),
    Upload("\U0001f4c4\u200d\U0001f525" * 60 + ".txt", lambda: b"x", HARMLESS),
    Upload("CON.txt", lambda: b"x", HARMLESS),
    Upload(".htaccess.txt", lambda: b"AddType application/x-httpd-php .txt", HARMLESS),
    Upload(".htaccess", lambda: b"AddType application/x-httpd-php .txt"),
    Upload("report.pdf.exe", lambda: PLAIN),
    Upload("report.exe.pdf", lambda: b"MZ" + b"\0" * 500),
    Upload('a"; filename="evil.html.txt', lambda: b"x", HARMLESS),
    Upload("line\r\nSet-Cookie: a=b.txt", lambda: b"x", HARMLESS),
    Upload("empty.pdf", lambda: b""),
    Upload("huge.png", _huge_png),
    Upload("links.zip", lambda: _zip(("link", b"/etc/passwd"), mode=stat.S_IFLNK | 0o777)),
    Upload("slip.zip", lambda: _zip(("../../evil.sh", b"x"))),
    Upload("bomb.zip", lambda: _zip(("zeros", bytes(150 * 1024 * 1024)))),
    Upload("wrong-type.png", lambda: _image("PNG"), HARMLESS, "text/html"),
    Upload("locked.docx", lambda: b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2000),
    Upload("broken.docx", lambda: _docx(WORDS)[:-30]),
    Upload("no-word.docx", lambda: _zip(("a.txt", b"a"))),
    Upload("macros.docx", lambda: _docx(WORDS, ("word/vbaProject.bin", b"macro"))),
    Upload(
        "entities.docx",
        lambda: _docx("<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><w:document xmlns:w='w'>&e;</w:document>"),
        HARMLESS,
    ),
    Upload("deep.docx", lambda: _docx("<w:p>" * 200_000), HARMLESS),
    Upload("broken.pdf", lambda: b"%PDF-1.7\n1 0 obj\n<</Type/Catalog", HARMLESS),
    Upload("script.pdf", lambda: PDF % b"/OpenAction<</S/JavaScript/JS(app.alert\\(1\\))>>", HARMLESS),
)


def hostile(ends: str) -> Iterator[Upload]:
    """The uploads that end so."""
    return (upload for upload in UPLOADS if upload.ends == ends)


def write_all(folder: Path) -> None:
    """Write every upload with a number for a name, and a list of the names they were given."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for number, upload in enumerate(UPLOADS):
        file: IO[bytes]
        with (folder / f"{number:02}.bin").open("wb") as file:
            file.write(upload.make())
        lines.append(f"{number:02}.bin\t{upload.name!r}\t{upload.ends}")
    (folder / "names.txt").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write_all(Path(sys.argv[1]))
