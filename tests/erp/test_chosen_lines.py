"""Products looked for in a drawer, many at a time (UX 6.6.7), and hints of lines (UX 6.6.3)."""

from __future__ import annotations

import html
import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.sales.services import draft_delivery
from tests import factories as make
from tests.erp.test_document_forms import head, row
from tests.erp.test_pasted_lines import log_in

pytestmark = pytest.mark.django_db

HINTS = re.compile(r'id="lines-(\d+)-hints" data-hints="([^"]*)"')
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


def test_a_line_tells_what_is_worth_a_look(client: Any) -> None:
    """UX 6.6.3: short stock and missing prices mark their cells, when the page opens and while one types."""
    user = log_in(client)
    motor, rail = make.make_product("SV-750W", "100"), make.make_product("SR-15A", "0")
    make.stock(motor, 3)
    order = make.make_order(make.make_customer(), make.line(motor, 5, "100"), make.line(motor, 2, "100"), by=user)
    text = client.get(f"/sales/orders/{order.url_key}/edit/").content.decode()
    assert re.findall(r' warned" title="([^"]*)" data-col="(\w+)"', text) == [("3 available, short by 2.", "quantity")]
    given = head(make.make_customer("Other")) | row(motor, 0, quantity="4") | row(rail, 1) | row(motor, 2)
    answer = client.post("/sales/orders/compute/", given | {"changed": "0,1,2"}, headers=DRAWER).content.decode()
    told = {index: json.loads(html.unescape(texts)) for index, texts in HINTS.findall(answer)}
    assert told["0"] == {"quantity": "3 available, short by 1."} and told["2"] == {}
    assert told["1"]["price"] == "No price is known for SR-15A."
    assert "quantity" not in told["1"] or "available" in told["1"]["quantity"]


def test_a_delivery_tells_where_it_is_more_than_was_ordered(client: Any) -> None:
    """UX 6.6.3, rule G-12: the cell says how many are left on the order."""
    user = log_in(client)
    motor = make.make_product("SV-750W", "100")
    make.stock(motor, 30)
    note = draft_delivery(make.confirmed_order(make.make_customer(), make.line(motor, 5), by=user), by=user)
    given = {"document": note.pk, "lines-0-id": note.lines.get().pk, "lines-0-quantity": "9", "changed": "0"}
    answer = client.post("/sales/deliveries/compute/", given, headers=DRAWER).content.decode()
    assert json.loads(html.unescape(HINTS.findall(answer)[0][1])) == {"quantity": "Only 5 are left on the order."}
