"""Proving once more who one is before rights, second factors and the bank account are changed (threat S-17)."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from django.test import Client
from django.urls import NoReverseMatch, reverse

from oa.organisation.factors import has_factor
from oa.organisation.guarding import ASKED, ASKED_NAMED, ASKED_OF_GIVERS, OPEN
from oa.organisation.models import CompanyProfile, Role, User
from oa.organisation.sessions import CONFIRMED
from tests import factories as make
from tests.oa.entering import PASSWORD, age, code_at, enter, forget_last_code, with_factor

pytestmark = pytest.mark.django_db

# Pages that change rights, second factors or the bank account, as a browser asks for them.
PAGES = [
    "/org/roles/new/", "/org/roles/sales/edit/", "/org/people/new/", "/org/people/ann/edit/", "/org/duties/new/",
    "/settings/company/1/edit/", "/access/second-factor/", "/backoffice/oa/user/add/",
    "/backoffice/oa/companyprofile/1/change/",
]  # fmt: skip


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", "sales")


@pytest.fixture
def admin(ann: User) -> User:
    return make.make_user("admin", is_staff=True)


def stale(user: User, secret: str = "", minutes: float = 16) -> Client:
    """A browser whose password was entered so many minutes ago."""
    client = enter(user, secret)
    age(client, CONFIRMED, minutes=minutes)
    return client


def hidden(page: Any, action: str = "/confirm/") -> dict[str, str]:
    """What the form that leads to `action` carries."""
    [form] = re.findall(rf'<form method="post" action="{action}">(.*?)</form>', page.content.decode(), re.DOTALL)
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', form)
    return {name: unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


@pytest.mark.parametrize("path", PAGES)
def test_it_is_asked_before_the_form_is_shown(admin, path):
    """S-17: after 15 minutes the form comes behind the password; before, it comes at once."""
    client = stale(admin)
    answer = client.get(path)
    assert answer.status_code == 302 and answer["Location"].startswith("/confirm/?next=")
    page = client.get(answer["Location"])
    assert hidden(page)["next"] == path and 'autocomplete="current-password"' in page.content.decode()
    wrong = client.post("/confirm/", {"password": "wrong", "next": path})
    assert wrong.status_code == 200 and hidden(wrong)["next"] == path and client.get(path).status_code == 302
    assert client.post("/confirm/", {"password": PASSWORD, "next": path})["Location"] == path
    assert client.get(path).status_code == 200
    assert stale(admin, minutes=14).get(path).status_code == 200


def test_what_was_typed_is_kept_and_sent_again(admin):
    """S-17: a form that was open too long is not lost: nothing is stored, then one press stores it."""
    client = stale(admin)
    typed = {"code": "clerk", "name": "Clerk “A”", "name_zh": "文员", "scope": "own"}
    page = client.post("/org/roles/new/", typed)
    assert page.status_code == 403 and not Role.objects.filter(code="clerk").exists()
    page = client.post("/confirm/", {**hidden(page), "password": "wrong"})
    page = client.post("/confirm/", {**hidden(page), "password": PASSWORD})
    assert page.status_code == 200 and hidden(page, "/org/roles/new/") == typed
    assert client.post("/org/roles/new/", hidden(page, "/org/roles/new/")).status_code == 302
    assert Role.objects.get(code="clerk").group.name == typed["name"]


def test_the_bank_account_is_not_changed_by_who_finds_an_open_page(admin):
    """S-17: neither by the page nor by the back office."""
    client = stale(admin)
    before = CompanyProfile.current().bank_account
    for path in ("/settings/company/1/edit/", "/backoffice/oa/companyprofile/1/change/"):
        assert client.post(path, {"name": "X", "bank_account": "1"}).status_code == 403
    assert CompanyProfile.current().bank_account == before


def test_a_second_factor_is_asked_where_there_is_one(admin):
    """S-17: the code instead of the password; recovery codes count; replayed ones do not."""
    secret, codes = with_factor(admin)
    client = stale(admin, secret)
    page = client.get("/confirm/?next=/org/roles/new/").content.decode()
    assert 'autocomplete="one-time-code"' in page and 'name="password"' not in page
    assert client.post("/confirm/", {"password": PASSWORD, "next": "/org/roles/new/"}).status_code == 200
    assert client.post("/confirm/", {"code": code_at(secret), "next": "/org/roles/new/"}).status_code == 200, "replayed"
    assert client.get("/org/roles/new/").status_code == 302
    forget_last_code(admin)
    assert client.post("/confirm/", {"code": code_at(secret), "next": "/org/roles/new/"}).status_code == 302
    assert client.get("/org/roles/new/").status_code == 200
    age(client, CONFIRMED, minutes=16)
    assert client.post("/confirm/", {"code": codes[0], "next": "/"}).status_code == 302


def test_one_s_own_second_factor_is_not_changed_without_it(ann):
    """S-17: set up anew, new recovery codes, switched off."""
    secret, _codes = with_factor(ann)
    client = stale(ann, secret)
    for path in ("/access/second-factor/", "/access/second-factor/codes/", "/access/second-factor/off/"):
        assert client.post(path).status_code == 403, path
    assert has_factor(ann)


def test_somebody_else_s_second_factor_is_not_reset_without_it(ann):
    """S-17: by a plain page, and by a page with scripts, which is led there."""
    with_factor(ann)
    client = stale(make.make_user("hr", "hr"))
    path = "/org/people/ann/do/reset-second-factor/"
    page = client.post(path, {"submit_id": "0b0e7a4e-5f0f-4a8e-9f6e-000000000001"})
    assert page.status_code == 403 and has_factor(ann)
    assert client.post(path, headers={"HX-Request": "true"}).headers["HX-Redirect"].startswith("/confirm/?next=")
    again = client.post("/confirm/", {**hidden(page), "password": PASSWORD})
    assert client.post(path, hidden(again, path)).status_code == 302 and not has_factor(ann)


def test_who_gives_no_roles_is_not_asked_for_people(ann):
    """Human resources edit telephone numbers all day; the field of the roles is shut for them."""
    assert stale(make.make_user("hr", "hr")).get("/org/people/ann/edit/").status_code == 200


def test_other_pages_ask_nothing(admin):
    """One password a morning is enough for work."""
    client = stale(admin)
    for path in ("/", "/org/roles/", "/org/roles/sales/", "/org/people/ann/", "/access/", "/crm/customers/new/"):
        assert client.get(path).status_code == 200, path


@pytest.mark.usefixtures("axes")
@pytest.mark.parametrize("factor", [False, True])
def test_guessing_here_is_locked_like_the_login(admin, factor):
    """S-15: a stolen session is no way around the limit."""
    secret = with_factor(admin)[0] if factor else ""
    client = stale(admin, secret)
    guess = {"password": "wrong", "code": "12", "next": "/"}
    answers = [client.post("/confirm/", guess).status_code for _n in range(12)]
    assert answers.index(429) < 10
    assert client.post("/confirm/", {"password": PASSWORD, "next": "/"}).status_code == 429
    assert client.get("/org/roles/new/").status_code == 302


def test_a_stranger_gets_no_such_page():
    """S-01: asking again is for who is logged in."""
    assert Client().get("/confirm/")["Location"].startswith("/login/")


def test_the_table_names_pages_that_there_are():
    """A page that is renamed does not fall out of the table unseen."""

    def there(name: str) -> bool:
        for arguments in ([], ["x"], ["1"], ["x", "x"]):
            try:
                return bool(reverse(name, args=arguments))
            except NoReverseMatch:
                continue
        return False

    names = [*ASKED, *ASKED_OF_GIVERS, *OPEN, *(name for name, _what in ASKED_NAMED)]
    assert [name for name in names if not there(name)] == []
