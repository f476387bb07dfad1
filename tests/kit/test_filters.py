"""Operators of filters, and filters of which one is enough (UX 6.2.3)."""

from __future__ import annotations

import re

import pytest
from django.http import QueryDict
from django.test import Client

from crm.customers.models import Customer
from kit.pages.filters import IS, NONE, NOT, SOME, operators_of
from kit.pages.lists import ListState
from kit.pages.resources import registry
from oa.organisation.models import User
from oa.records.models import AuditEntry
from oa.tasks.models import Meeting
from tests import factories as make
from tests.oa.office import make_meeting, make_room
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann() -> User:
    """Somebody who sees five customers, A to E."""
    rows = [("A", "east", "A"), ("B", "east", "B"), ("C", "west", ""), ("D", "", "B")]
    for code, region, grade in rows:
        make.make_customer(code=code, region=region, grade=grade)
    make.make_customer(code="E", region="west", grade="A", next_contact_on=make.today())
    return make.make_user("ann", language="en")


@pytest.fixture
def web(ann: User) -> Client:
    return client_of(ann)


def shown(user: User, query: str, slug: str = "customer") -> str:
    """The codes of the rows of a list."""
    rows = ListState(registry[slug], user, QueryDict(query)).rows
    return "".join(sorted(rows.values_list("code", flat=True)))


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("grade=A", "AE"),
        ("grade=A&grade_is=not", "BCD"),
        ("grade=A&grade=B&grade_is=not", "C"),
        ("grade_is=none", "C"),
        ("grade_is=some", "ABDE"),
        ("grade_is=none&grade=A", "C"),
        ("grade_is=not", "ABCDE"),
        ("grade=A&grade_is=nonsense", "AE"),
        ("status=prospect&status_is=none", "ABCDE"),
        ("region=EAST&region_is=not", "CDE"),
        ("region_is=none", "D"),
        ("next_contact_on_period=today", "E"),
        ("next_contact_on_period=today&next_contact_on_is=not", "ABCD"),
        ("next_contact_on_is=none", "ABCD"),
        ("next_contact_on_is=some", "E"),
        ("owner_is=some", ""),
        ("owner_is=none&region=west", "CE"),
    ],
)
def test_an_operator_says_what_a_filter_does(query: str, codes: str, ann: User) -> None:
    """Rows without a value are among those that are not of it; what cannot be empty is not looked for so."""
    assert shown(ann, query) == codes


@pytest.mark.parametrize(
    ("query", "codes"),
    [
        ("grade=A&region=east", "A"),
        ("grade=A&region=east&any=grade&any=region", "ABE"),
        ("grade=A&region=east&any=grade", "A"),
        ("grade=A&region_is=none&any=grade&any=region", "ADE"),
        ("grade=B&region=east&grade_is=not&any=grade&any=region", "ABCE"),
        ("grade=A&region=east&any=grade&any=region&next_contact_on_is=some", "E"),
        ("any=grade&any=region", "ABCDE"),
        ("grade=A&any=password", "AE"),
    ],
)
def test_one_of_the_marked_filters_is_enough(query: str, codes: str, ann: User) -> None:
    """One level of OR beside filters that all hold; a mark on one of them alone changes nothing."""
    assert shown(ann, query) == codes


def test_a_row_with_many_comes_once_and_is_not_among_the_others(ann: User) -> None:
    """A filter along a relation to many."""
    small, large = make_room("S"), make_room("L")
    both, none = make_meeting(ann, rooms=[small, large], title="Both"), make_meeting(ann, title="None")

    def titles(query: str) -> list[str]:
        rows = ListState(registry["meeting"], ann, QueryDict(query)).rows
        return [meeting.title for meeting in rows]

    assert titles(f"rooms={small.pk}") == titles("rooms_is=some") == [both.title]
    assert titles(f"rooms={small.pk}&rooms_is=not") == titles("rooms_is=none") == [none.title]


def test_only_what_may_be_empty_is_looked_for_so() -> None:
    """By the columns: a text that may be left out, a relation that may lead nowhere."""
    both, all_four = (IS, NOT), (IS, NOT, NONE, SOME)
    assert [operators_of(Customer, name) for name in ("status", "grade", "owner")] == [both, all_four, all_four]
    assert operators_of(Meeting, "rooms") == all_four


def test_chips_say_it_and_go_with_all_of_it(web: Client) -> None:
    """The operator stands in the chip; removing it leaves nothing of the filter behind; the menu shows what holds."""
    page = web.get("/crm/customers/?grade=A&grade_is=not&region_is=none&any=grade&any=region&q=x").content.decode()
    chips = [re.sub(r"<[^>]*>|\s+", " ", chip).split() for chip in re.findall(r'class="chip">(.*?)</a>', page)]
    assert chips == [["Grade", "is", "not", "A"], ["Region", "is", "empty"]]
    assert re.search(r"</span>\s*<span[^>]*>or</span>\s*<span class=\"chip\"><span>Region", page)
    assert 'href="?q=x&amp;region_is=none&amp;any=region"' not in page  # what is removed keeps the order of the rest
    removing = re.findall(r'class="chip">.*?href="\?([^"]*)"', page)
    assert [sorted(query.split("&amp;")) for query in removing] == [
        ["any=region", "q=x", "region_is=none"],
        ["any=grade", "grade=A", "grade_is=not", "q=x"],
    ]
    menu = re.search(r'data-filter="grade".*?</label></span></div>', page, re.DOTALL)
    assert (
        menu and re.search(r'<option value="not" selected>', menu[0]) and re.search(r'name="any"[^>]*checked', menu[0])
    )


def test_what_was_taken_out_says_how_it_was_narrowed(web: Client) -> None:
    """G-20: the entry of an export names operators and alternatives."""
    query = "grade=A&grade_is=not&region_is=none&any=grade&any=region"
    file = web.get(f"/crm/customers/export/?format=csv&{query}").content.decode()
    assert "\nD," in file and "\nA," not in file
    assert "grade: is not A · or region: is empty" in AuditEntry.objects.get(action="export").what
