"""Sets of records in forms: searched like single ones, never preloaded (UX 6.5.4)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from crm.marketing.models import MarketingPlan
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def web() -> Client:
    client = Client()
    client.force_login(make.make_user("marketer"), backend="oa.organisation.auth.NameOrMailBackend")
    return client


def plan_form(client: Client, url: str) -> dict[str, Any]:
    """What the form of a plan would send unchanged."""
    form = client.get(url).context["form"]
    sent = {}
    for name in form.fields:
        value = form[name].value()
        if name == "customers":
            sent[name] = [key for key, _label in value[0]]
        elif isinstance(value, tuple):
            sent[name], sent[f"{name}_text"] = value
        else:
            sent[name] = "" if value is None else str(value)
    return sent


def save(client: Client, url: str, **given: Any) -> Any:
    return client.post(url, {**plan_form(client, url), **given})


def members(plan: MarketingPlan) -> set[str]:
    return set(plan.customers.values_list("name", flat=True))


def test_records_are_added_by_search_and_taken_away_by_their_box(web: Client) -> None:
    first, second, third = (make.make_customer(name) for name in ("Anna", "Berta", "Clara"))
    added = {"customers_add": [str(first.pk), ""], "customers_add_text": [f"{first.code} {first}", second.code]}
    answer = save(web, "/crm/marketing/new/", title="Spring fair", **added)
    assert answer.status_code == 302, answer.context["form"].errors
    plan = MarketingPlan.objects.get()
    assert members(plan) == {"Anna", "Berta"}
    url = f"/crm/marketing/d-{plan.pk}/edit/"
    save(web, url)
    assert members(plan) == {"Anna", "Berta"}, "an unchanged form changes nothing"
    save(web, url, customers=[str(second.pk)], customers_add=[""], customers_add_text=["Clara"])
    assert members(plan) == {"Berta", "Clara"}
    assert third in plan.customers.all()


def test_what_fits_nobody_stays_typed_and_nothing_is_stored(web: Client) -> None:
    customer = make.make_customer("Anna")
    plan = MarketingPlan.objects.create(title="Fair")
    plan.customers.add(customer)
    url = f"/crm/marketing/d-{plan.pk}/edit/"
    answer = save(web, url, customers=[], customers_add=[""], customers_add_text=["Nobody"])
    page = answer.content.decode()
    assert answer.status_code == 422 and "“Nobody” was not found." in page and 'value="Nobody"' in page
    assert members(plan) == {"Anna"}


def test_a_form_offers_only_what_is_chosen(web: Client) -> None:
    """A thousand customers make the form neither longer nor slower."""
    plan = MarketingPlan.objects.create(title="Fair")
    plan.customers.add(make.make_customer("Anna"))
    for number in range(30):
        make.make_customer(f"Zacharias {number}")
    page = web.get(f"/crm/marketing/d-{plan.pk}/edit/").content.decode()
    assert "Anna" in page and "Zacharias" not in page
