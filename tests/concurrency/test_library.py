"""Many people at the same documents and folders (spec office 5.8.2)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from oa.documents.models import DocumentVersion, Folder, LibraryDocument
from tests import factories as make
from tests.invariants import assert_books, broken
from tests.oa.library import document, folder, fresh, let

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY = 8


def people(place: Folder) -> list[Any]:
    made = [make.make_user(f"writer{n}", "sales") for n in range(EVERYBODY)]
    for person in made:
        let(place, person, "manage")
    return made


def total(outcomes: list[Counter[str]]) -> Counter[str]:
    return sum(outcomes, Counter())


def test_one_person_checks_out(crowd: Any) -> None:
    """5.8.2: of 8 people who ask at the same moment one gets the document, the others are told."""
    place = folder("top")
    writers = people(place)
    doc = document(place)
    given = [{"document": doc.pk, "user": person.pk} for person in writers]
    assert total(crowd.run("check_out", given)) == Counter(ok=1, refused=7)
    assert fresh(doc).checked_out_by in writers
    assert_books(["I-69"])


def test_everybody_checks_out_without_the_lock(crowd: Any) -> None:
    """The control: the row is read without a lock, and several believe that the document is theirs."""
    place = folder("top")
    writers = people(place)
    doc = document(place)
    given = [{"document": doc.pk, "user": person.pk} for person in writers]
    assert total(crowd.run("check_out", given, control=True))["ok"] > 1


def test_versions_are_numbered_one_after_the_other(crowd: Any) -> None:
    """5.8.2: 8 people who add a version at the same moment make 8 versions, none lost, none twice."""
    place = folder("top")
    writers = people(place)
    doc = document(place)
    given = [{"document": doc.pk, "user": person.pk} for person in writers]
    assert total(crowd.run("check_in", given)) == Counter(ok=8)
    numbers = DocumentVersion.objects.filter(document=doc).order_by("number").values_list("number", flat=True)
    assert list(numbers) == list(range(1, 10)) and fresh(doc).current.number == 9
    assert_books(["I-68"])


def test_two_folders_are_never_moved_into_each_other(crowd: Any) -> None:
    """5.8.2: the database lets moves wait for each other, so that no ring comes about."""
    top = folder("top")
    people(top)
    rings = 0
    for number in range(6):
        left, right = folder(f"left {number}", top), folder(f"right {number}", top)
        given = [{"folder": left.pk, "parent": right.pk}, {"folder": right.pk, "parent": left.pk}]
        outcome = total(crowd.run("move_folder", given))
        rings += outcome["ok"] > 1
        assert outcome["ok"] == 1, outcome
    assert rings == 0
    assert_books(["I-70"])


def test_folders_make_a_ring_without_the_guard(crowd: Any) -> None:
    """The control: the same moves with the trigger switched off."""
    top = folder("top")
    people(top)
    left, right = folder("left", top), folder("right", top)
    given = [
        {"folder": left.pk, "parent": right.pk, "guarded": False},
        {"folder": right.pk, "parent": left.pk, "guarded": False},
    ]
    assert total(crowd.run("move_folder", given)) == Counter(ok=2)
    assert "I-70" in broken(["I-70"])
    assert LibraryDocument.objects.count() == 0
