"""Document numbers 文号 (N-11)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.official.models import OfficialNumber, UnitWord
from oa.official.services import outgoing
from oa.official.services.numbers import reserve_number, void_number
from tests.invariants import assert_books
from tests.oa import official
from tests.oa.official import fresh
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def o(db: Any) -> SimpleNamespace:
    return official.office()


def reserved(o: SimpleNamespace, **columns: Any) -> OfficialNumber:
    columns.setdefault("word", o.word)
    return reserve_number(OfficialNumber(**columns), by=o.eva)


def test_numbers_count_by_word_and_year(o: SimpleNamespace) -> None:
    """N-11: 华辰发〔2026〕1号, and another word begins at 1."""
    year, other = business_day().year, UnitWord.objects.create(word="华辰函")
    found = [official.signed(o).number, official.signed(o, unit_word=other).number, official.signed(o).number]
    assert found == [f"华辰发〔{year}〕1号", f"华辰函〔{year}〕1号", f"华辰发〔{year}〕2号"]
    assert_books()


def test_a_draft_has_no_number_and_a_refused_signature_takes_none(o: SimpleNamespace) -> None:
    """N-11: given at 签发; what is rolled back leaves no gap."""
    document = official.checked(o, official.draft(o.ann))
    assert document.number is None

    class Undo(Exception):
        pass

    with pytest.raises(Undo), transaction.atomic():
        outgoing.sign(document, by=o.dora)
        raise Undo
    assert official.signed(o).number.endswith("〕1号")
    assert outgoing.sign(fresh(document), by=o.dora).number.endswith("〕2号")
    assert_books()


def test_a_number_reserved_for_a_document_is_its_number(o: SimpleNamespace) -> None:
    """N-11: reservable by the registrar, and used by that document only."""
    document = official.draft(o.ann)
    number = reserved(o, document=document)
    assert official.signed(o).number.endswith("〕2号")
    assert official.signed(o, document).number == number.text
    assert fresh(number).state == "used"
    with pytest.raises(BusinessError, match="number already"):
        reserved(o, document=fresh(document))
    with refused("not possible"):
        void_number(fresh(number), by=o.eva, reason="x")
    assert_books()


def test_a_reserved_number_nobody_needs_is_void_with_a_reason(o: SimpleNamespace) -> None:
    """N-11: it stays in the register, there is still no gap."""
    number = reserved(o, purpose="for the mayor")
    with refused("Enter a reason"):
        void_number(number, by=o.eva, reason=" ")
    with refused("may not"):
        void_number(number, by=o.ann, reason="x")
    number = void_number(number, by=o.eva, reason="not needed")
    assert (number.state, number.reason) == ("void", "not needed")
    assert official.signed(o).number.endswith("〕2号")
    with pytest.raises(DatabaseError), transaction.atomic():
        OfficialNumber.objects.filter(pk=number.pk).update(state="used")
    assert_books()


def test_only_the_registrar_reserves(o: SimpleNamespace) -> None:
    """N-11, and says what for; one number for a document, of its own word."""
    with refused("may not"):
        reserve_number(OfficialNumber(word=o.word, purpose="x"), by=o.ann)
    with refused("what it is reserved for"):
        reserved(o)
    document = official.draft(o.ann)
    other = UnitWord.objects.create(word="华辰函")
    with refused("another unit word"):
        reserved(o, document=document, word=other)
    reserved(o, document=document)
    with refused("already"):
        reserved(o, document=document)


def test_a_reserved_number_of_another_word_or_year_is_refused_at_the_signature(o: SimpleNamespace) -> None:
    """N-11: the number says the year of the signature."""
    document = official.draft(o.ann)
    reserved(o, document=document)
    document.unit_word = UnitWord.objects.create(word="华辰函")
    from oa.official.services import writing

    document = official.checked(o, writing.save_outgoing(document, by=o.ann))
    with refused("another unit word or year"):
        outgoing.sign(document, by=o.dora)


def test_a_cancelled_draft_gives_its_reserved_number_up(o: SimpleNamespace) -> None:
    """N-11: void with the reason of the cancellation."""
    document = official.draft(o.ann)
    number = reserved(o, document=document)
    outgoing.cancel(document, by=o.ann, text="no need")
    number = fresh(number)
    assert (number.state, number.reason, number.document) == ("void", "no need", None)
    assert_books()
