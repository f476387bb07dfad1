"""Why somebody sees a record or not: the words always agree with what pages do (rule G-21)."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from crm.customers.models import Customer
from erp.sales.models import SalesOrder
from kit.pages.resources import registry
from oa.organisation.models import Department, Post, Role, User
from oa.organisation.models.people import WIDTH
from oa.organisation.why import explain
from tests import factories as make
from tests.oa.world import CANARY, client_of, world

pytestmark = pytest.mark.django_db

URL = "/org/who-sees/"


@pytest.fixture
def firm() -> SimpleNamespace:
    f = SimpleNamespace(root=make.make_user("root"))
    hq = Department.objects.get(code="HQ")
    f.east = Department.objects.create(code="EAST", name="East", parent=hq)
    f.shop = Department.objects.create(code="SHOP", name="Shop", parent=f.east)
    f.west = Department.objects.create(code="WEST", name="West", parent=hq)
    f.ann = User.objects.create(username="ann", name="Ann", department=f.east)
    f.bob = User.objects.create(username="bob", name="Bob", department=f.west)
    return f


def role(user: User, scope: str, *rights: str) -> Group:
    group = Group.objects.create(name=f"{scope} {user} {Role.objects.count()}")
    Role.objects.create(group=group, code=f"r{group.pk}", scope=scope)
    group.permissions.set(Permission.objects.filter(codename__in=rights))
    user.groups.add(group)
    return group


def fresh(user: User) -> User:
    return User.objects.get(pk=user.pk)


def told(user: User, record: Any, asker: Any) -> tuple[bool, str, list[bool | None]]:
    found = explain(fresh(user), record, asker=asker)
    return found.visible, " ".join(step.text for step in found.steps), [step.ok for step in found.steps]


def concluded(oks: list[bool | None]) -> bool:
    """What a reader concludes: something lets the person through, and nothing stops them at the end."""
    return True in oks and oks[-1] is not False


def test_words_and_pages_agree_over_every_scope_owner_and_department(firm):
    """Exhaustive: scopes x own and customer's owner and department x further post; by the steps, not by the verdict."""
    owners, departments = (None, firm.ann, firm.bob), (None, firm.east, firm.shop, firm.west)
    customers = {
        (o, d): make.make_customer("C", owner=o, department=d) for o, d in itertools.product(owners, departments)
    }
    orders = [
        SalesOrder.objects.create(
            customer=customers[(co, cd)], warehouse=make.warehouse(), currency=make.currency(), owner=o, department=d
        )
        for (o, d), (co, cd) in itertools.product(
            itertools.product((None, firm.ann, firm.bob), (None, firm.shop, firm.west)),
            itertools.product((None, firm.ann), (None, firm.east, firm.west)),
        )
    ]
    for scope, post in itertools.product([None, *WIDTH], (False, True)):
        firm.ann.groups.clear()
        firm.ann.posts.all().delete()
        if scope:
            role(firm.ann, scope, "view_customer", "view_salesorder")
        if post:
            Post.objects.create(user=firm.ann, department=firm.west)
        ann = fresh(firm.ann)
        for record in (*customers.values(), *orders):
            found = explain(ann, record, asker=firm.root)
            oks = [step.ok for step in found.steps]
            seen = type(record).objects.visible_to(ann).filter(pk=record.pk).exists()
            assert found.visible == seen
            assert (True in oks) == seen, (scope, post, record.owner, record.department, found.steps)
            assert seen or False in oks


def test_every_kind_of_record_is_explained_as_it_is_shown():
    """Whatever has a page, for people of several roles: verdict and steps."""
    w = world()
    looked = 0
    for resource in registry.values():
        for record in resource.model._default_manager.all()[:6]:
            for user in (w.ann, w.mia, w.nosy, w.boss):
                user = fresh(user)
                found = explain(user, record, asker=w.boss)
                rows: Any = type(record)._default_manager
                assert found.visible == rows.visible_to(user).filter(pk=record.pk).exists(), (resource.slug, user)
                oks = [step.ok for step in found.steps]
                if type(rows.all()).visible_to.__qualname__.startswith("VisibleQuerySet"):
                    assert (True in oks) == found.visible, (resource.slug, user, found.steps)
                looked += 1
    assert looked > 200 and apps.ready


def test_each_reason_has_its_words(firm):
    customer = make.make_customer("Acme", owner=firm.bob, department=firm.shop)
    visible, text, _oks = told(firm.ann, customer, firm.root)
    assert not visible and "Ann has no role at all." in text
    group = role(firm.ann, "own", "view_product")
    assert "None of the roles of Ann" in told(firm.ann, customer, firm.root)[1]
    group.permissions.set(Permission.objects.filter(codename="view_customer"))
    visible, text, _oks = told(firm.ann, customer, firm.root)
    assert not visible and "the owner is Bob, the department Shop" in text and "wider scope" in text
    role(firm.ann, "subtree", "view_customer")
    visible, text, _oks = told(firm.ann, customer, firm.root)
    assert visible and "Departments within this scope: East, Shop" in text and "within the scope" in text
    Customer.objects.filter(pk=customer.pk).update(owner=firm.ann)
    customer.refresh_from_db()
    assert "the owner is this person" in told(firm.ann, customer, firm.root)[1]
    assert "superuser" in told(firm.root, customer, firm.root)[1]
    User.objects.filter(pk=firm.ann.pk).update(is_active=False)
    assert told(firm.ann, customer, firm.root)[:2] == (False, "Ann does not work here any more and sees nothing.")


def test_the_way_over_the_customer_is_told(firm):
    customer = make.make_customer("Acme", owner=firm.ann)
    order = SalesOrder.objects.create(
        customer=customer, warehouse=make.warehouse(), currency=make.currency(), owner=firm.bob
    )
    role(firm.ann, "own", "view_salesorder")
    visible, text, _oks = told(firm.ann, order, firm.root)
    assert visible and "Customer Acme: the owner is this person" in text


def test_nothing_is_told_of_what_the_asking_person_may_not_see():
    """The asker sees the order alone: the name, the owner and the department of the customer stay untold."""
    w = world()
    asker = make.make_user("asker", "hr", department=w.west)
    role(asker, "own", "view_salesorder")
    SalesOrder.objects.filter(pk=w.foreign.order.pk).update(owner=asker, department=None)
    order = SalesOrder.objects.get(pk=w.foreign.order.pk)
    text = told(w.ann, order, fresh(asker))[1]
    assert CANARY not in text and "Bob" not in text and "West" not in text.replace("Departments within", "")
    assert "You may not see more of it" in text


def test_the_page_answers_for_a_person_and_an_address(firm):
    """By the link in the menu of every record page, and by a pasted address."""
    customer = make.make_customer("Acme", code="C-1", owner=firm.bob)
    client = client_of(firm.root)
    assert f"{URL}?page=/crm/customers/C-1/" in client.get("/crm/customers/C-1/").content.decode()
    assert 'value="/crm/customers/C-1/"' in client.get(f"{URL}?page=/crm/customers/C-1/").content.decode()
    ask = {"person": firm.ann.pk, "person_text": "Ann"}
    for page in ("/crm/customers/C-1/", "http://testserver/crm/customers/C-1/edit/?tab=x"):
        answer = client.get(URL, {**ask, "page": page})
        assert "Ann does not see this" in answer.content.decode(), page
    User.objects.filter(pk=firm.ann.pk).update(is_active=False)
    assert "does not work here any more" in client.get(URL, {**ask, "page": "/crm/customers/C-1/"}).content.decode()
    for page in ("/crm/customers/C-2/", "/nowhere/", "/", "/crm/customers/", "javascript:1"):
        answer = client.get(URL, {**ask, "page": page})
        assert answer.context["explanation"] is None and "no record at this address" in answer.content.decode(), page
    assert customer.owner == firm.bob


def test_who_does_not_see_a_record_cannot_ask_about_it():
    """HR sees roles and no customers: a foreign address is told like a missing one, by the same words."""
    w = world()
    hr = make.make_user("hr", "hr")
    client = client_of(hr)
    ask = {"person": w.bob.pk, "person_text": str(w.bob)}
    texts = []
    for code in (w.foreign.customer.code, "NO-SUCH"):
        answer = client.get(URL, {**ask, "page": f"/crm/customers/{code}/"})
        assert answer.context["explanation"] is None
        texts.append(answer.content.decode().replace(code, "?"))
    assert CANARY not in texts[0]
    assert client_of(w.ann).get(URL).status_code == 403
    assert URL not in client_of(w.ann).get(f"/crm/customers/{w.mine.customer.code}/").content.decode()
