"""A password that somebody else has set is replaced before anything else (ASVS 6.4.1, threat S-16)."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from oa.organisation.models import Role, User
from tests import factories as make
from tests.oa.entering import secret_on
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

GIVEN, OWN = "heron-in-the-reeds", "kettle-on-the-stove"
PAGE = "/password/"


@pytest.fixture
def boss() -> Client:
    """Somebody who gives roles, in the back office."""
    return client_of(make.make_user("boss", is_staff=True))


def entered(name: str, password: str = GIVEN) -> Client:
    client = Client()
    assert client.post("/login/", {"username": name, "password": password}).status_code == 302
    return client


def chosen(client: Client, old: str = GIVEN, new: str = OWN) -> int:
    return client.post(PAGE, {"old_password": old, "new_password1": new, "new_password2": new}).status_code


def give(boss: Client, person: User) -> None:
    url = reverse("admin:auth_user_password_change", args=[person.pk])
    data = {"password1": GIVEN, "password2": GIVEN, "usable_password": "true"}
    assert boss.post(url, data).status_code == 302


def test_who_was_given_a_password_chooses_another_one_first(boss: Client) -> None:
    """Page, fragment and form lead to the page for it, until it has a password that only the person knows."""
    ann = make.make_user("ann", "sales")
    give(boss, ann)
    client = entered("ann")
    assert client.get("/crm/customers/")["Location"] == client.get("/")["Location"] == PAGE
    assert client.get("/crm/customers/", headers={"HX-Request": "true"})["HX-Redirect"] == PAGE
    assert client.post("/crm/customers/new/", {"name": "Red"})["Location"] == PAGE
    assert "Somebody else set your password." in client.get(PAGE).content.decode()
    assert chosen(client) == 302
    assert client.get("/crm/customers/").status_code == 200
    assert "Somebody else" not in client.get(PAGE).content.decode()
    assert entered("ann", OWN).get("/crm/customers/").status_code == 200


def test_the_given_one_is_not_kept(boss: Client) -> None:
    """The same password again is refused at its field."""
    ann = make.make_user("ann", "sales")
    give(boss, ann)
    client = entered("ann")
    assert chosen(client, new=GIVEN) == 200
    answer = client.post(PAGE, {"old_password": GIVEN, "new_password1": GIVEN, "new_password2": GIVEN})
    assert answer.context["form"].errors["new_password1"] == [
        "Choose another password than the one that you were given."
    ]
    assert client.get("/")["Location"] == PAGE


def test_a_person_made_in_the_back_office_does_so_too(boss: Client) -> None:
    """With a password; without one nobody logs in at all."""
    person = {"name": "Ann", "email": "", "usable_password": "true", "password1": GIVEN, "password2": GIVEN}
    assert boss.post(reverse("admin:oa_user_add"), {"username": "ann", **person}).status_code == 302
    assert entered("ann").get("/")["Location"] == PAGE
    closed = {"username": "bob", "name": "Bob", "email": "", "usable_password": "false"}
    assert boss.post(reverse("admin:oa_user_add"), closed).status_code == 302
    assert not User.objects.get(username="bob").password_given


def test_ones_own_password_is_changed_on_its_page(boss: Client) -> None:
    """Who sets passwords of others does not do so for oneself: there the old one is asked for."""
    me = User.objects.get(username="boss")
    assert boss.get(reverse("admin:auth_user_password_change", args=[me.pk]))["Location"] == PAGE


def test_a_second_factor_comes_after_the_password(boss: Client) -> None:
    """One after the other, each page open while it is the first thing to do."""
    ann = make.make_user("ann", "sales")
    give(boss, ann)
    Role.objects.filter(code="sales").update(second_factor=True)
    client = entered("ann")
    assert client.get("/access/second-factor/")["Location"] == PAGE
    assert chosen(client) == 302
    assert client.get("/")["Location"] == "/access/second-factor/"
    assert secret_on(client.get("/access/second-factor/"))
