"""Files of records are checked by name, content and size (threat S-10)."""

from __future__ import annotations

import hashlib
import io
import os
import uuid
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection
from django.db.models.signals import post_save
from django.urls import reverse
from PIL import Image

from config import archive
from kit.pages.resources import registry
from kit.values.errors import BusinessError
from oa.records import attachments, uploads
from oa.records.attachments import remove_attachment, store_attachment, store_attachments
from oa.records.models import Attachment, AuditEntry
from oa.records.uploads import safe_name
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def image(kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    Image.new("RGB", (4, 4), "red").save(stream, kind)
    return stream.getvalue()


def office() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/workbook.xml", "<workbook/>")
    return stream.getvalue()


GOOD = {
    "scan.pdf": b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n",
    "photo.png": image(),
    "photo.JPG": image("JPEG"),
    "moving.gif": image("GIF"),
    "small.webp": image("WEBP"),
    "prices.xlsx": office(),
    "papers.zip": office(),
    "old.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600,
    "list.csv": "编号,名称\n1,伺服电机\n".encode(),
    "list.txt": "编号".encode("gb18030"),
}
BAD = {
    "page.html": b"<html><script>alert(1)</script>",
    "picture.svg": b"<svg onload='alert(1)'/>",
    "tool.exe": b"MZ" + b"\0" * 100,
    "script.pdf": b"<html><script>alert(1)</script>",
    "photo.png": b"GIF89a" + b"\0" * 50,
    "cut.png": image()[:40],
    "prices.xlsx": b"%PDF-1.7 no workbook",
    "list.csv": b"MZ\0\0\0binary",
    "noname": b"text",
    "tool.pdf.exe": b"%PDF-1.7",
    "empty.pdf": b"",
    "photo.jpg": image("PNG"),
}


@pytest.mark.parametrize("name", GOOD)
def test_ordinary_files_are_stored_under_random_names(name: str) -> None:
    """Name, size and digest are kept; the stored name tells nothing of the given one."""
    user, customer = make.make_user(), make.make_customer()
    row = store_attachment(customer, SimpleUploadedFile(name, GOOD[name]), by=user)
    row = Attachment.objects.get(pk=row.pk)
    assert (row.name, row.size, row.owner) == (name, len(GOOD[name]), user)
    assert row.sha256 == hashlib.sha256(GOOD[name]).hexdigest()
    assert row.file.read() == GOOD[name]
    assert str(row.key) in row.file.name and name.split(".")[0] not in row.file.name
    assert_books(["I-33"])


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_not_what_they_say_are_refused(name: str) -> None:
    """The extension must be allowed and the content must fit it."""
    with pytest.raises(BusinessError):
        store_attachment(make.make_customer(), SimpleUploadedFile(name, BAD[name]), by=make.make_user())
    assert not Attachment.objects.exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\合同.pdf", "合同.pdf"),
        ("a\x00b\r\n.pdf", "ab.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("", "file"),
        ("x" * 300 + ".pdf", "x" * 247 + ".pdf"),
    ],
)
def test_names_are_cleaned(given: str, kept: str) -> None:
    """No folders, no control characters, nothing that turns the reading direction, at most 255 characters."""
    assert safe_name(given) == kept


def test_sizes_and_quotas_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """One file, the files of a record and those of a person each have a limit; the message tells it."""
    user, customer = make.make_user(), make.make_customer()
    pdf = GOOD["scan.pdf"]
    monkeypatch.setattr(uploads, "LARGEST", len(pdf) - 1)
    with pytest.raises(BusinessError, match="at most"):
        store_attachment(customer, SimpleUploadedFile("a.pdf", pdf), by=user)
    monkeypatch.setattr(uploads, "LARGEST", len(pdf))
    monkeypatch.setattr(attachments, "RECORD_QUOTA", 2 * len(pdf))
    monkeypatch.setattr(attachments, "PERSON_QUOTA", 3 * len(pdf))
    for _ in range(2):
        store_attachment(customer, SimpleUploadedFile("a.pdf", pdf), by=user)
    with pytest.raises(BusinessError, match="no room"):
        store_attachment(customer, SimpleUploadedFile("a.pdf", pdf), by=make.make_user())
    other = make.make_customer("Other")
    store_attachment(other, SimpleUploadedFile("a.pdf", pdf), by=user)
    with pytest.raises(BusinessError, match="no room"):
        store_attachment(make.make_customer("Third"), SimpleUploadedFile("a.pdf", pdf), by=user)


def test_huge_images_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A small file that unpacks to a giant picture."""
    monkeypatch.setattr(uploads, "PIXELS", 15)
    with pytest.raises(BusinessError, match="not of the kind"):
        store_attachment(make.make_customer(), SimpleUploadedFile("a.png", image()), by=make.make_user())


def test_only_its_owner_deletes_a_file(django_capture_on_commit_callbacks: object) -> None:
    """Row at once, content with the commit."""
    user, stranger, customer = make.make_user("m", "sales"), make.make_user("s", "sales"), make.make_customer()
    row = store_attachment(customer, SimpleUploadedFile("a.pdf", GOOD["scan.pdf"]), by=user)
    storage, path = row.file.storage, row.file.name
    with pytest.raises(BusinessError, match="not yours to delete"):
        remove_attachment(row, customer, by=stranger)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        remove_attachment(row, customer, by=user)
        assert storage.exists(path)
    assert not storage.exists(path) and not Attachment.objects.exists()


def test_a_file_is_deleted_once() -> None:
    """F-08: of two who delete the same file at the same time the second one is told; both had read it before."""
    user, customer = make.make_user(), make.make_customer()
    [row] = store_attachments(customer, [ContentFile(b"words", name="a.txt")], by=user)
    remove_attachment(Attachment.objects.get(), customer, by=user)
    with pytest.raises(BusinessError, match="deleted already"):
        remove_attachment(row, customer, by=user)


def test_a_document_with_its_number_keeps_its_files() -> None:
    """G-03: what was issued stays with what belongs to it, whoever asks; a draft does not."""
    user, line = make.make_user(), make.line(make.make_product())
    draft, issued = make.make_order(make.make_customer(), line), make.confirmed_order(make.make_customer(), line)
    for order in (draft, issued):
        store_attachments(order, [ContentFile(b"words", name=f"{order.state}.txt")], by=user)
    kept, gone = (Attachment.objects.get(object_id=order.pk) for order in (issued, draft))
    assert attachments.removable([kept], issued, user) == []
    with pytest.raises(BusinessError, match="has to stay"):
        remove_attachment(kept, issued, by=user)
    remove_attachment(gone, draft, by=user)
    assert Attachment.objects.get() == kept


def test_files_that_belong_to_nothing_are_found(settings: Any, tmp_path: Path) -> None:
    """I-33: what a crash left behind shows after a day, and a changed content at once."""
    settings.STORAGES = {**settings.STORAGES, "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"}}
    settings.MEDIA_ROOT = tmp_path
    row = store_attachment(make.make_customer(), SimpleUploadedFile("a.pdf", GOOD["scan.pdf"]), by=make.make_user())
    storage = row.file.storage
    stray = storage.save("attachments/2020/01/left.pdf", ContentFile(b"left"))
    assert_books(["I-33"])
    os.utime(tmp_path / stray, (0, 0))
    [found] = broken(["I-33"])["I-33"]
    assert stray in found
    storage.delete(stray)
    (tmp_path / row.file.name).write_bytes(GOOD["scan.pdf"].replace(b"1.7", b"1.6"))
    [found] = broken(["I-33"])["I-33"]
    assert f"attachment {row.pk}" in found


def test_a_file_never_touches_the_records_version() -> None:
    """DESIGN: notes, files and mails never bump it."""
    customer = make.make_customer()
    store_attachment(customer, SimpleUploadedFile("a.pdf", GOOD["scan.pdf"]), by=make.make_user())
    version = customer.version
    customer.refresh_from_db()
    assert customer.version == version


def test_a_replaced_logo_goes(django_capture_on_commit_callbacks: Any) -> None:
    """I-33: the company has one."""
    company = make.company(logo=SimpleUploadedFile("old.png", image()))
    storage, old = company.logo.storage, company.logo.name
    company.logo = SimpleUploadedFile("new.png", image())
    with django_capture_on_commit_callbacks(execute=True):
        company.save()
    assert not storage.exists(old) and storage.exists(company.logo.name)


@pytest.mark.django_db(transaction=True)
def test_a_commit_without_an_answer_takes_no_file_away() -> None:
    """F-10: it may have succeeded on a server that went away; a file too many is found, a lost one is not there."""
    customer, by = make.make_customer(), make.make_user()
    before = set(archive.media_names("attachments/"))  # the storage of tests is common to them

    def end_session(**_signal: Any) -> None:
        with connection.cursor() as cursor, connection._nodb_cursor() as other:  # type: ignore[attr-defined]
            cursor.execute("SELECT pg_backend_pid()")
            other.execute("SELECT pg_terminate_backend(%s, 5000)", cursor.fetchone())

    post_save.connect(end_session, sender=Attachment)
    try:
        with pytest.raises(DatabaseError):
            store_attachments(customer, [ContentFile(b"words", name="a.txt")], by=by)
    finally:
        post_save.disconnect(end_session, sender=Attachment)
        connection.close()
    assert not Attachment.objects.exists()
    assert len(set(archive.media_names("attachments/")) - before) == 1


def test_files_that_are_sent_twice_are_attached_once() -> None:
    """F-02, G-19: a double click."""
    customer, web = make.make_customer(), client_of(make.make_user())
    url, key = f"/records/customer/{registry['customer'].key_of(customer)}/attach/", str(uuid.uuid4())
    for _click in range(2):
        answer = web.post(url, {"submit_id": key, "files": SimpleUploadedFile("a.txt", b"words")})
        assert answer.status_code in (204, 302)
    assert Attachment.objects.count() == 1


def test_a_file_is_deleted_on_its_records_page() -> None:
    """Offered for the own files only, whoever sends it; sent twice it leads to the same place."""
    ann, bob = make.make_user("ann", "sales"), make.make_user("bob", "sales")
    customer = make.make_customer(owner=ann)
    for person in (ann, bob):
        store_attachments(customer, [ContentFile(b"words", name=f"{person}.txt")], by=person)
    web, page = client_of(ann), registry["customer"].url_for(customer)
    own, other = (
        reverse("attachment-delete", args=[Attachment.objects.get(owner=person).key]) for person in (ann, bob)
    )
    for shown in (web.get(page).content.decode(), web.get(f"{page}?panel=timeline").content.decode()):
        assert own in shown and other not in shown
    web.post(other, {"submit_id": str(uuid.uuid4())})
    key = str(uuid.uuid4())
    for _click in range(2):
        assert web.post(own, {"submit_id": key}).url == page
    assert [row.owner for row in Attachment.objects.all()] == [bob]
    assert "deleted a file" in web.get(page).content.decode()
    assert AuditEntry.objects.get(action="remove").what == "Ann.txt"
    assert client_of(make.make_user("cai", "sales")).post(other).status_code == 404
