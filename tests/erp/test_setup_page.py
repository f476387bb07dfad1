"""The first run may change chart, currency and fiscal year while nothing is posted (rule F-09)."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from erp.finance.models import Account, FiscalYear
from oa.organisation.models import CompanyProfile
from tests.factories import currency, line, make_customer, make_order, make_product, make_user, stock

pytestmark = pytest.mark.django_db
ANSWERS = {
    "name": "Blue Mill",
    "name_zh": "蓝磨坊",
    "tax_number": "",
    "base_currency": "EUR",
    "fiscal_year_start": "4",
    "chart": "generic",
    "tax_method": "tax",
}


def browser(*roles: str) -> Client:
    client = Client()
    client.force_login(make_user("", *roles), backend="oa.organisation.auth.NameOrMailBackend")
    return client


def test_the_first_run_changes_chart_currency_and_fiscal_year() -> None:
    assert browser("administrator").post("/settings/setup/", ANSWERS).status_code == 302
    company = CompanyProfile.current()
    assert (company.name, company.base_currency, company.fiscal_year_start, company.chart) == (
        "Blue Mill",
        "EUR",
        4,
        "generic",
    )
    assert not Account.objects.filter(code="1122", name_zh="应收账款").exists()
    level = stock(make_product(), 3)
    assert level.on_hand == 3 and FiscalYear.objects.get().start.month == 4


def test_figures_on_pages_have_the_sign_of_the_base_currency() -> None:
    """UX 7.7: also where the books are not kept in renminbi."""
    boss = browser("administrator", "sales-manager", "chief-accountant")
    boss.post("/settings/setup/", ANSWERS)
    customer = make_customer()
    product = make_product()
    stock(product, 3)
    for path in ("/?cards=all", f"/crm/customers/{customer.code}/", f"/stock/products/{product.code}/"):
        page = boss.get(path).content.decode()
        assert "<small>€</small>" in page and "¥" not in page, path


def test_nothing_changes_once_an_entry_is_posted() -> None:
    stock(make_product(), 3)
    before = list(Account.objects.values_list("code", flat=True))
    answer = browser("administrator").post("/settings/setup/", ANSWERS)
    assert answer.status_code == 422 and "posted already" in answer.content.decode()
    assert CompanyProfile.current().base_currency == "CNY"
    assert list(Account.objects.values_list("code", flat=True)) == before


def test_the_base_currency_stays_while_something_carries_a_rate_to_it() -> None:
    order = make_order(make_customer(), line(make_product(), 2))
    boss = browser("administrator")
    answer = boss.post("/settings/setup/", ANSWERS)
    assert answer.status_code == 422 and "in terms of CNY" in answer.content.decode()
    assert (CompanyProfile.current().base_currency, CompanyProfile.current().chart) == ("CNY", "small-enterprise")
    assert boss.post("/settings/setup/", ANSWERS | {"base_currency": "CNY"}).status_code == 302, "the chart may change"
    order.lines.all().delete()
    order.delete()
    currency("USD", "7.1")
    assert boss.post("/settings/setup/", ANSWERS).status_code == 422


def test_only_administrators_may_open_it(django_user_model: Any) -> None:
    assert browser("sales").get("/settings/setup/").status_code == 403
