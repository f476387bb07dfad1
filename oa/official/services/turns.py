"""Whose turn it is: open, close and drop turns, tell the people, and keep what they say (N-10, N-12)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.resources import name_of
from kit.rules.states import command_permission
from kit.values.errors import BusinessError, Problem
from oa.official.models import IncomingDocument, OfficialOpinion, OfficialTurn, OutgoingDocument
from oa.official.models.levels import cleared, level_of
from oa.organisation.models import Department, User
from oa.records.bulk import locked
from oa.records.notifications import notify
from oa.records.signatures import signing

Paper = TypeVar("Paper", IncomingDocument, OutgoingDocument)

# Steps that wait for each other's positions: whoever signs comes after all who co-sign.
LANES = {"cosign": "sign"}


@dataclass(frozen=True)
class Hands:
    """Who acts next: people, or somebody of a department. `more`: who signs after the co-signers, or who reads.

    `serial`: one after the other, in the order given.
    """

    people: Sequence[User] = ()
    department: Department | None = None
    more: Sequence[User] = ()
    serial: bool = False


NOBODY = Hands()


def begin(document: Paper, verb: str) -> Paper:
    """The document as it is now, held until the end; refuses a step that its state does not allow."""
    document = locked(type(document)._default_manager.all(), document.pk)
    type(document).STATES.check(verb, document)
    return document


def move(document: IncomingDocument | OutgoingDocument, verb: str) -> None:
    """Store a document with the state that a step leads to."""
    document.state = type(document).STATES.check(verb, document).target
    document.version += 1
    document.save()


def side_of(document: Any) -> str:
    """The column of turns and opinions for a document."""
    return str(type(document)._default_manager.all().side)


def turns_of(document: Any) -> QuerySet[OfficialTurn]:
    """All turns of a document."""
    return OfficialTurn.objects.filter(**{side_of(document): document.pk})


def open_turns(document: Any) -> QuerySet[OfficialTurn]:
    """The turns that wait for somebody now."""
    return turns_of(document).filter(done_at=None, opened_at__isnull=False)


def permission_of(document: Any, verb: str) -> str:
    """The right that the step asks for."""
    return command_permission(type(document), document.STATES.transition(verb))


def holders(permission: str, secrecy: int) -> QuerySet[User]:
    """Active people with a right who are cleared for documents of `secrecy`."""
    app, _dot, codename = permission.partition(".")
    holds = Q(groups__permissions__codename=codename, groups__permissions__content_type__app_label=app)
    able = User.objects.filter(Q(is_superuser=True) | holds, is_active=True)
    return cleared(able, secrecy).distinct()


def check_named(document: Any, verb: str, people: Iterable[User], field: str = "people") -> None:
    """Refuse to name people who could not do the step: without its right, or not cleared (one statement)."""
    people = list(people)
    if not people:
        return
    able = set(
        holders(permission_of(document, verb), document.secrecy)
        .filter(pk__in=[person.pk for person in people])
        .values_list("pk", flat=True)
    )
    problems = [
        Problem(_("%s may not do this step, or is not cleared for this document.") % name_of(person), field)
        for person in people
        if person.pk not in able
    ]
    if problems:
        raise BusinessError(problems=problems)


def ask(
    document: Any, verb: str, people: Sequence[User], department: Department | None, *, by: Any, first: int = 1,
    serial: bool = False,
) -> int:  # fmt: skip
    """Make turns for a step, not opened yet; returns the last position."""
    common = {side_of(document): document, "verb": verb, "asked_by": by}
    rows = [
        OfficialTurn(user=person, position=first + (place if serial else 0), **common)
        for place, person in enumerate(people)
    ]
    if not people and department is not None:
        rows.append(OfficialTurn(department=department, position=first, **common))
    OfficialTurn.objects.bulk_create(rows)
    return max((row.position for row in rows), default=first)


def owner_of(document: Any) -> list[User]:
    """Who looks after a document, to be asked next."""
    return [document.owner] if document.owner is not None else []


def require_somebody(hands: Hands) -> None:
    """A step that hands on names a person or a department."""
    if not hands.people and hands.department is None:
        raise BusinessError(_("Say who acts next: people, or a department."), field="people")


def open_next(document: Any, *, by: Any) -> None:
    """Open the turns whose time has come, and tell the people: three statements at most for any number."""
    waiting = list(turns_of(document).filter(done_at=None).select_related("user", "department"))
    lowest: dict[str, int] = {}
    for turn in waiting:
        lane = LANES.get(turn.verb, turn.verb)
        lowest[lane] = min(lowest.get(lane, turn.position), turn.position)
    fresh = [t for t in waiting if t.opened_at is None and t.position == lowest[LANES.get(t.verb, t.verb)]]
    if not fresh:
        return
    now = timezone.now()
    OfficialTurn.objects.filter(pk__in=[turn.pk for turn in fresh]).update(opened_at=now)
    tell_turns(document, fresh, by=by)


def tell_turns(document: Any, turns: Sequence[OfficialTurn], *, by: Any, urged: bool = False) -> None:
    """Tell who is asked by `turns`, without the title of a classified document."""
    text = gettext_lazy("Urged: {step}: {what}") if urged else gettext_lazy("{step}: {what}")
    for verb in sorted({turn.verb for turn in turns}):
        mine = [turn for turn in turns if turn.verb == verb]
        people = Q(pk__in=[turn.user_id for turn in mine if turn.user_id])
        units = [turn.department_id for turn in mine if turn.department_id]
        people |= Q(department__in=units) | Q(posts__department__in=units)
        able = holders(permission_of(document, verb), document.secrecy).filter(people)
        label = document.STATES.transition(verb).label
        found = [person for person in able if by is None or person.pk != by.pk]
        notify(found, format_lazy(text, step=label, what=document.open_title), record=document, involved=True)


def close_turn(document: Any, verb: str, *, by: Any) -> OfficialTurn | None:
    """Close the turn of `by` for a step; refused to whoever is not asked. The system (None) closes all of them."""
    rows = open_turns(document).filter(verb=verb)
    now = timezone.now()
    if by is None:
        rows.update(done_at=now)
        return None
    allow(document, verb, by)
    turn = rows.filter(OfficialTurn.meant_for(by)).order_by("department", "pk").first()
    if turn is None:
        raise BusinessError(_("%s does not wait for you.") % document)
    turn.done_at, turn.done_by = now, by
    turn.save(update_fields=["done_at", "done_by"])
    return turn


def allow(document: Any, verb: str, by: Any) -> None:
    """Refuse who lacks the right of a step or the clearance for the document."""
    if by is None:
        return
    if not by.has_perm(permission_of(document, verb)):
        raise BusinessError(_("You may not do this."))
    if document.secrecy > level_of(by):
        raise BusinessError(_("You are not cleared for this document."))


def drop_turns(document: Any, *verbs: str) -> None:
    """Nobody is asked any more (for these steps)."""
    rows = turns_of(document).filter(done_at=None)
    rows = rows.filter(verb__in=verbs) if verbs else rows
    rows.update(done_at=timezone.now(), dropped=True)


def say(document: Any, verb: str, text: str, *, by: Any) -> OfficialOpinion:
    """Keep an opinion with name, time, the version it is about and the person's signature, if there is one (N-12)."""
    edition = getattr(document, "edition", 1)
    return OfficialOpinion.objects.create(
        **{side_of(document): document},
        verb=verb,
        text=text.strip(),
        by=by,
        edition=edition,
        signature=signing(by),
    )


def require_text(text: str) -> None:
    """Some steps are not done without words."""
    if not text.strip():
        raise BusinessError(_("Enter a text."), field="text")
