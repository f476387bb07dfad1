"""The list of hits under the search field of the top bar (UX 3.3)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from oa.organisation.models import User
from tests import factories as make
from tests.oa.world import CANARY, WATCHED, client_of, world

pytestmark = pytest.mark.django_db


def hits(client: Client, typed: str) -> list[tuple[str, str]]:
    """Address and label of every hit."""
    answer = client.get("/search/", {"q": typed}, headers={"HX-Request": "true", "HX-Target": "combo"})
    assert answer.status_code == 200 and "<html" not in answer.content.decode()
    return re.findall(r'data-label="([^"]*)" data-href="([^"]*)"', answer.content.decode())


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", language="en")


def test_exact_numbers_then_places_then_customers_then_documents(ann: User) -> None:
    """UX 3.3: fixed order; the last row leads to the page of all results."""
    client = client_of(ann)
    for code in ("C-10", "C-11", "C-12", "C-13", "C-14", "C-15", "C-1"):
        make.make_customer("Order Books Ltd", code=code)
    order = make.make_order(make.make_customer("Blue", code="X-1"), make.line(make.make_product()), by=ann)
    order.customer_reference = "order 66"
    order.save(update_fields=["customer_reference"])
    labels = [label for label, _url in hits(client, "order")]
    assert labels[:4] == ["Sales orders", "Purchase orders", "Sales order", "Purchase order"], "lists, then what is new"
    assert labels[-1] == "All results for “order”"
    books = [place for place, label in enumerate(labels) if "Order Books" in label]
    assert len(books) == 5 and books[0] > labels.index("Sales order"), "no more than five of a kind"
    assert labels.index("Draft Blue") > books[-1]
    assert hits(client, "c-1")[0] == ("C-1 Order Books Ltd", "/crm/customers/C-1/"), "not those that only begin so"
    assert hits(client, "o") == [] and hits(client, " ") == []


def test_records_of_all_kinds_cost_one_statement(ann: User) -> None:
    """UX 9: the list that opens while one types costs few statements, however many kinds there are."""
    make.make_customer("苏州明锐", code="C-7")
    client = client_of(ann)
    assert ("C-7 苏州明锐", "/crm/customers/C-7/") in hits(client, "szmr")
    with CaptureQueriesContext(connection) as seen:
        hits(client, "szmr")
    assert len([one for one in seen if "UNION ALL" in one["sql"]]) == 1
    assert len(seen) <= 4, [one["sql"][:200] for one in seen]


@pytest.mark.parametrize("who", ("ann", "mia", "nosy"))
def test_nothing_foreign_is_offered(who: str, db: Any) -> None:
    """S-04: what a person may not see is not offered either, and its number leads nowhere."""
    w = world()
    client = client_of(getattr(w, who))
    for typed in (CANARY, "FOR-1"):
        assert [url for _label, url in hits(client, typed) if not url.startswith("/search/")] == []
    assert len(hits(client, WATCHED)) > 1
