"""The office in a browser, in both languages, at the desk and on a phone: news, documents, rooms.

Actions are found by name, whatever they are called in the language. What counts is what the database holds.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from oa.announcements.models import Announcement, AnnouncementCategory, AnnouncementReceipt
from oa.announcements.publishing import JOB
from oa.documents.models import LibraryDocument, ReadingReceipt
from oa.documents.services import publish_document
from oa.records import jobs
from oa.records.models import Job, Notification
from oa.tasks.models import Booking, Meeting
from tests import factories as make
from tests.browser.conftest import become
from tests.invariants import assert_books
from tests.oa.library import document, folder, let
from tests.oa.office import hour, invited, make_room

SAVE = "button[data-save]:visible, .phone-save button:visible"
PLACES = [("en-US", 1440), ("zh-CN", 1440), ("en-US", 390), ("zh-CN", 390)]


@pytest.fixture(params=PLACES, ids=lambda place: f"{place[0]}-{place[1]}")
def page(request: pytest.FixtureRequest, transactional_db: None, open_page: Any) -> Any:
    locale, width = request.param
    return open_page(locale=locale, width=width)


def look(page: Any, address: str) -> None:
    """Open a page, which is never wider than its window."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    assert page.watch.wide() <= 0, address


def act(page: Any, name: str) -> None:
    """An action of the page, from its menu where it has no button of its own, and yes to what it asks."""
    button = page.locator(f".phead [data-name='{name}']:visible")
    if not button.count():
        page.locator(".phead details.menu summary:visible").first.click()
    button.first.click()


def do(page: Any, name: str) -> None:
    """An action that asks nothing; afterwards it is done."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        act(page, name)


def agree(page: Any) -> None:
    """Yes to the question of an action; afterwards it is done and its page is there again."""
    with page.expect_response(lambda answer: answer.request.method == "POST"):
        page.locator("dialog[open] footer button.pri, dialog[open] footer button.dng").first.click()
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.wait_for_load_state("networkidle")


def test_news_is_published_confirmed_and_reminded_of(page: Any, live_server: Any) -> None:
    """N-01 to N-03: one of two readers confirms; the author sees who has and who has not, and reminds the other."""
    boss, ann, bob = make.make_user("boss"), make.make_user("ann", "sales"), make.make_user("bob", "sales")
    become(page, live_server, boss)
    look(page, "/office/announcements/new/")
    page.locator("[name=category]").select_option(str(AnnouncementCategory.objects.get(code="notice").pk))
    page.locator("[name=title]").fill("Stock count")
    page.locator("[name=body]").fill("# When\n\n- Monday\n- **Tuesday**")
    for place, name in enumerate(("ann", "bob")):
        page.locator(".pickmany input[name=to_people_add_text]").nth(place).fill(name)
        page.locator(".ac .o").first.click()
    page.locator("[name=must_confirm]").check()
    page.locator(SAVE).first.click()
    page.wait_for_url(re.compile(r"/office/announcements/\d+/$"))
    news = Announcement.objects.get()
    act(page, "publish")
    agree(page)
    jobs.run_job(Job.objects.get(kind=JOB).pk)  # unless a worker was quicker
    news.refresh_from_db()
    assert (news.state, news.recipients) == ("published", 2)

    become(page, live_server, ann)
    look(page, "/todo/")
    page.locator("a", has_text="Stock count").first.click()
    page.wait_for_url(re.compile(rf"/news/{news.pk}/$"))
    assert page.watch.wide() <= 0
    page.locator(f"form[action='/news/{news.pk}/confirm/'] button").click()
    expect(page.locator(f"form[action='/news/{news.pk}/confirm/']")).to_have_count(0)
    assert AnnouncementReceipt.objects.get(user=ann).confirmed_at is not None
    look(page, "/todo/")
    expect(page.locator("main a", has_text="Stock count")).to_have_count(0)

    become(page, live_server, boss)
    for view, (inside, outside) in {"confirmed": (ann, bob), "unconfirmed": (bob, ann)}.items():
        look(page, f"/office/announcement-readers/?record={news.pk}&view={view}")
        rows = page.locator("main tbody tr")
        expect(rows).to_have_count(1)
        expect(rows.first).to_contain_text(str(inside))
        expect(rows.first).not_to_contain_text(str(outside))
    look(page, f"/office/announcements/{news.pk}/")
    do(page, "remind")
    told = Notification.objects.filter(text__contains="Stock count")
    assert (told.filter(user=bob).count(), told.filter(user=ann).count()) == (2, 1)
    assert AnnouncementReceipt.objects.get(user=bob).reminders == 1
    assert_books(["I-65", "I-66", "I-67"])


def test_a_document_gets_a_new_version(page: Any, live_server: Any, tmp_path: Path) -> None:
    """Spec office 5.8.2: checked out for one person, uploaded, published; the version before stays in the list."""
    ann = make.make_user("ann", "sales")
    place = folder("Handbook")
    let(place, ann, "edit")
    found = document(place, "rules.txt", "Rules of 2025", by=ann)
    newer = tmp_path / "rules.txt"
    newer.write_text("Rules of 2026")
    become(page, live_server, ann)
    address = f"/docs/files/{found.url_key}/"
    look(page, address)
    do(page, "publish")
    look(page, address)
    do(page, "check_out")
    found.refresh_from_db()
    assert (found.state, found.checked_out_by) == ("published", ann)
    look(page, address)
    form = page.locator(f"form[action='{address}check-in/']")
    form.locator("input[name=file]").set_input_files(newer)
    form.locator("input[name=comment]").fill("A year later")
    form.locator("button").click()
    expect(page.locator("main")).to_contain_text("A year later")
    assert page.watch.wide() <= 0
    do(page, "publish")
    look(page, address)
    found = LibraryDocument.objects.get(pk=found.pk)
    assert found.state == "published" and found.checked_out_by is None and found.published.number == 2
    versions = page.locator("main .cd", has_text="A year later").locator(".li.two")
    expect(versions).to_have_count(2)
    expect(versions.first.locator(".bd.ok")).to_have_count(1)
    expect(versions.last.locator("a[href*='/docs/versions/']").first).to_be_visible()
    assert_books(["I-68", "I-69"])


def test_a_document_is_read_when_it_was_displayed(page: Any, live_server: Any) -> None:
    """N-02: a short document that came into view is read, a confirmation is a button; then the inbox is empty."""
    eve, ann = make.make_user("eve", "hr"), make.make_user("ann", "sales")
    place = folder("Handbook")
    let(place, None, "view")
    let(place, eve, "manage")
    found = publish_document(document(place, "rules.txt", "Wear a helmet", by=eve), by=eve)
    become(page, live_server, eve)
    look(page, f"/docs/files/{found.url_key}/")
    act(page, "require-reading")
    page.wait_for_url(re.compile("/reading/$"))
    page.locator("input[name=to_people_add_text]").first.fill("ann")
    page.locator(".ac .o").first.click()
    page.locator("[name=must_confirm]").check()
    assert page.watch.wide() <= 0
    page.locator(SAVE).first.click()
    page.wait_for_url(re.compile(rf"/docs/files/{found.url_key}/$"))

    become(page, live_server, ann)
    look(page, "/todo/")
    with page.expect_response(lambda answer: "/read/1/" in answer.url) as sent:
        page.locator("main a", has_text="rules.txt").first.click()
        page.wait_for_url(re.compile(rf"/docs/files/{found.url_key}/$"))
        page.get_by_text("Wear a helmet").scroll_into_view_if_needed()
        page.mouse.wheel(0, 3000)
    assert sent.value.status == 204 and page.watch.wide() <= 0
    receipt = ReadingReceipt.objects.get(user=ann)
    assert receipt.read_count == 1 and receipt.confirmed_at is None
    page.locator(f"form[action$='{found.url_key}/read/1/'] button").click()
    expect(page.locator(f"form[action$='{found.url_key}/read/1/']")).to_have_count(0)
    assert ReadingReceipt.objects.get(user=ann).confirmed_at is not None
    look(page, "/todo/")
    expect(page.locator("main a", has_text="rules.txt")).to_have_count(0)

    become(page, live_server, eve)
    look(page, f"/docs/files/{found.url_key}/")
    expect(page.locator("main .cd", has_text="1 / 1").first).to_be_visible()
    assert_books(["I-81"])


def test_a_room_is_booked_once(page: Any, live_server: Any) -> None:
    """Spec office 5.8.3: a taken room is told at its field and nothing that was typed is lost; another hour is free."""
    ann, bob, cat = (make.make_user(name, "sales") for name in ("ann", "bob", "cat"))
    room = make_room("Room 3F")
    invited(bob, cat, rooms=[room], title="Secret plans")
    become(page, live_server, ann)
    look(page, "/meetings/new/")
    page.locator("[name=title]").fill("Prices of next year")
    _between(page, 14, 15)
    page.locator("input[name=attendees_add_text]").first.fill("cat")
    page.locator(".ac .o").first.click()
    page.locator(f"[name=rooms][value='{room.pk}']").check()
    page.locator(SAVE).first.click()
    page.wait_for_url(re.compile(r"/meetings/[^/]+/$"))
    do(page, "invite")
    mine = Booking.objects.get(meeting__owner=ann)
    assert mine.taken and mine.room == room

    look(page, f"{page.url}edit/")
    _between(page, 10, 11)
    page.locator("[name=place]").fill("Ring the bell")
    page.locator(SAVE).first.click()
    field = page.locator(".w4, .fld, .mb-3", has=page.locator("[name=rooms]")).last
    expect(field).to_contain_text("Room 3F")
    expect(field).to_contain_text(re.compile("10:00.*Bob|Bob.*10:00"))
    assert "Secret" not in page.content() and page.watch.wide() <= 0
    expect(page.locator("[name=place]")).to_have_value("Ring the bell")
    expect(page.locator("[name=starts_at]")).to_have_value(f"{hour():%Y-%m-%dT%H:%M}")
    _between(page, 16, 17)
    page.locator(SAVE).first.click()
    page.wait_for_url(re.compile(r"/meetings/[^/]+/$"))
    meeting = Meeting.objects.get(owner=ann)
    assert (meeting.starts_at, meeting.place) == (hour(at=16), "Ring the bell")
    assert page.watch.wide() <= 0
    assert_books()


def _between(page: Any, start: int, end: int) -> None:
    page.locator("[name=starts_at]").fill(f"{hour(at=start):%Y-%m-%dT%H:%M}")
    page.locator("[name=ends_at]").fill(f"{hour(at=end):%Y-%m-%dT%H:%M}")
