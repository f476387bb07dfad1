"""S-18, S-19: forms of other sites, other verbs, other hosts, and addresses that would lead away."""

from __future__ import annotations

import uuid
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from django.db import transaction
from django.test import Client

from tests.oa.world import client_of
from tests.security.addresses import NOBODYS_ID, addresses, handler403, handler404
from tests.security.asking import Asking
from tests.security.company import NOBODYS, Company

__all__ = ["handler403", "handler404"]
pytestmark = [pytest.mark.slow]

AWAY = (
    "//evil.example", "https://evil.example/", "https:evil.example", "\\\\evil.example", "/\\evil.example",
    "///evil.example", "javascript:alert(1)", "%0d%0aLocation: https://evil.example", "http:///evil.example",
    "https://testserver@evil.example/", "/%09/evil.example", "\thttps://evil.example",
)  # fmt: skip

OPEN = ("/login/", "/ui/language/", "/ui/preferences/", "/logout/", "/backoffice/login/")


def every_address() -> list[str]:
    """Each address once, with nobody's key in it."""
    return [a.filled(str(NOBODYS), NOBODYS_ID)[0] for a in addresses()]


def test_no_form_is_taken_without_a_token(c: Company) -> None:
    """S-18: 403 at every address, for who is logged in and for who is not."""
    inside, outside = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    inside.force_login(c.boss, backend="oa.organisation.auth.NameOrMailBackend")
    taken = {
        (url, answer.status_code)
        for url in every_address()
        for client in ((inside, outside) if url in OPEN else (inside,))
        if (answer := client.post(url, {"x": "1"}, headers={"hx-request": "true"})).status_code != 403
    }
    assert taken == set()


def test_the_token_of_somebody_else_is_not_taken(c: Company) -> None:
    """S-18: a token without its cookie, and one of another browser."""
    client = Client(enforce_csrf_checks=True)
    client.force_login(c.boss, backend="oa.organisation.auth.NameOrMailBackend")
    other = Client(enforce_csrf_checks=True)
    other.get("/login/")
    token = other.cookies["csrftoken"].value
    for given in (token, "x" * 64, ""):
        answer = client.post(
            "/ui/preferences/", {"theme": "dark", "csrfmiddlewaretoken": given}, headers={"hx-request": "true"}
        )
        assert answer.status_code == 403
    c.boss.refresh_from_db()
    assert c.boss.theme != "dark"


@pytest.mark.parametrize("verb", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"])
def test_verbs_that_nobody_needs_are_refused_everywhere(verb: str, c: Company) -> None:
    """S-01: 405 before anything is read, at every address."""
    client = client_of(c.boss)
    assert {client.generic(verb, url).status_code for url in every_address()} == {405}


def test_no_page_leads_away(c: Company) -> None:
    """S-19: whatever is given as the address to go to next, at every page that is nobody's resource."""
    inside, outside, away = Asking(c.boss), Asking(None), []
    pages = [a.filled(str(NOBODYS), NOBODYS_ID)[0] for a in addresses() if a.resource is None and a.admin is None]
    for url in pages:
        for asking in (inside, outside) if url in OPEN else (inside,):
            for target in AWAY if url in OPEN else AWAY[:1]:
                names = dict.fromkeys(("next", "url", "to", "back", "return", "redirect", "language"), target)
                names["language"] = "en"
                answers = [asking.ask("post", url, names, referer=target.strip("\t"))]
                answers.append(
                    asking.ask("get", f"{url}?next={quote(target)}&url={quote(target)}&back={quote(target)}")
                )
                away += [(url, target, a.where) for a in answers if _leads_away(a.where)]
    assert away == []


def _leads_away(where: str) -> bool:
    parts = urlsplit(where)
    return bool(parts.netloc or parts.scheme or where.startswith(("//", "\\", "/\\")))


def test_a_login_leads_to_this_site_only(c: Company) -> None:
    """S-19: the address after a login, and the form that waits for it."""
    c.boss.set_password("kingfisher-77-river")
    c.boss.save()
    for target in AWAY:
        with transaction.atomic():
            given = {"username": c.boss.username, "password": "kingfisher-77-river", "next": target}
            answer = Client().post("/login/", given)
            assert answer.status_code == 302 and not _leads_away(answer["Location"]), target
            transaction.set_rollback(True)
        kept = f'{{"path": {target!r}, "files": false, "fields": [["a", "b"]]}}'.replace("'", '"')
        answer = Client().post("/login/", {"username": "x", "password": "x", "kept": kept})
        assert "evil.example" not in answer.content.decode() or 'action="https://evil' not in answer.content.decode()


@pytest.mark.parametrize("kept", ['{"path": "//evil", "files": false, "fields": []}', "[1]", "{}", "\0", "null", "[[["])
def test_a_kept_form_that_is_none_does_no_harm(kept: str, c: Company) -> None:
    """S-22: what stands in the hidden field of the login came from outside."""
    client = Client(raise_request_exception=False)
    answer = client.post("/login/", {"username": "x", "password": "x", "kept": kept, "submit_id": str(uuid.uuid4())})
    assert answer.status_code in (200, 400)


@pytest.mark.parametrize(
    "host", ["evil.example", "testserver@evil.example", "testserver:80@evil", "evil.example:443", "testserver\r\nX: y"]
)
def test_a_foreign_host_is_refused(host: str, settings: Any, c: Company) -> None:
    """S-19: no page is made for a host that is not ours, so no address in a mail or a page can be of one."""
    settings.ALLOWED_HOSTS = ["testserver"]
    for url in ("/login/", "/", "/healthz"):
        assert Client(raise_request_exception=False).get(url, headers={"host": host}).status_code == 400
