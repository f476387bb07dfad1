"""The invariants of the library find what they claim to find, each shown by breaking it (spec office 5.8.2)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pgtrigger
import pytest
from django.db import connection
from django.utils import timezone

from oa.documents import services
from oa.documents.models import DocumentVersion, Folder, LibraryDocument, Publication, ReadingReceipt
from oa.documents.setup import install_library
from tests.invariants import assert_books, broken
from tests.oa.library import company, document, file, folder, fresh, let

pytestmark = pytest.mark.django_db


@pytest.fixture
def c() -> SimpleNamespace:
    """A published document with two versions, and three folders within each other."""
    made = company()
    made.top = folder("top")
    let(made.top, made.ann, "edit")
    made.mid = folder("mid", made.top)
    made.low = folder("low", made.mid)
    made.doc = document(made.top, by=made.ann)
    services.publish_document(made.doc, by=made.ann)
    services.check_in(fresh(made.doc), file(content="v2"), by=made.ann)
    made.doc = services.publish_document(fresh(made.doc), by=made.ann)
    made.doc = services.require_reading(made.doc, {"to_people": [made.ann, made.eve]}, by=None)
    assert made.doc.recipients == 1  # Eve sees nothing there
    assert_books(["I-29", "I-33", "I-68", "I-69", "I-70", "I-81"])
    return made


def rows(c: SimpleNamespace) -> LibraryDocument:
    return LibraryDocument.objects.filter(pk=c.doc.pk)  # type: ignore[return-value]


def receipts(c: SimpleNamespace) -> Any:
    return ReadingReceipt.objects.filter(record=c.doc)


def first(c: SimpleNamespace) -> DocumentVersion:
    return DocumentVersion.objects.get(document=c.doc, number=1)


BREAKS: dict[str, tuple[str, Callable[[SimpleNamespace], object]]] = {
    "an older version is called valid": ("I-68", lambda c: rows(c).update(published=first(c))),
    "a version is valid that nobody published": ("I-68", lambda c: Publication.objects.order_by("-pk")[0].delete()),
    "the newest version is not the valid one": (
        "I-68",
        lambda c: (
            DocumentVersion.objects.create(
                document=c.doc, number=3, file=c.doc.current.file.name, name="x.txt", size=1, sha256="x"
            )
            and rows(c).update(current=DocumentVersion.objects.get(document=c.doc, number=3))
        ),
    ),
    "a document shows an old version": (
        "I-68",
        lambda c: rows(c).update(current=first(c), published=first(c)),
    ),
    "a version is missing": ("I-68", lambda c: DocumentVersion.objects.filter(pk=first(c).pk).delete()),
    "a document has no version": ("I-68", lambda c: LibraryDocument.objects.create(folder=c.low, title="none")),
    "somebody who left holds a document": (
        "I-69",
        lambda c: (
            type(c.bob).objects.filter(pk=c.bob.pk).update(is_active=False)
            and rows(c).update(checked_out_by=c.bob, checked_out_at=timezone.now())
        ),
    ),
    "a document of the bin is checked out": (
        "I-69",
        lambda c: rows(c).update(checked_out_by=c.ann, checked_out_at=timezone.now(), deleted_at=timezone.now()),
    ),
    "folders lie in each other": ("I-70", lambda c: Folder.objects.filter(pk=c.mid.pk).update(parent=c.low)),
    "a folder is of another space": (
        "I-70",
        lambda c: Folder.objects.filter(pk=c.low.pk).update(space="department", department=c.east),
    ),
    "a receipt is gone": ("I-81", lambda c: receipts(c).delete()),
    "somebody was asked whom nobody counted": (
        "I-81",
        lambda c: ReadingReceipt.objects.create(record=c.doc, user=c.bob, edition=c.doc.major_edition),
    ),
    "a receipt is for an older version": ("I-81", lambda c: receipts(c).update(edition=1)),
    "a receipt is for a version that nobody published": (
        "I-81",
        lambda c: (receipts(c).update(edition=3), rows(c).update(edition=3, major_edition=3)),
    ),
    "somebody was asked before the publication": (
        "I-81",
        lambda c: receipts(c).update(delivered_at=timezone.now() - dt.timedelta(days=1)),
    ),
    "a major version was published and nobody was asked": (
        "I-81",
        lambda c: (receipts(c).update(edition=1), rows(c).update(major_edition=1)),
    ),
    "a document has to be read and nobody was asked": (
        "I-81",
        lambda c: (receipts(c).delete(), rows(c).update(reading_since=None, recipients=0)),
    ),
    "a file is another one": ("I-33", lambda c: c.doc.current.file.storage.delete(c.doc.current.file.name)),
}


@pytest.mark.parametrize("name", BREAKS)
def test_each_invariant_finds_what_breaks_it(name: str, c: SimpleNamespace) -> None:
    """One current published version, locks of people who work here, a tree, files that are what they were."""
    code, damage = BREAKS[name]
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    with pgtrigger.ignore():
        damage(c)
    assert code in broken([code])


def test_the_first_folder_is_made_once(c: SimpleNamespace) -> None:
    """An installation begins with a folder of the company that everybody reads; a second start makes no other."""
    before = Folder.objects.count()
    install_library("default")
    assert Folder.objects.count() == before
    found = Folder.objects.get(name__startswith="Company documents")
    assert found in Folder.objects.visible_to(c.bob) and services.rights_of(c.bob, found.pk) == 7
