"""The calendar (UX 3.1, 6.22, 6.1): day, week, month, agenda; one's own, the team's, the rooms'."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm.followups.services import log_followup
from kit.rules.days import business_day
from oa.organisation.models import Department
from oa.records.calendar import CalendarEntry, entries_between, sources
from oa.tasks.models import Task
from oa.tasks.periods import period, read_day
from oa.tasks.services.meetings import answer_invitation
from tests import factories as make
from tests.oa.office import hour, invited, make_meeting, make_room, make_task
from tests.oa.world import client_of

D = dt.date
VIEWS = ("day", "week", "month", "agenda")


def test_weeks_begin_on_monday_and_pages_follow_each_other() -> None:
    """UX 6.22: the month is shown in whole weeks; previous and next leave no day out."""
    month = period("month", D(2026, 11, 15))
    assert (month.first, month.last) == (D(2026, 10, 26), D(2026, 12, 6)) and month.first.weekday() == 0
    assert (month.previous, month.following) == (D(2026, 10, 31), D(2026, 12, 1))
    week = period("week", D(2026, 11, 29))
    assert (week.first, week.last, week.following) == (D(2026, 11, 23), D(2026, 11, 29), D(2026, 11, 30))
    assert period("day", D(2026, 2, 28)).following == D(2026, 3, 1)
    for view in VIEWS:
        here = period(view, D(2026, 11, 15))
        assert period(view, here.following).days[0] <= here.last + dt.timedelta(days=1)


@pytest.mark.parametrize("text", ["", "x", "2026-13-01", "0001-01-01", "9999-12-31"])
def test_an_address_with_a_wrong_day_shows_today(text: str) -> None:
    assert read_day(text, D(2026, 11, 15)) == D(2026, 11, 15)


def test_an_entry_is_shown_on_every_day_it_touches() -> None:
    """Several days, the person's time zone; what ends at midnight does not touch the next day."""
    zone = ZoneInfo("Asia/Shanghai")
    starts, ends = dt.datetime(2026, 1, 1, 22, tzinfo=zone), dt.datetime(2026, 1, 3, 0, tzinfo=zone)
    entry = CalendarEntry("x", 1, "x", starts, ends)
    assert entry.days(zone) == (D(2026, 1, 1), D(2026, 1, 2))
    assert entry.days(ZoneInfo("America/New_York")) == (D(2026, 1, 1), D(2026, 1, 2))
    assert entry.days(dt.UTC) == (D(2026, 1, 1), D(2026, 1, 2))
    whole = CalendarEntry("x", 1, "x", D(2026, 1, 1), D(2026, 1, 4))
    assert whole.all_day and whole.days(dt.UTC) == (D(2026, 1, 1), D(2026, 1, 4))


@pytest.fixture
def ann(db: Any) -> Any:
    east = Department.objects.create(code="EAST", name="East", parent=Department.objects.get(code="HQ"))
    return make.make_user("ann", "sales", department=east)


def page(user: Any, **query: Any) -> str:
    answer = client_of(user).get("/calendar/", query)
    assert answer.status_code == 200
    return answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_shows_tasks_meetings_and_follow_ups(ann: Any, view: str) -> None:
    """Fed by registration: what is due, who is met, who is to be called; timed and for whole days."""
    bob, day = make.make_user("bob", "sales", department=ann.department), hour(1).date()
    make_task(ann, title="Count the stock", due_on=day)
    invited(ann, bob, title="Weekly", rooms=[make_room()], start=hour(1, 10))
    log_followup(make.make_customer("Mingrui", owner=ann), by=ann, text="x", next_on=day)
    make_task(ann, title="Far away", due_on=day + dt.timedelta(days=90))
    body = page(ann, view=view, date=day)
    for text in ("Count the stock", "Weekly", "Mingrui", "10:00"):
        assert text in body, text
    assert "Far away" not in body
    assert "Weekly" in page(bob, view=view, date=day) and "Count the stock" not in page(bob, view=view, date=day)


@pytest.mark.django_db
def test_the_times_are_the_persons(ann: Any) -> None:
    """Time zone of the person: ten in Shanghai is three in Berlin."""
    invited(ann, make.make_user("bob", "sales"), start=hour(1, 10))
    ann.time_zone = "Europe/Berlin"
    ann.save()
    local = hour(1, 10).astimezone(ZoneInfo("Europe/Berlin"))
    assert f"{local:%H:%M}" in page(ann, view="day", date=local.date())
    assert "10:00–" not in page(ann, view="day", date=local.date())


@pytest.mark.django_db
def test_team_and_rooms_show_what_is_taken(ann: Any) -> None:
    """UX 6.22 own, team, rooms: colleagues' meetings as busy, rooms with who has them."""
    bob, eve = make.make_user("bob", "sales", department=ann.department), make.make_user("eve", "sales")
    invited(bob, eve, title="Takeover", rooms=[make_room("Room 3F")])
    make_meeting(bob, eve, title="Only a draft", rooms=[make_room("Room 4F")])
    day = hour().date()
    team, rooms = page(ann, view="day", who="team", date=day), page(ann, view="day", who="rooms", date=day)
    assert "Bob" in team and "Busy" in team and "Takeover" not in team
    assert "Room 3F" in rooms and "Booked by Bob" in rooms and "Takeover" not in rooms and "Room 4F" not in rooms
    assert "Takeover" in page(bob, view="day", who="rooms", date=day)


@pytest.mark.django_db
def test_who_declined_has_the_time_free(ann: Any) -> None:
    """A declined meeting is not in one's calendar, a draft is in that of its organiser only."""
    bob = make.make_user("bob", "sales", department=ann.department)
    meeting = invited(ann, bob, title="Weekly")
    answer_invitation(meeting, "declined", by=bob)
    make_meeting(ann, bob, title="Draft")
    assert "Weekly" not in page(bob, date=hour().date()) and "Draft" not in page(bob, date=hour().date())
    assert "Draft" in page(ann, date=hour().date())


@pytest.mark.django_db
def test_a_source_can_be_registered_by_any_section(ann: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sibling adds entries, such as leave, over several whole days."""
    monday = period("week", business_day()).first

    def leave(user: Any, people: Any, start: dt.datetime, end: dt.datetime) -> list[CalendarEntry]:
        return [CalendarEntry("leave-1", key, "Holiday", monday, monday + dt.timedelta(days=2)) for key in people]

    monkeypatch.setattr("oa.records.calendar.sources", [*sources, leave])
    body = page(ann, view="week")
    assert len(re.findall(r'class="ce info busy"', body)) == 3


@pytest.mark.django_db
@pytest.mark.parametrize(("view", "who"), [(v, w) for v in VIEWS for w in ("mine", "team", "rooms")])
def test_a_page_takes_as_many_statements_for_200_entries_as_for_five(ann: Any, view: str, who: str) -> None:
    """UX section 9: no statement per entry."""
    bob, room = make.make_user("bob", "sales", department=ann.department), make_room()
    client, day = client_of(ann), period("month", hour(20).date()).days[10]
    counts, made = [], 0
    for size in (5, 200):
        for n in range(made, size):
            Task.objects.create(title=f"T{n}", owner=ann, created_by=ann, due_on=day)
        start = dt.datetime.combine(day, dt.time(1), dt.UTC)
        for n in range(made // 5, size // 5):
            invited(ann, bob, start=start + dt.timedelta(minutes=20 * n), ends_at=start + dt.timedelta(minutes=20 * n + 9),
                    rooms=[room])  # fmt: skip
        made = size
        url = f"/calendar/?view={view}&who={who}&date={day}"
        client.get(url)
        with CaptureQueriesContext(connection) as queries:
            assert client.get(url).status_code == 200
        counts.append(len(queries))
    assert counts[0] == counts[1] and counts[1] <= 24


@pytest.mark.django_db
def test_the_month_says_how_many_do_not_fit(ann: Any) -> None:
    """A full day keeps its height and leads to the day."""
    for n in range(9):
        make_task(ann, title=f"T{n}", due_on=hour().date())
    body = page(ann, date=hour().date())
    assert "6 more" in body and f"view=day&amp;who=mine&amp;date={hour().date()}" in body


@pytest.mark.django_db
def test_the_desk_shows_today(ann: Any) -> None:
    """UX 6.1: a card with today's meetings, calls and tasks, and how soon the next one is."""
    invited(
        ann, make.make_user("bob", "sales"), title="Weekly", start=timezone.now() + dt.timedelta(minutes=40, seconds=30)
    )
    make_task(ann, title="Count the stock", due_on=timezone.localdate())
    log_followup(make.make_customer("Mingrui", owner=ann), by=ann, text="x", next_on=business_day())
    body = client_of(ann).get("/?card=today").content.decode()
    card = body[body.index(">Today<") :]
    assert "Count the stock" in card and "Mingrui" in card
    if timezone.localtime().hour < 23:
        assert "Weekly" in card and "in 40 min" in card
    assert entries_between(ann, [ann.pk], hour(-1), hour(2))


@pytest.mark.django_db
def test_without_the_right_there_is_no_calendar() -> None:
    """S-01."""
    nobody = make.make_user("nobody", "none")
    assert client_of(nobody).get("/calendar/").status_code == 403
    assert client_of(nobody).get("/calendar/subscribe/").status_code == 403
