"""Receipts: delivered, displayed, confirmed, reminded; who may see them; files (rules N-02, N-03, N-05)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from kit.pages.panels import queue
from oa.announcements import publishing, services
from oa.announcements.models import Announcement, AnnouncementCategory, AnnouncementReceipt
from oa.organisation.models import Department, User
from oa.records import receipts
from oa.records.attachments import store_attachment, store_attachments
from oa.records.comments import add_comment
from oa.records.models import AuditEntry, Notification
from tests import factories as make
from tests.oa.announcing import published, written
from tests.oa.world import client_of
from tests.refusals import refused, whole_state

pytestmark = pytest.mark.django_db

PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"


@pytest.fixture
def c() -> SimpleNamespace:
    c = SimpleNamespace(boss=make.make_user("boss", language="en"))
    c.shop = Department.objects.create(code="SHOP", name="Shop")
    c.ann = make.make_user("ann", "sales", department=c.shop, language="en")
    c.bob = make.make_user("bob", "sales", department=c.shop, language="en")
    c.eve = make.make_user("eve", "sales", language="en")
    c.row = published(c.boss, "Stock count", to_departments=[c.shop])
    return c


def mine(person: User) -> AnnouncementReceipt:
    return AnnouncementReceipt.objects.get(user=person, superseded_at=None)


def test_opened_is_not_read_until_the_text_is_displayed(c: SimpleNamespace) -> None:
    """N-02: opening the page writes nothing at all; the displayed text reports itself, each time."""
    client, url = client_of(c.ann), f"/news/{c.row.pk}/"
    before = whole_state()
    page = client.get(url).content.decode()
    assert whole_state() == before and mine(c.ann).read_count == 0
    assert f'hx-post="{url}seen/" hx-trigger="intersect once"' in page and "I have read this" in page
    assert client.post(f"{url}seen/", headers={"HX-Request": "true"}).status_code == 204
    first = mine(c.ann)
    assert (first.read_count, first.device) == (1, "desk") and first.first_read_at == first.last_read_at
    answer = client.post(f"{url}seen/", headers={"User-Agent": PHONE})
    again = mine(c.ann)
    assert (answer.status_code, answer["Location"]) == (302, url)
    assert (again.read_count, again.device, again.first_read_at) == (2, "phone", first.first_read_at)
    assert again.last_read_at > first.last_read_at
    assert not Notification.objects.filter(user=c.ann, read_at=None).exists()
    assert client.get(f"{url}seen/").status_code == 405


def test_only_recipients_read(c: SimpleNamespace) -> None:
    """N-02: the author's look is no receipt; others get 404 like for a missing one."""
    assert client_of(c.boss).post(f"/news/{c.row.pk}/seen/").status_code == 404
    for path in ("", "seen/", "confirm/"):
        method = client_of(c.eve).post if path else client_of(c.eve).get
        assert method(f"/news/{c.row.pk}/{path}").status_code == method(f"/news/999999/{path}").status_code == 404
    assert AnnouncementReceipt.objects.count() == 2


def test_confirming_is_asked_for_done_once_and_waits_on_the_desk(c: SimpleNamespace) -> None:
    """N-02: a button with its date; until then it stands in the queue of the desk."""
    row = published(c.boss, "Safety", to_departments=[c.shop], must_confirm=True)
    client, url = client_of(c.ann), f"/news/{row.pk}/"
    assert [(t.title, t.url) for t in queue(c.ann, 9)] == [("Safety", url)] and queue(c.eve, 9) == []
    client.post(f"{url}seen/")
    assert len(queue(c.ann, 9)) == 1, "read is not confirmed"
    client.post(f"{url}confirm/")
    receipt = AnnouncementReceipt.objects.get(record=row, user=c.ann)
    assert receipt.confirmed_at and receipt.read_count == 1 and queue(c.ann, 9) == []
    client.post(f"{url}confirm/")
    assert AnnouncementReceipt.objects.get(pk=receipt.pk).confirmed_at == receipt.confirmed_at
    assert "You confirmed this on" in client.get(url).content.decode()
    client_of(c.bob).post(f"{url}confirm/")
    assert AnnouncementReceipt.objects.get(record=row, user=c.bob).read_count == 1, "who confirms has read"
    with refused("needs no confirmation"):
        services.confirm(c.row, by=c.ann, device="desk")


def test_receipts_are_evidence(c: SimpleNamespace) -> None:
    """N-02: plain SQL neither deletes a receipt nor undoes a reading."""
    services.seen(c.row, by=c.ann, device="desk")
    rows: Any = AnnouncementReceipt.objects.filter(user=c.ann)
    for damage in (
        lambda: rows.delete(),
        lambda: rows.update(first_read_at=None, last_read_at=None, read_count=0),
        lambda: rows.update(user=c.eve),
        lambda: rows.update(edition=7),
        lambda: rows.update(read_count=0),
        lambda: AnnouncementReceipt.objects.create(record=c.row, user=c.bob, edition=1),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            damage()


def test_author_and_managers_see_who_has_read(c: SimpleNamespace) -> None:
    """N-03: read, unread and confirmed with names and departments, searched, filtered, exported; not for readers."""
    services.seen(c.row, by=c.ann, device="desk")
    mia = make.make_user("mia", "sales-manager", department=c.shop)
    AnnouncementCategory.objects.get(code="notice").managers.add(mia)
    base = f"/office/announcement-readers/?record={c.row.pk}&record_text=Stock+count"
    for person in (c.boss, mia, make.make_user("hr", "hr")):
        client = client_of(person)
        read, unread = (client.get(f"{base}&view={view}").content.decode() for view in ("read", "unread"))
        assert "Ann" in read and "Shop" in read and "Bob" not in read and "Bob" in unread
        assert "Bob" not in client.get(f"{base}&q=ann").content.decode()
        sheet = client.get(base.replace("/?", "/export/?") + "&format=csv&view=unread").content.decode()
        assert "Bob" in sheet and "Shop" in sheet and "Ann" not in sheet
        page = client.get(f"/office/announcements/{c.row.pk}/?tab=readers")
        assert page.status_code == 200 and b"Bob" in page.content
        figures = [(str(f.label), f.value) for f in client.get(f"/office/announcements/{c.row.pk}/").context["figures"]]
        assert figures == [("Recipients", "2"), ("Read", "1"), ("Unread", "1")]
    for person in (c.ann, c.eve):
        client = client_of(person)
        assert not client.get("/office/announcement-readers/").context["list"].body
        assert client.get(f"/office/announcements/{c.row.pk}/").status_code == 404


def test_the_list_of_readers_needs_as_many_statements_for_many(c: SimpleNamespace) -> None:
    """N-03: for 2 recipients as for 402."""
    client, url, counts = client_of(c.boss), f"/office/announcement-readers/?record={c.row.pk}", []
    client.get(url)
    for more in (0, 400):
        people = [User(username=f"x{n}", department=c.shop, is_superuser=True) for n in range(more)]
        User.objects.bulk_create(people)
        Announcement.objects.filter(pk=c.row.pk).update(include_later=True)
        publishing.deliver_later()
        for address in (url, f"/office/announcements/{c.row.pk}/", f"/office/announcements/{c.row.pk}/?tab=readers"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(address).status_code == 200
            counts.append(len(queries))
    assert counts[0] + 1 >= counts[3] and counts[1] == counts[4] and counts[2] + 1 >= counts[5]  # one counts pages


def test_unread_people_are_reminded_by_hand_at_most_once_an_hour(c: SimpleNamespace) -> None:
    """N-03: only those who have not read; refused to soon and when everybody has."""
    services.seen(c.row, by=c.ann, device="desk")
    client_of(c.boss).post(f"/office/announcements/{c.row.pk}/do/remind/")
    assert [mine(person).reminders for person in (c.ann, c.bob)] == [0, 1]
    assert Notification.objects.filter(text="Please read: Stock count").get().user == c.bob
    with refused("less than an hour"):
        services.remind_unread(c.row, by=c.boss)
    Announcement.objects.update(reminded_at=timezone.now() - dt.timedelta(hours=2))
    services.seen(c.row, by=c.bob, device="desk")
    with refused("Everybody has read"):
        services.remind_unread(c.row, by=c.boss)
    with refused("Only the author"):
        services.remind_unread(c.row, by=c.ann)


def test_reminders_by_themselves_every_n_hours_and_m_times_at_most(c: SimpleNamespace) -> None:
    """N-03: a doubled task reminds once; who has read but not confirmed counts as open where that is asked for."""
    row = published(c.boss, "Safety", to_departments=[c.shop], must_confirm=True, remind_every=4, remind_most=2)
    services.seen(row, by=c.ann, device="desk")
    services.confirm(row, by=c.bob, device="desk")
    receipt = AnnouncementReceipt.objects.get(record=row, user=c.ann)
    assert publishing.remind_due() == 0, "too early"
    connection.cursor().execute("SET LOCAL session_replication_role = replica")
    for expected in ([1, 0], [1, 0], [0, 0]):
        past = timezone.now() - dt.timedelta(hours=4, minutes=1)
        AnnouncementReceipt.objects.update(delivered_at=past)
        AnnouncementReceipt.objects.filter(reminders__gt=0).update(reminded_at=past)
        assert [publishing.remind_due(), publishing.remind_due()] == expected
    receipt.refresh_from_db()
    assert receipt.reminders == 2
    assert set(Notification.objects.filter(text="Please read: Safety").values_list("user", flat=True)) == {c.ann.pk}


def test_comments_can_be_switched_off(c: SimpleNamespace) -> None:
    """N-05: no form on the page and no note by a crafted request."""
    quiet = published(c.boss, to_departments=[c.shop], comments_open=False)
    client = client_of(c.ann)
    for row, allowed in ((c.row, True), (quiet, False)):
        assert ('class="compose"' in client.get(f"/news/{row.pk}/").content.decode()) is allowed
        client.post(f"/records/news/{row.pk}/comment/", {"text": "Who counts?"})
        assert ("Who counts?" in client.get(f"/news/{row.pk}/").content.decode()) is allowed
    with refused("No notes"):
        add_comment(quiet, "hello", by=c.boss)


def test_notes_of_those_who_prepare_it_are_not_shown_to_readers(c: SimpleNamespace) -> None:
    """N-05: what was said about a draft stays with author and managers."""
    draft = written(c.boss, to_departments=[c.shop], comments_open=False)
    add_comment(draft, "Too harsh?", by=c.boss)
    services.publish(draft, by=c.boss)
    publishing.appear(draft.pk)
    assert "Too harsh?" not in client_of(c.ann).get(f"/news/{draft.pk}/").content.decode()
    assert "Too harsh?" in client_of(c.boss).get(f"/office/announcements/{draft.pk}/").content.decode()


def test_downloads_are_asked_for_again_and_noted(c: SimpleNamespace) -> None:
    """N-05: who, when, which file, visible to the author; nobody else's, and none of a withdrawn one."""
    file = store_attachment(c.row, ContentFile(b"%PDF-1.7\n%%EOF\n", "plan.pdf"), by=c.boss)
    url = reverse("attachment", args=[file.key])
    assert client_of(c.ann).get(url).status_code == 200 and client_of(c.eve).get(url).status_code == 404
    entry = AuditEntry.objects.get()
    assert (entry.user, entry.action, entry.what, entry.object_id) == (c.ann, "download", "plan.pdf", c.row.pk)
    page = client_of(c.boss).get(f"/office/announcements/{c.row.pk}/").content.decode()
    assert "plan.pdf" in page and "Ann" in page
    assert "printed" not in page
    services.withdraw(c.row, by=c.boss, reason="wrong")
    author = make.make_user("mia", "sales-manager", department=c.shop)
    row = published(author, to_people=[author])
    own = reverse("attachment", args=[store_attachment(row, ContentFile(b"%PDF-1.7\n%%EOF\n", "a.pdf"), by=author).key])
    assert client_of(author).get(own).status_code == 200
    services.withdraw(row, by=author, reason="wrong")
    assert client_of(c.ann).get(url).status_code == client_of(author).get(own).status_code == 404
    auditor = make.make_user("auditor", "auditor")
    assert client_of(auditor).get(own).status_code == 200


def test_files_are_added_to_drafts_and_versions_only(c: SimpleNamespace) -> None:
    """N-05: readers add none; after publication they come with a new version."""
    file = ContentFile(b"%PDF-1.7\n%%EOF\n", "plan.pdf")
    for person in (c.ann, c.boss):
        with refused("cannot be added"):
            store_attachments(c.row, [file], by=person)
    assert store_attachments(written(c.boss), [file], by=c.boss)
    services.amend(c.row, by=c.boss, title=c.row.title, body=c.row.body, major=False, files=[file])
    assert "plan.pdf" in client_of(c.ann).get(f"/news/{c.row.pk}/").content.decode()


def test_the_watermark_names_the_reader(c: SimpleNamespace) -> None:
    """N-05: who photographs the page shows who they are."""
    row = published(c.boss, to_departments=[c.shop], watermark=True)
    page = client_of(c.ann).get(f"/news/{row.pk}/").content.decode()
    assert (
        "Ann · ann</text>" in page and 'class="wm"' not in client_of(c.ann).get(f"/news/{c.row.pk}/").content.decode()
    )


def test_devices_in_a_word() -> None:
    assert receipts.device_of(PHONE) == "phone" and receipts.device_of("Mozilla/5.0 (X11; Linux)") == "desk"


def test_amending_by_the_page(c: SimpleNamespace) -> None:
    """N-04: the form makes one version however often it is sent, and says what is missing."""
    client, url = client_of(c.boss), f"/office/announcements/{c.row.pk}/amend/"
    assert client.get(url).status_code == 200
    assert client.post(url, {"title": "", "body": "", "kind": "minor"}).status_code == 422
    sent = {
        "title": "Stock count",
        "body": "On **Friday**",
        "kind": "major",
        "submit_id": "6b0cbb4e-9f0e-4a53-8d5f-2d3d7f3c1a11",
    }
    assert [client.post(url, sent).status_code for _ in range(2)] == [302, 302]
    c.row.refresh_from_db()
    assert (c.row.edition, c.row.editions.count()) == (2, 2)
    assert "<b>Friday</b>" in client_of(c.ann).get(f"/news/{c.row.pk}/").content.decode()
    assert client_of(c.ann).get(url).status_code == 403
    assert Client().get(url).status_code == 302
