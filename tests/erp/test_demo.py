"""The demo company: complete, plausible, the same for the same seed, and clean for `verify`."""

from __future__ import annotations

import datetime as dt
import io
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import transaction
from django.db.models import F, Sum
from django.test import Client
from django.utils import timezone
from pghistory.core import event_models

from crm.contracts.models import Contract
from crm.customers.models import Contact, Customer
from crm.followups.models import FollowUp
from crm.marketing.models import MarketingPlan
from erp.finance.models import JournalEntry, JournalLine, OpenItem, Payment, Period, Supplier
from erp.inventory.models import Product, StockLevel, StockMove
from erp.purchasing.models import PurchaseOrder
from erp.sales.models import CustomerPrice, Delivery, Invoice, SalesOrder, SalesOrderLine
from erp.setup.demo.people import PASSWORD
from kit.exchange import reports
from oa.organisation.models import User
from oa.reporting.models import ReportSchedule
from tests.invariants import assert_books

ORDERS = 40
pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.usefixtures("company")]


class _Undo(Exception):
    """Ends a transaction without a trace."""


@pytest.fixture(scope="module")
def company(django_db_setup: None, django_db_blocker: Any) -> Iterator[str]:
    """The demo, made once for all tests of this module by the command; what it printed."""
    out = io.StringIO()
    with django_db_blocker.unblock():
        try:
            with transaction.atomic():
                call_command("demo", orders=ORDERS, seed=1, stdout=out)
                yield out.getvalue()
                raise _Undo
        except _Undo:
            pass


def test_the_books_of_the_demo_are_clean() -> None:
    assert_books()


def test_it_is_a_whole_company() -> None:
    """Masters, relations, and at least one of everything that can happen."""
    sizes = {model: model.objects.count() for model in (Product, Supplier, Customer, SalesOrder)}
    assert sizes == {Product: 30, Supplier: 12, Customer: 25, SalesOrder: ORDERS}
    for model, least in ((Contact, 25), (FollowUp, 50), (Contract, 5), (MarketingPlan, 3), (CustomerPrice, 9)):
        assert model.objects.count() >= least, model
    states = set(SalesOrder.objects.values_list("state", flat=True))
    assert states == {"draft", "approving", "confirmed", "closed", "cancelled"}
    assert SalesOrder.objects.filter(hold="credit").exists() and SalesOrder.objects.exclude(note="").exists()
    assert SalesOrder.objects.filter(goods_status="partial").exists()
    assert (
        SalesOrder.objects.filter(paid_percent=100).exists() and SalesOrder.objects.exclude(closing_reason="").exists()
    )
    assert {"draft", "confirmed", "closed"} <= set(PurchaseOrder.objects.values_list("state", flat=True))
    for model in (Delivery, Invoice, Payment):
        assert model.objects.filter(state="reversed").exists(), model
    assert {"CNY", "USD"} <= set(Invoice.objects.values_list("currency__code", flat=True))
    assert OpenItem.objects.filter(customer__isnull=False, remaining__gt=0, due_date__lt=timezone.localdate()).exists()
    assert {"open", "closed"} == set(Period.objects.values_list("state", flat=True))


def test_figures_are_plausible() -> None:
    """Orders of thousands, margins as in trade, tax of 13 % at home."""
    orders = SalesOrder.objects.filter(state__in=("confirmed", "closed"))
    totals = list(orders.values_list("base_total", flat=True))
    assert Decimal(5_000) < sum(totals) / len(totals) < Decimal(120_000)
    revenue = -JournalLine.objects.filter(account__code__startswith="5001").aggregate(n=Sum(F("debit") - F("credit")))[
        "n"
    ]
    cost = JournalLine.objects.filter(account__code__startswith="5401").aggregate(n=Sum(F("debit") - F("credit")))["n"]
    assert Decimal("0.2") < (revenue - cost) / revenue < Decimal("0.5")
    home = SalesOrderLine.objects.filter(order__currency__code="CNY", product__kind="goods")
    assert set(home.values_list("tax_rate", flat=True)) == {Decimal("0.13")}
    assert set(SalesOrderLine.objects.filter(order__currency__code="USD").values_list("tax_rate", flat=True)) == {0}
    assert not StockLevel.objects.filter(on_hand__lt=0).exists()


def test_every_role_can_log_in_and_the_command_says_so(company: str) -> None:
    roles = dict(User.objects.exclude(groups=None).values_list("username", "groups__role__code"))
    assert roles == {
        "admin": "administrator", "sales": "sales", "sales2": "sales", "manager": "sales-manager", "warehouse": "warehouse",
        "buyer": "purchasing", "accountant": "accountant", "chief": "chief-accountant", "hr": "hr", "auditor": "auditor",
    }  # fmt: skip
    for username in roles:
        client = Client()
        assert client.login(username=username, password=PASSWORD)
        assert client.get("/").status_code == 200
        assert f"  {username} " in company
    assert "http://" in company and f"“{PASSWORD}”" in company


def test_today_and_yesterday_have_business_of_both_salespeople() -> None:
    """So that the first daily report is not empty, and shows each of them only the own figures."""
    report = reports.get("daily-business")
    for age in (0, 1):
        day = (timezone.localdate() - dt.timedelta(days=age)).isoformat()
        boss = User.objects.get(username="admin")
        rows = reports.run(report, reports.parse_params(report, {"date": day}, boss), boss).rows
        assert {row["owner"] for row in rows} >= {"sales", "sales2"}
        for name in ("orders", "deliveries", "invoices", "receipts"):
            assert sum(row[name] for row in rows) > 0, (day, name)
        for username in ("sales", "sales2"):
            user = User.objects.get(username=username)
            own = reports.run(report, reports.parse_params(report, {"date": day}, user), user).rows
            assert {row["owner"] for row in own} == {username}


def test_manager_and_administrator_get_the_daily_report() -> None:
    people = ReportSchedule.objects.get(report="daily-business").subscribers.values_list("username", flat=True)
    assert sorted(people) == ["admin", "manager"]


def test_a_second_demo_is_refused_and_if_empty_does_nothing() -> None:
    with pytest.raises(CommandError, match="empty installation"):
        call_command("demo", orders=ORDERS)
    out = io.StringIO()
    call_command("demo", if_empty=True, stdout=out)
    assert out.getvalue() == "" and SalesOrder.objects.count() == ORDERS


def test_it_keeps_away_from_production_and_from_silly_sizes(settings: Any) -> None:
    for orders in (5, 2_000_001):
        with pytest.raises(CommandError, match="between 30 and 2,000,000"):
            call_command("demo", orders=orders)
    settings.PRODUCTION = True
    with pytest.raises(CommandError, match="production"):
        call_command("demo")


def test_everything_names_who_did_it() -> None:
    """G-20: each change in the history, and each document and ledger row, tells a person of the demo."""
    people = list(User.objects.values_list("pk", flat=True))
    nobody = Counter()
    for events in event_models():
        if events._meta.model_name in {"reportschedulehistory", "rolerighthistory"}:
            continue  # `migrate` makes the schedule, and the rights of the shipped roles
        nobody[events._meta.label] = events.objects.exclude(pgh_context__metadata__user__in=people).count()
    documents = [model for model in apps.get_models() if hasattr(model, "STATES") and hasattr(model, "created_by")]
    for model in documents:
        nobody[f"{model._meta.label}.created_by"] = model.objects.filter(created_by=None).count()
    for model in [model for model in documents if hasattr(model, "posted_at")]:
        nobody[f"{model._meta.label}.posted_by"] = model.objects.exclude(posted_at=None).filter(posted_by=None).count()
    for model in (JournalEntry, StockMove):
        nobody[model._meta.label] = model.objects.filter(posted_by=None).count()
    assert +nobody == Counter()
