"""Products looked for in a drawer, many at a time (UX 6.6.7), and hints of lines (UX 6.6.3)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories as make
from tests.erp.test_pasted_lines import log_in

pytestmark = pytest.mark.django_db

DRAWER = {"HX-Request": "true", "HX-Target": "drawer"}


def offered(client: Any, path: str, **given: str) -> list[str]:
    answer = client.get(f"/{path}/choose/", given, headers=DRAWER)
    assert answer.status_code == 200
    return re.findall(r'data-pick="\d+" data-text="([^"]*)"', answer.content.decode())


def test_products_are_offered_by_what_is_typed(client: Any) -> None:
    """UX 6.6.7: code, name or initials, with what is available; archived ones are not offered."""
    log_in(client)
    motor = make.make_product("SV-750W", "1180", name="Servo motor")
    make.stock(motor, 7)
    make.make_product("SR-15A", "164", name="Ball guide rail")
    make.make_product("SR-OLD", name="Ball guide rail", active=False)
    for path in ("sales/orders", "sales/invoices", "purchasing/orders", "purchasing/bills", "stock/adjustments"):
        assert offered(client, path) == ["SR-15A", "SV-750W"], path
    assert offered(client, "sales/orders", q="ball rail") == ["SR-15A"]
    assert "7 available" in client.get("/sales/orders/choose/?q=servo", headers=DRAWER).content.decode()
    assert offered(client, "sales/orders", q="nothing") == []
    page = client.get("/sales/orders/new/").content.decode()
    assert 'data-choose-url="/sales/orders/choose/" data-choose-col="product"' in page
    assert "data-choose-url" not in client.get("/finance/vouchers/new/").content.decode()


def test_many_products_cost_what_few_do(client: Any) -> None:
    """UX 9: the drawer shows 50 products and says that there are more, in the same number of statements."""
    log_in(client)
    costs = []
    for count in (3, 3, 60):
        for n in range(count):
            make.make_product(f"P{count}-{n:02}-{len(costs)}")
        with CaptureQueriesContext(connection) as statements:
            answer = client.get("/sales/orders/choose/", headers=DRAWER)
        costs.append(len(statements))
    assert costs[1] == costs[2] <= 6
    text = answer.content.decode()
    assert text.count("data-pick=") == 50 and "more: type on" in text


def test_who_may_not_enter_lines_finds_nothing(client: Any) -> None:
    """S-01: the drawer asks for the rights of the form, and there is none where no product is entered."""
    log_in(client)
    assert client.get("/sales/deliveries/choose/").status_code == 404
    assert client.get("/finance/vouchers/choose/").status_code == 404
    assert client.get("/stock/products/choose/").status_code == 404
    assert client.post("/sales/orders/choose/").status_code == 404
    log_in(client, "auditor", name="audit")
    assert client.get("/sales/orders/choose/").status_code == 403
    client.logout()
    assert client.get("/sales/orders/choose/", headers=DRAWER).status_code == 401
