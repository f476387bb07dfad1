"""Saving by form: pickers, versions, double submits, foreign keys out of sight (G-19, S-03, S-05, I-31)."""

from __future__ import annotations

import uuid
from typing import Any

import pghistory
import pytest
from django.test import Client

from crm.customers.models import Contact, Customer
from erp.inventory.models import Product, Unit
from oa.organisation.models import Department, User
from tests.factories import make_customer, make_product, make_user

pytestmark = pytest.mark.django_db


def browser(user: User) -> Client:
    client = Client()
    client.force_login(user, backend="oa.organisation.auth.NameOrMailBackend")
    return client


def unit(**columns: Any) -> dict[str, Any]:
    return {
        "code": "roll",
        "name": "Roll",
        "name_zh": "卷",
        "decimals": "2",
        "active": "on",
        "submit_id": str(uuid.uuid4()),
        **columns,
    }


def test_a_plain_record_is_created_and_its_history_kept() -> None:
    client = browser(make_user())
    assert client.post("/stock/units/new/", unit()).status_code == 302
    row = Unit.objects.get(code="roll")
    assert client.post("/stock/units/roll/edit/", unit(name="Reel", version=row.version)).status_code == 302
    page = client.get("/stock/units/roll/").content.decode()
    assert "Reel" in page and "<del>Roll</del>" in page


def test_a_double_submit_has_one_effect() -> None:
    client, form = browser(make_user()), unit()
    first, second = client.post("/stock/units/new/", form), client.post("/stock/units/new/", form)
    assert first["Location"] == second["Location"] and Unit.objects.filter(code="roll").count() == 1


def test_a_record_saved_by_somebody_else_is_not_overwritten() -> None:
    client = browser(make_user())
    client.post("/stock/units/new/", unit())
    with pghistory.context(user=make_user("bob", name="Bob Lee").pk):
        Unit.objects.filter(code="roll").update(name="Theirs", version=2)
    answer = client.post("/stock/units/roll/edit/", unit(name="Mine", version=1))
    page = answer.content.decode()
    assert answer.status_code == 409 and 'value="Mine"' in page
    assert page.count("while you were editing") == 1, "told once"
    assert Unit.objects.get(code="roll").name == "Theirs"
    told = page[page.index("Saved meanwhile") :][:600]
    assert "Bob Lee" in told and "<del>Roll</del>" in told and "<ins>Theirs</ins>" in told, "G-19: who, what, when"
    assert 'href="/stock/units/roll/edit/"' in told, "G-19: or load it again"


def test_bad_input_stays_and_is_named_at_the_field() -> None:
    client = browser(make_user())
    answer = client.post(
        "/stock/products/new/", {"code": "A1", "name": "", "price": "abc", "unit": "", "submit_id": str(uuid.uuid4())}
    )
    text = answer.content.decode()
    assert answer.status_code == 422 and "“abc” is not a number" in text and 'value="A1"' in text
    assert not Product.objects.filter(code="A1").exists()


def test_a_picker_takes_code_name_or_search_without_javascript() -> None:
    client = browser(make_user())
    customer = make_customer("Blue Harbour Ltd", code="C-7")
    for typed in ("C-7", "Blue Harbour Ltd", "harbour"):
        client.post(
            "/crm/contacts/new/",
            {"customer_text": typed, "customer": "", "name": typed, "submit_id": str(uuid.uuid4())},
        )
    assert Contact.objects.filter(customer=customer).count() == 3
    answer = client.post("/crm/contacts/new/", {"customer_text": "nobody", "customer": "", "name": "x"})
    assert answer.status_code == 422 and "“nobody” was not found" in answer.content.decode()


def test_a_customer_out_of_sight_cannot_be_named_in_a_form() -> None:
    """S-03: the key of an invisible row is refused like a missing one, and nothing is written."""
    department = Department.objects.create(code="E", name="East")
    seller = make_user("seller", "sales", department=department)
    foreign = make_customer("Canary Foreign Co", code="C-9", owner=make_user("other", "sales"))
    for data in (
        {"customer": foreign.pk, "customer_text": "C-9 Canary Foreign Co"},
        {"customer": "", "customer_text": "C-9"},
    ):
        answer = browser(seller).post("/crm/contacts/new/", {**data, "name": "x"})
        assert answer.status_code == 422 and not Contact.objects.exists()
    assert "Canary" not in browser(seller).get("/ui/pick/customer/?q=canary").content.decode()
    assert "Canary" not in browser(seller).get("/search/?q=canary").content.decode()


def test_columns_that_are_not_in_the_form_cannot_be_forged() -> None:
    """S-05."""
    client = browser(make_user())
    client.post(
        "/crm/customers/new/",
        {
            "name": "Forge Ltd",
            "type": "company",
            "status": "prospect",
            "created_by": "99",
            "version": "50",
            "last_contact_at": "2020-01-01",
            "submit_id": str(uuid.uuid4()),
        },
    )
    row = Customer.objects.get(name="Forge Ltd")
    assert (
        row.version == 1
        and row.last_contact_at is None
        and row.created_by.username != "99"
        and row.code.startswith("C-")
    )


def test_an_archived_product_is_not_offered_but_stays_where_it_is() -> None:
    """G-24."""
    product = make_product("OLD-1", active=False)
    client = browser(make_user())
    assert "data-value" not in client.get("/ui/pick/product/?q=OLD-1").content.decode()
    assert client.get(f"/stock/products/{product.code}/").status_code == 200


def test_a_used_master_is_archived_and_never_deleted() -> None:
    """G-24."""
    product = make_product("USED-1")
    client = browser(make_user())
    client.post(f"/stock/units/{product.unit.code}/delete/")
    assert Unit.objects.filter(pk=product.unit_id).exists()
