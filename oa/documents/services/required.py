"""Required reading: who has to read a document by when, asked again by each major version (rules N-02 to N-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.documents.models import LIVING, DocumentVersion, LibraryDocument, ReadingReceipt
from oa.documents.models.rights import MANAGE
from oa.documents.services.rights import held, seers_sql, written
from oa.records import receipts
from oa.records.audiences import AUDIENCE, check_audience, chosen_in
from oa.records.commands import command
from oa.records.timers import each_step

URL = "/docs/files/d-{key}/"
REMINDER, BY_DAY = gettext_lazy("Please read: {title}"), gettext_lazy("Please read until {day}: {title}")
REMIND_PAUSE = dt.timedelta(hours=1)  # between two reminders by hand
SETTINGS = ("read_by", "must_confirm", "remind_every", "remind_most", "include_later")


@command
def require_reading(document: LibraryDocument, given: Mapping[str, Any], *, by: Any) -> LibraryDocument:
    """Say who must read a document and by when. Of a published one everybody is asked now, else by its publication.

    `given`: parts of the audience and `SETTINGS`; what is not given stays. Who is not meant any more and has not
    read it is not asked any more.
    """
    document = held(document, by, MANAGE)
    if document.state not in LIVING or document.state == "approving":
        raise BusinessError(_("Who has to read %s cannot be changed now.") % document)
    check_audience({**chosen_in(document), **given}, by=by)
    for name in SETTINGS:
        if name in given:
            setattr(document, name, given[name])
    for name in set(given).intersection(AUDIENCE) - {"to_everyone"}:
        getattr(document, name).set(given[name])
    document.to_everyone = given.get("to_everyone", document.to_everyone)
    document.required_reading = True
    document = written(document, "required_reading", "to_everyone", *SETTINGS)
    if document.published is not None:
        _ask(document, document.published)
    return document


def on_publication(document: LibraryDocument, version: DocumentVersion, by: Any) -> None:
    """A version became valid: whoever has to read the document is asked, again where it is a major change (N-04)."""
    if document.required_reading:
        _ask(document, version)


def _ask(document: LibraryDocument, version: DocumentVersion) -> None:
    """Ask everybody for a version that must be read anew, else whoever is meant by now and was not asked."""
    now, again = timezone.now(), _is_major(document, version)
    document.edition = version.number
    if again:
        document.major_edition = version.number
    document.reading_since = document.reading_since or now
    written(document, "edition", "major_edition", "reading_since")
    seen_by = seers_sql([document.pk])
    if again:
        receipts.replace(ReadingReceipt, document, now, seen_by=seen_by)
    else:
        receipts.retract(ReadingReceipt, document, now, seen_by=seen_by)
        receipts.deliver(ReadingReceipt, [document.pk], now, seen_by=seen_by)
    receipts.tell(receipts.current(ReadingReceipt, document).filter(delivered_at=now), _words(document), URL, at=now)
    document.refresh_from_db(fields=["recipients"])


def _is_major(document: LibraryDocument, version: DocumentVersion) -> bool:
    """Whether somebody who read what was asked for last has to read this version."""
    if document.reading_since is None:
        return True
    newer = document.versions.filter(number__gt=document.major_edition, number__lte=version.number)
    return newer.filter(minor=False).exists()


def _words(document: LibraryDocument) -> Any:
    return format_lazy(BY_DAY, day=document.read_by, title="{title}") if document.read_by else REMINDER


@command
def end_reading(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Nobody has to read it any more; who has read it stays known."""
    document = held(document, by, MANAGE)
    if document.state == "approving":
        raise BusinessError(_("Who has to read %s cannot be changed now.") % document)
    document.required_reading = False
    return written(document, "required_reading")


@command
def remind_readers(document: LibraryDocument, *, by: Any) -> LibraryDocument:
    """Remind everybody who has not read (or confirmed) it yet and still sees it; once an hour at most (rule N-03)."""
    document = held(document, by, MANAGE)
    if not document.required_reading or document.reading_since is None or document.state not in LIVING:
        raise BusinessError(_("Nobody has to read %s at the moment.") % document)
    now = timezone.now()
    if document.reminded_at and document.reminded_at > now - REMIND_PAUSE:
        raise BusinessError(_("Readers were reminded less than an hour ago."))
    LibraryDocument.objects.filter(pk=document.pk).update(reminded_at=now)
    document.reminded_at = now
    seen_by = seers_sql([document.pk])
    if not receipts.remind(ReadingReceipt, [document.pk], _words(document), URL, seen_by=seen_by):
        raise BusinessError(_("Everybody has read it."))
    return document


@transaction.atomic
def note_read(document: LibraryDocument, number: int, *, by: Any, device: str, confirmed: bool = False) -> bool:
    """`by` has read version `number`; False for who sees it not (any more), or was not asked.

    A version that was replaced meanwhile does not count: the newer one has to be read.
    """
    row = LibraryDocument.objects.visible_to(by).filter(pk=document.pk, state__in=LIVING).first()
    if row is None or row.published is None or not row.required_reading or number > row.published.number:
        return False
    if number < row.major_edition:
        raise BusinessError(_("There is a newer version by now. Please read that one."))
    if confirmed and row.must_confirm:
        return receipts.note_confirmed(ReadingReceipt, row, by, device, edition__lte=number)
    return receipts.note_seen(ReadingReceipt, row, by, device, edition__lte=number)


def keep_asking() -> dict[str, int]:
    """What the clock does: ask people who joined an audience later, and remind by itself (rules N-01, N-03)."""
    return each_step(later=_deliver_later, reminded=_remind_due)


@transaction.atomic
def _deliver_later() -> int:
    asked = LibraryDocument.objects.filter(
        required_reading=True, include_later=True, reading_since__isnull=False, state__in=LIVING, deleted_at=None
    )
    keys = list(asked.order_by("pk").select_for_update(of=("self",)).values_list("pk", flat=True))
    now = timezone.now()
    made = receipts.deliver(ReadingReceipt, keys, now, seen_by=seers_sql(keys))
    if made:
        late = receipts.current(ReadingReceipt).filter(record__in=keys, delivered_at=now)
        receipts.tell(late, REMINDER, URL, at=now)
    return made


def _remind_due() -> int:
    rows = LibraryDocument.objects.filter(required_reading=True, remind_every__isnull=False, deleted_at=None)
    keys = list(rows.filter(state__in=LIVING, reading_since__isnull=False).values_list("pk", flat=True))
    if not keys:
        return 0
    return receipts.remind(ReadingReceipt, keys, REMINDER, URL, by_itself=True, seen_by=seers_sql(keys))
