"""Views and columns of lists that people keep (UX 6.2.1, 6.2.4; rule G-21: a view shows nobody more rows)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from django.utils.http import urlencode

from kit.values.errors import BusinessError
from oa.organisation.models import Department, User
from oa.organisation.moves import leave
from oa.records.listviews import MOST, StoredLists
from oa.records.models import ListChoice, ListView, Share
from tests.factories import make_customer, make_user

pytestmark = pytest.mark.django_db

LIST = "/org/departments/"
FORTH = ["EAST", "HQ", "SOUTH"]
BACK = FORTH[::-1]


@pytest.fixture
def people() -> tuple[User, User, User]:
    """Two of one department, one of another; all of them read departments and people."""
    east = Department.objects.create(code="EAST", name="East")
    south = Department.objects.create(code="SOUTH", name="South")
    return tuple(  # type: ignore[return-value]
        make_user(name, "hr", department=place) for name, place in (("ann", east), ("bob", east), ("cat", south))
    )


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def page(user: User, query: str = "") -> str:
    response = client(user).get(LIST + query)
    assert response.status_code == 200
    return response.content.decode()


def codes(text: str) -> list[str]:
    """Keys of the rows of a list, in order."""
    return re.findall(r'<td class="[^"]*c-no[^"]*"><a [^>]*>([A-Z]+)</a>', text)


def headings(text: str) -> list[str]:
    return re.findall(r'<th scope="col"[^>]*><a [^>]*>([^<]+)', text)


def keep(user: User, name: str, query: str, share: str = "private", **more: str) -> Any:
    return client(user).post(f"{LIST}views/?{query}", {"name": name, "share": share, **more})


def test_a_view_keeps_filter_order_and_columns(people: Any) -> None:
    """UX 6.2.1: filters, order and columns under a name, and a tab that brings them back."""
    ann, _bob, _cat = people
    client(ann).post(f"{LIST}columns/?sort=-code", {"column": ["head"], "place-head": "1"})
    response = keep(ann, "Backwards", "sort=-code")
    view = ListView.objects.get()
    assert response.status_code == 302
    assert response.url == f"{LIST}?saved={view.pk}"
    assert (view.query, view.columns) == ("sort=-code", ["head"])
    shown = page(ann, f"?saved={view.pk}")
    assert codes(shown) == BACK
    assert headings(shown) == ["Code", "Head"]
    assert "Backwards" in page(ann)


def test_a_changed_view_says_so_and_is_saved_again(people: Any) -> None:
    """UX 6.2.1: changed state, then the same view with the new filter; its name and columns stay."""
    ann, _bob, _cat = people
    keep(ann, "All of them", "sort=code")
    view = ListView.objects.get()
    query = f"saved={view.pk}&sort=-code"
    assert "View changed" not in page(ann, f"?saved={view.pk}")
    assert "View changed" in page(ann, f"?{query}")
    keep(ann, "All of them", query, what="edit")
    view.refresh_from_db()
    assert view.query == "sort=-code"
    assert ListView.objects.count() == 1


def test_a_list_opens_with_the_view_of_choice(people: Any) -> None:
    """UX 6.2.1: any view can be the default; the shipped view stays one click away."""
    ann, bob, _cat = people
    keep(ann, "Backwards", "sort=-code", share="everyone")
    view = ListView.objects.get()
    client(bob).post(f"{LIST}views/?saved={view.pk}", {"what": "open"})
    assert codes(page(bob)) == BACK
    assert codes(page(bob, "?view=")) == FORTH
    assert codes(page(ann)) == FORTH
    client(bob).post(f"{LIST}views/?saved={view.pk}", {"what": "open"})
    assert codes(page(bob)) == FORTH


@pytest.mark.parametrize(
    ("share", "seen"), [("private", ""), ("department", "bob"), ("everyone", "bob cat")], ids=lambda value: str(value)
)
def test_views_are_seen_by_whom_they_are_for(people: Any, share: str, seen: str) -> None:
    """UX 6.2.1: private, of the department, of everyone; only the owner changes a view."""
    ann, bob, cat = people
    keep(ann, "Mine", "sort=-code", share=share)
    view = ListView.objects.get()
    for user in (bob, cat):
        assert ("Mine" in page(user)) is (user.username in seen.split())
        opened = codes(page(user, f"?saved={view.pk}"))
        assert opened == (BACK if user.username in seen.split() else FORTH)
        keep(user, "Stolen", f"saved={view.pk}", what="edit")
        client(user).post(f"{LIST}views/?saved={view.pk}", {"what": "drop"})
    assert list(ListView.objects.filter(owner=ann).values_list("name", flat=True)) == ["Mine"]


def test_a_shared_view_shows_nobody_more_rows() -> None:
    """G-21: filters are asked of the rows that the reader may see."""
    boss, seller = make_user("boss", "auditor"), make_user("seller", "sales")
    make_customer("Hidden Ltd.", owner=boss)
    client(boss).post("/crm/customers/views/?q=Hidden", {"name": "Hidden", "share": "everyone"})
    view = ListView.objects.get()
    assert "Hidden Ltd." in client(boss).get(f"/crm/customers/?saved={view.pk}").content.decode()
    assert "Hidden Ltd." not in client(seller).get(f"/crm/customers/?saved={view.pk}").content.decode()


def test_only_columns_of_the_declaration_are_shown(people: Any) -> None:
    """S-07: names are looked up; the first column stays, and nothing chosen is the list as shipped."""
    ann, _bob, _cat = people
    wrong = ["head__password", "password", "search", "code", "nothing"]
    client(ann).post(f"{LIST}columns/", {"column": [*wrong, "head", "name"], "place-head": "9", "place-name": "x"})
    assert ListChoice.objects.get().columns in (["code", "name", "head"], ["code", "head", "name"])
    assert headings(page(ann))[0] == "Code"
    assert sorted(headings(page(ann))[1:]) == ["Head", "Name"]
    ListChoice.objects.update(columns=["password", "head__password"])
    assert headings(page(ann)) == ["Code", "Name", "Parent department", "Head"]
    client(ann).post(f"{LIST}columns/", {"reset": "1"})
    assert ListChoice.objects.get().columns == []


def test_an_export_has_the_columns_and_rows_of_the_view(people: Any) -> None:
    """UX 6.2.10: all rows of the filter, the visible columns in their order."""
    ann, _bob, _cat = people
    client(ann).post(f"{LIST}columns/", {"column": ["name"]})
    keep(ann, "South", urlencode({"q": "South"}))
    view = ListView.objects.get()
    file = client(ann).get(f"{LIST}export/?format=csv&saved={view.pk}").content.decode("utf-8-sig")
    assert "SOUTH,South" in file
    assert "EAST" not in file
    assert "Head" not in file


def test_names_are_told_apart_and_not_without_end(people: Any) -> None:
    """A person has each name once for a list, and not more than fifty."""
    ann, bob, _cat = people
    lists = StoredLists()
    lists.keep_view(ann, "department", None, name="One", query="", share=Share.PRIVATE)
    with pytest.raises(BusinessError, match="already"):
        lists.keep_view(ann, "department", None, name=" One ", query="", share=Share.PRIVATE)
    lists.keep_view(bob, "department", None, name="One", query="", share=Share.PRIVATE)
    ListView.objects.bulk_create(ListView(owner=ann, page="department", name=f"{n}") for n in range(MOST - 1))
    with pytest.raises(BusinessError, match="delete some"):
        lists.keep_view(ann, "department", None, name="One more", query="", share=Share.PRIVATE)
    answer = keep(ann, "", "sort=code")
    assert answer.status_code == 422


def test_shared_views_go_to_the_successor(people: Any) -> None:
    """I-34: what a team works with has somebody who can change it; private views are nobody else's."""
    ann, bob, cat = people
    for user, share in ((ann, Share.EVERYONE), (bob, Share.PRIVATE)):
        StoredLists().keep_view(user, "department", None, name="Team", query="", share=share)
    StoredLists().keep_view(ann, "department", None, name="Own", query="", share=Share.PRIVATE)
    StoredLists().keep_view(bob, "department", None, name="Team · Ann", query="", share=Share.PRIVATE)
    leave(ann, successor=bob, by=cat)
    names = ListView.objects.filter(owner=bob).values_list("name", flat=True)
    assert sorted(names) == ["Team", "Team (2)", "Team · Ann"]
    assert list(ListView.objects.filter(owner=ann).values_list("name", flat=True)) == ["Own"]


def test_kept_views_cost_two_statements(people: Any, django_assert_max_num_queries: Any) -> None:
    """UX 9: the number of statements of a list does not depend on how many views there are."""
    ann, bob, _cat = people
    for n in range(20):
        StoredLists().keep_view(bob, "department", None, name=f"{n}", query="sort=code", share=Share.EVERYONE)
    with django_assert_max_num_queries(2):
        assert len(StoredLists().recall(ann, "department").views) == 20
