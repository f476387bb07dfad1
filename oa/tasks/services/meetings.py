"""Commands on meetings."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Iterable
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.functional import lazy
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_zone
from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.records.bulk import locked
from oa.records.comments import add_comment
from oa.tasks.models import Attendee, Booking, Decision, Meeting, Room
from oa.tasks.models.meeting import BOOKED, ENDED, Answer
from oa.tasks.rights import allow
from oa.tasks.services.bookings import double_booked, keep_rooms, set_rooms
from oa.tasks.services.decisions import make_tasks
from oa.tasks.services.tasks import set_reminders
from oa.tasks.telling import tell

LONGEST = dt.timedelta(days=31)
MOST_COPIES = 60

_when = lazy(
    lambda start: timezone.localtime(start, business_zone()).strftime("%Y-%m-%d %H:%M"), str
)  # read when the message is written, in the reader's language


@transaction.atomic
def save_meeting(meeting: Meeting, *, by: Any) -> Meeting:
    """Store a new or changed meeting; one that moves asks everybody again (its people and rooms: `seat`)."""
    before = Meeting.objects.select_for_update().filter(pk=meeting.pk).first() if meeting.pk else None
    allow(by, "change" if before else "add", before or meeting, manage=before is not None)
    if before is not None and before.state in ENDED:
        raise BusinessError(_("%s has ended and is not changed any more.") % before)
    if meeting.ends_at <= meeting.starts_at:
        raise BusinessError(_("The end lies before the start."), field="ends_at")
    if meeting.ends_at - meeting.starts_at > LONGEST:
        raise BusinessError(_("A meeting lasts at most 31 days."), field="ends_at")
    set_reminders(meeting)
    if before is None:
        meeting.created_by = meeting.created_by or by
        if meeting.owner_id is None:
            meeting.owner = by
    moved = before is not None and (before.starts_at, before.ends_at) != (meeting.starts_at, meeting.ends_at)
    if moved and before is not None and before.state == "confirmed":
        meeting.state = Meeting.STATES.check("move", before).target
    meeting.save()
    if moved and before is not None and before.state in BOOKED:
        keep_rooms(meeting)
        Attendee.objects.filter(meeting=meeting).update(answer=Answer.NONE, answered_at=None)
        _tell_all(meeting, gettext_lazy("Moved: {what}, now {when}"), by)
    return meeting


@transaction.atomic
def seat(meeting: Meeting, people: Iterable[User], rooms: Collection[Room], *, by: Any) -> Meeting:
    """Say who comes and what is booked; people who are added to a meeting that is called already are invited."""
    meeting = locked(Meeting.objects.all(), meeting.pk)
    allow(by, "change" if meeting.version > 1 else "add", meeting, manage=True)
    wanted = {person.pk for person in people} | {meeting.owner_id}
    present = set(Attendee.objects.filter(meeting=meeting).values_list("user", flat=True))
    Attendee.objects.filter(meeting=meeting, user__in=present - wanted).delete()
    fresh = wanted - present
    now = timezone.now()
    Attendee.objects.bulk_create(
        Attendee(meeting=meeting, user_id=key, answer=Answer.ACCEPTED, answered_at=now)
        if key == meeting.owner_id
        else Attendee(meeting=meeting, user_id=key)
        for key in sorted(fresh)
    )
    set_rooms(meeting, rooms)
    if meeting.state in ("invited", "confirmed"):
        _invite(meeting, fresh, by)
    return meeting


# ---- states ----


def _moved(meeting: Meeting, name: str, by: Any) -> Meeting:
    meeting = locked(Meeting.objects.all(), meeting.pk)
    allow(by, "change", meeting, manage=True)
    meeting.state = Meeting.STATES.check(name, meeting).target
    meeting.version += 1
    return meeting


@transaction.atomic
def invite_meeting(meeting: Meeting, *, by: Any) -> Meeting:
    """Take the rooms and invite everybody; names those who have another meeting then."""
    meeting = _moved(meeting, "invite", by)
    people = set(Attendee.objects.filter(meeting=meeting).values_list("user", flat=True))
    if not people - {meeting.owner_id}:
        raise BusinessError(_("Nobody else comes to this meeting yet."), field="attendees")
    meeting.save()
    keep_rooms(meeting)
    _invite(meeting, people, by)
    if names := double_booked(meeting):
        meeting.warning = _("At this time others have a meeting already: %s.") % ", ".join(names)  # type: ignore[attr-defined]
    return meeting


def _invite(meeting: Meeting, people: Collection[int], by: Any) -> None:
    text = format_lazy(
        gettext_lazy("{who} invites you: {what}, {when}"),
        who=meeting.owner,
        what=meeting.title,
        when=_when(meeting.starts_at),
    )
    told = set(people) - {meeting.owner_id, getattr(by, "pk", None)}
    tell([(key, text, meeting) for key in sorted(told)])


def _tell_all(meeting: Meeting, text: Any, by: Any, **more: Any) -> None:
    people = set(Attendee.objects.filter(meeting=meeting).values_list("user", flat=True)) - {getattr(by, "pk", None)}
    said = format_lazy(text, what=meeting.title, when=_when(meeting.starts_at), **more)
    tell([(key, said, meeting) for key in sorted(people)])


@transaction.atomic
def confirm_meeting(meeting: Meeting, *, by: Any) -> Meeting:
    """It takes place."""
    meeting = _moved(meeting, "confirm", by)
    meeting.save()
    _tell_all(meeting, gettext_lazy("Confirmed: {what}, {when}"), by)
    return meeting


@transaction.atomic
def hold_meeting(meeting: Meeting, *, by: Any) -> Meeting:
    """It has begun."""
    meeting = _moved(meeting, "hold", by)
    if meeting.starts_at > timezone.now():
        raise BusinessError(_("The meeting has not begun yet."))
    meeting.remind_at = None
    meeting.save()
    return meeting


@transaction.atomic
def minute_meeting(meeting: Meeting, *, by: Any) -> Meeting:
    """Publish the minutes; every decision with a person becomes that person's task."""
    meeting = _moved(meeting, "minute", by)
    if not meeting.minutes.strip():
        raise BusinessError(_("Write the minutes first."), field="minutes")
    make_tasks(meeting, list(Decision.objects.filter(meeting=meeting, task=None).exclude(owner=None)), by)
    meeting.save()
    _tell_all(meeting, gettext_lazy("The minutes are there: {what}"), by)
    return meeting


@transaction.atomic
def cancel_meeting(meeting: Meeting, reason: str = "", *, by: Any) -> Meeting:
    """Call it off: its rooms are free again, everybody invited is told why."""
    meeting = locked(Meeting.objects.all(), meeting.pk)
    was = meeting.state
    allow(by, "change", meeting, manage=True)
    meeting.state = Meeting.STATES.check("cancel", meeting).target
    meeting.version += 1
    meeting.remind_at = None
    meeting.save()
    Booking.objects.filter(meeting=meeting).update(taken=False)
    if reason.strip() and by is not None:
        add_comment(meeting, reason, by=by)
    if was in BOOKED:
        _tell_all(meeting, gettext_lazy("Cancelled: {what}, {when}. {why}"), by, why=reason)
    return meeting


# ---- people ----


@transaction.atomic
def answer_invitation(meeting: Meeting, answer: str, *, by: Any) -> Meeting:
    """What an invited person says; the organiser is told."""
    meeting = locked(Meeting.objects.visible_to(by), meeting.pk)
    if meeting.state not in ("invited", "confirmed"):
        raise BusinessError(_("Nobody is asked for an answer any more."))
    if answer not in (Answer.ACCEPTED, Answer.TENTATIVE, Answer.DECLINED):
        raise BusinessError(_("Choose an answer."))
    changed = Attendee.objects.filter(meeting=meeting, user=by).update(answer=answer, answered_at=timezone.now())
    if not changed:
        raise BusinessError(_("You are not invited to this meeting."))
    if by.pk != meeting.owner_id:
        text = gettext_lazy("{who}: {answer}. {what}")
        label = Answer(answer).label
        tell([(meeting.owner_id, format_lazy(text, who=by, answer=label, what=meeting.title), meeting)])
    return meeting


@transaction.atomic
def sign_in(meeting: Meeting, person: User | None = None, *, by: Any) -> Meeting:
    """Note that a person is there: everybody for themselves, the organiser for all; the first time counts."""
    meeting = locked(Meeting.objects.visible_to(by), meeting.pk)
    person = person or by
    if person.pk != by.pk:
        allow(by, "change", meeting, manage=True)
    if meeting.state not in ("invited", "confirmed", "held"):
        raise BusinessError(_("Nobody signs in to a meeting that is %s.") % meeting.get_state_display())
    if timezone.now() < meeting.starts_at - dt.timedelta(hours=1):
        raise BusinessError(_("Signing in begins one hour before the meeting."))
    rows = Attendee.objects.filter(meeting=meeting, user=person)
    if not rows.exists():
        raise BusinessError(_("%s is not invited to this meeting.") % person)
    rows.filter(signed_in_at=None).update(signed_in_at=timezone.now())
    return meeting


# ---- series ----


@transaction.atomic
def repeat_meeting(meeting: Meeting, date: dt.date, *, by: Any) -> Meeting:
    """Copy a meeting to every following week until a day, at the same time of day; the copies are drafts."""
    meeting = locked(Meeting.objects.all(), meeting.pk)
    allow(by, "add", meeting, manage=True)
    days = _following(meeting, date)
    if not days:
        raise BusinessError(_("There is no week between the meeting and this day."), field="date")
    if len(days) > MOST_COPIES:
        raise BusinessError(_("A meeting is repeated at most %s times at once.") % MOST_COPIES, field="date")
    meeting.series = meeting.series or uuid.uuid4()
    meeting.version += 1
    meeting.save()
    present = set(Meeting.objects.filter(series=meeting.series).values_list("starts_at", flat=True))
    copies = [_copy(meeting, start, end, by) for start, end in days if start not in present]
    for copy in copies:
        set_reminders(copy)
    Meeting.objects.bulk_create(copies)
    people = list(meeting.attendee_rows.values_list("user", flat=True))
    rooms = list(meeting.bookings.values_list("room", flat=True))
    Attendee.objects.bulk_create(Attendee(meeting=copy, user_id=key) for copy in copies for key in people)
    Booking.objects.bulk_create(
        Booking(meeting=c, room_id=key, starts_at=c.starts_at, ends_at=c.ends_at) for c in copies for key in rooms
    )
    return meeting


def _following(meeting: Meeting, last: dt.date) -> list[tuple[dt.datetime, dt.datetime]]:
    """Start and end in the weeks after, on the clock of the company."""
    zone = business_zone()
    start, end = meeting.starts_at.astimezone(zone), meeting.ends_at.astimezone(zone)
    found: list[tuple[dt.datetime, dt.datetime]] = []
    week = dt.timedelta(weeks=1)
    while (start := start + week).date() <= last and len(found) <= MOST_COPIES:
        end += week
        found.append((start.astimezone(dt.UTC), end.astimezone(dt.UTC)))
    return found


def _copy(meeting: Meeting, start: dt.datetime, end: dt.datetime, by: Any) -> Meeting:
    return Meeting(
        title=meeting.title,
        owner_id=meeting.owner_id,
        created_by=by or meeting.created_by,
        starts_at=start,
        ends_at=end,
        place=meeting.place,
        agenda=meeting.agenda,
        private=meeting.private,
        reminders=meeting.reminders,
        series=meeting.series,
    )
