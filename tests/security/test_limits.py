"""S-26, ASVS 2.4.1: how much one person may ask for in a minute and at the same time; counted in the real Valkey."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from typing import Any

import pytest
from django.core.cache import cache, caches
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.signals import request_finished
from django.db import close_old_connections, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from redis.connection import AbstractConnection

from config.caches import ForgivingCache
from config.limits import LONGEST, MINUTE, names
from erp.inventory.models import Unit
from oa.organisation.models import User
from oa.records.models import Attachment
from tests import factories as make
from tests.oa.world import client_of

pytestmark = [pytest.mark.django_db]

PAGE, SCRIPT = "/reports/", {"HX-Request": "true"}
UNIT = {"code": "roll", "name": '<b>"Roll"</b>', "name_zh": "卷", "decimals": "2", "active": "on"}


@pytest.fixture
def often(settings: Any) -> None:
    """Three requests a minute."""
    settings.REQUESTS_PER_MINUTE = 3


@pytest.fixture
def at_once(settings: Any) -> None:
    """Two requests at the same time."""
    settings.REQUESTS_AT_ONCE = 2


@pytest.fixture
def eve() -> User:
    """Somebody who asks for much."""
    return make.make_user("eve", name="Eve")


def valkey() -> Any:
    """The server that counts."""
    return cache._cache.get_client(write=True)  # type: ignore[attr-defined]


def kept(user: User, *, polled: bool = False) -> tuple[str, str]:
    """The keys there of what a person asked for, and of what runs."""
    asked, running = (cache.make_key(name) for name in names(user, polled=polled))
    return asked, running


def exhausted(user: User) -> Client:
    """A browser of somebody who has asked for as much as is allowed in this minute."""
    client = client_of(user)
    *answered, last = [client.get(PAGE).status_code for _ in range(4)]
    assert {*answered} <= {200, 429} and last == 429
    return client


# ---- in a minute ----


def test_what_is_beyond_the_number_of_a_minute_waits_for_the_next_one(often: None, eve: User) -> None:
    """The fourth request of a person is refused until the minute is over, from wherever it comes; others go on."""
    client, bob = client_of(eve), client_of(make.make_user("bob"))
    assert [client.get(PAGE).status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client_of(eve).get(PAGE)  # another browser of hers
    assert answer.status_code == 429 and 1 <= int(answer.headers["Retry-After"]) <= MINUTE
    assert answer.headers["Cache-Control"] == "no-store"
    assert bob.get(PAGE).status_code == 200
    asked, _running = kept(eve)
    assert 0 < valkey().ttl(asked) <= MINUTE, "the minute ends by itself, and refusals do not prolong it"
    valkey().expire(asked, 0)  # as its end does
    assert client.get(PAGE).status_code == 200


def test_no_minute_begins_before_the_last_one_is_over(often: None, eve: User) -> None:
    """Asking again and again neither ends nor prolongs it."""
    client = exhausted(eve)
    asked, _running = kept(eve)
    valkey().expire(asked, 7)
    assert [client.get(PAGE).headers["Retry-After"] for _ in range(3)] == ["7"] * 3


def test_only_people_are_counted_and_only_for_work(often: None, eve: User) -> None:
    """Static files, /healthz and who is not logged in have no number."""
    client, nobody = exhausted(eve), Client()
    for path in ("/healthz", "/static/css/app.css", "/favicon.ico"):
        assert {client.get(path).status_code for _ in range(5)} <= {200, 302}, path
    assert {nobody.get("/login/").status_code for _ in range(5)} == {200}


def test_what_pages_ask_by_themselves_takes_nothing_away(often: None, eve: User) -> None:
    """The counters beside the menu of many open pages lock nobody out of work, and work does not stop them."""
    client = client_of(eve)
    assert [client.get("/ui/counters/", headers=SCRIPT).status_code for _ in range(4)] == [200, 200, 200, 429]
    assert client.get(PAGE).status_code == 200
    other = exhausted(make.make_user("bob"))
    assert other.get("/ui/counters/", headers=SCRIPT).status_code == 200


# ---- at the same time ----


def hold(user: User, *ages: int, polled: bool = False) -> None:
    """Requests of a person that began so many seconds ago, as processes hold them."""
    now = valkey().time()[0]
    valkey().zadd(kept(user, polled=polled)[1], {f"mark{number}": now - age for number, age in enumerate(ages)})


def held(user: User) -> int:
    """How many requests of a person are running."""
    return int(valkey().zcard(kept(user)[1]))


def test_what_is_beyond_the_number_at_once_is_refused(at_once: None, eve: User) -> None:
    """With two requests running the third is refused; with one it is answered. Other people are not touched."""
    client, bob = client_of(eve), client_of(make.make_user("bob"))
    hold(eve, 0, 0)
    answer = client.get(PAGE)
    assert answer.status_code == 429 and answer.headers["Retry-After"] == "2"
    assert bob.get(PAGE).status_code == 200 and held(eve) == 2
    valkey().zrem(kept(eve)[1], "mark1")
    assert client.get(PAGE).status_code == 200


def test_what_pages_ask_by_themselves_takes_no_place(at_once: None, eve: User) -> None:
    """Two polls that run leave both places to work, and work does not stop them; a third poll waits for the next time."""
    client = client_of(eve)
    hold(eve, 0, 0, polled=True)
    assert client.get(PAGE).status_code == 200
    assert client.get("/ui/counters/", headers=SCRIPT).status_code == 429
    valkey().delete(kept(eve, polled=True)[1])
    hold(eve, 0, 0)
    assert client.get("/ui/counters/", headers=SCRIPT).status_code == 200


def test_a_killed_process_leaves_nobody_counted_for_ever(at_once: None, eve: User) -> None:
    """F-08: what began too long ago counts no more, however busy the person is meanwhile, and is forgotten then."""
    client = client_of(eve)
    hold(eve, LONGEST + 1, LONGEST + 1)
    assert client.get(PAGE).status_code == 200 and held(eve) == 0
    hold(eve, LONGEST + 1, LONGEST - 30)
    assert client.get(PAGE).status_code == 200 and held(eve) == 1
    assert 0 < valkey().ttl(kept(eve)[1]) <= LONGEST


def test_every_end_of_a_request_is_one(at_once: None, eve: User, monkeypatch: Any) -> None:
    """A page, one that is not there, one that leads away, one that fails: afterwards nothing runs."""
    client = client_of(eve)
    client.raise_request_exception = False
    assert [client.get(path).status_code for path in (PAGE, "/nothing/", "/reports")] == [200, 404, 301]
    monkeypatch.setattr(User, "has_perm", lambda *args: 1 / 0)
    assert client.get("/crm/customers/").status_code == 500
    assert held(eve) == 0


def test_a_download_runs_until_it_is_sent(at_once: None, eve: User) -> None:
    """A file on its way holds its thread longer than its view takes."""
    customer = make.make_customer("Blue Mill")
    client = client_of(eve)
    client.post(f"/records/customer/{customer.code}/attach/", {"files": SimpleUploadedFile("a.txt", b"plain")})
    path = f"/files/{Attachment.objects.get().key}/"
    first, second = client.get(path), client.get(path)
    assert first.streaming and held(eve) == 2 and client.get(PAGE).status_code == 429
    assert b"".join(first.streaming_content) == b"plain"
    request_finished.disconnect(close_old_connections)  # of this test
    second.close()  # the browser went away
    request_finished.connect(close_old_connections)
    assert held(eve) == 0 and client.get(PAGE).status_code == 200


# ---- what a refusal is ----


def test_a_refusal_speaks_the_language_of_the_person(often: None) -> None:
    """UX 5.3: words, the time to wait, and a way on; without a statement beyond who it is."""
    for language, words in (("en", "Too many requests at once."), ("zh-hans", "请求过多。")):
        client = exhausted(make.make_user(language=language))
        with CaptureQueriesContext(
            connection,
        ) as statements:
            answer = client.get(PAGE)
        assert words in answer.content.decode() and len(statements) == 2, "session and person"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]


def hidden(page: str) -> dict[str, str]:
    """What the hidden fields of a page hold."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)">', page)
    return {name: unescape(value) for name, value in found}


def test_nothing_typed_is_lost(often: None, eve: User) -> None:
    """A form that was refused stands in the refusal; sent from there it has its effect, once."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(eve, backend="oa.organisation.auth.NameOrMailBackend")
    form = client.get("/stock/units/new/").content.decode()
    exhausted(eve)
    data = hidden(form) | UNIT | {"old_password": "secret-4711"}
    answer = client.post("/stock/units/new/", data)
    del data["old_password"]
    page = answer.content.decode()
    assert answer.status_code == 429 and not Unit.objects.filter(code="roll")
    assert hidden(page).items() >= data.items() and "secret-4711" not in page
    assert 'action="/stock/units/new/"' in page
    valkey().expire(kept(eve)[0], 0)
    for _press in range(2):
        assert client.post("/stock/units/new/", hidden(page)).status_code == 302
    assert [unit.name for unit in Unit.objects.filter(code="roll")] == [UNIT["name"]]


def test_a_refusal_gives_no_token_to_a_form_of_another_site(often: None, eve: User) -> None:
    """S-18: the form comes back with the token it came with; what had none is refused from there, too."""
    exhausted(eve)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(eve, backend="oa.organisation.auth.NameOrMailBackend")
    page = strict.post("/stock/units/new/", {**UNIT, "csrfmiddlewaretoken": "x" * 64}).content.decode()
    assert hidden(page)["csrfmiddlewaretoken"] == "x" * 64
    valkey().expire(kept(eve)[0], 0)
    assert strict.post("/stock/units/new/", hidden(page)).status_code == 403


def test_scripts_are_refused_without_a_page(often: None, eve: User) -> None:
    """UX 5.3: nothing that htmx could put into the page; it stays as it is. Nothing is written."""
    client = exhausted(eve)
    answer = client.post("/stock/units/new/", UNIT, headers=SCRIPT)
    assert (answer.status_code, answer.content) == (429, b"") and "Retry-After" in answer.headers
    assert not Unit.objects.filter(code="roll")


# ---- what it costs, and when it is not there ----


@pytest.fixture
def trips(monkeypatch: Any) -> list[bytes]:
    """What is sent to the server of the cache."""
    sent: list[bytes] = []
    send = AbstractConnection.send_packed_command

    def noted(self: Any, command: Any, *args: Any, **kwargs: Any) -> Any:
        sent.append(b"".join(command) if not isinstance(command, bytes) else command)
        return send(self, command, *args, **kwargs)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", noted)
    return sent


def test_it_costs_two_round_trips_and_no_statement(settings: Any, eve: User, trips: list[bytes]) -> None:
    """One before a request and one after it; a refusal takes one."""
    client = client_of(eve)
    client.get(PAGE)
    taken = []
    for limits in ((0, 0), (3, 2)):
        settings.REQUESTS_PER_MINUTE, settings.REQUESTS_AT_ONCE = limits
        trips.clear()
        with CaptureQueriesContext(connection) as statements:
            assert client.get(PAGE).status_code == 200
        taken.append((len(trips), len(statements)))
    assert taken[1] == (taken[0][0] + 2, taken[0][1])
    assert [client.get(PAGE).status_code for _ in range(3)] == [200, 200, 429]
    trips.clear()
    client.get(PAGE)
    assert len(trips) == 1


@pytest.fixture
def away() -> Iterator[None]:
    """The server of the cache is not there."""
    before, caches["default"] = caches["default"], ForgivingCache("redis://127.0.0.1:9", {})
    yield
    caches["default"] = before


@pytest.mark.usefixtures("often", "at_once", "away")
def test_without_its_server_everybody_is_let_in(eve: User, caplog: pytest.LogCaptureFixture) -> None:
    """F-11: pages and forms work, as many as somebody wants; the log tells it once."""
    client = client_of(eve)
    assert {client.get(PAGE).status_code for _ in range(9)} == {200}
    assert client.post("/ui/preferences/", {"theme": "dark"}).status_code == 302
    eve.refresh_from_db()
    assert eve.theme == "dark" and caplog.text.count("does not answer") == 1
