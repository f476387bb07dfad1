"""Roles that require a second factor (threat S-17)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group
from django.urls import get_resolver

from oa.organisation.factors import accept_code, has_factor
from oa.organisation.models import Role, User
from tests import factories as make
from tests.oa.entering import code_at, enter, forget_last_code, is_in, secret_on, with_factor
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

SET_UP = "/access/second-factor/"


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", "sales")


def require(*codes: str) -> None:
    Role.objects.filter(code__in=codes).update(second_factor=True)


def every_address() -> list[str]:
    """An address for every pattern of the program, the back office included."""

    def walk(patterns: Any, before: str) -> Any:
        for pattern in patterns:
            route = before + str(pattern.pattern).lstrip("^")
            if hasattr(pattern, "url_patterns"):
                yield from walk(pattern.url_patterns, route)
            else:
                yield route

    found = set()
    for route in walk(get_resolver().url_patterns, ""):
        path = re.sub(r"<uuid:\w+>", "00000000-0000-4000-8000-000000000000", route)
        path = re.sub(r"<int:\w+>|<path:object_id>", "1", path)
        path = re.sub(r"\(\?P<app_label>[^)]*\)", "oa", re.sub(r"\(\?P<url>[^)]*\)\$?", "x", path))
        found.add("/" + re.sub(r"<(?:\w+:)?\w+>", "x", path).rstrip("$"))
    return sorted(found)


# Without any right, or with one of its own in the address; everything else is shut.
STAYS_OPEN = {
    "/login/", "/login/code/", "/confirm/", "/logout/", "/ui/language/", "/favicon.ico", "/healthz", SET_UP,
    "/access/keys/new/",
}  # fmt: skip


def test_an_administrator_without_a_second_factor_reaches_nothing():
    """S-17: 0 of all addresses, read and written, the back office and unknown ones too; only the way to set it up."""
    require("administrator")
    admin = make.make_user("admin", "administrator", is_staff=True)
    client = client_of(admin)
    reached, asked = [], 0
    for path in [*every_address(), "/no-such-page/", "/backoffice/no-such-page/"]:
        if path in STAYS_OPEN:
            continue
        for send in (client.get, client.post):
            asked += 1
            answer = send(path)
            if (answer.status_code, answer.headers.get("Location")) != (302, SET_UP):
                reached.append((path, answer.status_code))
    assert reached == [] and asked > 1500
    assert client.get("/", headers={"HX-Request": "true"}).headers["HX-Redirect"] == SET_UP
    page = client.get(SET_UP)
    assert page.status_code == 200 and "/org/people/" not in page.content.decode(), "nor does that page show anything"


def test_setting_it_up_opens_the_rest():
    """S-17: at once, in this browser; whoever holds no such role is not asked."""
    require("administrator")
    admin, ann = make.make_user("admin", "administrator"), make.make_user("ann", "sales")
    client = client_of(admin)
    secret = secret_on(client.get(SET_UP))
    assert client.post(SET_UP, {"code": code_at(secret)}).status_code == 200
    assert client.get("/org/roles/").status_code == 200 and is_in(client_of(ann))
    assert not is_in(client_of(admin)), "a session without the code is let in nowhere"


def test_it_counts_from_the_next_request_on():
    """S-16, S-17: a role that begins to require it, and a role that is given, narrow sessions at once."""
    ann = make.make_user("ann", "sales")
    client = client_of(ann)
    assert is_in(client)
    require("accountant")
    assert is_in(client)
    ann.groups.add(Group.objects.get(role__code="accountant"))
    assert client.get("/notifications/")["Location"] == SET_UP
    ann.groups.remove(Group.objects.get(role__code="accountant"))
    assert is_in(client)


def test_a_superuser_holds_every_role():
    """S-17: any role that requires two factors requires them of superusers."""
    client = client_of(make.make_user("root"))
    assert is_in(client)
    require("chief-accountant")
    assert client.get("/notifications/")["Location"] == SET_UP


def test_whoever_must_have_it_does_not_switch_it_off(ann):
    """S-17: set up anew, yes; given up, no. Others may."""
    secret, _codes = with_factor(ann)
    client = enter(ann, secret)
    require("sales")
    assert client.post("/access/second-factor/off/").status_code == 302 and has_factor(ann)
    assert "Switch off" not in client.get("/access/").content.decode()
    forget_last_code(ann)
    other = secret_on(client.get(SET_UP))
    assert client.post(SET_UP, {"code": code_at(other)}).status_code == 200
    assert not accept_code(ann, code_at(secret, 1)) and accept_code(ann, code_at(other, 1))
    Role.objects.update(second_factor=False)
    assert client.post("/access/second-factor/off/").status_code == 302 and not has_factor(ann) and is_in(client)


def test_setting_up_and_giving_up_end_the_other_sessions(ann):
    """S-16, S-17: a browser that came in by the password alone is out."""
    here, elsewhere = enter(ann), enter(ann)
    secret = secret_on(here.get(SET_UP))
    here.post(SET_UP, {"code": code_at(secret)})
    assert is_in(here) and not is_in(elsewhere)
    forget_last_code(ann)
    elsewhere = enter(ann, secret)
    here.post("/access/second-factor/off/")
    assert is_in(here) and not is_in(elsewhere)


def test_the_role_editor_has_the_switch():
    """S-17: off as shipped; kept in history; told in the list."""
    assert not Role.objects.filter(second_factor=True).exists()
    client = enter(make.make_user("admin", "administrator"))
    role = Role.objects.select_related("group").get(code="accountant")
    rights = list(role.group.permissions.values_list("pk", flat=True))
    data = {"name": role.group.name, "name_zh": role.name_zh, "scope": role.scope, "version": role.version,
            "rights": rights, "second_factor": "on"}  # fmt: skip
    assert client.post("/org/roles/accountant/edit/", data).status_code == 302
    assert Role.objects.get(code="accountant").second_factor
    assert apps.get_model("oa", "RoleHistory").objects.filter(pgh_obj_id=role.pk, second_factor=False).exists()
    assert "Requires two-factor login" in client.get("/org/roles/").content.decode()
