"""In a company with many documents a page costs what it shows: every list, search, picker, record and counter (UX 9)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from crm.customers.models import Customer
from erp.finance.models import OpenItem
from erp.sales import desk
from erp.sales.models import SalesOrder
from erp.setup.demo.copies import COPIED
from kit.pages import lists
from kit.pages.resources import Resource, registry
from oa.organisation.models import User
from tests.clocks import THAT_DAY, moved_database
from tests.oa.world import client_of
from tests.plans import Large, Undo

ORDERS, COUNTED = 8_000, 300
LARGE = Large({model._meta.db_table for model in COPIED}, 3_000)
LISTED = [resource for resource in registry.values() if resource.meta.db_table in LARGE.tables]
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("company")]


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """The demo with many documents, made once for all tests of this module; the server knows its tables."""
    with django_db_blocker.unblock():
        try:
            with transaction.atomic(), moved_database() as set_to:
                set_to(THAT_DAY)
                call_command("demo", orders=ORDERS, seed=1, stdout=io.StringIO())
                with connection.cursor() as cursor:
                    cursor.execute(f"ANALYZE {', '.join(LARGE.tables)}")
                yield
                raise Undo
        except Undo:
            pass


@pytest.fixture(autouse=True)
def few_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list counts to 10,000, and the desk looks at 2,000 overdue items: more than this company has."""
    monkeypatch.setattr(lists, "COUNT_LIMIT", COUNTED)
    monkeypatch.setattr(desk, "OLDEST", COUNTED)


def addresses(resource: Resource, user: User) -> Iterator[str]:
    """The list as it opens, turned over, narrowed and searched, its picker, and a record that `user` may see."""
    url, rows = resource.url(), resource.queryset(user)
    yield from (f"{url}?{part}" for part in ("", "page=2", "size=100"))
    yield from (f"{url}?{urlencode({'q': text})}" for text in ("精密", "jm", "zzzz", "SO-2611-0005"))
    yield from (f"/ui/pick/{resource.slug}/?{urlencode({'q': text})}" for text in ("", "精密", "jm", "zzzz"))
    yield from (f"{url}?view={view}" for view in ("mine", *resource.views))
    for name in resource.filters:
        field = resource.meta.get_field(name) if "__" not in name else None
        if field is not None and field.many_to_one:
            yield f"{url}?{name}={rows.exclude(**{name: None}).order_by('-pk').values_list(name, flat=True).first()}"
    if (row := rows.order_by("-pk").first()) is not None:
        yield resource.url_for(row)


@pytest.mark.parametrize("resource", LISTED, ids=lambda resource: resource.slug)
@pytest.mark.parametrize("who", ["admin", "sales"])
def test_lists_pickers_and_records_are_found_by_indexes(resource: Resource, who: str) -> None:
    """Never a full scan: for who sees everything and for who sees what is one's own."""
    user = User.objects.get(username=who)
    client = client_of(user)
    shown = addresses(resource, user) if resource.may(user, "view") else ()
    assert [found for url in shown for found in LARGE.beyond(client, url)] == []


@pytest.mark.parametrize("text", ["精密", "jm", "so", "2611", "zzzz", "SO-2611-0005"])
@pytest.mark.parametrize("who", ["admin", "sales"])
def test_the_field_in_the_top_bar_is_answered_by_indexes(who: str, text: str) -> None:
    """UX 9: what is typed there, rare or common, is looked up and not looked for."""
    url = f"/search/?{urlencode({'q': text})}"
    assert LARGE.beyond(client_of(User.objects.get(username=who)), url, hx_request="true", hx_target="combo") == []


@pytest.mark.parametrize("url", ["/ui/counters/", "/todo/", "/"])
@pytest.mark.parametrize("who", ["admin", "sales"])
def test_counters_and_inbox_are_found_by_indexes(url: str, who: str) -> None:
    """What every page carries, and what people look at first: a few orders, what is overdue of those that owe longest."""
    overdue = Large(LARGE.tables, 6_000)
    assert overdue.beyond(client_of(User.objects.get(username=who)), url) == []
    assert OpenItem.objects.count() > 3 * overdue.touched


@pytest.mark.parametrize("resource", LISTED, ids=lambda resource: resource.slug)
def test_no_list_is_searched_letter_by_letter(resource: Resource) -> None:
    """Only what search columns and their indexes hold is searched for in a large table."""
    assert [path for path in resource.search_fields if path.rpartition("__")[2] != "search"] == []


def test_the_tables_are_large_enough_to_tell() -> None:
    """Otherwise looking at all rows would not be noticed."""
    assert SalesOrder.objects.count() > 2 * LARGE.touched > 3 * COUNTED
    assert Customer.objects.count() > COUNTED
