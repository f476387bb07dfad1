"""Document numbers 文号: gapless by word and year, given at the signature, reservable by the registrar (N-11)."""

from __future__ import annotations

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.official.models import OfficialNumber, OutgoingDocument, UnitWord
from oa.official.models.states import UNSIGNED
from oa.official.models.turns import NUMBER_STATES
from oa.records.bulk import locked

_COUNT = """
INSERT INTO oa_counter (key, last) VALUES ('official:' || %s || ':' || %s, 1)
ON CONFLICT (key) DO UPDATE SET last = oa_counter.last + 1 RETURNING last
"""


def written(word: str, year: int, running: int) -> str:
    """A number as it is written, such as 华辰发〔2026〕12号."""
    return f"{word}〔{year}〕{running}号"


def _next(word: UnitWord, year: int, **columns: Any) -> OfficialNumber:
    """A new row of the register; holds the counter of the word and year until the transaction ends."""
    running = _running(word.pk, year)
    text = written(word.word, year, running)
    return OfficialNumber.objects.create(word=word, year=year, running=running, text=text, **columns)


def _running(word: int, year: int) -> int:
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, [str(word), str(year)])
        [running] = cursor.fetchone()
    return int(running)


def take_number(document: OutgoingDocument, *, by: Any) -> str:
    """The number for a document that is being signed: the one reserved for it, else the next one; a last lock."""
    year = business_day().year
    row = OfficialNumber.objects.select_for_update().filter(document=document.pk, state="reserved").first()
    if row is None:
        return _next(document.unit_word, year, document=document, state="used", created_by=by).text
    if (row.word_id, row.year) != (document.unit_word_id, year):
        raise BusinessError(
            _("%s is reserved for this document, but belongs to another unit word or year. Declare it void.") % row
        )
    row.state = NUMBER_STATES.check("use", row).target
    row.version += 1
    row.save()
    return row.text


@transaction.atomic
def reserve_number(number: OfficialNumber, *, by: Any) -> OfficialNumber:
    """The registrar reserves the next number of a word, for a document or a purpose in words."""
    if by is not None and not by.has_perm("oa.add_officialnumber"):
        raise BusinessError(_("You may not reserve numbers."))
    if number.pk:
        raise BusinessError(_("A number of the register is not changed."))
    if number.document is None and not number.purpose.strip():
        raise BusinessError(_("Say what it is reserved for."), field="purpose")
    if number.document is not None:
        document = locked(OutgoingDocument.objects.all(), number.document.pk)
        if document.state not in UNSIGNED:
            raise BusinessError(_("%s has its number already.") % document, field="document")
        if OfficialNumber.objects.filter(document=document).exists():
            raise BusinessError(_("A number is reserved for this document already."), field="document")
        if document.unit_word_id != number.word.pk:
            raise BusinessError(_("The document has another unit word."), field="word")
    word = locked(UnitWord.objects.all(), number.word.pk)
    columns = {"document": number.document, "purpose": number.purpose.strip(), "created_by": by}
    made = _next(word, business_day().year, **columns)
    number.__dict__.update(made.__dict__)
    return number


@transaction.atomic
def void_number(number: OfficialNumber, *, by: Any, reason: str) -> OfficialNumber:
    """A reserved number that nobody needs stays in the register as void, with the reason: no gap (N-11)."""
    number = locked(OfficialNumber.objects.all(), number.pk)
    if by is not None and not by.has_perm("oa.void_officialnumber"):
        raise BusinessError(_("You may not declare numbers void."))
    number.state = NUMBER_STATES.check("void", number).target
    return _voided(number, reason, keep=False)


def void_of(document: OutgoingDocument, reason: str) -> None:
    """The number of a signed document that is cancelled is void with it."""
    number = OfficialNumber.objects.select_for_update().filter(document=document.pk).first()
    if number is not None and number.state != "void":
        number.state = NUMBER_STATES.check("cancel" if number.state == "used" else "void", number).target
        _voided(number, reason, keep=number.text == document.number)


def _voided(number: OfficialNumber, reason: str, *, keep: bool) -> OfficialNumber:
    if not reason.strip():
        raise BusinessError(_("Enter a reason."), field="reason")
    number.reason = reason.strip()[:300]
    if not keep:
        number.document = None
    number.version += 1
    number.save()
    return number
