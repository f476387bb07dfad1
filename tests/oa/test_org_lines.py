"""The reporting line and the tree of departments (UX 3.1, invariant I-34)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Case, When
from django.test import Client
from django.test.utils import CaptureQueriesContext

from oa.organisation.lines import chain_of, head_of, heads_above, holders, manager_of
from oa.organisation.models import Department, Position, Post, User
from tests import factories as make

pytestmark = pytest.mark.django_db


def person(name, department=None, **columns):
    return User.objects.create(username=name, name=name.title(), department=department, **columns)


@pytest.fixture
def firm():
    """HQ (boss) > East (eve) > Shop (sam: ann, bob), and Desk below Shop without a head (dan)."""
    f = SimpleNamespace(hq=Department.objects.get(code="HQ"))
    f.east = Department.objects.create(code="E", name="East", parent=f.hq)
    f.shop = Department.objects.create(code="S", name="Shop", parent=f.east)
    f.desk = Department.objects.create(code="D", name="Desk", parent=f.shop)
    f.boss, f.eve, f.sam = person("boss", f.hq), person("eve", f.east), person("sam", f.shop)
    f.ann, f.bob, f.dan = person("ann", f.shop), person("bob", f.shop), person("dan", f.desk)
    for department, head in ((f.hq, f.boss), (f.east, f.eve), (f.shop, f.sam)):
        Department.objects.filter(pk=department.pk).update(head=head)
    return f


def test_the_manager_is_one_s_own_else_the_head_of_the_department(firm):
    assert manager_of(firm.ann) == firm.sam
    User.objects.filter(pk=firm.ann.pk).update(manager=firm.bob)
    assert manager_of(firm.ann) == firm.bob
    assert manager_of(person("nobody")) is None


def test_a_head_reports_to_the_next_department_above_and_never_to_oneself(firm):
    assert manager_of(firm.sam) == firm.eve
    assert manager_of(firm.boss) is None
    Department.objects.filter(pk=firm.east.pk).update(head=firm.sam)  # heads both
    assert manager_of(firm.sam) == firm.boss
    assert chain_of(firm.ann) == [firm.sam, firm.boss]


def test_a_department_without_a_head_reports_further_up(firm):
    assert manager_of(firm.dan) == firm.sam
    assert head_of(firm.desk.pk) == firm.sam


def test_people_who_left_are_passed_over(firm):
    """Both heads and managers named by hand; the line goes on where theirs went."""
    User.objects.filter(pk=firm.sam.pk).update(is_active=False)
    assert manager_of(firm.ann) == firm.eve and head_of(firm.shop.pk) == firm.eve
    User.objects.filter(pk=firm.ann.pk).update(manager=firm.bob)
    User.objects.filter(pk=firm.bob.pk).update(is_active=False, manager=firm.dan)
    assert manager_of(firm.ann) == firm.dan


def test_the_chain_leads_to_the_top_nearest_first(firm):
    assert chain_of(firm.dan) == [firm.sam, firm.eve, firm.boss]
    assert chain_of(firm.dan, 2) == [firm.sam, firm.eve] and chain_of(firm.dan, 0) == []
    assert chain_of(firm.boss) == []


def test_heads_from_a_department_upwards_each_once(firm):
    assert heads_above(firm.desk.pk) == [firm.sam, firm.eve, firm.boss]
    Department.objects.filter(pk=firm.hq.pk).update(head=firm.sam)
    assert heads_above(firm.shop.pk) == [firm.sam, firm.eve]
    assert heads_above(None) == [] and head_of(None) is None


def test_a_circle_through_heads_ends_the_chain(firm):
    """A head whose manager is a plain member of the department: the database cannot see it, the line stops."""
    User.objects.filter(pk=firm.sam.pk).update(manager=firm.ann)
    assert chain_of(firm.sam) == [firm.ann] and chain_of(firm.ann) == [firm.sam]


def test_holders_of_a_position_in_main_and_further_posts(firm):
    clerk = Position.objects.create(code="CL", name="Clerk")
    User.objects.filter(pk__in=[firm.ann.pk, firm.boss.pk]).update(position=clerk)
    Post.objects.create(user=firm.bob, department=firm.desk, position=clerk)
    Post.objects.create(user=firm.ann, department=firm.desk, position=clerk)
    assert holders(clerk.pk) == [firm.ann, firm.bob, firm.boss]
    assert holders(clerk.pk, firm.east.pk) == [firm.ann, firm.bob]
    assert holders(clerk.pk, firm.desk.pk) == [firm.ann, firm.bob]
    User.objects.filter(pk=firm.bob.pk).update(is_active=False)
    assert holders(clerk.pk, firm.desk.pk) == [firm.ann]


def test_one_statement_a_question_however_deep_the_tree(firm):
    deep = firm.desk
    for level in range(20):
        deep = Department.objects.create(code=f"L{level}", name=f"L{level}", parent=deep)
        Department.objects.filter(pk=deep.pk).update(head=person(f"h{level}", deep))
    last = person("last", deep)
    with CaptureQueriesContext(connection) as queries:
        assert len(chain_of(last)) == 23 and len(heads_above(deep.pk)) == 23
        assert manager_of(last) is not None and holders(1, deep.pk) == []
    assert len(queries) == 4


def test_the_database_refuses_a_circle_of_managers(firm):
    """I-34: neither oneself nor over others, in one statement or in several."""
    for change in (
        lambda: User.objects.filter(pk=firm.ann.pk).update(manager=firm.ann),
        lambda: User.objects.filter(pk__in=[firm.ann.pk, firm.bob.pk]).update(
            manager=Case(When(pk=firm.ann.pk, then=firm.bob.pk), default=firm.ann.pk)
        ),
        lambda: person("loop", pk=9_000_001, manager_id=9_000_001),
    ):
        with pytest.raises(IntegrityError, match="Nobody reports to oneself"), transaction.atomic():
            change()
    User.objects.filter(pk=firm.ann.pk).update(manager=firm.bob)
    User.objects.filter(pk=firm.bob.pk).update(manager=firm.dan)
    with pytest.raises(IntegrityError, match="Nobody reports to oneself"), transaction.atomic():
        User.objects.filter(pk=firm.dan.pk).update(manager=firm.ann)
    User.objects.filter(pk=firm.dan.pk).update(manager=firm.eve)  # what is no circle stays possible


def test_the_database_refuses_a_circle_of_departments(firm):
    """I-34: also where SQL goes past the form."""
    for key in (firm.hq.pk, firm.east.pk, firm.desk.pk):
        with pytest.raises(IntegrityError, match="cannot lie below itself"), transaction.atomic():
            Department.objects.filter(pk=firm.hq.pk).update(parent=key)
    Department.objects.filter(pk=firm.desk.pk).update(parent=firm.hq)


def test_the_forms_refuse_a_circle_in_words(firm):
    """A manager who reports to the person, by name or as a head, and a department below itself."""
    admin = Client()
    admin.force_login(make.make_user("root"), backend="oa.organisation.auth.NameOrMailBackend")
    User.objects.filter(pk=firm.bob.pk).update(manager=firm.ann)
    for who, manager in ((firm.ann, firm.bob), (firm.sam, firm.ann), (firm.ann, firm.ann)):
        data = {"username": who.username, "name": who.name, "is_active": "on", "version": "1",
                "manager": manager.pk, "manager_text": str(manager)}  # fmt: skip
        answer = admin.post(f"/org/people/{who.username}/edit/", data)
        assert answer.status_code == 422 and "nobody reports to oneself" in answer.content.decode(), who
        who.refresh_from_db()
        assert who.manager is None
    data = {"code": "HQ", "name": "HQ", "active": "on", "version": "1", "parent": firm.desk.pk, "parent_text": "D Desk"}
    assert admin.post("/org/departments/HQ/edit/", data).status_code == 422
    Department.objects.filter(pk=firm.desk.pk).update(head=firm.dan)
    User.objects.filter(pk=firm.eve.pk).update(manager=firm.dan)
    data = {"code": "S", "name": "Shop", "active": "on", "version": "1", "parent": firm.east.pk, "parent_text": "E East",
            "head": firm.eve.pk, "head_text": "Eve"}  # fmt: skip
    Department.objects.filter(pk=firm.shop.pk).update(head=None)
    answer = admin.post("/org/departments/S/edit/", data)
    assert answer.status_code == 422 and "nobody reports to oneself" in answer.content.decode()
