"""In a large office a page costs what it shows: as many statements as in a small one, found by indexes, no clock."""

from __future__ import annotations

import io
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count
from django.test import Client
from django.test.utils import CaptureQueriesContext

from erp.setup.demo.requests import TABLES, file_requests
from erp.setup.demo.world import World
from oa.announcements.models import Announcement, AnnouncementReceipt
from oa.announcements.resources import readers_url
from oa.approvals.models import ApprovalRequest, ApprovalTask
from oa.organisation.models import User
from oa.records.models import Notification
from tests.clocks import THAT_DAY, moved_database
from tests.oa.announcing import published
from tests.plans import Large, Undo

STAFF, REQUESTS, RECEIPTS = 60, 4_000, 3_000
TOUCHED = 1_200  # rows of a large table that one statement may look at: a box holds 200, its people have some hundreds
LARGE = Large({model._meta.db_table for model in (*TABLES, AnnouncementReceipt, Notification)}, TOUCHED)
PAGES = ("/", "/?cards=all", "/ui/counters/", "/todo/", "/todo/?tab=sent", "/todo/?tab=copied", "/todo/?tab=done")
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("company")]


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demo with a large office, made once for all tests of this module; the server knows its tables."""
    with django_db_blocker.unblock():
        try:
            with transaction.atomic(), moved_database() as set_to:
                set_to(THAT_DAY)
                sizes = {"staff": STAFF, "requests": REQUESTS, "receipts": RECEIPTS}
                call_command("demo", orders=30, seed=1, stdout=io.StringIO(), **sizes)
                with connection.cursor() as cursor:
                    cursor.execute(f"ANALYZE {', '.join(LARGE.tables)}")
                yield
                raise Undo
        except Undo:
            pass


def client_of(user: User) -> Client:
    """Somebody at the desk."""
    client = Client()
    client.force_login(user)
    return client


def busy() -> dict[str, User]:
    """Whom these pages cost most: the head with most open tasks, who applied most, finance, and who gets the copies."""
    heads = ApprovalTask.objects.filter(state="running", user__groups__role__code="department-head")
    head = heads.values("user").annotate(n=Count("pk")).order_by("-n", "user")[0]
    asking = ApprovalRequest.objects.values("applicant").annotate(n=Count("pk")).order_by("-n", "applicant")[0]
    assert head["n"] > 10 and asking["n"] > 50
    named = {name: User.objects.get(username=name) for name in ("chief", "hr", "admin")}
    return {"head": User.objects.get(pk=head["user"]), "employee": User.objects.get(pk=asking["applicant"]), **named}


def test_the_tables_are_large_enough_to_tell() -> None:
    assert ApprovalRequest.objects.count() == REQUESTS > 3 * TOUCHED
    assert AnnouncementReceipt.objects.count() >= RECEIPTS > 2 * TOUCHED


@pytest.mark.parametrize("who", ["head", "employee", "chief", "hr", "admin"])
def test_boxes_counters_and_desk_are_found_by_indexes(who: str) -> None:
    """Figures of the office: whoever looks, no page of the inbox looks at more than it shows."""
    client = client_of(busy()[who])
    for url in PAGES:
        LARGE.assert_found_by_index(client, url)


def test_who_has_read_an_announcement_is_found_by_indexes() -> None:
    """N-03: present, unread and read ones, page by page, of one announcement out of many."""
    client, news = client_of(User.objects.get(username="hr")), Announcement.objects.order_by("-recipients", "pk")[0]
    for view in ("current", "unread", "read"):
        for page in ("", "&page=2"):
            LARGE.assert_found_by_index(client, readers_url(news, view) + page)


def test_a_request_is_seen_without_looking_at_all_others() -> None:
    """The page of a request, of somebody who has to do with thousands of others."""
    chief = busy()["chief"]
    seen = ApprovalTask.objects.filter(user=chief).order_by("-pk")[0]
    LARGE.assert_found_by_index(client_of(chief), f"/approvals/requests/{seen.request_id}/")


def test_the_plan_of_a_question_that_looks_at_everything_is_noticed() -> None:
    """The other way round: what has no index is found out."""
    looked = list(LARGE.scans("SELECT count(*) FROM oa_approvalrequest WHERE reason = 'x'"))
    assert looked and all(how == "Seq Scan" or rows > TOUCHED for _table, how, rows in looked)


def counted(client: Client, url: str) -> int:
    """How many statements a page takes, the second time: some tables are read once by a process."""
    client.get(url)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(url).status_code == 200
    return len(queries)


@pytest.mark.parametrize("who", ["head", "employee", "chief", "hr"])
def test_statements_of_the_inbox_do_not_grow_with_its_rows(who: str) -> None:
    """X-12: a thousand requests more, the same statements; one and the same request stands beside the list."""
    user = busy()[who]
    client = client_of(user)
    shown = ApprovalRequest.objects.visible_to(user).filter(state="approved").order_by("pk")[0]
    pages = [f"/todo/?tab={tab}&open=/approvals/requests/{shown.pk}/" for tab in ("me", "sent", "copied", "done")]
    few = [counted(client, url) for url in pages]
    world = World(Random(3), 30)
    world.people = {person.username: person for person in User.objects.filter(groups__role__isnull=False)}
    file_requests(world, REQUESTS + 1_000, lambda line: None)
    assert [counted(client, url) for url in pages] == few


def test_statements_of_the_receipts_do_not_grow_with_them() -> None:
    """N-03: an announcement for half of the people and one for all."""
    hr = User.objects.get(username="hr")
    half = published(hr, to_people=User.objects.order_by("pk")[: STAFF // 2])
    everybody = published(hr, to_everyone=True)
    assert (half.recipients, everybody.recipients) == (STAFF // 2, STAFF)
    client = client_of(hr)
    for view in ("current", "unread"):
        assert counted(client, readers_url(half, view)) == counted(client, readers_url(everybody, view))
