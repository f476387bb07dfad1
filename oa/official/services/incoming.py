"""The way of an incoming document 收文: proposed, instructed, handled or circulated, fed back, closed, filed."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.official.models import IncomingDocument
from oa.official.models.states import INCOMING
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
    owner_of,
    require_somebody,
    require_text,
    say,
    turns_of,
)
from oa.official.services.writing import may_register
from oa.records.bulk import locked
from oa.records.commands import command


@command
def propose(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """拟办: a proposal in words, and who is to instruct."""
    document = begin(document, "propose")
    require_text(text)
    require_somebody(hands)
    check_named(document, "instruct", hands.people)
    close_turn(document, "propose", by=by)
    move(document, "propose")
    say(document, "propose", text, by=by)
    ask(document, "instruct", hands.people, hands.department, by=by)
    open_next(document, by=by)
    return document


@command
def instruct(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """批示: who handles it (`people` or a department), and who reads it (`more`), at once or in turn."""
    document = begin(document, "instruct")
    require_text(text)
    if not hands.more:
        require_somebody(hands)
    check_named(document, "handle", hands.people)
    check_named(document, "circulate", hands.more, "more")
    close_turn(document, "instruct", by=by)
    drop_turns(document)
    move(document, "instruct")
    say(document, "instruct", text, by=by)
    if hands.people or hands.department:
        ask(document, "handle", hands.people, hands.department, by=by)
    if hands.more:
        ask(document, "circulate", hands.more, None, by=by, serial=hands.serial)
    open_next(document, by=by)
    return document


@command
def handle(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """承办: a handler has done it; after the last one a feedback is due, by the one who finished."""
    document = begin(document, "handle")
    require_text(text)
    close_turn(document, "handle", by=by)
    say(document, "handle", text, by=by)
    if not turns_of(document).filter(verb="handle", done_at=None).exists():
        move(document, "handle")
        ask(document, "feedback", [by] if by is not None else owner_of(document), None, by=by)
        open_next(document, by=by)
    return document


@command
def circulate(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """传阅: a reader signs; the next one sees it after that where the circulation is serial (N-14)."""
    document = locked(IncomingDocument.objects.all(), document.pk)
    close_turn(document, "circulate", by=by)
    say(document, "circulate", text, by=by)
    rows = turns_of(document)
    handled = rows.filter(verb="handle", dropped=False)
    waiting = rows.filter(verb="circulate", done_at=None)
    if document.state == "instructed" and not handled.exists() and not waiting.exists():
        move(document, "circulate")
        ask(document, "feedback", owner_of(document), None, by=by)
    open_next(document, by=by)
    return document


@command
def feed_back(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """What came of it: without it nothing is closed (N-13)."""
    document = begin(document, "feedback")
    require_text(text)
    close_turn(document, "feedback", by=by)
    document.feedback = text.strip()
    move(document, "feedback")
    say(document, "feedback", text, by=by)
    ask(document, "close", owner_of(document), None, by=by)
    open_next(document, by=by)
    return document


@command
def close(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """办结."""
    document = begin(document, "close")
    close_turn(document, "close", by=by)
    document.closed_at = timezone.now()
    move(document, "close")
    say(document, "close", text, by=by)
    ask(document, "file", owner_of(document), None, by=by)
    open_next(document, by=by)
    return document


@command
def file(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """归档."""
    document = begin(document, "file")
    close_turn(document, "file", by=by)
    document.filed_at = timezone.now()
    move(document, "file")
    drop_turns(document)
    say(document, "file", text, by=by)
    return document


@command
def send_back(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """From who instructs to who proposed, or from a handler to who instructed; with a reason."""
    document = locked(IncomingDocument.objects.all(), document.pk)
    asked, verb, back = ("instruct", "reject", "propose")
    if document.state == "instructed":
        asked, verb, back = ("handle", "decline", "instruct")
    INCOMING.check(verb, document)
    require_text(text)
    turn = close_turn(document, asked, by=by)
    drop_turns(document)
    move(document, verb)
    say(document, verb, text, by=by)
    asker = turn.asked_by if turn is not None and back == "instruct" else None
    ask(document, back, [asker] if asker is not None else owner_of(document), None, by=by)
    open_next(document, by=by)
    return document


@command
def cancel(document: IncomingDocument, *, by: Any, text: str = "", hands: Hands = NOBODY) -> IncomingDocument:
    """Registered by mistake: the number stays in the register."""
    document = begin(document, "cancel")
    require_text(text)
    allow(document, "cancel", by)
    if not may_register(document, by):
        raise BusinessError(_("Only %s can do this.") % document.owner)
    drop_turns(document)
    move(document, "cancel")
    say(document, "cancel", text, by=by)
    return document
