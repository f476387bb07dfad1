"""Distribution: receipts for everybody, in parallel or one after the other, and the signature 签收 (N-14)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q, QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.resources import name_of
from kit.values.errors import BusinessError, Problem
from oa.official.models import OutgoingDocument, OutgoingReceipt
from oa.official.models.documents import Order
from oa.official.models.levels import cleared
from oa.official.models.states import OUTGOING
from oa.official.services.turns import allow, holders, open_next, say
from oa.organisation.models import User
from oa.records import receipts
from oa.records.audiences import resolve
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.notifications import notify

_BELOW = """
WITH RECURSIVE below AS (
    SELECT department_id AS id FROM oa_outgoingdocument_copy_departments WHERE outgoingdocument_id = %s
    UNION SELECT d.id FROM oa_department d JOIN below b ON d.parent_id = b.id
) SELECT id FROM below
"""
VIEW = "oa.view_outgoingdocument"


def main_recipients(document: OutgoingDocument) -> QuerySet[User]:
    """主送: the people behind the departments and names, as far as they are cleared."""
    return cleared(resolve(document), document.secrecy).order_by("department__code", "username")


def copy_recipients(document: OutgoingDocument) -> QuerySet[User]:
    """抄送: the same of the copies."""
    units = RawSQL(_BELOW, (document.pk,))  # nosec B611  # noqa: S611
    through: Any = OutgoingDocument.copy_people.through
    named = through.objects.filter(outgoingdocument=document.pk).values("user")
    meant = Q(department__in=units) | Q(posts__department__in=units) | Q(pk__in=named)
    return holders(VIEW, document.secrecy).filter(meant).order_by("department__code", "username")


def deliver(document: OutgoingDocument, *, at: dt.datetime) -> int:
    """A receipt for every recipient, main ones first; none is opened yet. Returns how many (four statements)."""
    main = list(main_recipients(document))
    known = {person.pk for person in main}
    copies = [person for person in copy_recipients(document) if person.pk not in known]
    people = [(person, False) for person in main] + [(person, True) for person in copies]
    _check_names(document, known | {person.pk for person in copies})
    if not people and not document.outside and not document.copy_outside:
        raise BusinessError(_("It has no recipients."))
    OutgoingReceipt.objects.bulk_create(
        OutgoingReceipt(
            record=document, user=person, copy=copy, position=place, edition=document.major_edition, delivered_at=at
        )
        for place, (person, copy) in enumerate(people, 1)
    )
    return len(people)


def _check_names(document: OutgoingDocument, reached: set[int]) -> None:
    """Whoever is named gets it, or the distributor is told who cannot."""
    named = [*document.to_people.all(), *document.copy_people.all()]
    missed = [person for person in named if person.pk not in reached]
    if missed:
        raise BusinessError(
            problems=[Problem(_("%s has left, or is not cleared for this document.") % name_of(p)) for p in missed[:5]]
        )


def pending(document: OutgoingDocument) -> QuerySet[OutgoingReceipt]:
    """Receipts that somebody who is still here has to sign."""
    rows = OutgoingReceipt.objects.filter(record=document.pk, confirmed_at=None, superseded_at=None)
    return rows.filter(user__is_active=True).order_by("position", "pk")


def go_on(document: OutgoingDocument, *, by: Any) -> None:
    """Open the receipts whose time has come; received when nobody is left to sign."""
    waiting = list(pending(document).select_related("user"))
    if not waiting:
        document.state = OUTGOING.check("receive", document).target
        document.version += 1
        document.save()
        open_next(document, by=by)
        return
    serial = document.order == Order.SERIAL
    if serial and any(row.opened_at for row in waiting):
        return
    fresh = [row for row in (waiting[:1] if serial else waiting) if row.opened_at is None]
    if fresh:
        OutgoingReceipt.objects.filter(pk__in=[row.pk for row in fresh]).update(opened_at=timezone.now())
        text = format_lazy(gettext_lazy("Please sign for receipt: {what}"), what=document.open_title)
        notify([row.user for row in fresh], text, record=document, involved=True)


def own_receipt(document: OutgoingDocument, user: Any) -> OutgoingReceipt | None:
    """The receipt that `user` has to sign now."""
    return pending(document).filter(user=user.pk, opened_at__isnull=False).first()


@command
def receive(document: OutgoingDocument, *, by: Any, text: str = "", hands: Any = None) -> OutgoingDocument:
    """签收: a recipient signs for it; in a serial circulation it goes to the next one then."""
    document = locked(OutgoingDocument.objects.all(), document.pk)
    OUTGOING.check("receive", document)
    allow(document, "receive", by)
    if own_receipt(document, by) is None:
        raise BusinessError(_("%s does not wait for you.") % document)
    receipts.note_confirmed(OutgoingReceipt, document, by, "desk")
    if text.strip():
        say(document, "receive", text, by=by)
    go_on(document, by=by)
    return document


def settle() -> int:
    """Circulations that wait only for people who have left go on; returns how many."""
    stuck = OutgoingDocument.objects.filter(state="distributed").exclude(
        pk__in=OutgoingReceipt.objects.filter(
            confirmed_at=None, superseded_at=None, opened_at__isnull=False, user__is_active=True
        ).values("record")
    )
    done = 0
    for key in stuck.values_list("pk", flat=True):
        done += _settle(OutgoingDocument(pk=key))
    return done


@command
def _settle(document: OutgoingDocument) -> bool:
    document = locked(OutgoingDocument.objects.all(), document.pk)
    if document.state != "distributed" or pending(document).filter(opened_at__isnull=False).exists():
        return False
    go_on(document, by=None)
    return True
