"""Documents of hundreds of lines: pages of 200 rows, the others packed, the cost the same (UX 6.6.11, 9)."""

from __future__ import annotations

import gzip
import html
import json
import re
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.sales.models import SalesOrder
from erp.sales.services import draft_delivery
from tests import factories as make
from tests.erp.test_document_forms import Fields, head, row
from tests.erp.test_pasted_lines import page_of, shown

pytestmark = pytest.mark.django_db

HEADERS = {"HX-Request": "true", "HX-Target": "compute"}


@pytest.fixture
def goods() -> list[Any]:
    made = [make.make_product(f"P{i}", "10", tax=None) for i in range(3)]
    for product in made:
        make.stock(product, 100_000)
    return made


def order_of(customer: Any, goods: list[Any], count: int) -> SalesOrder:
    lines = [make.line(goods[i % 3], 2, "10") for i in range(count)]
    return make.make_order(customer, *lines, currency=make.currency())


def edit(order: SalesOrder) -> str:
    return f"/sales/orders/{order.url_key}/edit/"


def opened(client: Any, url: str) -> dict[str, str]:
    """What the page of a form would post: `Fields` reads its inputs, also those of packed rows."""
    values = Fields(client.get(url).content.decode()).values
    return {name: text for name, text in values.items() if name and "__i__" not in name and name != "page"}


def packed(values: dict[str, str]) -> dict[str, dict[str, str]]:
    """The packed rows of a form by their index."""
    found = {name.split("-")[1]: text for name, text in values.items() if re.fullmatch(r"lines-\d+-packed", name)}
    return {index: json.loads(text) for index, text in found.items()}


def fold(values: dict[str, str], index: int, **change: str) -> dict[str, str]:
    """A form with another text in a packed row."""
    name = f"lines-{index}-packed"
    return values | {name: json.dumps(json.loads(values[name]) | change)}


def cost(client: Any, call: Any) -> int:
    with CaptureQueriesContext(connection) as statements:
        assert call().status_code in (200, 302)
    return len(statements)


@pytest.mark.parametrize("count", [500, 1000])
def test_many_lines_are_opened_edited_and_saved(
    client: Any, clerk: Any, mingrui: Any, goods: list[Any], count: int
) -> None:
    """UX 6.6.11: 200 rows are drawn, the totals are those of all, and what changed on another page is saved."""
    order = order_of(mingrui, goods, count)
    values = opened(client, edit(order))
    rest = packed(values)
    assert (len(rest), sum(name.endswith("-quantity") for name in values)) == (count - 199, 200)
    assert len(values) < settings.DATA_UPLOAD_MAX_NUMBER_FIELDS
    given = fold(values, 450, quantity="7", due="2030-12-24")
    answer = client.post("/sales/orders/compute/", given | {"changed": "450"}, headers=HEADERS)
    text = html.unescape(answer.content.decode())
    found = Fields(text)
    assert json.loads(found.values["lines-450-packed"])["quantity"] == "7"
    assert '"amount":"70.00"' in text and found.texts["foot-quantity"] == f"{2 * count + 5:,}"
    assert client.post(edit(order), given).status_code == 302
    lines = list(order.lines.order_by("position"))
    assert (len(lines), lines[450].quantity, str(lines[450].due_date)) == (count, 7, "2030-12-24")
    order.refresh_from_db()
    assert order.total == 20 * count + 50


def test_statements_and_answers_do_not_grow(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 9: opening, computing one changed row and saving ask as often for 500 lines as for 20; ≤ 3 kB come back."""
    costs, sizes = [], []
    for count in (20, 20, 500):
        order = order_of(mingrui, goods, count)
        url, given = edit(order), {}
        with CaptureQueriesContext(connection) as opening:
            given = opened(client, url)
        one = given | {"lines-15-quantity": "9", "changed": "15"}
        del one["submit_id"], one["opened"]  # as the page asks
        with CaptureQueriesContext(connection) as computing:
            answer = client.post("/sales/orders/compute/", one, headers=HEADERS)
        sizes.append(len(gzip.compress(answer.content)))
        costs.append(
            (
                len(opening),
                len(computing),
                cost(client, lambda url=url, given=given: client.post(url, given | {"lines-15-quantity": "9"})),
            )
        )
    assert costs[1] == costs[2]
    assert costs[2][1] <= 2 + 6 and costs[2][2] <= 40  # session and user, and what computing asks for
    assert max(sizes) <= 3_000


def test_short_stock_of_many_lines_is_told_in_few_words(client: Any, clerk: Any, mingrui: Any) -> None:
    """UX 9: an answer stays small when nothing is in stock; the lines say it themselves."""
    goods = [make.make_product(f"P{i}", "10", tax=None) for i in range(3)]
    given = opened(client, edit(order_of(mingrui, goods, 220)))
    answer = client.post("/sales/orders/compute/", given | {"changed": "3"}, headers=HEADERS)
    assert len(gzip.compress(answer.content)) <= 3_000
    text = answer.content.decode()
    assert text.count("short by") <= 12 and "215 more lines" in text


def test_a_packed_row_means_no_more_than_its_inputs(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 6.6.11: names that the row does not have are left out, what was typed in the open wins, the rest is refused."""
    given = head(mingrui) | row(goods[0], 0, quantity="3")
    inner = {"product_text": "P1", "quantity": "4", "price": "10", "amount": "1", "note": "x", "customer": "7"}
    given["lines-1-packed"] = json.dumps(inner | {"lines-0-quantity": "99", "0-quantity": "98", "tolerance_text": "5"})
    given["lines-0-packed"] = json.dumps({"quantity": "99"})
    assert client.post("/sales/orders/new/", given).status_code == 302
    order = SalesOrder.objects.get()
    assert order.customer == mingrui
    assert [(line.product.code, line.quantity) for line in order.lines.order_by("position")] == [("P0", 3), ("P1", 4)]
    forged = (
        '{"description": "\\u0000"}',
        '{"description": "\\ud800"}',
        "",
        "{",
        "[]",
        "7",
        '{"a": 1}',
        '{"a": {"b": "c"}}',
        "[" * 5000,
        json.dumps({"description": "x" * 30_000}),
    )
    for text in forged:
        for url in ("/sales/orders/new/", "/sales/orders/compute/", "/sales/orders/paste/", "/sales/orders/scan/"):
            assert client.post(url, head(mingrui) | {"lines-0-packed": text}).status_code == 400, (url, text[:20])
    assert SalesOrder.objects.count() == 1


def test_a_hidden_column_cannot_be_packed(client: Any, mingrui: Any, goods: list[Any]) -> None:
    """Columns that need a right are not taken out of a packed row without it (rule G-12)."""
    given = head() | {"lines-0-packed": json.dumps({"product_text": "P1", "quantity": "4", "tolerance": "50"})}
    kept = {}
    for name, roles in (("boss", ()), ("sam", ("sales",))):
        client.force_login(make.make_user(name, *roles), backend=settings.AUTHENTICATION_BACKENDS[-1])
        answer = client.post("/sales/orders/compute/", given | {"changed": "all"}, headers=HEADERS)
        kept[name] = json.loads(Fields(answer.content.decode()).values["lines-0-packed"])
    assert kept["boss"]["tolerance"] == "50" and "tolerance" not in kept["sam"]
    assert kept["sam"]["quantity"] == "4"


def test_what_is_wrong_on_another_page_is_in_view(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 6.6.11: the page of the first wrong row is shown; the summary counts through all pages."""
    order = order_of(mingrui, goods, 250)
    given = fold(fold(opened(client, edit(order)), 210, quantity="many"), 240, quantity="-1")
    answer = client.post(edit(order), given)
    text = answer.content.decode()
    assert answer.status_code == 422
    assert 'href="#lines-210-quantity"' in text and "Line 211" in text
    values = Fields(text).values
    assert (
        values["lines-210-quantity"] == "many" and {"0", "199"} <= set(packed(values)) and "211" not in packed(values)
    )
    assert client.post(edit(order), given | {"lines-210-packed": packed_text(values, 210)}).status_code == 422


def packed_text(values: dict[str, str], index: int) -> str:
    """A row of the page in view, packed and put right."""
    start = f"lines-{index}-"
    mine = {name.removeprefix(start): text for name, text in values.items() if name.startswith(start)}
    return json.dumps(mine | {"quantity": "2"})


def test_pages_are_turned_without_scripts(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 5.9: the buttons of the pager send the form; nothing is stored, and nothing typed is lost."""
    order = order_of(mingrui, goods, 250)
    given = opened(client, edit(order)) | {"lines-0-quantity": "5"}
    answer = client.post(edit(order), given | {"page": "1"})
    values = Fields(answer.content.decode()).values
    assert answer.status_code == 200 and "lines-249-quantity" in values and packed(values)["0"]["quantity"] == "5"
    assert client.post(edit(order), given | {"page": "9" * 18}).status_code == 200
    assert order.lines.first().quantity == 2


def test_a_draft_of_many_lines_comes_back(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 6.5.9: packed rows are kept packed and restored."""
    order = order_of(mingrui, goods, 250)
    given = fold(opened(client, edit(order)), 233, quantity="8")
    assert client.post(edit(order).replace("/edit/", "/draft/"), given).status_code == 204
    values = Fields(client.get(f"{edit(order)}?draft=1").content.decode()).values
    assert packed(values)["233"]["quantity"] == "8"


def test_two_people_edit_many_lines(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """Rule G-19: what one changed on a page out of view is merged, what both changed is chosen."""
    order = order_of(mingrui, goods, 230)
    given = fold(fold(opened(client, edit(order)), 210, quantity="8"), 215, quantity="8")
    lines = list(order.lines.order_by("position"))
    order.lines.filter(pk__in=[lines[215].pk, lines[220].pk]).update(quantity=4)
    SalesOrder.objects.filter(pk=order.pk).update(version=2)
    answer = client.post(edit(order), given)
    values = Fields(html.unescape(answer.content.decode())).values
    rest = packed(Fields(answer.content.decode()).values)
    assert answer.status_code == 409
    assert [rest[index]["quantity"] for index in ("210", "215", "220")] == ["8", "4", "4"]
    chosen = {name: text for name, text in Fields(answer.content.decode()).values.items() if "__i__" not in name}
    chosen.pop("page", None)
    assert values["over-1"] == "lines-215-quantity"
    assert client.post(edit(order), chosen | {"pick-1": "yours"}).status_code == 302
    lines = list(order.lines.order_by("position"))
    assert [lines[i].quantity for i in (210, 215, 220)] == [8, 8, 4]


def test_pasting_over_rows_that_are_not_in_view(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 6.6.5, 6.6.11: a block goes on over the edge of the page, and new rows come behind all of them."""
    given = head(mingrui) | row(goods[0], 0)
    given |= {f"lines-{i}-packed": json.dumps({"product_text": "P1", "quantity": "1"}) for i in (1, 2)}
    block = [[str(n)] for n in (5, 6, 7)]
    lines = shown(page_of(client, "sales/orders", block, at="0", column="quantity", **given))
    assert [lines[n].to for n in (1, 2, 3)] == ["0", "1", "2"]
    assert lines[2].cells["quantity"]["text"] == "6" and lines[2].tone == "ok"
    many = [["P1", "", "", str(n + 1)] for n in range(500)]
    found = shown(page_of(client, "sales/orders", many, **head(mingrui)))
    assert len(found) == 500 and {line.tone for line in found.values()} <= {"ok", "warn"}


def test_a_delivery_of_many_lines(client: Any, clerk: Any, mingrui: Any, goods: list[Any]) -> None:
    """UX 6.6.11: grids whose rows come from another document have pages as well."""
    lines = [make.line(goods[i % 3], 2, "10") for i in range(230)]
    order = make.confirmed_order(mingrui, *lines, by=clerk, currency=make.currency())
    note = draft_delivery(order, by=clerk)
    url = f"/sales/deliveries/d-{note.pk}/edit/"
    text = client.get(url).content.decode()
    values = opened(client, url)
    assert len(packed(values)) == 30 and "data-row-template" in text
    assert re.search(r"id=\"lines-210-packed\" value='[^']*' data-shown='[^']*P0", text)
    assert client.post(url, fold(values, 210, quantity="1")).status_code == 302
    assert [line.quantity for line in note.lines.order_by("position")][209:212] == [2, 1, 2]
