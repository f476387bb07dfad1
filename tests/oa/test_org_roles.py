"""The role editor: rights in words, copies, and that somebody always gives roles (rules G-20, G-21, G-22)."""

from __future__ import annotations

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kit.values.errors import BusinessError
from oa.organisation.models import Role, User
from oa.organisation.rights import give_roles, offered_rights, save_role
from oa.organisation.words import areas, choices, in_words
from oa.roles import SHIPPED
from tests import factories as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def key_of(name: str) -> int:
    app, _dot, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename).pk


def keys_of(role: Role) -> set[int]:
    return set(role.group.permissions.values_list("pk", flat=True))


def form(role: Role | None = None, *names: str, **more: str) -> dict:
    rights = [key_of(name) for name in names] if names else sorted(keys_of(role)) if role else []
    base = (
        {"name": role.group.name, "name_zh": role.name_zh, "scope": role.scope, "version": role.version} if role else {}
    )
    return {**base, "rights": rights, **more}


@pytest.fixture
def admin() -> User:
    return make.make_user("admin", "administrator")


def test_every_right_is_offered_once_and_in_words(admin):
    """By area and thing; buttons by their own words; history can only be seen."""
    listed = [right.key for area in areas() for thing in area.things for right in thing.rights]
    assert sorted(listed) == sorted(offered_rights().values_list("pk", flat=True)) and len(listed) > 300
    things = {thing.label: [r.word for r in thing.rights] for area in areas() for thing in area.things}
    assert things["Sales orders"][:5] == ["see", "create", "change", "delete", "Confirm order"]
    assert "Release hold" in things["Sales orders"] and "see the history" in things["Sales orders"]
    assert not [word for words in things.values() for word in words if word.startswith("Can add")]
    assert [area.label for area in areas()][-1] == "Program and settings"
    assert in_words(["erp.post_voucher", "erp.unheard"]) == ["Vouchers: Post", "erp.unheard"]
    assert len(choices()) == len(areas())


def test_a_role_is_made_named_and_given_rights(admin):
    client = client_of(admin)
    data = form(
        None, "erp.view_salesorder", "erp.confirm_salesorder", code="clerk", name="Clerk", name_zh="文员", scope="own"
    )
    assert client.post("/org/roles/new/", data).status_code == 302
    role = Role.objects.get(code="clerk")
    assert role.group.name == "Clerk" and keys_of(role) == set(data["rights"])
    page = client.get("/org/roles/clerk/").content.decode()
    assert "see, Confirm order" in page and "Sales orders" in page
    data = form(role, "erp.view_salesorder", name="Office clerk", scope="all")
    assert client.post("/org/roles/clerk/edit/", data).status_code == 302
    role = Role.objects.get(code="clerk")
    assert (role.group.name, role.scope, role.version, len(keys_of(role))) == ("Office clerk", "all", 2, 1)
    taken = apps.get_model("oa", "RoleRightHistory").objects.filter(group=role.pk, pgh_label="taken")
    assert taken.get().permission.codename == "confirm_salesorder", "what a role lost is history (G-20)"
    assert "Sales orders" in client.get("/org/roles/clerk/edit/").content.decode()


def test_a_copy_begins_with_the_rights_of_the_other(admin):
    client = client_of(admin)
    page = client.get("/org/roles/new/?copy=sales")
    assert set(page.context["form"].initial["rights"]) == keys_of(Role.objects.get(code="sales"))
    assert page.context["form"].initial["scope"] == "own"
    assert "/org/roles/new/?copy=sales" in client.get("/org/roles/sales/").content.decode()


def test_an_older_form_does_not_overwrite(admin):
    """G-19."""
    role = Role.objects.get(code="sales")
    Role.objects.filter(pk=role.pk).update(version=7)
    assert client_of(admin).post("/org/roles/sales/edit/", form(role)).status_code == 409


def test_a_name_and_a_code_stand_once(admin):
    client = client_of(admin)
    for change in ({"name": "Sales", "code": "x"}, {"name": "X", "code": "sales"}, {"name": " ", "code": "x"}):
        answer = client.post("/org/roles/new/", form(None, "erp.view_salesorder", scope="own", **change))
        assert answer.status_code == 422, change
    assert not Role.objects.filter(code="x").exists() and not Group.objects.filter(name="X").exists()


def test_nobody_without_the_right_reaches_the_editor():
    """Page, form, new, delete and the command itself; who sees roles may read them."""
    role = Role.objects.get(code="sales")
    for name, code, seen in (("hr", "hr", 200), ("ann", "sales", 403)):
        user = make.make_user(name, code)
        client = client_of(user)
        assert client.get("/org/roles/sales/").status_code == seen
        for url in ("/org/roles/sales/edit/", "/org/roles/new/"):
            assert client.get(url).status_code == client.post(url, form(role)).status_code == 403
        assert client.post("/org/roles/sales/delete/").status_code == 403
        with pytest.raises(BusinessError, match="do not have the right"):
            save_role(role, by=user, name="Mine", rights=[])
        with pytest.raises(BusinessError, match="do not have the right"):
            give_roles(user, Group.objects.all(), by=user)
    assert role.group.permissions.count() > 10


def test_history_and_rights_of_others_cannot_be_ticked(admin):
    """A crafted form does not grant what is not offered."""
    written = Permission.objects.filter(codename="add_salesorderhistory").first()
    foreign = Permission.objects.get(codename="add_session")
    role = save_role(
        Role(code="x"),
        by=admin,
        name="X",
        rights=[foreign.pk, key_of("erp.view_bill")] + ([written.pk] if written else []),
    )
    assert keys_of(role) == {key_of("erp.view_bill")}


def test_shipped_roles_stay_and_others_go_when_nobody_has_them(admin):
    client = client_of(admin)
    assert client.post("/org/roles/sales/delete/").status_code == 403
    assert {role.code for role in SHIPPED} <= set(Role.objects.values_list("code", flat=True))
    role = save_role(Role(code="x"), by=admin, name="X", rights=[])
    person = make.make_user("pia", "x")
    assert "in use" in client.post("/org/roles/x/delete/", follow=True).content.decode()
    person.groups.clear()
    client.post("/org/roles/x/delete/")
    assert not Role.objects.filter(code="x").exists() and not Group.objects.filter(pk=role.pk).exists()


def test_the_last_one_who_gives_roles_keeps_that_right(admin):
    """Neither by the role, nor by the person's roles, nor by switching the person off."""
    role, client = Role.objects.get(code="administrator"), client_of(admin)
    rest = [key for key in keys_of(role) if key != key_of("oa.change_role")]
    answer = client.post("/org/roles/administrator/edit/", {**form(role), "rights": rest})
    assert answer.status_code == 422 and "nobody could give roles" in answer.content.decode()
    person = {"username": "admin", "name": "Admin", "email": admin.email, "version": "1"}
    answer = client.post("/org/people/admin/edit/", {**person, "is_active": "on"})
    assert answer.status_code == 422 and "nobody could give roles" in answer.content.decode()
    groups = list(admin.groups.values_list("pk", flat=True))
    answer = client.post("/org/people/admin/edit/", {**person, "groups": groups})
    assert answer.status_code == 422 and User.objects.get(pk=admin.pk).is_active
    make.make_user("second", "administrator")
    assert client.post("/org/people/admin/edit/", {**person, "is_active": "on"}).status_code == 302


def test_the_back_office_only_shows_roles(admin):
    """The command of the page looks at duties; a second way past it would not."""
    User.objects.filter(pk=admin.pk).update(is_staff=True)
    client = client_of(admin)
    url = f"/backoffice/auth/group/{Role.objects.get(code='sales').pk}/change/"
    assert client.get(url).status_code == 200 and client.post(url, {"name": "Hacked"}).status_code == 403
    assert client.get("/backoffice/auth/group/add/").status_code == 403


def test_saving_takes_as_many_statements_for_many_rights(admin):
    many = list(offered_rights().values_list("pk", flat=True))
    counts = []
    for number, rights in enumerate((many[:2], many)):
        with CaptureQueriesContext(connection) as queries:
            save_role(Role(code=f"c{number}"), by=None, name=f"C{number}", rights=rights)
        counts.append(len(queries))
    assert counts[0] == counts[1]
