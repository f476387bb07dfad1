"""Documents, versions, the check-out lock and the life cycle (spec office 5.8.2)."""

from __future__ import annotations

import hashlib
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import transaction
from django.db.utils import DatabaseError, IntegrityError
from django.urls import reverse

from oa.documents import services
from oa.documents.models import DocumentVersion, LibraryDocument, Publication, VersionText
from oa.documents.models.rights import EDIT
from oa.documents.views.files import changed_lines
from oa.records import uploads
from oa.records.models import Comment, Notification
from tests.invariants import assert_books
from tests.oa.library import client_of, company, document, file, folder, fresh, let
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def c() -> SimpleNamespace:
    """A folder in which Ann and Bob edit and Eve manages."""
    made = company()
    made.top = folder("top")
    for person in (made.ann, made.bob):
        let(made.top, person, "edit")
    let(made.top, made.eve, "manage")
    return made


def messages(person: Any) -> list[str]:
    return list(Notification.objects.filter(user=person).order_by("pk").values_list("text", flat=True))


def test_a_file_becomes_a_document_with_its_first_version(c: SimpleNamespace) -> None:
    """5.8.2, S-10: name, size and digest are kept; where it lies tells nothing of its name."""
    made = services.add_document(c.top, file("合同.txt", "苏州"), by=c.ann)
    version = made.current
    assert version is not None and (made.title, made.state, made.owner) == ("合同.txt", "draft", c.ann)
    assert (version.number, version.size, version.author) == (1, 6, c.ann)
    assert version.sha256 == hashlib.sha256("苏州".encode()).hexdigest()
    assert str(version.key) in version.file.name and "合同" not in version.file.name
    assert_books(["I-33", "I-68"])


def test_two_documents_of_one_folder_have_different_names(c: SimpleNamespace) -> None:
    """5.8.2: the second one is refused with what to do, whatever its capitals; elsewhere it is fine."""
    document(c.top, "Plan.txt", by=c.ann)
    stored = DocumentVersion.objects.count()
    with refused("add a version"):
        services.add_document(c.top, file("plan.TXT"), by=c.ann)
    assert DocumentVersion.objects.count() == stored
    document(folder("other", c.top), "plan.txt", by=c.ann)


def test_uploads_need_the_right_and_room(c: SimpleNamespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """S-10: edit in the folder, the allowed kinds, the quota of the person."""
    let(c.top, c.sam, "download")
    reader = c.bob
    c.top.grants.filter(user=c.bob).delete()
    let(c.top, reader, "print")
    with refused("do not suffice"):
        services.add_document(c.top, file(), by=reader)
    with refused("cannot be attached"):
        services.add_document(c.top, file("tool.exe"), by=c.ann)
    monkeypatch.setattr("oa.documents.services.versions.PERSON_QUOTA", 10)
    with refused("no room"):
        services.add_document(c.top, file("a.txt", "more than ten"), by=c.ann)
    assert uploads.ALLOWED.keys() >= {"txt", "md", "docx", "xlsx", "pdf"}


def test_an_upload_is_whole(c: SimpleNamespace) -> None:
    """S-10, I-33: one refused file takes back those before it, rows and files."""
    storage = DocumentVersion._meta.get_field("file").storage
    before = set(storage.listdir("library")[0]) if storage.exists("library") else set()
    url = reverse("docs-upload", args=[c.top.pk])
    files = [ContentFile(b"one", "one.txt"), ContentFile(b"MZ", "two.exe")]
    client_of(c.ann).post(url, {"files": files})
    assert not LibraryDocument.objects.filter(folder=c.top).exists()
    after = set(storage.listdir("library")[0]) if storage.exists("library") else set()
    assert before == after or not any(_all(storage, f"library/{year}") for year in after)
    client_of(c.ann).post(url, {"files": [ContentFile(b"one", "one.txt"), ContentFile(b"two", "two.md")]})
    assert LibraryDocument.objects.filter(folder=c.top).count() == 2


def _all(storage: Any, place: str) -> list[str]:
    folders, files = storage.listdir(place)
    return files + [name for inner in folders for name in _all(storage, f"{place}/{inner}")]


def test_one_person_at_a_time_writes_a_version(c: SimpleNamespace) -> None:
    """5.8.2: the check-out keeps others out; the check-in makes the next version with its comment and gives back."""
    doc = document(c.top, by=c.ann)
    services.check_out(doc, by=c.ann)
    for run in (
        lambda: services.check_out(doc, by=c.bob),
        lambda: services.check_in(doc, file(content="B"), by=c.bob),
        lambda: services.restore_version(doc, 1, by=c.bob),
        lambda: services.bin_document(doc, by=c.bob),
        lambda: services.publish_document(doc, by=c.bob),
    ):
        with refused("checked out by Ann"):
            run()
    with refused("You have not checked out"):
        services.cancel_check_out(doc, by=c.bob)
    services.check_in(doc, file(content="Version two"), by=c.ann, comment=" new words ")
    doc = fresh(doc)
    assert (doc.checked_out_by, doc.current.number, doc.current.comment) == (None, 2, "new words")
    services.check_in(doc, file(content="Without a check-out"), by=c.bob)
    assert fresh(doc).current.number == 3
    assert_books(["I-33", "I-68", "I-69"])


def test_a_manager_ends_a_check_out_and_both_are_told(c: SimpleNamespace) -> None:
    """5.8.2: the lock can be broken with a reason; who had it and who broke it are told."""
    doc = services.check_out(document(c.top, by=c.ann), by=c.ann)
    with refused("do not suffice"):
        services.break_lock(doc, by=c.bob, reason="mine")
    services.break_lock(doc, by=c.eve, reason="Ann is on leave")
    assert fresh(doc).checked_out_by is None
    assert messages(c.ann) == messages(c.eve) == ["Eve ended the check-out of plan.txt by Ann."]
    assert Comment.objects.get().text == "Ann is on leave"
    with refused("Nobody has checked out"):
        services.break_lock(doc, by=c.eve, reason="again")


def test_who_leaves_holds_nothing(c: SimpleNamespace) -> None:
    """5.8.2, I-69: the database gives documents back when an account is closed, however that is done."""
    doc = services.check_out(document(c.top, by=c.ann), by=c.ann)
    type(c.ann).objects.filter(pk=c.ann.pk).update(is_active=False)
    assert fresh(doc).checked_out_by is None
    assert_books(["I-69"])


def test_a_version_keeps_the_kind_of_its_document(c: SimpleNamespace) -> None:
    """5.8.2: what follows a text is a text."""
    doc = document(c.top, by=c.ann)
    with refused("of the kind “txt”"):
        services.check_in(doc, file("plan.md"), by=c.ann)


def test_versions_never_change(c: SimpleNamespace) -> None:
    """5.8.2: the database refuses to change or delete a version or a publication; only with a document of the bin."""
    doc = services.publish_document(document(c.top, by=c.ann), by=c.ann)
    for rows in (DocumentVersion.objects.filter(document=doc), Publication.objects.filter(document=doc)):
        with pytest.raises(DatabaseError), transaction.atomic():
            rows.update(**{"comment": "x"} if rows.model is DocumentVersion else {"by": c.bob})
        with pytest.raises(DatabaseError), transaction.atomic():
            rows._raw_delete(rows.db)
    with pytest.raises(DatabaseError), transaction.atomic():
        LibraryDocument.objects.filter(pk=doc.pk).delete()
    with pytest.raises(IntegrityError), transaction.atomic():
        DocumentVersion.objects.create(document=doc, number=1, file="x", name="x", size=1, sha256="x")


def test_an_older_version_comes_back_as_a_new_one(c: SimpleNamespace) -> None:
    """5.8.2: nothing is overwritten."""
    doc = document(c.top, content="first", by=c.ann)
    services.check_in(doc, file(content="second"), by=c.ann)
    services.restore_version(doc, 1, by=c.bob)
    doc = fresh(doc)
    assert (doc.current.number, doc.current.restored_from, doc.current.author) == (3, 1, c.bob)
    assert doc.current.file.read() == b"first" and doc.current.file.name != doc.versions.get(number=1).file.name
    for wrong in (3, 9):
        with refused("Choose an older"):
            services.restore_version(doc, wrong, by=c.bob)


def test_a_document_lives_as_its_table_says(c: SimpleNamespace) -> None:
    """5.8.2: draft, published v1, draft again with a new version, published v2, obsolete, archived; then it is closed."""
    doc = services.publish_document(document(c.top, by=c.ann), by=c.ann)
    assert (doc.state, doc.published.number) == ("published", 1)
    doc = services.check_in(doc, file(content="v2"), by=c.bob)
    assert (doc.state, doc.published.number, doc.current.number) == ("draft", 1, 2)
    doc = services.publish_document(doc, by=c.bob)
    assert (doc.state, doc.published.number) == ("published", 2)
    assert [p.version.number for p in doc.publications.order_by("pk")] == [1, 2]
    assert_books(["I-29", "I-68"])
    with refused("do not suffice"):
        services.declare_obsolete(doc, by=c.ann, reason="old")
    doc = services.declare_obsolete(doc, by=c.eve, reason="old")
    with refused("gets no new version"):
        services.check_out(doc, by=c.ann)
    doc = services.archive_document(doc, by=c.eve)
    doc.title = "other.txt"
    with refused("stays as it is"):
        services.save_details(doc, by=c.eve)
    with pytest.raises(DatabaseError), transaction.atomic():
        LibraryDocument.objects.filter(pk=doc.pk).update(state="draft")
    assert_books(["I-29", "I-68"])


def test_a_document_is_superseded_by_a_published_one(c: SimpleNamespace) -> None:
    """5.8.2: the old one names its successor."""
    old = services.publish_document(document(c.top, "old.txt", by=c.ann), by=c.ann)
    new = document(c.top, "new.txt", by=c.ann)
    with refused("that is published"):
        services.supersede_document(old, new, by=c.eve)
    services.publish_document(new, by=c.ann)
    old = services.supersede_document(old, new, by=c.eve)
    assert (old.state, old.superseded_by) == ("superseded", new)
    hidden = folder("hidden")
    secret = services.publish_document(document(hidden, "secret.txt"), by=None)
    with refused("that is published"):
        services.supersede_document(new, secret, by=c.eve)


def test_where_a_folder_asks_another_publishes_than_who_wrote(c: SimpleNamespace) -> None:
    """5.8.2: submitted first, published by a manager who is neither author nor submitter; readers see nothing before."""
    c.top.needs_review = True
    c.top.save()
    reader = c.sam
    let(c.top, c.east, "download")
    c.top.grants.filter(user=c.ann).delete()
    let(c.top, c.ann, "view")
    doc = document(c.top, by=c.eve)
    with refused("Submit"):
        services.publish_document(doc, by=c.eve)
    assert not LibraryDocument.objects.visible_to(fresh(c.ann)).exists()
    services.submit_document(doc, by=c.bob)
    assert "waits for your review" in messages(c.eve)[-1]
    for person in (c.eve, c.bob):
        with refused("Somebody else"):
            services.publish_document(doc, by=person)
    services.return_document(doc, by=c.eve, reason="Page 2 is wrong")
    assert (fresh(doc).state, "sent back" in messages(c.bob)[-1]) == ("draft", True)
    services.submit_document(doc, by=c.bob)
    services.publish_document(doc, by=reader)
    assert LibraryDocument.objects.visible_to(fresh(c.ann)).get() == doc
    services.check_in(fresh(doc), file(content="v2 in work"), by=c.bob)
    seen = DocumentVersion.objects.visible_to(fresh(c.ann)).filter(document=doc)
    assert [v.number for v in seen] == [1]
    assert DocumentVersion.objects.visible_to(fresh(c.bob)).filter(document=doc).count() == 2


def test_the_system_may_publish_for_a_flow_of_approvals(c: SimpleNamespace) -> None:
    """5.8.2: the seam for approvals; whoever asks for receipts hears of it in the same transaction."""
    c.top.needs_review = True
    c.top.save()
    heard: list[Any] = []
    doc = services.submit_document(document(c.top, by=c.ann), by=c.ann)
    services.on_published.append(lambda document, version, by: heard.append((document.pk, version.number, by)))
    try:
        services.publish_document(doc, by=None)
    finally:
        services.on_published.pop()
    assert heard == [(doc.pk, 1, None)] and fresh(doc).state == "published"


def test_versions_are_compared(c: SimpleNamespace) -> None:
    """5.8.2: what is told about two versions, and their texts line by line, bounded."""
    doc = document(c.top, content="one\ntwo\nthree", by=c.ann)
    services.check_in(doc, file(content="one\nTWO\nthree"), by=c.bob, comment="capitals")
    from oa.documents.reading import read_version

    read_version(fresh(doc).current.pk)
    page = client_of(c.ann).get(reverse("docs-compare", args=[f"d-{doc.pk}"])).content.decode()
    assert "− two" in page and "+ TWO" in page and "capitals" in page
    long = VersionText(text="a\nb\n" * 200_000)
    assert len(changed_lines(long, VersionText(text="c\n" * 400_000))) < 4_100


def test_details_are_changed_by_who_edits_there(c: SimpleNamespace) -> None:
    """5.8.2: moving needs edit at both ends; the time of keeping is shortened by managers only."""
    doc = document(c.top, by=c.ann)
    other = folder("other")
    doc.folder = other
    with refused("do not suffice"):
        services.save_details(doc, by=c.ann)
    let(other, c.ann, "edit")
    doc = services.save_details(doc, by=c.ann)
    assert fresh(doc).folder == other and services.rights_of(c.bob, other.pk) & EDIT == 0
    LibraryDocument.objects.filter(pk=doc.pk).update(retain_until="2099-01-01")
    doc = fresh(doc)
    doc.retain_until = None
    with refused("do not suffice"):
        services.save_details(doc, by=c.ann)


def test_the_page_offers_what_the_rights_allow(c: SimpleNamespace) -> None:
    """S-01: buttons follow the folder's rights; a crafted command is refused."""
    let(c.top, c.sam, "view")
    doc = document(c.top, by=c.ann)
    url = reverse("librarydocument-record", args=[f"d-{doc.pk}"])
    page = client_of(c.ann).get(url).content.decode()
    assert "do/check_out/" in page and "do/publish/" in page and "do/obsolete/" not in page
    c.top.grants.filter(user=c.bob).delete()
    let(c.top, c.bob, "view")
    reader = client_of(c.bob)
    page = reader.get(url).content.decode()
    assert "do/" not in page.split("<main")[1].split("compose")[0] and "/file/" not in page and "Upload" not in page
    for name in ("check_out", "publish", "bin"):
        assert reader.post(reverse("librarydocument-do", args=[f"d-{doc.pk}", name])).status_code in (302, 403)
    assert fresh(doc).state == "draft" and fresh(doc).checked_out_by is None
    answer = client_of(c.ann).post(reverse("librarydocument-do", args=[f"d-{doc.pk}", "bin"]))
    assert answer["Location"] == reverse("folder-record", args=[c.top.pk]) and fresh(doc).deleted_at
