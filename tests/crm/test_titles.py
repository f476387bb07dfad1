"""Contracts and marketing plans are called by their titles."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from crm.contracts.models import Contract
from crm.marketing.models import MarketingPlan
from kit.pages.panels import panels_for
from kit.pages.resources import by_model
from oa.organisation.models import User
from oa.records.transitions import plain_transitions
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk() -> User:
    return make.make_user("clerk")


def named(title: str, model: type, clerk: User):
    if model is MarketingPlan:
        day = make.today()
        period = {"starts_on": day, "ends_on": day + dt.timedelta(days=9), "budget": D(10)}
        return model.objects.create(title=title, owner=clerk, **period)
    return model.objects.create(title=title, customer=make.make_customer(), owner=clerk, signed_on=make.today())


@pytest.mark.parametrize(("model", "step"), [(Contract, "sign"), (MarketingPlan, "launch")])
def test_a_record_with_a_title_is_called_by_it(clerk: User, client: Client, model: type, step: str) -> None:
    """G-01: a draft has no number; then it stands before the title, in heading, browser title and picker."""
    client.force_login(clerk)
    resource, record = by_model[model], named("Spring in Suzhou", model, clerk)
    for issued in (False, True):
        record = plain_transitions(model)[step](record, by=clerk) if issued else record
        name = f"{record.number} Spring in Suzhou" if record.number else "Spring in Suzhou"
        page = client.get(resource.url_for(record)).content.decode()
        heading, title = (re.search(rf"<{tag}[^>]*>(.*?)</{tag}>", page, re.S).group(1) for tag in ("h1", "title"))
        assert name in heading and title.strip().startswith(name)
        assert name in client.get(reverse("kit:pick", args=[resource.slug]), {"q": "spring"}).content.decode()
        assert bool(record.number) == issued


def test_tabs_of_a_customer_stand_in_the_order_of_the_work(clerk: User) -> None:
    """From people over documents to agreements; what is seldom looked at comes last."""
    tabs = [panel.name.removesuffix("-all") for panel in panels_for("crm.customer", clerk) if panel.where == "tab"]
    assert tabs == [
        "contacts", "orders", "deliveries", "invoices", "receipts", "open-items", "contracts", "marketing", "prices",
        "addresses",
    ]  # fmt: skip
