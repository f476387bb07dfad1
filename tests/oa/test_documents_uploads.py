"""Drill F-20: hostile uploads, each through the pages of attachments and of the library (threats S-10, S-11)."""

from __future__ import annotations

import re
import resource
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.files.uploadhandler import MemoryFileUploadHandler
from django.http.multipartparser import MultiPartParser
from django.test import RequestFactory
from django.urls import reverse

from kit.values.errors import BusinessError
from oa.documents.models import DocumentVersion, LibraryDocument
from oa.documents.reading import read_version
from oa.documents.services import add_document
from oa.records.attachments import store_attachment
from oa.records.models import Attachment
from oa.records.uploads import LARGEST, check_upload, safe_name
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.hostile import HARMLESS, REFUSED, UPLOADS, Upload, Zeros, hostile
from tests.oa.library import client_of, company, folder, let

pytestmark = pytest.mark.django_db

STORED = re.compile(r"(library|attachments)/\d{4}/\d\d/[0-9a-f-]{36}\.[a-z]{2,4}")


@pytest.fixture
def c(settings: Any, tmp_path: Path) -> SimpleNamespace:
    """Files on a real disk, below a folder whose neighbourhood is watched."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path / "a" / "b" / "media"
    made = company()
    made.outside = tmp_path
    made.root = Path(settings.MEDIA_ROOT)
    made.top = folder("top")
    let(made.top, made.ann, "edit")
    made.customer = make.make_customer(owner=made.ann)
    made.client = client_of(made.ann)
    return made


def named(upload: Upload) -> SimpleUploadedFile:
    """A file with the very name that was given, which Django itself would shorten."""
    file = SimpleUploadedFile("x", upload.make(), upload.type)
    file.__dict__["_name"] = upload.name
    return file


def send(c: SimpleNamespace, upload: Upload) -> None:
    """Send the file to a customer's page and to a folder of the library, as a crafted request would."""
    if "\n" in upload.name:  # a line end in a head line ends it: only our own functions could be given such a name
        store_attachment(c.customer, named(upload), by=c.ann)
        add_document(c.top, named(upload), by=c.ann)
        return
    name = upload.name.replace("\\", "\\\\").replace('"', '\\"').encode()
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="' + name + b'"\r\n'
    body = head + b"Content-Type: " + upload.type.encode() + b"\r\n\r\n" + upload.make() + b"\r\n--x--\r\n"
    attach = reverse("attach", args=["customer", c.customer.code])
    for url in (attach, reverse("docs-upload", args=[c.top.pk])):
        answer = c.client.generic("POST", url, body, content_type="multipart/form-data; boundary=x")
        assert answer.status_code == 302


def test_there_are_thirty_of_them() -> None:
    """F-20: at least thirty, and both ends occur."""
    assert len(UPLOADS) >= 30 and {upload.ends for upload in UPLOADS} == {REFUSED, HARMLESS}


@pytest.mark.parametrize("upload", list(hostile(REFUSED)), ids=lambda u: u.name[:40])
def test_what_must_not_be_stored_is_refused(upload: Upload, c: SimpleNamespace) -> None:
    """F-20, S-10: no row and no file, here and there, and a sentence that says why."""
    with pytest.raises(BusinessError) as caught:
        check_upload(named(upload), safe_name(upload.name))
    assert str(caught.value)
    send(c, upload)
    assert not Attachment.objects.exists() and not DocumentVersion.objects.exists()
    assert [path for path in c.outside.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("upload", list(hostile(HARMLESS)), ids=lambda u: u.name[:40].replace("\0", "0"))
def test_what_is_stored_harms_nobody(upload: Upload, c: SimpleNamespace) -> None:
    """F-20: under a random name, nothing outside the root, always a download, never run, its words read in a child."""
    send(c, upload)
    rows = [Attachment.objects.get(), DocumentVersion.objects.get()]
    files = [path for path in c.outside.rglob("*") if path.is_file()]
    assert sorted(path.relative_to(c.root).as_posix() for path in files) == sorted(row.file.name for row in rows)
    assert all(STORED.fullmatch(row.file.name) and str(row.key) in row.file.name for row in rows)
    for row, url in zip(rows, ("attachment", "docs-download"), strict=True):
        assert row.name == safe_name(row.name) and not re.search(r"[/\\\x00-\x1f\u202e]", row.name)
        answer = c.client.get(reverse(url, args=[row.key]))
        assert answer.status_code == 200 and b"".join(answer.streaming_content) == upload.make()
        assert answer["Content-Disposition"].startswith("attachment")
        assert answer["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer["Content-Security-Policy"]
        assert answer["Content-Type"] == "application/octet-stream"
        assert "\n" not in answer["Content-Disposition"] and "Set-Cookie" not in answer.headers
    read_version(rows[1].pk)
    page = c.client.get(reverse("librarydocument-record", args=[f"d-{LibraryDocument.objects.get().pk}"]))
    assert page.status_code == 200 and b"<script>fetch" not in page.content and b"onload=" not in page.content
    assert_books(["I-33", "I-68"])


def test_names_of_devices_are_changed() -> None:
    """F-20: CON and its like mean a device on Windows; the extension stays, whatever the length."""
    assert [safe_name(n) for n in ("CON.txt", "com1.tar.txt", "nul", "Console.txt")] == [
        "_CON.txt", "_com1.tar.txt", "_nul", "Console.txt",
    ]  # fmt: skip
    assert safe_name("n" * 400 + ".txt").endswith(".txt") and len(safe_name("\U0001f4c4" * 400 + ".txt")) <= 255
    assert len(safe_name("a." + "b" * 400)) <= 255


SCAN = '''
import resource, sys
sys.path.insert(0, "."); import django, os
os.environ["DJANGO_SETTINGS_MODULE"] = "config.settings"; django.setup()
from django.core.handlers.wsgi import WSGIRequest
from tests.oa.test_documents_uploads import stream_of
from oa.records.uploads import check_upload
from kit.values.errors import BusinessError
small = stream_of(1 << 20)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
file = stream_of(2 << 30)
try: check_upload(file, "huge.zip")
except BusinessError as error: print(error)
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024, file.size)
'''  # fmt: skip


def stream_of(size: int) -> Any:
    """What our upload handlers make of a file of `size` zero bytes."""
    boundary = b"frontier"
    head = b"--" + boundary + b'\r\nContent-Disposition: form-data; name="files"; filename="huge.zip"\r\n\r\n'
    tail = b"\r\n--" + boundary + b"--\r\n"

    class Body(Zeros):
        """The head, the zeros and the tail of a multipart body."""

        def __init__(self) -> None:
            super().__init__(size)
            self.head, self.tail = head, tail

        def read(self, wanted: int = -1) -> bytes:
            if self.head:
                part, self.head = self.head[:wanted], self.head[wanted:]
            elif self.left:
                part = super().read(min(wanted, 1 << 16))
            else:
                part, self.tail = self.tail[:wanted], self.tail[wanted:]
            return part

    meta = {
        "CONTENT_TYPE": f"multipart/form-data; boundary={boundary.decode()}",
        "CONTENT_LENGTH": str(len(head) + size + len(tail)),
    }
    request = RequestFactory().post("/", **meta)
    _fields, files = MultiPartParser(meta, Body(), request.upload_handlers).parse()  # type: ignore[arg-type]
    return files["files"]


def test_a_huge_stream_needs_no_memory_and_no_disk() -> None:
    """F-20: 2 GB come in within 50 MB; they come out with their true size, so that they are refused in words."""
    done = subprocess.run([sys.executable, "-c", SCAN], capture_output=True, text=True, timeout=300, check=True)
    said, figures = done.stdout.strip().splitlines()
    grown, size = map(int, figures.split())
    assert "2048.0 MB; at most 20 MB" in said and size == 2 << 30 and grown < 50


def test_a_file_at_the_limit_comes_in_whole() -> None:
    """F-20: what is allowed is not cut off."""
    assert stream_of(LARGEST).size == LARGEST and len(stream_of(LARGEST).read()) == LARGEST
    assert stream_of(LARGEST + 1).size == LARGEST + 1 and issubclass(MemoryFileUploadHandler, object)


def test_archives_are_looked_into_within_bounds() -> None:
    """F-20: many archives in one cost a bounded amount of unpacking."""
    import io
    import time
    import zipfile

    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(60_000_000))
    outer = io.BytesIO()
    with zipfile.ZipFile(outer, "w") as archive:
        for number in range(200):
            archive.writestr(f"{number}.zip", inner.getvalue())
    started, before = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    check_upload(SimpleUploadedFile("many.zip", outer.getvalue()), "many.zip")
    assert time.process_time() - started < 10
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024 < 100


def no_invoices(file: Any) -> str:
    """A scanner for the test below."""
    return "Trojan.Invoice" if b"invoice" in file.read() else ""


def test_an_installation_may_have_its_own_scanner(settings: Any) -> None:
    """S-10: a function named in the settings looks at every file."""
    settings.SANHE_VIRUS_SCANNER = "tests.oa.test_documents_uploads.no_invoices"
    check_upload(SimpleUploadedFile("a.txt", b"fine"), "a.txt")
    with pytest.raises(BusinessError, match=r"Trojan\.Invoice"):
        check_upload(SimpleUploadedFile("a.txt", b"an invoice"), "a.txt")
