"""Sessions: how long they live, what ends them, and that people see and end their own (threat S-16)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.contrib.sessions.backends.base import UpdateError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from oa.organisation.models import LoginSession, User
from oa.organisation.moves import leave
from oa.organisation.sessions import ADDRESS, AGENT, BEGAN, CONFIRMED, SEEN, device, handle_of
from tests import factories as make
from tests.oa.entering import PASSWORD, age, enter, give_password, is_in

pytestmark = pytest.mark.django_db

EDGE = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Safari/537.36 Edg/139.0"  # fmt: skip
AGENTS = {
    EDGE: "Edge on Windows",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0": "Firefox on Linux",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15": "Safari on macOS",
    "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/139.0 Mobile Safari/537.36": "Chrome on Android",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148 MicroMessenger/8.0.60": "WeChat on iPhone",
    "curl/8.5": "Unknown device",
    "": "Unknown device",
}  # fmt: skip


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", "sales")


def rows_on(page: Any) -> list[str]:
    """What the list of sessions says, one text a session."""
    listed = page.content.decode().partition("Where you are logged in")[2]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in listed.split('<div class="li two">')[1:]]


# ---- limits ----


@pytest.mark.parametrize(("minutes", "stays"), [(29, True), (31, False)])
def test_a_session_that_nobody_uses_ends(ann, minutes, stays):
    """S-16: after 30 minutes without use."""
    client = enter(ann)
    age(client, SEEN, minutes=minutes)
    assert is_in(client) is stays
    assert LoginSession.objects.filter(user=ann).exists() is stays, "what is over is deleted"


def test_use_keeps_it_and_polls_do_not(ann):
    """S-16: an open page that asks for its counters keeps nobody logged in."""
    client = enter(ann)
    age(client, SEEN, minutes=20)
    assert client.get("/ui/counters/").status_code == 200
    age(client, SEEN, minutes=9)
    assert is_in(client)
    age(client, SEEN, minutes=29)
    assert is_in(client), "the page before was use"
    age(client, SEEN, minutes=29)
    client.get("/ui/counters/")
    age(client, SEEN, minutes=2)
    assert not is_in(client)


@pytest.mark.parametrize(("hours", "stays"), [(11.9, True), (12.1, False)])
def test_a_session_ends_twelve_hours_after_the_login(ann, hours, stays):
    """S-16: however busy it is."""
    client = enter(ann)
    age(client, BEGAN, minutes=hours * 60)
    assert is_in(client) is stays


def test_the_limits_are_settings(ann, settings):
    """S-16: a till may ask for five minutes, a board room for a day."""
    settings.SESSION_IDLE_MINUTES, settings.SESSION_COOKIE_AGE = 5, 24 * 3600
    client = enter(ann)
    age(client, BEGAN, minutes=20 * 60)
    age(client, SEEN, minutes=4)
    assert is_in(client)
    age(client, SEEN, minutes=6)
    assert not is_in(client)


def test_a_session_without_the_stamps_of_a_login_is_nobody_s(ann):
    """S-16: what was written by other means than a login is over."""
    client = enter(ann)
    session = client.session
    del session[BEGAN]
    session.save()
    assert not is_in(client)


def test_a_session_is_written_once_a_minute_at_most(ann):
    """Pages do not write for the sake of the limit, and read nothing more than the person."""
    client = enter(ann)

    def statements() -> list[str]:
        with CaptureQueriesContext(connection) as asked:
            assert client.get("/access/end/").status_code == 405
        return [query["sql"] for query in asked if "oa_loginsession" in query["sql"]]

    assert [sql.partition(" ")[0] for sql in statements()] == ["SELECT"]
    age(client, SEEN, minutes=2)
    assert "UPDATE" in {sql.partition(" ")[0] for sql in statements()}
    assert [sql.partition(" ")[0] for sql in statements()] == ["SELECT"]


# ---- what ends them ----


def test_another_password_ends_all_other_sessions(ann):
    """S-16: here the key changes, elsewhere the next request is a stranger's."""
    here, elsewhere = enter(ann), enter(ann)
    before = here.cookies[settings.SESSION_COOKIE_NAME].value
    new = {"old_password": PASSWORD, "new_password1": "wire-horse-lamp-9", "new_password2": "wire-horse-lamp-9"}
    assert here.post("/password/", new).status_code == 302
    assert is_in(here) and not is_in(elsewhere)
    assert here.cookies[settings.SESSION_COOKIE_NAME].value != before
    assert LoginSession.objects.filter(user=ann).count() == 1


def test_who_leaves_is_out(ann):
    """S-16: at the next request, in every browser."""
    clients = [enter(ann), enter(ann)]
    leave(ann, by=make.make_user("boss"))
    assert [is_in(client) for client in clients] == [False, False]


def test_who_is_switched_off_or_deleted_is_out(ann):
    """S-16: and sessions go with the person."""
    ben = make.make_user("ben", "sales")
    first, second = enter(ann), enter(ben)
    User.objects.filter(pk=ann.pk).update(is_active=False)
    ben.delete()
    assert not is_in(first) and not is_in(second)
    assert not LoginSession.objects.filter(user=ben.pk).exists()


def test_fewer_roles_are_fewer_pages_at_once(ann):
    """S-16: stale rights on the next request, read and written."""
    client = enter(ann)
    assert client.get("/crm/customers/").status_code == 200
    ann.groups.set(Group.objects.filter(role__code="warehouse"))
    assert client.get("/crm/customers/new/").status_code == 403
    assert client.post("/crm/customers/new/", {"name": "X"}).status_code == 403
    ann.groups.clear()
    assert client.get("/crm/customers/").status_code == 403


def test_logging_out_clears_the_browser(ann):
    """S-16: in the back office, too; the session is deleted, its key opens nothing."""
    for path in ("/logout/", "/backoffice/logout/"):
        client = enter(ann)
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        answer = client.post(path)
        assert answer.headers["Clear-Site-Data"] == '"cache"' and not LoginSession.objects.filter(pk=key).exists()
        client.cookies[settings.SESSION_COOKIE_NAME] = key
        assert not is_in(client)


# ---- seeing and ending them ----


def test_a_person_sees_where_they_are_logged_in(ann):
    """UX 3.4: device in words, address, since when, last seen; this one first; nobody else's."""
    enter(make.make_user("ben", "sales"), headers={"User-Agent": "Opera OPR/1"}, REMOTE_ADDR="192.0.2.66")
    enter(ann, headers={"User-Agent": EDGE}, REMOTE_ADDR="192.0.2.7")
    here = enter(ann)
    rows = rows_on(here.get("/access/"))
    assert len(rows) == 2 and "this one" in rows[0] and "this one" not in rows[1]
    assert "Edge on Windows" in rows[1] and "192.0.2.7" in rows[1] and "since" in rows[1] and "last seen" in rows[1]
    keys = LoginSession.objects.values_list("pk", flat=True)
    assert not any(key in here.get("/access/").content.decode() for key in keys), "keys are secrets"


@pytest.mark.parametrize("agent", AGENTS)
def test_devices_are_told_in_words(agent):
    """UX 3.4."""
    assert device(agent) == AGENTS[agent]


def test_dead_sessions_are_not_listed(ann):
    """S-16: neither those over a limit nor those of an earlier password."""
    here, old, idle = enter(ann), enter(ann), enter(ann)
    age(idle, SEEN, minutes=31)
    session = old.session
    session["_auth_user_hash"] = "of an earlier password"
    session.save()
    assert len(rows_on(here.get("/access/"))) == 1


def test_a_person_ends_one_session_or_all_others(ann):
    """S-16: the ended browser is out at its next request; this one stays."""
    here, phone, home = enter(ann), enter(ann), enter(ann)
    page = here.get("/access/").content.decode()
    handles = re.findall(r'name="session" value="(\w+)"', page)
    assert len(handles) == 2
    here.post("/access/end/", {"session": handles[0]})
    assert sorted(map(is_in, (phone, home))) == [False, True] and is_in(here)
    here.post("/access/end/")
    assert not is_in(phone) and not is_in(home) and is_in(here)


def test_nobody_ends_the_session_of_somebody_else(ann):
    """S-02: with the handle of theirs, which one cannot even know."""

    other = enter(make.make_user("ben", "sales"))
    key = other.cookies[settings.SESSION_COOKIE_NAME].value
    enter(ann).post("/access/end/", {"session": handle_of(key)})
    assert is_in(other)


def test_an_ended_session_does_not_come_back(ann):
    """S-16: a request that was on its way when its session was ended does not write it anew."""

    client = enter(ann)
    session = client.session
    session[SEEN] += 1  # read by then
    LoginSession.objects.filter(user=ann).delete()
    with pytest.raises(UpdateError):
        session.save()
    assert not LoginSession.objects.filter(user=ann).exists()


def test_a_stranger_has_no_row_with_a_name(ann):
    """The columns of the table are those of the login."""
    client = Client()
    give_password(client, "ann")
    row = LoginSession.objects.get()
    data = row.get_decoded()
    assert (row.user_id, row.address, row.agent) == (ann.pk, data[ADDRESS], data[AGENT])
    assert row.began.timestamp() == data[BEGAN] and row.seen.timestamp() == data[SEEN] == data[CONFIRMED]
