"""The directory (UX 3.1 and 6.22): for everybody, by name, pinyin and initials, fast at any size."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oa.organisation.models import Department, Position, Post, User
from tests import factories as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

URL = "/org/directory/"


@pytest.fixture
def firm() -> SimpleNamespace:
    f = SimpleNamespace(hq=Department.objects.get(code="HQ"))
    f.east = Department.objects.create(code="EAST", name="East", parent=f.hq)
    f.shop = Department.objects.create(code="SHOP", name="Shop", parent=f.east)
    clerk = Position.objects.create(code="CL", name="Clerk")
    f.boss = User.objects.create(username="boss", name="Boss", department=f.hq)
    Department.objects.filter(pk=f.hq.pk).update(head=f.boss)
    f.wang = User.objects.create(
        username="wxm", name="王小明", department=f.shop, position=clerk, phone="138 0000 1234", extension="8012",
        email="wang@example.com",
    )  # fmt: skip
    f.ann = User.objects.create(username="ann", name="Ann Lee", department=f.east)
    Post.objects.create(user=f.ann, department=f.shop, position=clerk)
    f.reader = make.make_user("zz-reader", "warehouse")
    return f


def names(answer) -> list[str]:
    return [card.person.name for card in answer.context["cards"]]


def test_everybody_may_look_also_without_any_role(firm):
    for user in (firm.reader, User.objects.create(username="bare", name="Bare")):
        answer = client_of(user).get(URL)
        assert answer.status_code == 200 and "王小明" in names(answer)
    assert 'href="/org/directory/"' in answer.content.decode()


@pytest.mark.parametrize("text", ["王小", "wangxiaoming", "wxm", "xm", "8012", "1234", "wang@", "WANG"])
def test_people_are_found_by_name_pinyin_initials_and_numbers(firm, text):
    assert names(client_of(firm.reader).get(URL, {"q": text})) == ["王小明"]


def test_several_words_narrow_each_other(firm):
    client = client_of(firm.reader)
    assert names(client.get(URL, {"q": "lee ann"})) == ["Ann Lee"]
    assert names(client.get(URL, {"q": "lee wang"})) == []


def test_a_department_stands_for_all_below_it_and_for_further_posts(firm):
    client = client_of(firm.reader)
    assert set(names(client.get(URL, {"department": "SHOP"}))) == {"王小明", "Ann Lee"}
    assert set(names(client.get(URL, {"department": "EAST"}))) == {"王小明", "Ann Lee"}
    assert set(names(client.get(URL, {"department": "EAST", "q": "ann"}))) == {"Ann Lee"}
    assert len(names(client.get(URL, {"department": "no-such"}))) == 4


def test_a_card_tells_posts_ways_and_managers(firm):
    answer = client_of(firm.reader).get(URL, {"department": "SHOP"})
    ann, wang = answer.context["cards"]
    assert ann.posts == [("", "East"), ("Clerk", "East / Shop")] and ann.managers == [firm.boss]
    text = answer.content.decode()
    for shown in ('href="tel:', "8012", 'href="mailto:wang@example.com"', "Clerk", "East / Shop", "Reports to"):
        assert shown in text
    assert wang.posts == [("Clerk", "East / Shop")]


def test_who_left_is_not_listed(firm):
    User.objects.filter(pk=firm.wang.pk).update(is_active=False)
    assert names(client_of(firm.reader).get(URL, {"q": "wxm"})) == []


def test_who_moves_people_lets_somebody_join_from_here(firm):
    assert "/org/people/new/" in client_of(make.make_user("hr", "hr")).get(URL).content.decode()
    assert "/org/people/new/" not in client_of(firm.reader).get(URL).content.decode()


def test_five_thousand_people_in_four_hundred_departments_take_as_many_statements(firm):
    client = client_of(firm.reader)
    client.get(URL)

    def statements(**query) -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get(URL, query).status_code == 200
        return len(queries)

    few = statements(q="a", department="EAST")
    departments = Department.objects.bulk_create(
        Department(code=f"D{n}", name=f"Department {n}", parent=firm.east, head=firm.ann) for n in range(400)
    )
    User.objects.bulk_create(
        User(username=f"u{n}", name=f"Anna {n}", department=departments[n % 400], manager=firm.ann) for n in range(5000)
    )
    assert statements(q="a", department="EAST") == few <= 12
    assert len(names(client.get(URL, {"q": "anna", "page": "3"}))) == 24
