"""Drill F-10: while the database is away people read that it comes back, and then everything goes on by itself."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import close_old_connections, connection
from django.test import Client

from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def web() -> Client:
    """A person who is logged in, with a browser that gets error pages instead of exceptions."""
    client = Client(raise_request_exception=False)
    client.force_login(make.make_user())
    return client


@pytest.fixture
def away() -> Iterator[Any]:
    """Functions that take the database away and bring it back: its address leads nowhere meanwhile."""
    host = connection.settings_dict["HOST"]

    def go(where: str) -> None:
        connection.close()
        connection.settings_dict["HOST"] = where

    yield lambda: go("/nonexistent"), lambda: go(host)
    go(host)


@pytest.mark.parametrize("path", ["/", "/login/", "/sales/orders/"])
def test_people_are_asked_to_come_back(path: str, web: Client, away: Any) -> None:
    """503 with the time to try again, no trace; after that the same session goes on."""
    leave, return_ = away
    assert web.get(path).status_code in (200, 302)
    leave()
    answer = web.get(path)
    assert answer.status_code == 503 and answer.headers["Retry-After"] == "10"
    assert "Back in a moment." in answer.content.decode() and "Traceback" not in answer.content.decode()
    return_()
    assert web.get(path).status_code in (200, 302)


def test_a_session_that_the_server_ended_is_not_noticed(web: Client) -> None:
    """`pg_terminate_backend`, as after a restart: the next request has a connection of its own."""
    for _round in range(20):
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            [pid] = cursor.fetchone()
        with connection._nodb_cursor() as other:  # type: ignore[attr-defined]
            other.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
        close_old_connections()  # what the server does before each request, and the test client does not
        assert web.get("/").status_code == 200


def test_other_failures_stay_errors(web: Client) -> None:
    """A statement that is wrong is our fault, not that of a moment."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_loginsession RENAME TO gone")
        try:
            assert web.get("/").status_code == 500
        finally:
            cursor.execute("ALTER TABLE gone RENAME TO oa_loginsession")
