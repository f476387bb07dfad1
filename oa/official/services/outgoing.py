"""The way of an outgoing document 发文: from the draft to the file (spec office 5.8.2, N-11 to N-14)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.services.submission import version_in_force
from oa.official.models import OutgoingDocument, Seal, SealRequest
from oa.official.models.documents import KIND
from oa.official.models.states import OUTGOING
from oa.official.services import numbers
from oa.official.services.receiving import deliver, go_on
from oa.official.services.turns import (
    NOBODY,
    Hands,
    allow,
    ask,
    begin,
    check_named,
    close_turn,
    drop_turns,
    move,
    open_next,
    open_turns,
    owner_of,
    require_somebody,
    require_text,
    say,
)
from oa.official.services.writing import digest_of
from oa.records.bulk import locked
from oa.records.commands import command


def _own(document: OutgoingDocument, by: Any) -> None:
    if by is not None and by.pk != document.owner_id:
        raise BusinessError(_("Only %s can do this.") % document.owner)


def _not_drafter(document: OutgoingDocument, by: Any) -> None:
    """Nobody checks or signs alone what they drafted."""
    if by is not None and by.pk in (document.owner_id, document.created_by_id):
        raise BusinessError(_("Somebody else than the drafter has to do this."))


@command
def submit(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """The drafter sends it to be checked, by people or by a department."""
    document = begin(document, "submit")
    _own(document, by)
    allow(document, "submit", by)
    require_somebody(hands)
    check_named(document, "check", hands.people)
    if by is not None and by in hands.people:
        raise BusinessError(_("Somebody else than the drafter has to do this."), field="people")
    drop_turns(document)
    move(document, "submit")
    say(document, "submit", text, by=by)
    ask(document, "check", hands.people, hands.department, by=by)
    open_next(document, by=by)
    return document


@command
def check(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """核稿: who checked it names co-signers (`people`) and who signs (`more`); with a flow in force the flow asks."""
    document = begin(document, "check")
    _not_drafter(document, by)
    close_turn(document, "check", by=by)
    drop_turns(document)
    flow = version_in_force(KIND) is not None
    if flow:
        if hands.people or hands.more:
            raise BusinessError(_("The approval flow says who co-signs and signs."), field="people")
        ask(document, "lock", owner_of(document), None, by=by)
    else:
        _ask_signatures(document, hands, by)
    move(document, "check")
    say(document, "check", text, by=by)
    open_next(document, by=by)
    return document


def _ask_signatures(document: OutgoingDocument, hands: Hands, by: Any) -> None:
    if not hands.more:
        raise BusinessError(_("Say who signs it."), field="more")
    if {person.pk for person in hands.more} & {document.owner_id, document.created_by_id}:
        raise BusinessError(_("Somebody else than the drafter has to sign."), field="more")
    check_named(document, "cosign", hands.people)
    check_named(document, "sign", hands.more, "more")
    last = 0
    if hands.people or hands.department:
        last = ask(document, "cosign", hands.people, hands.department, by=by, serial=hands.serial)
    ask(document, "sign", hands.more, None, by=by, first=last + 1)


@command
def cosign(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """会签: each co-signer says something; after the last one it goes to who signs."""
    document = begin(document, "cosign")
    close_turn(document, "cosign", by=by)
    say(document, "cosign", text, by=by)
    open_next(document, by=by)
    if not open_turns(document).filter(verb="cosign").exists():
        move(document, "cosign")
    return document


@command
def sign(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """签发: the text is frozen and gets its number; where a flow is in force only the flow does this."""
    document = begin(document, "sign")
    if version_in_force(KIND) is not None:
        raise BusinessError(_("There is an approval flow for this. Submit it for approval."))
    _not_drafter(document, by)
    close_turn(document, "sign", by=by)
    signed(document, "sign", by=by, text=text, hands=hands)
    return document


def signed(document: OutgoingDocument, verb: str, *, by: Any, text: str = "", hands: Hands = NOBODY) -> None:
    """What the signature means: frozen, numbered, and to be formatted by somebody of the drafting unit if nobody
    is named. The counter of the numbers is the last lock (N-11)."""
    _not_drafter(document, by)
    document.state = OUTGOING.check(verb, document).target
    check_named(document, "format", hands.people)
    drop_turns(document)
    say(document, verb, text, by=by)
    department = hands.department or (document.department if not hands.people else None)
    people = hands.people or (owner_of(document) if department is None else [])
    ask(document, "format", people, department, by=by)
    document.signed_by, document.signed_at, document.signed_digest = by, timezone.now(), digest_of(document)
    document.number = numbers.take_number(document, by=by)
    document.version += 1
    document.save()
    move(document, "number")
    open_next(document, by=by)


@command
def format_document(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """套红: the paper with the red head is right; the keeper of a seal is next."""
    document = begin(document, "format")
    close_turn(document, "format", by=by)
    require_somebody(hands)
    check_named(document, "seal", hands.people)
    move(document, "format")
    say(document, "format", text, by=by)
    ask(document, "seal", hands.people, hands.department, by=by)
    open_next(document, by=by)
    return document


@command
def seal(
    document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY, stamp: Seal | None = None
) -> OutgoingDocument:
    """用印: by the keeper of the seal, and only with a seal that is in the house."""
    document = begin(document, "seal")
    close_turn(document, "seal", by=by)
    if stamp is None:
        raise BusinessError(_("Choose the seal."), field="stamp")
    stamp = locked(Seal.objects.all(), stamp.pk)
    if not stamp.active or (by is not None and stamp.keeper_id != by.pk):
        raise BusinessError(_("Only %s uses this seal.") % stamp.keeper, field="stamp")
    if SealRequest.objects.filter(seal=stamp, state="lent").exists():
        raise BusinessError(_("%s is lent out.") % stamp, field="stamp")
    require_somebody(hands)
    check_named(document, "distribute", hands.people)
    document.seal = stamp
    move(document, "seal")
    say(document, "seal", text, by=by)
    ask(document, "distribute", hands.people, hands.department, by=by)
    open_next(document, by=by)
    return document


@command
def distribute(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """分发: a receipt for every recipient; with a serial circulation the next one after the one before (N-14)."""
    document = begin(document, "distribute")
    close_turn(document, "distribute", by=by)
    check_named(document, "file", hands.people)
    document.distributed_at = timezone.now()
    document.recipients = deliver(document, at=document.distributed_at)
    move(document, "distribute")
    say(document, "distribute", text, by=by)
    ask(document, "file", hands.people or ([by] if by is not None else []), hands.department, by=by, first=1)
    go_on(document, by=by)
    return document


@command
def file(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """归档: after everybody has signed for it."""
    document = begin(document, "file")
    close_turn(document, "file", by=by)
    document.filed_at = timezone.now()
    move(document, "file")
    drop_turns(document)
    say(document, "file", text, by=by)
    return document


@command
def send_back(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """Back to the drafter, with a reason, by whoever is to check, co-sign or sign it."""
    document = begin(document, "return")
    require_text(text)
    for verb in ("check", "cosign", "sign"):
        if open_turns(document).filter(verb=verb).exists():
            close_turn(document, verb, by=by)
            break
    drop_turns(document)
    move(document, "return")
    say(document, "return", text, by=by)
    ask(document, "submit", owner_of(document), None, by=by)
    open_next(document, by=by)
    return document


@command
def cancel(document: OutgoingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> OutgoingDocument:
    """Given up: a draft by its owner; a signed one by the registrar, with its number declared void."""
    document = begin(document, "cancel")
    require_text(text)
    if document.number is None:
        _own(document, by)
    elif by is not None and not by.has_perm("oa.void_officialnumber"):
        raise BusinessError(_("You may not declare numbers void."))
    allow(document, "cancel", by)
    drop_turns(document)
    move(document, "cancel")
    say(document, "cancel", text, by=by)
    numbers.void_of(document, text)
    return document
