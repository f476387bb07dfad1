"""Meetings: states, rooms, people, minutes and decisions (spec office 5.8.3)."""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from oa.organisation.models import CompanyProfile
from oa.organisation.zones import learn_zone
from oa.records.models import Notification
from oa.tasks.models import Attendee, Booking, Decision, Meeting, Task
from oa.tasks.services import bookings, decisions, meetings
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.office import hour, invited, make_meeting, make_room
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales")


@pytest.fixture
def bob(db: Any) -> Any:
    return make.make_user("bob", "sales")


def told(person: Any) -> list[str]:
    return list(Notification.objects.filter(user=person).order_by("pk").values_list("text", flat=True))


def begun(meeting: Meeting) -> Meeting:
    """The same meeting, begun an hour ago."""
    start = timezone.now() - dt.timedelta(hours=1)
    Meeting.objects.filter(pk=meeting.pk).update(starts_at=start, ends_at=start + dt.timedelta(hours=2))
    Booking.objects.filter(meeting=meeting).update(starts_at=start, ends_at=start + dt.timedelta(hours=2))
    return Meeting.objects.get(pk=meeting.pk)


def test_a_meeting_from_the_draft_to_its_minutes(ann: Any, bob: Any) -> None:
    """draft → invited → confirmed → held → minuted; each step tells those it concerns."""
    meeting = make_meeting(ann, bob, rooms=[make_room()])
    assert (meeting.state, told(bob)) == ("draft", [])
    meeting = meetings.invite_meeting(meeting, by=ann)
    assert told(bob) == [f"Ann invites you: Weekly, {hour():%Y-%m-%d %H:%M}"]
    meetings.answer_invitation(meeting, "accepted", by=bob)
    assert told(ann) == ["Bob: accepted. Weekly"]
    meeting = meetings.confirm_meeting(meeting, by=ann)
    with refused("not begun"):
        meetings.hold_meeting(meeting, by=ann)
    meeting = meetings.hold_meeting(begun(meeting), by=ann)
    with refused("Write the minutes first"):
        meetings.minute_meeting(meeting, by=ann)
    meeting.minutes = "We agreed."
    meeting = meetings.save_meeting(meeting, by=ann)
    meeting = meetings.minute_meeting(meeting, by=ann)
    assert meeting.state == "minuted" and told(bob)[-1] == "The minutes are there: Weekly"
    with pytest.raises(DatabaseError, match="minuted"), transaction.atomic():
        Meeting.objects.filter(pk=meeting.pk).update(minutes="We did not.")
    with pytest.raises(IntegrityError, match="meeting_minutes"), transaction.atomic():
        Meeting.objects.create(title="x", owner=ann, starts_at=hour(), ends_at=hour(2), state="minuted")


def test_a_taken_room_is_refused_with_who_has_it(ann: Any, bob: Any) -> None:
    """Rooms and equipment; the time and the organiser are told, the title of the other meeting is not."""
    room, beamer = make_room("Room 3F"), make_room("Beamer", kind="equipment")
    invited(ann, bob, rooms=[room, beamer], title="Secret takeover")
    other = make_meeting(bob, ann, start=hour() + dt.timedelta(minutes=30), rooms=[beamer])
    when = f"Beamer is taken from {hour():%Y-%m-%d} 10:00 to 11:00 by Ann"
    with refused(when) as caught:
        meetings.invite_meeting(other, by=bob)
    assert "takeover" not in str(caught.value) and next(iter(caught.value)).field == "rooms"
    other = meetings.seat(other, [ann], [make_room("Room 4F")], by=bob)
    assert meetings.invite_meeting(other, by=bob).state == "invited"
    assert_books()


def test_the_database_refuses_overlapping_bookings(ann: Any, bob: Any) -> None:
    """The exclusion constraint needs no extension; drafts and cancelled meetings take nothing; ends may touch."""
    room = make_room()
    invited(ann, bob, rooms=[room])
    draft = make_meeting(bob, ann, rooms=[room])
    make_meeting(bob, ann, start=hour(1, 11), rooms=[room], title="After")
    with pytest.raises(IntegrityError, match="booking_no_overlap"), transaction.atomic():
        Booking.objects.filter(meeting=draft).update(taken=True)
    assert Booking.objects.filter(meeting__title="After").update(taken=True) == 1
    longer = dt.timedelta(minutes=1)
    with pytest.raises(IntegrityError, match="booking_no_overlap"), transaction.atomic():
        Booking.objects.filter(meeting__title="After").update(starts_at=hour(1, 11) - longer)


def test_what_the_constraint_refuses_is_told_in_words(ann: Any, bob: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes second between looking and booking reads a sentence."""
    room = make_room()
    invited(ann, bob, rooms=[room])
    other = make_meeting(bob, ann, rooms=[room])
    monkeypatch.setattr(bookings, "explain_conflicts", lambda *args: None)
    with refused("taken by somebody else"):
        meetings.invite_meeting(other, by=bob)


def test_a_meeting_that_moves_takes_its_room_along_and_asks_again(ann: Any, bob: Any) -> None:
    """Moved to a taken time it is refused; else everybody is told and asked again."""
    room = make_room()
    invited(ann, bob, start=hour(2), rooms=[room])
    meeting = invited(ann, bob, start=hour(3), rooms=[room])
    meetings.answer_invitation(meeting, "accepted", by=bob)
    meeting = meetings.confirm_meeting(meeting, by=ann)
    meeting.starts_at, meeting.ends_at = hour(2), hour(2, 12)
    with refused("is taken"):
        meetings.save_meeting(meeting, by=ann)
    meeting = Meeting.objects.get(pk=meeting.pk)
    meeting.starts_at, meeting.ends_at = hour(4), hour(4, 12)
    meeting = meetings.save_meeting(meeting, by=ann)
    assert meeting.state == "invited" and Attendee.objects.get(meeting=meeting, user=bob).answer == ""
    assert told(bob)[-1] == f"Moved: Weekly, now {hour(4):%Y-%m-%d %H:%M}"
    assert Booking.objects.get(meeting=meeting).starts_at == hour(4)
    assert_books()


def test_a_cancelled_meeting_gives_its_room_back(ann: Any, bob: Any) -> None:
    """cancelled; the reason is told, the room is free again."""
    room = make_room()
    meeting = invited(ann, bob, rooms=[room])
    meetings.cancel_meeting(meeting, "Flu", by=ann)
    assert told(bob)[-1].endswith(". Flu")
    assert invited(bob, ann, rooms=[room]).state == "invited"
    assert_books()


def test_people_with_another_meeting_are_a_warning(ann: Any, bob: Any) -> None:
    """Attendees' own conflicts refuse nothing; who declined the other one is free."""
    first = invited(ann, bob)
    second = invited(make.make_user("eve", "sales"), bob)
    assert second.warning == "At this time others have a meeting already: Bob."  # type: ignore[attr-defined]
    meetings.answer_invitation(first, "declined", by=bob)
    assert bookings.double_booked(second) == []


def test_answers_and_signing_in(ann: Any, bob: Any) -> None:
    """accepted, tentative, declined; signed in by oneself, or by the organiser, from an hour before."""
    eve, guest = make.make_user("eve", "sales"), make.make_user("guest", "sales")
    meeting = invited(ann, bob, eve)
    for answer in ("tentative", "declined", "accepted"):
        meetings.answer_invitation(meeting, answer, by=bob)
        assert Attendee.objects.get(meeting=meeting, user=bob).answer == answer
    with refused("Choose an answer"):
        meetings.answer_invitation(meeting, "perhaps", by=bob)
    with pytest.raises(Meeting.DoesNotExist):
        meetings.answer_invitation(meeting, "accepted", by=guest)
    with refused("one hour before"):
        meetings.sign_in(meeting, by=bob)
    meeting = begun(meeting)
    meetings.sign_in(meeting, by=bob)
    first = Attendee.objects.get(meeting=meeting, user=bob).signed_in_at
    meetings.sign_in(meeting, by=bob)
    assert Attendee.objects.get(meeting=meeting, user=bob).signed_in_at == first is not None
    with refused("owns or gave"):
        meetings.sign_in(meeting, eve, by=bob)
    meetings.sign_in(meeting, eve, by=ann)
    assert Attendee.objects.get(meeting=meeting, user=eve).signed_in_at is not None
    with refused("not invited"):
        meetings.sign_in(meeting, guest, by=ann)


def test_decisions_become_tasks_once(ann: Any, bob: Any) -> None:
    """minutes with decisions → tasks with owner and date; made before or when the minutes are published."""
    meeting = invited(ann, bob)
    with refused("needs a person"):
        decisions.add_decision(meeting, "x", due_on=dt.date(2030, 1, 1), by=ann)
    early = decisions.add_decision(meeting, "Call the supplier", bob, dt.date(2030, 1, 2), by=ann)
    decisions.add_decision(meeting, "Buy a lamp", bob, by=ann)
    noted = decisions.add_decision(meeting, "We like it", by=ann)
    task = decisions.make_task(meeting, early.pk, by=ann)
    assert (task.owner, task.created_by, task.due_on, task.object_id) == (bob, ann, dt.date(2030, 1, 2), meeting.pk)
    with refused("a task already"):
        decisions.make_task(meeting, early.pk, by=ann)
    with refused("who does it"):
        decisions.make_task(meeting, noted.pk, by=ann)
    with refused("a task already"):
        decisions.drop_decision(meeting, early.pk, by=ann)
    meeting = meetings.hold_meeting(begun(meeting), by=ann)
    meeting.minutes = "Done."
    meeting = meetings.minute_meeting(meetings.save_meeting(meeting, by=ann), by=ann)
    assert sorted(Task.objects.values_list("title", flat=True)) == ["Buy a lamp", "Call the supplier"]
    assert Decision.objects.get(pk=noted.pk).task is None and "From Weekly: Buy a lamp" in told(bob)
    with refused("until its minutes are published"):
        decisions.add_decision(meeting, "late", by=ann)
    assert_books()


def test_a_meeting_repeats_weekly_at_its_time_of_day(ann: Any, bob: Any) -> None:
    """recurring: copies with people and rooms, as drafts, once per week, also when the clocks change."""
    CompanyProfile.objects.update(time_zone="Europe/Berlin")
    zone = learn_zone("Europe/Berlin")
    start = dt.datetime(2027, 3, 22, 9, tzinfo=zone)
    meeting = make_meeting(ann, bob, start=start, rooms=[make_room()])
    meeting = meetings.repeat_meeting(meeting, dt.date(2027, 4, 5), by=ann)
    meetings.repeat_meeting(meeting, dt.date(2027, 4, 5), by=ann)
    series = Meeting.objects.filter(series=meeting.series).order_by("starts_at")
    assert [m.starts_at.astimezone(ZoneInfo("UTC")).hour for m in series] == [8, 7, 7]
    assert {m.starts_at.astimezone(zone).hour for m in series} == {9}
    assert {(m.state if m.pk != meeting.pk else "draft", m.bookings.count(), m.attendees.count()) for m in series} == {
        ("draft", 1, 2)
    }
    with refused("no week"):
        meetings.repeat_meeting(meeting, dt.date(2027, 3, 23), by=ann)


def test_only_the_organiser_leads_a_meeting(ann: Any, bob: Any) -> None:
    """G-21: who is invited answers; changing, calling and minuting is for the organiser."""
    meeting = invited(ann, bob)
    meeting.title = "Mine"
    with refused("owns or gave"):
        meetings.save_meeting(meeting, by=bob)
    for command in (meetings.confirm_meeting, meetings.cancel_meeting, meetings.hold_meeting):
        with refused("owns or gave"):
            command(meeting, by=bob)
    with refused("owns or gave"):
        decisions.add_decision(meeting, "x", by=bob)
    with refused("owns or gave"):
        meetings.seat(meeting, [], [], by=bob)


def test_inviting_takes_as_many_statements_for_fifty_people_as_for_two(ann: Any) -> None:
    """Statements of a step do not grow with people or rooms."""
    counts = []
    for number in (2, 50):
        people = [make.make_user("", "sales") for _ in range(number)]
        rooms = [make_room(f"{number}-{n}") for n in range(number)]
        meeting = make_meeting(ann, *people, start=hour(number), rooms=rooms)
        with CaptureQueriesContext(connection) as queries:
            meetings.invite_meeting(meeting, by=ann)
        counts.append(len(queries))
    assert counts[0] == counts[1]
