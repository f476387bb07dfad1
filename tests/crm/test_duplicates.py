"""Likely duplicates while a customer is entered (rule C-01, UX 6.5.6, G-21)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Customer
from crm.customers.plain import plain_forms
from oa.organisation.models import Department, User
from tests import factories as make

pytestmark = pytest.mark.django_db

URL = "/crm/customers/similar/"


@pytest.fixture
def two() -> tuple[User, User]:
    south, north = (Department.objects.create(code=code, name=name) for code, name in (("S", "South"), ("N", "North")))
    sam = make.make_user("sam", "sales", name="Sam Low", department=south)
    return sam, make.make_user("nora", "sales", name="Nora Fell", department=north)


def box(user: User, **typed: str) -> str:
    client = Client()
    client.force_login(user)
    answer = client.post(URL, typed, headers={"HX-Request": "true", "HX-Target": "similar"})
    assert answer.status_code == 200
    return answer.content.decode()


def plain(*names: str) -> list[str]:
    return [form.name for form in plain_forms([(name, "") for name in names])]


@pytest.mark.parametrize(
    "other",
    ("Blue Harbour Co., Ltd.", "blue-harbour", "ＢＬＵＥ Harbour Limited", "Blue Harbour (Shanghai) Ltd"),
)
def test_names_are_compared_in_plain_form(other: str) -> None:
    """C-01: without legal form, punctuation, width and case; the province or city before a Chinese name too."""
    assert plain(other) == plain("Blue Harbour GmbH") == ["blueharbour"]
    assert set(plain("苏州市明锐精密机械有限公司", "江苏省明锐精密机械股份有限公司", "明锐精密机械")) == {
        "明锐精密机械"
    }
    assert plain("有限公司", "Ltd", "江苏省", "") == ["有限公司", "ltd", "江苏省", ""], "a name is never empty for it"
    assert [form.number for form in plain_forms([("", " 9132-0500 MA1X "), ("", "９１３２")])] == [
        "91320500ma1x",
        "9132",
    ]


def test_what_one_sees_is_linked(two: Any) -> None:
    """UX 6.5.6: up to three hits with city and owner, the surest first; they open beside the form."""
    sam, _nora = two
    for n in range(4):
        make.make_customer(f"Blue Harbour Trading {n}", code=f"C-{n}", owner=sam, department=sam.department)
    make.make_customer(
        "Red", code="C-9", owner=sam, department=sam.department, tax_number="9132 0500-MA1X", city="Wuxi"
    )
    text = box(sam, name="blue harbour", tax_number="91320500ma1x")
    assert re.findall(r'href="(/crm/customers/[^"]+)"', text) == [f"/crm/customers/C-{n}/" for n in (9, 0, 1)]
    assert "Wuxi · Sam Low · South" in text and "same tax number" in text and "similar name" in text
    assert "note" not in box(sam, name="Green", tax_number="") and "note" not in box(sam, name="B", tax_number="1")


def test_of_what_one_does_not_see_only_who_is_responsible_is_told(two: Any) -> None:
    """C-01, G-21: all customers are compared; a hidden one shows owner and department for an exact hit, else nothing."""
    sam, nora = two
    make.make_customer("Blue Harbour Ltd", code="C-7", owner=nora, department=nora.department, city="Wuxi")
    text = box(sam, name="Blue Harbour")
    assert "A customer that you do not see · Nora Fell · North (same name)" in text
    assert not any(word in text for word in ("C-7", "Wuxi", "href=", "Ltd"))
    assert "note" not in box(sam, name="Blue Har"), "part of a name finds no customer of others"
    assert "Blue Harbour Ltd" in box(nora, name="Blue Har")


def test_the_form_asks_while_one_types_and_saves_all_the_same(two: Any) -> None:
    """UX 6.5.6: name and tax number of a new customer ask; saving is not blocked; without the right 403."""
    sam, _nora = two
    make.make_customer("Blue Harbour", code="C-1", owner=sam, department=sam.department)
    client = Client()
    client.force_login(sam)
    page = client.get("/crm/customers/new/").content.decode()
    assert page.count(f'hx-post="{URL}"') == 2 and 'id="similar"' in page
    assert URL not in client.get("/crm/customers/C-1/edit/").content.decode()
    page = client.post("/crm/customers/new/", {"name": "Blue Harbour", "country": "CN", "email": "x"}).content.decode()
    assert "same name" in page, "without scripts it comes with the form that is shown again"
    given = {"name": "Blue Harbour", "type": "company", "status": "prospect", "active": "on"}
    assert client.post("/crm/customers/new/", given).status_code in (302, 422)
    reader = Client()
    reader.force_login(make.make_user("eve", "auditor"))
    assert reader.post(URL, {"name": "Blue Harbour"}).status_code == 403
    assert client.get(URL).status_code == 404 and client.post("/crm/contacts/similar/", {}).status_code in (403, 404)


def test_it_costs_the_same_for_many(two: Any) -> None:
    """C-01: one statement for names, one for numbers, one for what is seen, whatever the number of hits."""
    sam, _nora = two
    costs = []
    for count in (2, 40):
        Customer.objects.bulk_create(
            Customer(code=f"{count}-{n}", name=f"Blue Harbour {n}", tax_number="91320500", owner=sam)
            for n in range(count)
        )
        box(sam, name="Blue Harbour", tax_number="91320500")
        with CaptureQueriesContext(connection) as queries:
            box(sam, name="Blue Harbour", tax_number="91320500")
        costs.append(len(queries))
    assert costs[0] == costs[1]
