"""Calendar files and secret addresses (RFC 5545; G-21: what their person may see at that moment)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from icalendar import Calendar

from kit.rules.days import business_day
from oa.organisation.models import User
from oa.records.calendar import CalendarEntry
from oa.tasks.ical import calendar_file
from oa.tasks.models import CalendarAddress, Task
from oa.tasks.services import feed
from tests import factories as make
from tests.oa.office import hour, invited, make_room, make_task
from tests.oa.test_visibility import text_of
from tests.oa.world import client_of
from tests.refusals import refused

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)


def test_text_is_escaped_and_long_lines_are_folded() -> None:
    """RFC 5545 3.3.11 and 3.1: commas, semicolons, backslashes, line breaks; at most 75 octets a line."""
    entry = CalendarEntry(
        "x", 1, "Offer, second; version \\ 2", D := dt.date(2026, 11, 28), D, place="会议室" * 30, text="one\ntwo"
    )
    content = calendar_file([entry], "Calendar of Ann", NOW)
    lines = content.split(b"\r\n")
    assert all(len(line) <= 75 for line in lines) and content.endswith(b"END:VCALENDAR\r\n")
    assert b"SUMMARY:Offer\\, second\\; version \\\\ 2" in lines and b"DESCRIPTION:one\\ntwo" in lines
    assert "会议室" * 30 in content.replace(b"\r\n ", b"").decode()
    [event] = Calendar.from_ical(content).walk("VEVENT")
    assert str(event["SUMMARY"]) == entry.title and str(event["DESCRIPTION"]) == "one\ntwo"


def test_moments_are_in_utc_and_whole_days_end_on_the_day_after() -> None:
    """RFC 5545 3.6.1: DTEND is not part of the event; a moment names its zone."""
    starts = hour(1, 10)
    whole = CalendarEntry("a", 1, "a", dt.date(2026, 11, 28), dt.date(2026, 11, 29))
    timed = CalendarEntry("b", 1, "b", starts, starts + dt.timedelta(hours=1))
    lines = calendar_file([whole, timed], "x", NOW).decode().split("\r\n")
    assert "DTSTART;VALUE=DATE:20261128" in lines and "DTEND;VALUE=DATE:20261130" in lines
    assert f"DTSTART:{starts.astimezone(dt.UTC):%Y%m%dT%H%M%SZ}" in lines
    assert {"VERSION:2.0", "DTSTAMP:20261128T120000Z", "METHOD:PUBLISH"} <= set(lines)


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales")


def summaries(answer: Any) -> set[str]:
    assert answer.status_code == 200 and answer["Content-Type"].startswith("text/calendar")
    return {str(event["SUMMARY"]) for event in Calendar.from_ical(answer.content).walk("VEVENT")}


def address(user: Any, **more: Any) -> str:
    _made, secret = feed.new_address("Phone", by=user, **more)
    return f"/calendar/feed/{secret}.ics"


def test_an_address_opens_the_calendar_without_logging_in(ann: Any) -> None:
    """Tasks and meetings of its person with the place, and what changes is there at the next request."""
    bob = make.make_user("bob", "sales")
    invited(ann, bob, title="Weekly", rooms=[make_room("Room 3F")])
    task = make_task(bob, by=ann, title="Given away", due_on=business_day())
    mine = make_task(ann, title="Mine", due_on=business_day())
    url = address(ann)
    answer = Client().get(url)
    assert summaries(answer) == {"Weekly", "Mine"} and b"LOCATION:Room 3F" in answer.content
    Task.objects.filter(pk=task.pk).update(owner=ann)
    Task.objects.filter(pk=mine.pk).update(owner=bob)
    assert summaries(Client().get(url)) == {"Weekly", "Given away"}


def test_what_the_person_may_not_see_any_more_is_gone(ann: Any) -> None:
    """G-21: rights count at the time of the request."""
    make_task(ann, title="Mine", due_on=business_day())
    url = address(ann)
    assert summaries(Client().get(url)) == {"Mine"}
    ann.groups.clear()
    assert Client().get(url).status_code == 404


def test_a_secret_is_long_kept_as_its_hash_only_and_different_each_time(ann: Any) -> None:
    """At least 128 bits; nobody reads it from the database."""
    (made, secret), (_other, second) = feed.new_address("a", by=ann), feed.new_address("b", by=ann)
    assert len(secret) >= 43 and secret != second
    row = CalendarAddress.objects.filter(pk=made.pk).values().get()
    assert secret not in map(str, row.values()) and len(row["secret_hash"]) == 64


def test_revoked_expired_unknown_and_of_who_left_look_alike(ann: Any) -> None:
    """404 as if nothing had ever been there."""
    revoked, expired, left, valid = address(ann), address(ann), address(make.make_user("eve", "sales")), address(ann)
    keys = list(CalendarAddress.objects.order_by("pk"))
    feed.revoke_address(keys[0].pk, by=ann)
    CalendarAddress.objects.filter(pk=keys[1].pk).update(expires_on=business_day() - dt.timedelta(days=1))
    User.objects.filter(username="eve").update(is_active=False)
    unknown = Client().get("/calendar/feed/x.ics")
    for url in (revoked, expired, left):
        answer = Client().get(url)
        assert answer.status_code == 404
        assert text_of(answer).replace(url, "?") == text_of(unknown).replace("/calendar/feed/x.ics", "?")
    assert Client().get(valid).status_code == 200 and Client().post(valid).status_code == 405


def test_nobody_revokes_the_address_of_another(ann: Any) -> None:
    """S-02."""
    url, key = address(ann), CalendarAddress.objects.get().pk
    client_of(make.make_user("eve", "sales")).post("/calendar/subscribe/", {"revoke": key})
    assert Client().get(url).status_code == 200
    client_of(ann).post("/calendar/subscribe/", {"revoke": key})
    assert Client().get(url).status_code == 404


def test_a_new_address_is_shown_once_and_never_kept_by_the_browser(ann: Any) -> None:
    """The page that shows it is not stored, the next one does not know it."""
    client = client_of(ann)
    answer = client.post("/calendar/subscribe/", {"name": "Phone", "expires_on": ""})
    body = answer.content.decode()
    secret = body.split("/calendar/feed/")[1].split(".ics")[0]
    assert answer["Cache-Control"] == "no-store" and Client().get(f"/calendar/feed/{secret}.ics").status_code == 200
    assert secret not in client.get("/calendar/subscribe/").content.decode()
    assert client.post("/calendar/subscribe/", {"name": "x", "expires_on": "2020-01-01"}).status_code == 422
    for _ in range(feed.MOST - 1):
        feed.new_address("x", by=ann)
    with refused("addresses already"):
        feed.new_address("x", by=ann)


def test_one_entry_as_a_file(ann: Any) -> None:
    """From the page of a task or meeting; not for who may not see it."""
    task = make_task(ann, title="Mine", due_on=business_day())
    meeting = invited(ann, make.make_user("bob", "sales"), title="Weekly")
    client = client_of(ann)
    assert f"/calendar/task/{task.pk}.ics" in client.get(f"/tasks/{task.pk}/").content.decode()
    assert summaries(client.get(f"/calendar/task/{task.pk}.ics")) == {"Mine"}
    assert summaries(client.get(f"/calendar/meeting/{meeting.pk}.ics")) == {"Weekly"}
    assert client.get(f"/calendar/user/{ann.pk}.ics").status_code == 404
    assert client.get(f"/calendar/task/{make_task(ann).pk}.ics").status_code == 404
