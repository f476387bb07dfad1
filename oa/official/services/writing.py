"""Drafting: the text with its versions, deadline and secrecy (N-10, N-12)."""

from __future__ import annotations

import hashlib
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.official.models import IncomingDocument, OfficialTurn, OutgoingDocument, OutgoingText, UrgencyTerm
from oa.official.models.documents import deadline
from oa.official.models.levels import cleared, level_of
from oa.official.models.states import WRITING
from oa.official.services.turns import ask, open_next, open_turns
from oa.organisation.models import User
from oa.records.numbering import next_number


def digest_of(document: Any) -> str:
    """What was signed, in one word: title and text."""
    return hashlib.sha256(f"{document.title}\n{document.body}".encode()).hexdigest()


@transaction.atomic
def save_outgoing(document: OutgoingDocument, *, by: Any) -> OutgoingDocument:
    """Store a draft or a changed text; every text that stood there is kept as a version (N-12)."""
    before = OutgoingDocument.objects.select_for_update().filter(pk=document.pk).first() if document.pk else None
    if before is None:
        _begin(document, by)
        document.must_confirm = True
    elif not may_write(before, by):
        raise BusinessError(_("%s is not yours to change now.") % before)
    document.body = document.body.strip()
    if not document.body:
        raise BusinessError(_("Enter a text."), field="body")
    _check_secrecy(document, before, by)
    _set_deadline(document)
    changed = before is None or (before.title, before.body) != (document.title, document.body)
    if before is not None:
        document.state, document.edition = before.state, before.edition + changed
    document.save()
    if changed:
        OutgoingText.objects.create(
            outgoing=document, number=document.edition, title=document.title, body=document.body,
            state=document.state, by=by,
        )  # fmt: skip
    return document


def may_write(document: OutgoingDocument, by: Any) -> bool:
    """Its owner while it is drafted or returned; then who checks, co-signs or signs it (two statements at most)."""
    if by is None:
        return document.state in WRITING
    if document.state in ("drafted", "returned"):
        return by.pk == document.owner_id
    mine = open_turns(document).filter(OfficialTurn.meant_for(by), verb__in=["check", "cosign", "sign"])
    return document.state in WRITING and mine.exists()


@transaction.atomic
def save_incoming(document: IncomingDocument, *, by: Any) -> IncomingDocument:
    """Register what came in; it gets its number at once and waits for a proposal."""
    before = IncomingDocument.objects.select_for_update().filter(pk=document.pk).first() if document.pk else None
    if before is not None and (before.state != "registered" or not may_register(before, by)):
        raise BusinessError(_("%s is not yours to change now.") % before)
    if before is None:
        _begin(document, by)
    _check_secrecy(document, before, by)
    _set_deadline(document)
    if before is None:
        document.number = next_number(IncomingDocument.SEQUENCE, document.received_on)
    document.save()
    if before is None:
        ask(document, "propose", [by] if by is not None else [], document.department, by=by)
        open_next(document, by=by)
    return document


def may_register(document: IncomingDocument, by: Any) -> bool:
    """Who registered it, as long as nobody has proposed anything."""
    return by is None or by.pk == document.owner_id


def _begin(document: Any, by: Any) -> None:
    document.owner = document.owner or by
    document.created_by = document.created_by or by
    if document.department is None and by is not None:
        document.department = by.department


def _check_secrecy(document: Any, before: Any, by: Any) -> None:
    """Nobody writes beyond their own clearance, or hides a document from people who are to act on it."""
    if document.secrecy > level_of(by):
        raise BusinessError(_("You are not cleared for this."), field="secrecy")
    if before is None or document.secrecy <= before.secrecy:
        return
    asked = User.objects.filter(pk__in=open_turns(document).exclude(user=None).values("user"))
    blind = asked.exclude(pk__in=cleared(User.objects.all(), document.secrecy).values("pk")).first()
    if blind is not None:
        raise BusinessError(_("%s is to act on it and is not cleared for this.") % blind, field="secrecy")


def _set_deadline(document: Any) -> None:
    """The urgency says how many days there are, unless a day is given (N-10)."""
    if document.due_on is None:
        days = UrgencyTerm.objects.filter(urgency=document.urgency).values_list("days", flat=True).first()
        document.due_on = deadline(document.date, days) if days is not None else None
    elif document.due_on < document.date:
        raise BusinessError(_("The deadline lies before the date of the document."), field="due_on")
