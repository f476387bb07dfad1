"""Required reading of library documents (spec office 5.8.2, rules N-01 to N-04)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kit.rules.days import business_day
from oa.documents import services, tasks
from oa.documents.models import Folder, LibraryDocument, ReadingReceipt
from oa.documents.panels import to_read
from oa.documents.reading import read_version
from oa.documents.services.rights import seers_sql
from oa.organisation.models import Department, Post, User
from oa.records.models import Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.library import client_of, company, document, file, folder, fresh, let
from tests.refusals import refused

pytestmark = pytest.mark.django_db

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def c() -> Any:
    """Eve manages a folder in which Ann writes; the departments East (Ann, Amy) and West (Bob) read in it."""
    made = company()
    made.top = folder("Rules")
    let(made.top, made.ann, "edit")
    let(made.top, made.eve, "manage")
    let(made.top, made.east, "view")
    let(made.top, made.west, "view")
    made.amy = make.make_user("amy", "sales", department=made.shop, language="en")
    made.doc = document(made.top, "rules.txt", "Wear a helmet", by=made.ann)
    yield made
    assert_books(["I-33", "I-68", "I-81"])


def publish(row: LibraryDocument) -> LibraryDocument:
    return services.publish_document(fresh(row), by=None)


def require(c: SimpleNamespace, **given: Any) -> LibraryDocument:
    given.setdefault("to_departments", [c.east])
    return services.require_reading(fresh(c.doc), given, by=c.eve)


def new_version(c: SimpleNamespace, text: str, *, minor: bool = False) -> LibraryDocument:
    row = services.check_in(fresh(c.doc), file("rules.txt", text), by=c.ann, minor=minor)
    assert row.current_id is not None
    read_version(row.current_id)
    return publish(row)


def asked(row: LibraryDocument) -> set[str]:
    """User names of who has a receipt for the present text."""
    return set(row.receipts.filter(superseded_at=None).values_list("user__username", flat=True))


def receipt(row: LibraryDocument, user: User) -> ReadingReceipt:
    return row.receipts.get(user=user, superseded_at=None)


def read(row: LibraryDocument, user: User, number: int = 1, **more: Any) -> bool:
    return services.note_read(row, number, by=user, device="desk", **more)


def waiting(user: User) -> list[str]:
    """What the inbox of a person shows of documents."""
    return [str(task.title) for task in to_read(user, 10)]


def texts(user: User) -> list[str]:
    return list(Notification.objects.filter(user=user).order_by("pk").values_list("text", flat=True))


def test_publishing_asks_who_has_to_read(c: SimpleNamespace) -> None:
    """N-02: nobody before, then everybody of the audience, with the day; the message leads to the document."""
    day = business_day() + dt.timedelta(days=7)
    row = require(c, read_by=day)
    assert asked(row) == set() and waiting(c.amy) == []
    row = publish(row)
    row.refresh_from_db()
    assert asked(row) == {"ann", "amy"} and row.recipients == 2 and (row.edition, row.major_edition) == (1, 1)
    told = Notification.objects.get(user=c.amy)
    assert (told.text, told.url) == (f"Please read until {day}: rules.txt", f"/docs/files/{row.url_key}/")
    [task] = to_read(c.amy, 10)
    assert (task.title, task.due, task.url) == ("rules.txt", day, told.url) and waiting(c.bob) == []


def test_a_published_document_asks_at_once_and_an_audience_may_grow(c: SimpleNamespace) -> None:
    """N-01: who has read stays known, who is not meant any more is not asked, who comes is asked once."""
    publish(c.doc)
    row = require(c)
    assert asked(row) == {"ann", "amy"} and read(row, c.ann)
    require(c, to_departments=[c.west])
    row.refresh_from_db()
    assert asked(row) == {"ann", "bob"} and row.recipients == 2 and waiting(c.amy) == []
    require(c, to_departments=[c.west])
    assert len(texts(c.bob)) == 1 and waiting(c.bob) == ["rules.txt"]


def test_only_people_who_see_the_document_are_asked(c: SimpleNamespace) -> None:
    """N-01: nobody is asked for, or told the name of, what the folder does not show."""
    publish(c.doc)
    north = Department.objects.create(code="NORTH", name="North")
    make.make_user("ned", "sales", department=north)
    make.make_user("gone", "sales", department=c.shop, is_active=False)
    row = require(c, to_departments=[c.east, north], to_people=[c.bob])
    assert asked(row) == {"ann", "amy", "bob"}


def test_the_database_and_the_pages_agree_who_sees(c: SimpleNamespace) -> None:
    """5.8.2: the statement over all people finds exactly those who find the document one by one."""
    deep = folder("Deep", folder("Closed", c.top, inherits=False))
    let(deep, c.amy, "view")
    role = make.make_user("kim", "warehouse").groups.get().role
    let(folder("Role"), role, "view")
    Post.objects.create(user=make.make_user("pia", "sales"), department=c.west)
    c.shop.head = make.make_user("head", "sales")
    c.shop.save()
    binned = folder("Binned", folder("Bin", c.top))
    places = [c.top, deep, Folder.objects.get(name="Role"), binned, services.personal_folder(c.bob)]
    places.append(services.department_folder(c.shop, by=c.shop.head))
    rows = [publish(document(place, f"d{place.pk}.txt")) for place in places]
    Folder.objects.filter(pk=binned.parent_id).update(deleted_at=timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(seers_sql([row.pk for row in rows]))
        found = set(cursor.fetchall())
    people = User.objects.filter(is_active=True)
    alone = {(row.pk, user.pk) for user in people for row in LibraryDocument.objects.visible_to(user)}
    keys = {row.pk for row in rows}
    readers = {user.pk for user in people if user.has_perm("oa.view_librarydocument")}
    assert {pair for pair in found if pair[1] in readers} == {pair for pair in alone if pair[0] in keys}
    assert len({row for row, _user in found}) == 5


def test_reading_is_what_was_displayed_or_said(c: SimpleNamespace) -> None:
    """N-02: opening writes nothing; the displayed text reports itself, and what must be confirmed stays open."""
    publish(c.doc)
    row = require(c, must_confirm=True)
    client, url = client_of(c.amy), f"/docs/files/{row.url_key}/"
    page = client.get(url).content.decode()
    assert f"{url}read/1/" in page and receipt(row, c.amy).read_count == 0
    assert client.post(f"{url}read/1/", headers={"HX-Request": "true"}).status_code == 204
    assert receipt(row, c.amy).read_count == 1 and waiting(c.amy) == ["rules.txt"]
    assert client.post(f"{url}read/1/", {"said": "1"}).status_code == 302
    first = receipt(row, c.amy).confirmed_at
    assert first is not None and waiting(c.amy) == []
    client.post(f"{url}read/1/", {"said": "1"})
    assert receipt(row, c.amy).confirmed_at == first
    assert "rules.txt" not in client.get("/todo/").content.decode()
    assert client_of(c.bob).post(f"{url}read/1/").status_code == 404  # sees it, but was not asked
    assert client_of(make.make_user("zoe", "sales")).post(f"{url}read/1/").status_code == 404


def test_a_long_document_is_not_read_by_its_first_page(c: SimpleNamespace) -> None:
    """N-02: a text that is shown in part does not report itself."""
    row = document(c.top, "long.txt", "word " * 9000, by=c.ann)
    publish(row)
    services.require_reading(fresh(row), {"to_people": [c.amy]}, by=c.eve)
    page = client_of(c.amy).get(f"/docs/files/{row.url_key}/").content.decode()
    assert 'hx-trigger="intersect once"' not in page and "I have read this" in page


def test_a_major_version_asks_again_and_a_minor_one_does_not(c: SimpleNamespace) -> None:
    """N-04: receipts of the old version stay as replaced ones; several versions count together."""
    publish(c.doc)
    row = require(c)
    assert read(row, c.ann) and read(row, c.amy)
    new_version(c, "Wear a helmet!", minor=True)
    row = fresh(row)
    assert (row.edition, row.major_edition) == (2, 1) and waiting(c.amy) == [] and read(row, c.amy, 2)
    new_version(c, "Wear two helmets")
    row = fresh(row)
    assert (row.edition, row.major_edition, row.recipients) == (3, 3, 2)
    assert waiting(c.amy) == ["rules.txt"] and receipt(row, c.amy).first_read_at is None
    old = row.receipts.filter(user=c.amy, superseded_at__isnull=False).get()
    assert (old.edition, old.read_count) == (1, 2)
    assert len(texts(c.amy)) == 2
    services.check_in(fresh(row), file("rules.txt", "three"), by=c.ann)
    services.check_in(fresh(row), file("rules.txt", "three!"), by=c.ann, minor=True)
    publish(row)
    assert fresh(row).major_edition == 5  # an unpublished major change lay between


def test_an_older_version_that_was_displayed_does_not_count(c: SimpleNamespace) -> None:
    """N-02, N-04: who still looks at the version before is told to read the newer one; drafts do not count either."""
    publish(c.doc)
    row = require(c)
    new_version(c, "Wear two helmets")
    with refused("newer version"):
        read(row, c.amy, 1)
    assert not read(row, c.amy, 3) and receipt(row, c.amy).read_count == 0
    assert read(row, c.amy, 2)


def test_who_lost_sight_is_neither_asked_nor_reminded(c: SimpleNamespace) -> None:
    """N-01, G-21: visibility counts on reading, in the inbox, in reminders and for the next version."""
    publish(c.doc)
    row = require(c, to_departments=[c.east, c.west], remind_every=1)
    c.top.grants.filter(department=c.west).delete()
    assert waiting(c.bob) == [] and not read(row, c.bob)
    before = texts(c.bob)
    services.remind_readers(fresh(row), by=c.eve)
    assert texts(c.bob) == before and len(texts(c.amy)) == 2
    new_version(c, "Wear two helmets")
    assert asked(fresh(row)) == {"ann", "amy"} and texts(c.bob) == before


def test_reminders_by_hand_and_by_the_clock(c: SimpleNamespace) -> None:
    """N-03: whoever has not done it, once an hour by hand, every n hours and m times at most by itself."""
    publish(c.doc)
    row = require(c, must_confirm=True, remind_every=2, remind_most=2)
    read(row, c.ann)
    assert tasks.ask_readers() == {"later": 0, "reminded": 0}
    services.remind_readers(fresh(row), by=c.eve)
    assert (receipt(row, c.ann).reminders, receipt(row, c.amy).reminders) == (1, 1)
    with refused("less than an hour"):
        services.remind_readers(fresh(row), by=c.eve)
    read(row, c.ann, confirmed=True)
    later = timezone.now() + 3 * HOUR
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(timezone, "now", lambda: later)
        assert [tasks.ask_readers()["reminded"] for _ in range(2)] == [1, 0]
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(timezone, "now", lambda: later + 3 * HOUR)
        assert tasks.ask_readers()["reminded"] == 0
    assert receipt(row, c.amy).reminders == 2


def test_people_who_join_later_are_asked_where_that_is_wished(c: SimpleNamespace) -> None:
    """N-01."""
    publish(c.doc)
    row = require(c, include_later=True)
    eva = make.make_user("eva", "sales", department=c.shop, language="en")
    assert tasks.ask_readers()["later"] == 1 and tasks.ask_readers()["later"] == 0
    assert waiting(eva) == ["rules.txt"] and texts(eva) == ["Please read: rules.txt"]
    assert asked(row) == {"ann", "amy", "eva"}


def test_what_is_not_valid_any_more_is_not_asked_for(c: SimpleNamespace) -> None:
    """5.8.2: obsolete documents and ended requirements leave the inbox; who has read stays known."""
    publish(c.doc)
    row = require(c)
    read(row, c.ann)
    services.end_reading(fresh(row), by=c.eve)
    assert waiting(c.amy) == [] and not read(row, c.amy) and receipt(row, c.ann).read_count == 1
    with refused("Nobody has to read"):
        services.remind_readers(fresh(row), by=c.eve)
    require(c)
    assert waiting(c.amy) == ["rules.txt"] and waiting(c.ann) == []
    services.declare_obsolete(fresh(row), by=c.eve, reason="old")
    assert waiting(c.amy) == [] and not read(row, c.amy)
    with refused("cannot be changed now"):
        require(c)


def test_only_who_manages_the_folder_requires_and_only_within_reach(c: SimpleNamespace) -> None:
    """5.8.2, N-01: editing is not enough, and an audience ends where the reach of a person ends."""
    with refused("do not suffice"):
        services.require_reading(fresh(c.doc), {"to_people": [c.amy]}, by=c.ann)
    assert client_of(c.ann).get(f"/docs/files/{c.doc.url_key}/reading/").status_code == 403
    let(c.top, c.bob, "manage")
    with refused("own departments"):
        services.require_reading(fresh(c.doc), {"to_everyone": True}, by=c.bob)
    with refused("for whom"):
        services.require_reading(fresh(c.doc), {}, by=c.eve)


def test_the_form_requires_and_the_page_shows_who_has_and_who_has_not(c: SimpleNamespace) -> None:
    """N-03: counts, names and a paged list for whoever manages it, none of it for readers."""
    publish(c.doc)
    url = f"/docs/files/{c.doc.url_key}/"
    client = client_of(c.eve)
    assert f"{url}reading/" in client.get(url).content.decode()
    assert client.get(f"{url}reading/").status_code == 200
    empty = client.post(f"{url}reading/", {"remind_most": "3"})
    assert (empty.status_code == 422 and "errlist" in empty.content.decode()) or "invalid" in empty.content.decode()
    given = {"to_people_add_text": "amy", "to_people_add": str(c.amy.pk), "remind_most": "3", "must_confirm": "on"}
    assert client.post(f"{url}reading/", given).status_code == 302
    row = fresh(c.doc)
    assert asked(row) == {"amy"} and row.must_confirm
    read(row, c.amy)
    page = client.get(url).content.decode()
    assert "1 / 1" in page and "0 / 1" in page and "Amy" in page and "do/remind_readers/" in page
    for view, count in {"open": 1, "done": 0}.items():
        rows = client.get(f"/docs/readers/?record={row.pk}&view={view}").content.decode()
        assert rows.count("Amy") >= count and ("Amy" in rows) == bool(count)
    assert "0 / 1" not in client_of(c.amy).get(url).content.decode()
    assert ReadingReceipt.objects.visible_to(c.amy).count() == 1  # her own
    assert not ReadingReceipt.objects.visible_to(c.bob).exists()


def test_receipts_are_evidence_until_the_bin_is_emptied(c: SimpleNamespace) -> None:
    """N-02: the database keeps who has read and when; with the document from the bin it goes."""
    publish(c.doc)
    row = require(c)
    read(row, c.amy)
    mine = ReadingReceipt.objects.filter(user=c.amy)
    for harm in (
        lambda: mine.update(first_read_at=timezone.now() - HOUR),
        lambda: mine.update(user=c.bob),
        lambda: mine.update(read_count=0),
        lambda: mine.delete(),
        lambda: LibraryDocument.objects.filter(pk=row.pk).update(major_edition=9),
        lambda: LibraryDocument.objects.filter(pk=row.pk).update(reading_since=None),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            harm()
    binned = services.bin_document(fresh(row), by=c.ann)
    assert waiting(c.amy) == [] and not ReadingReceipt.objects.visible_to(c.amy).exists()
    services.purge_document(binned, by=c.eve)
    assert not ReadingReceipt.objects.exists()


def test_statements_do_not_grow_with_readers(c: SimpleNamespace) -> None:
    """PERFORMANCE: asking, reminding and the page cost the same for few and many."""

    def count(people: int) -> tuple[int, int, int]:
        shop = Department.objects.create(code=f"D{people}", name=f"D{people}", parent=c.east)
        for number in range(people):
            make.make_user(f"p{people}-{number}", "sales", department=shop)
        row = document(c.top, f"doc{people}.txt", by=c.ann)
        publish(row)
        with CaptureQueriesContext(connection) as asking:
            services.require_reading(fresh(row), {"to_departments": [shop]}, by=c.eve)
        asked_in = len(asking)
        assert row.receipts.count() == people
        with CaptureQueriesContext(connection) as reminding:
            services.remind_readers(fresh(row), by=c.eve)
        reminded_in = len(reminding)
        client = client_of(c.eve)
        client.get(f"/docs/files/{row.url_key}/")
        with CaptureQueriesContext(connection) as page:
            client.get(f"/docs/files/{row.url_key}/")
        return asked_in, reminded_in, len(page)

    count(1)  # what is read once in a process
    assert count(2) == count(12)
