"""The numbers beside the menu: asked with every page, counted once a minute (UX 9), and anew when they change."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oa.records.models import Notification
from oa.records.notifications import mark_read, notify
from tests import factories as make
from tests.oa.office import make_task
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def a_minute(settings: Any) -> None:
    settings.COUNTERS_SECONDS = 60


def test_counters_are_kept_for_a_minute() -> None:
    """UX 9: the second question takes what the request itself takes, session and user, and no more."""
    client = client_of(make.make_user("ann", "sales"))
    first = client.get("/ui/counters/").json()
    with CaptureQueriesContext(connection) as queries:
        assert client.get("/ui/counters/").json() == first
    assert len(queries) <= 4, [query["sql"][:80] for query in queries.captured_queries]


def test_who_is_told_something_sees_it_at_once() -> None:
    """UX 4.5: a message counts when it comes, and not any more when it is read."""
    ann, bob = make.make_user("ann", "sales"), make.make_user("bob", "sales")
    asking, other = client_of(ann), client_of(bob)
    assert [client.get("/ui/counters/").json()["unread"] for client in (asking, other)] == [0, 0]
    notify([ann], "Look here")
    assert [client.get("/ui/counters/").json()["unread"] for client in (asking, other)] == [1, 0]
    mark_read(ann)
    assert asking.get("/ui/counters/").json()["unread"] == 0


def test_what_one_does_oneself_is_counted_at_once() -> None:
    """UX 6.12: the number falls with the row that is done; what comes silently is seen a minute later at the latest."""
    ann = make.make_user("ann", "sales")
    client = client_of(ann)
    assert client.get("/ui/counters/").json()["todo"] == 0
    make_task(ann, title="Count the store")
    Notification.objects.all().delete()
    before = client.get("/ui/counters/").json()["todo"]
    client.post("/notifications/")
    assert (before, client.get("/ui/counters/").json()["todo"]) == (0, 1)
