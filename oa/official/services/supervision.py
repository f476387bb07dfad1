"""Supervision 督办: watch, urge, and remind of what is late (N-13, overdue seals of 5.8.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from kit.rules.permissions import may
from kit.values.errors import BusinessError
from oa.official.models import IncomingDocument, OfficialTurn, OutgoingDocument, SealRequest
from oa.official.services.receiving import pending
from oa.official.services.turns import holders, open_turns, permission_of, tell_turns
from oa.organisation.models import User
from oa.records.bulk import locked
from oa.records.commands import command
from oa.records.notifications import notify

PAUSE = dt.timedelta(hours=1)  # between two urgings of the same person

_REMIND = """
INSERT INTO oa_officialreminder (content_type_id, object_id, user_id, day, created_at)
SELECT %s, p.record, p.person, %s, now() FROM unnest(%s::bigint[], %s::bigint[]) AS p(record, person)
ON CONFLICT DO NOTHING RETURNING object_id, user_id
"""


@command
def supervise(document: Any, *, by: Any) -> Any:
    """Put a document under supervision, or take it out."""
    document = locked(type(document)._default_manager.all(), document.pk)
    _allow(document, by)
    if document.state in document.STATES.ended:
        raise BusinessError(_("%s has ended.") % document)
    document.supervised = not document.supervised
    document.version += 1
    document.save()
    return document


@command
def urge(document: Any, *, by: Any) -> Any:
    """Urge everybody whose turn it is, once an hour at most; recipients who have not signed among them."""
    document = locked(type(document)._default_manager.all(), document.pk)
    if by is not None and by.pk != document.owner_id:
        _allow(document, by)
    now = timezone.now()
    waiting = list(open_turns(document).select_related("user", "department"))
    due = [turn for turn in waiting if turn.urged_at is None or turn.urged_at < now - PAUSE]
    late = _unsigned(document, now)
    if not due and not late:
        raise BusinessError(_("Nobody is to be urged: they were within the last hour, or nothing is open."))
    OfficialTurn.objects.filter(pk__in=[turn.pk for turn in due]).update(urged=F("urged") + 1, urged_at=now)
    tell_turns(document, due, by=by, urged=True)
    if late:
        pending(document).filter(pk__in=[row.pk for row in late]).update(reminders=F("reminders") + 1, reminded_at=now)
        text = format_lazy(gettext_lazy("Urged: please sign for receipt: {what}"), what=document.open_title)
        notify([row.user for row in late], text, record=document, involved=True)
    return document


def _unsigned(document: Any, now: dt.datetime) -> list[Any]:
    if not isinstance(document, OutgoingDocument) or document.state != "distributed":
        return []
    rows = pending(document).filter(opened_at__isnull=False).select_related("user")
    return list(rows.filter(Q(reminded_at=None) | Q(reminded_at__lt=now - PAUSE)))


def _allow(document: Any, by: Any) -> None:
    if by is not None and not may(by, "supervise", type(document)):
        raise BusinessError(_("You may not supervise documents."))


@transaction.atomic
def remind(today: dt.date | None = None) -> int:
    """Remind of late documents and of seals that are not back, each person once a day; returns how many.

    The row of a reminder and its message are one transaction: a killed worker leaves nothing, a second one finds
    nothing to do.
    """
    today = today or business_day()
    return sum(_remind_turns(model, side, today) for model, side in _SIDES) + _remind_seals(today)


_SIDES = ((OutgoingDocument, "outgoing"), (IncomingDocument, "incoming"))


def _remind_turns(model: Any, side: str, today: dt.date) -> int:
    turns = list(
        OfficialTurn.objects.filter(done_at=None, opened_at__isnull=False, **{f"{side}__due_on__lt": today})
        .exclude(**{f"{side}__state__in": model.STATES.ended})
        .select_related(side, "user")
    )
    documents = {getattr(turn, side).pk: getattr(turn, side) for turn in turns}
    members = _members({turn.department_id for turn in turns if turn.department_id})
    able: dict[tuple[str, int], set[int]] = {}
    wanted: set[tuple[int, int]] = set()
    for turn in turns:
        document = getattr(turn, side)
        key = (turn.verb, document.secrecy)
        if key not in able:
            rows = holders(permission_of(document, turn.verb), document.secrecy)
            able[key] = set(rows.values_list("pk", flat=True))
        people = {turn.user_id} if turn.user_id else members.get(turn.department_id or 0, set())
        wanted |= {(document.pk, person) for person in people & able[key]}
    text = gettext_lazy("Overdue since {day}: {what}")
    return _say(
        model, wanted, today,
        lambda key: format_lazy(text, day=documents[key].due_on, what=documents[key].open_title), documents,
    )  # fmt: skip


def _members(departments: set[int]) -> dict[int, set[int]]:
    """Active people of departments, by main and further posts (one statement)."""
    found: dict[int, set[int]] = {}
    if departments:
        near = Q(department__in=departments) | Q(posts__department__in=departments)
        rows = User.objects.filter(near, is_active=True).values_list("pk", "department", "posts__department")
        for person, *units in rows:
            for unit in units:
                if unit in departments:
                    found.setdefault(unit, set()).add(person)
    return found


def _remind_seals(today: dt.date) -> int:
    late = SealRequest.objects.filter(state="lent", back_on__lt=today).select_related("seal")
    requests = {row.pk: row for row in late}
    wanted = {(row.pk, key) for row in requests.values() for key in (row.owner_id, row.seal.keeper_id) if key}
    text = gettext_lazy("{seal} should have been back on {day}")
    return _say(
        SealRequest, wanted, today,
        lambda key: format_lazy(text, seal=requests[key].seal, day=requests[key].back_on), requests,
    )  # fmt: skip


def _say(model: Any, wanted: set[tuple[int, int]], today: dt.date, text: Any, records: dict[int, Any]) -> int:
    """Write the rows that are not there yet, and tell exactly those people."""
    if not wanted:
        return 0
    pairs = sorted(wanted)
    kind = ContentType.objects.get_for_model(model)
    with connection.cursor() as cursor:
        cursor.execute(_REMIND, [kind.pk, today, [p[0] for p in pairs], [p[1] for p in pairs]])
        fresh = cursor.fetchall()
    people = User.objects.in_bulk({person for _record, person in fresh})
    by_record: dict[int, list[User]] = {}
    for record, person in fresh:
        by_record.setdefault(record, []).append(people[person])
    return sum(len(notify(found, text(key), record=records[key], involved=True)) for key, found in by_record.items())


def with_deadline(rows: Any) -> Any:
    """Turns with deadline, title and number of their document."""
    return rows.annotate(
        due=Coalesce("outgoing__due_on", "incoming__due_on"),
        subject=Coalesce("outgoing__title", "incoming__title"),
        document_number=Coalesce("outgoing__number", "incoming__number"),
    )
