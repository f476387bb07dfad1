"""Pages and neighbours by the order of a list: nothing is missed and nothing comes twice (UX 6.2.5, 6.2.9)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from django.http import QueryDict
from django.test import Client

from crm.customers.models import Customer
from kit.pages import lists
from kit.pages.keyset import beyond, order_keys
from kit.pages.lists import ListState
from kit.pages.resources import registry
from oa.organisation.models import Department, User
from tests.factories import make_customer, make_user

pytestmark = pytest.mark.django_db

ORDERS = (
    ("name", "pk"),
    ("-name", "-pk"),
    ("parent__name", "pk"),  # empty for some
    ("-parent__name", "-pk"),
    ("-head", "name", "pk"),  # a relation, with the order of what it leads to
    ("head__username", "-parent__code", "pk"),
)


@pytest.fixture
def departments() -> list[int]:
    """Some with a parent or a head, some without, and names that come twice."""
    people = [make_user(name) for name in ("zoe", "abe")]
    top = [Department.objects.create(code=f"T{n}", name=f"Top {n % 2}") for n in range(3)]
    for n, (parent, head) in enumerate(itertools.product([None, *top], [None, *people])):
        Department.objects.create(code=f"D{n:02}", name=f"Name {n % 4}", parent=parent, head=head)
    return list(Department.objects.values_list("pk", flat=True))


@pytest.mark.parametrize("order", ORDERS, ids="+".join)
def test_every_row_has_exactly_those_after_it(departments: list[int], order: tuple[str, ...]) -> None:
    """For every row: the rows before, the row, and the rows after are the whole list in its order."""
    rows = Department.objects.order_by(*order)
    whole = list(rows.values_list("pk", flat=True))
    for place, pk in enumerate(whole):
        assert list(beyond(rows, Department.objects.all(), pk).values_list("pk", flat=True)) == whole[place + 1 :]
        back = beyond(rows, Department.objects.all(), pk, back=True).values_list("pk", flat=True)
        assert list(back) == whole[:place][::-1]
        within = beyond(rows, Department.objects.all(), pk, within=True).values_list("pk", flat=True)
        assert list(within) == whole[place:]


def test_a_relation_is_ordered_by_what_it_leads_to() -> None:
    """As in the SQL that Django makes of it; its key is ordered by itself."""
    assert [key.path for key in order_keys(Department, ["-head", "head_id", "pk"])] == [
        "head__username",
        "head_id",
        "pk",
    ]
    assert [key.falling for key in order_keys(Department, ["-head", "pk"])] == [True, False]


def test_neighbours_of_a_row_that_left_the_list(departments: list[int]) -> None:
    """Who changed the record so that the filter misses it still goes on with the next one."""
    rows = Department.objects.filter(name="Name 1").order_by("code", "pk")
    other = Department.objects.get(code="D03")
    codes = list(beyond(rows, Department.objects.all(), other.pk).values_list("code", flat=True))
    assert codes == ["D05", "D09"]
    assert not beyond(rows, Department.objects.all(), 10**9).exists()


def pages(user: User, way: str) -> list[list[str]]:
    """The keys of all pages of the list of customers, by its own links."""
    query, made = "size=25&sort=name", []
    while query:
        state = ListState(registry["customer"], user, QueryDict(query))
        made.append([row.key for row in state.body])
        query = state.next_query if way == "on" else state.previous_query
    return made


def test_a_list_goes_on_beyond_counted_pages(monkeypatch: Any) -> None:
    """UX 6.2.5: after the last counted page the order leads on, and back again."""
    monkeypatch.setattr(lists, "COUNT_LIMIT", 50)
    user = make_user("boss")
    for n in range(130):
        make_customer(f"Customer {n % 7}", code=f"K{n:03}")
    whole = list(Customer.objects.order_by("name", "pk").values_list("code", flat=True))
    onward = pages(user, "on")
    assert [len(page) for page in onward] == [25, 25, 25, 25, 25, 5]
    assert [key for page in onward for key in page] == whole
    last = Customer.objects.get(code=whole[-1])
    state = ListState(registry["customer"], user, QueryDict(f"size=25&sort=name&before={last.pk}"))
    assert [row.key for row in state.body] == whole[-26:-1]
    assert state.count_text == "50+"
    first = ListState(
        registry["customer"], user, QueryDict(f"size=25&sort=name&at={Customer.objects.get(code=whole[3]).pk}")
    )
    assert [row.key for row in first.body] == whole[3:28]
    behind = ListState(registry["customer"], user, QueryDict(first.previous_query))
    assert [row.key for row in behind.body] == whole[:3]
    assert (behind.previous_query, bool(behind.next_query)) == ("", True)


@pytest.mark.parametrize(
    "wrong", ["after=x", "after=-1", "before=", "at=99999999999999999999", "after=123456", "page=²", "size=²"]
)
def test_wrong_anchors_break_nothing(wrong: str) -> None:
    """S-07: what is no key of a row is no error."""
    user = make_user("boss")
    make_customer("One")
    client = Client()
    client.force_login(user)
    assert client.get(f"/crm/customers/?{wrong}").status_code == 200


def test_a_record_leads_to_its_neighbours_and_back() -> None:
    """UX 6.2.9: next and previous within the filtered list, and back to the row."""
    user = make_user("boss")
    for name in ("Ada", "Bea", "Cleo", "Dora"):
        make_customer(name, code=name.upper(), grade="D" if name == "Cleo" else "A")
    client = Client()
    client.force_login(user)
    listed = client.get("/crm/customers/?sort=name&grade=A").content.decode()
    href = "/crm/customers/BEA/?list=sort%3Dname%26grade%3DA"
    assert href in listed
    page = client.get(href).content.decode()
    bea = Customer.objects.get(code="BEA")
    assert f'href="/crm/customers/?sort=name&amp;grade=A#r-{bea.pk}"' in page
    assert '/crm/customers/DORA/?list=sort%3Dname%26grade%3DA"' in page, "the way back is to the same page"
    assert "/crm/customers/ADA/?list=" in page
    assert "/crm/customers/CLEO/" not in page
    alone = client.get("/crm/customers/BEA/").content.decode()
    assert 'class="pager"' not in alone


def test_a_neighbour_on_another_page_leads_back_to_that_page() -> None:
    """UX 6.2.9: the way back leads to where the record stands, not to the page that the walk began at."""
    user = make_user("boss")
    Customer.objects.bulk_create(Customer(code=f"C-{n:02}", name=f"Customer {n:02}") for n in range(26))
    client = Client()
    client.force_login(user)
    page = client.get("/crm/customers/C-24/?list=sort%3Dcode").content.decode()
    last = Customer.objects.get(code="C-25")
    assert f'/crm/customers/C-25/?list=sort%3Dcode%26at%3D{last.pk}"' in page
    assert '/crm/customers/C-23/?list=sort%3Dcode"' in page
