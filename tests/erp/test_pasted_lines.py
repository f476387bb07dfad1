"""Rows of a spreadsheet before they stand in a document, and codes from a scanner (UX 6.6.5, 6.6.6)."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass
from decimal import Decimal as D
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.inventory.models import ProductUnit, Unit
from erp.sales.models import SalesOrder
from erp.sales.services import draft_delivery
from tests import factories as make
from tests.erp.test_document_forms import head, row

pytestmark = pytest.mark.django_db


@dataclass
class Shown:
    """A line of the preview."""

    tone: str
    why: str
    cells: dict[str, Any]
    to: str


def log_in(client: Any, *roles: str, name: str = "clerk", **columns: Any) -> Any:
    user = make.make_user(name, *roles, **columns)
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return user


@pytest.fixture
def clerk(client: Any) -> Any:
    return log_in(client)


def page_of(client: Any, path: str, block: Any, at: str = "0", column: str = "product", **given: Any) -> Any:
    given = {"at": at, "column": column, **given, "paste": block if isinstance(block, str) else json.dumps(block)}
    return client.post(f"/{path}/paste/", given, headers={"HX-Request": "true", "HX-Target": "drawer"})


def shown(answer: Any) -> dict[int, Shown]:
    """The lines of a preview by their number in the sheet."""
    assert answer.status_code == 200
    text, made = answer.content.decode(), {}
    for number, attrs, body in re.findall(r'<tr data-line="(\d+)"([^>]*)>(.*?)</tr>', text, re.S):
        given = dict(re.findall(r'data-(to|cells)="([^"]*)"', attrs))
        cells = json.loads(html.unescape(given.get("cells", "{}")))
        why = html.unescape(re.findall(r'<td class="wrap c-more">(.*?)</td>', body)[0])
        made[int(number)] = Shown(re.findall(r'<span class="bd (\w+)">', body)[0], why, cells, given.get("to", "-"))
    return made


def paste(client: Any, block: Any, path: str = "sales/orders", **given: Any) -> dict[int, Shown]:
    return shown(page_of(client, path, block, **{**head(), **given}))


@pytest.fixture
def goods() -> Any:
    """A motor that is also sold in boxes of 12, and a rail."""
    motor = make.make_product("SV-750W", "1180", name="Servo motor 750 W", barcode="6901234500017")
    ProductUnit.objects.create(product=motor, unit=Unit.objects.get(code="box"), factor=12)
    make.make_product("SR-15A", "164", name="Ball guide rail")
    for code in ("bd1", "bd2"):
        Unit.objects.create(code=code, name="bundle", name_zh="捆")
    for product in (motor, *motor.__class__.objects.filter(code="SR-15A")):
        make.stock(product, 100)
    return motor


def test_rows_are_green_amber_or_red_with_the_reason(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.5: what can be taken, what is worth a look, what cannot be taken and why, in words."""
    lines = paste(
        client,
        [
            ["Product", "Qty", "Unit", "Unit price"],
            ["SV-750W", "1,000", "", "1,250.50"],
            ["servo", "2", "", ""],
            ["XYZ", "3", "", ""],
            ["SR-15A", "-4", "", ""],
            ["SR-15A", "0", "", ""],
            ["SR-15A", "many", "", ""],
            ["SR-15A", "2", "bundle", ""],
            ["SR-15A", "2", "box", ""],
            ["SV-750W", "1.5", "", ""],
            ["SR-15A", "", "", ""],
            ["", "7", "", ""],
        ],
    )
    assert {number: line.tone for number, line in lines.items() if number > 3} == {
        **dict.fromkeys((4, 5, 6, 7, 8, 9, 10, 12), "bad"),
        11: "warn",
    }
    assert "short by 900" in lines[2].why and lines[2].tone == "warn"
    assert lines[2].cells["quantity"]["text"] == "1000" and lines[2].cells["price"]["text"] == "1250.5"
    assert "“servo” is taken for" in lines[3].why and lines[3].tone == "warn"
    assert lines[3].cells["product"] == {"text": "SV-750W", "id": str(goods.pk)}
    assert lines[4].why == "“XYZ” was not found." and lines[4].cells == {}
    assert lines[5].why == lines[6].why == "Quantity must be more than 0."
    assert "“many” is not a number." in lines[7].why
    assert "“bundle” fits several" in lines[8].why
    assert "is not sold in" in lines[9].why
    assert "decimals" in lines[10].why
    assert lines[11].why.startswith("There is no quantity: 1 is taken.")
    assert lines[12].why == "Choose a product."


def test_a_good_row_is_green_and_says_nothing(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.5: nothing is stored, and the button counts what can be taken."""
    answer = page_of(client, "sales/orders", [["SV-750W", "", "", "4"], ["XYZ", "", "", "1"]], **head())
    line = shown(answer)[1]
    assert (line.tone, line.why) == ("ok", "")
    assert "Take 1 of 2 rows" in answer.content.decode()
    assert SalesOrder.objects.count() == 0


def test_units_and_thousands_are_understood(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.5: `2 box` is a quantity with its unit, full-width digits and thousands are digits."""
    lines = paste(
        client,
        [
            ["料号", "数量", "单价"],
            ["SV-750W", "2 box", "1,180"],
            ["SV-750W", "１０", "¥1,180.00"],
            ["SR-15A", "3 pcs", ""],
        ],
    )
    assert [line.tone for line in lines.values()].count("bad") == 0
    assert lines[2].cells["quantity"]["text"] == "2"
    assert lines[2].cells["unit"]["id"] == str(Unit.objects.get(code="box").pk)
    assert lines[3].cells["quantity"]["text"] == "10" and lines[3].cells["price"]["text"] == "1180"
    assert lines[4].cells["unit"]["id"] == str(Unit.objects.get(code="pc").pk)


@pytest.mark.parametrize(
    "titles",
    [["Product", "Colour", "Qty"], ["商品", "颜色", "数量"], ["Product Code", "Colour", "Quantity (pc)"]],
)
def test_titles_in_both_languages_whatever_the_page_speaks(
    client: Any, clerk: Any, goods: Any, titles: list[str]
) -> None:
    """UX 6.6.5: a first line that names columns maps them; what the lines do not have is told."""
    answer = page_of(client, "sales/orders", [titles, ["SV-750W", "blue", "4"]], **head())
    cells = shown(answer)[2].cells
    assert (cells["product"]["text"], cells["quantity"]["text"]) == ("SV-750W", "4")
    assert titles[1] in answer.content.decode()


def test_without_titles_the_columns_go_on_from_the_cell_in_hand(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.5: from the focused cell to the right, over the rows that stand there."""
    rail = goods.__class__.objects.get(code="SR-15A")
    given = {**row(goods, 0), **row(rail, 1, quantity="5"), "lines-2-product_text": "", "lines-2-product": ""}
    lines = paste(client, [["8", "1000"], ["9", "160"], ["3", "1"]], column="quantity", **given)
    assert lines[1].to == "0" and lines[2].to == "1"
    assert (lines[1].cells["quantity"]["text"], lines[1].cells["price"]["text"]) == ("8", "1000")
    assert "product" not in lines[1].cells
    assert (lines[1].tone, lines[2].tone, lines[3].why) == ("ok", "ok", "Choose a product.")


def test_a_row_about_another_product_takes_nothing_of_the_old_one(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.5: over an existing line the pasted price stays, and description, unit and discount are the new one's."""
    old = row(goods, 0, price="1180", found="1180.00", description="Old", discount="5")
    cells = paste(client, [["SR-15A", "New", "", "3", "150"]], **old)[1].cells
    found = {name: cell["text"] for name, cell in cells.items()}
    assert found["price"] == "150" and found["found"] != "150" and found["discount"] == ""
    assert (found["description"], found["unit"]) == ("New", "pc")
    assert found["for"] == cells["product"]["id"] != str(goods.pk)
    same = paste(client, [["SV-750W", "Old", "", "3", "1000"]], **old)[1].cells
    assert same["price"]["text"] == "1000" and "discount" not in same


def test_rows_that_are_left_out_leave_no_gap(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.5: what is taken fills the empty rows in order, then new ones."""
    empty = {f"lines-{i}-product_text": "" for i in (0, 1)}
    lines = paste(client, [["XYZ", ""], ["SV-750W", ""], ["ABC", ""], ["SR-15A", ""], ["SV-750W", ""]], **empty)
    assert [(number, line.to) for number, line in sorted(lines.items())] == [
        (1, "-"),
        (2, "0"),
        (3, "-"),
        (4, "1"),
        (5, ""),
    ]


def test_who_may_not_edit_gets_the_answer_of_elsewhere(client: Any, goods: Any) -> None:
    """S-01: the preview and the scanner ask for the rights of the form; what is read only cannot be asked for."""
    log_in(client, "auditor", name="audit")
    for page in ("paste", "scan", "compute"):
        assert client.post(f"/sales/orders/{page}/", head()).status_code == 403, page
    log_in(client, name="boss")
    assert client.get("/sales/orders/paste/").status_code == 404
    assert client.get("/sales/orders/scan/").status_code == 404
    assert client.post("/stock/products/paste/", {}).status_code == 404
    client.logout()
    answers = {client.post(f"/sales/orders/{page}/", head()).status_code for page in ("paste", "scan", "compute")}
    assert answers == {401}


def test_prices_of_a_hidden_column_cannot_be_pasted(client: Any, goods: Any) -> None:
    """Columns that need a right are neither named nor taken."""
    log_in(client, "warehouse", name="keeper")
    titles = ["Product", "Quantity", "Unit cost"]
    given = {"warehouse": make.warehouse().pk, "date": make.today().isoformat(), "reason": "count"}
    line = paste(client, [titles, ["SV-750W", "3", "9"]], "stock/adjustments", **given)[2]
    assert "unit_cost" not in line.cells and line.cells["quantity"]["text"] == "3"


def block_of(count: int) -> list[list[str]]:
    """Rows of every kind, as many as wanted."""
    kinds = [["SV-750W", "2 box"], ["servo", "1"], [f"XY{count}", "1"], ["Ball guide rail", "3 pc"], ["SR-15A", "0"]]
    return [
        ["Product", "Qty"],
        *([f"{code}{i}" if code.startswith("XY") else code, q] for i in range(count // 5) for code, q in kinds),
    ]


def test_statements_do_not_grow_with_the_rows(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.4: 50 rows cost as many statements as 5; codes, names, units and unknown texts among them."""
    customer = make.make_customer("Mingrui")
    counts = []
    given = head(customer)
    page_of(client, "sales/orders", block_of(5), **given)  # what is read once for all
    for count in (10, 50):
        with CaptureQueriesContext(connection) as queries:
            assert len(paste(client, block_of(count), **given)) == count
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 30, counts


@pytest.mark.parametrize(
    ("path", "titles", "good", "bad", "why"),
    [
        (
            "stock/adjustments",
            ["Product", "Quantity"],
            ["SV-750W", "-3"],
            ["SV-750W", "0"],
            "The quantity cannot be 0.",
        ),
        ("purchasing/orders", ["Product", "Qty"], ["SV-750W", "3"], ["", "3"], "Choose a product."),
        ("sales/invoices", ["Product", "Qty"], ["SERVICE", "3"], ["SV-750W", "3"], "Goods are invoiced from an order."),
        ("purchasing/bills", ["Product", "Qty"], ["SERVICE", "3"], ["SV-750W", "3"], "bill it from a goods receipt"),
        ("finance/vouchers", ["Summary", "Account", "Debit"], ["Rent", "6602", "5"], ["Rent", "1", "5"], "group"),
    ],
)
def test_every_grid_checks_what_saving_checks(
    client: Any, clerk: Any, goods: Any, path: str, titles: list[str], good: list[str], bad: list[str], why: str
) -> None:
    """UX 6.6.5: the rules of the documents decide, not those of the page."""
    make.make_service("SERVICE")
    given = {"warehouse": make.warehouse().pk, "reason": "count", "date": make.today().isoformat()}
    if path == "finance/vouchers":
        from erp.finance.models import Account

        leaf = Account.objects.filter(is_group=False, active=True).first()
        group = Account.objects.filter(is_group=True).first()
        good, bad = ["Rent", leaf.code, "5"], ["Rent", group.code, "5"]
    lines = shown(page_of(client, path, [titles, good, bad], column=titles[0], **given))
    assert lines[2].tone in ("ok", "warn"), lines[2].why
    assert lines[3].tone == "bad" and why in lines[3].why


def test_what_is_no_block_takes_nothing(client: Any, clerk: Any, goods: Any) -> None:
    """A forged or empty block is an empty one, and a file of thousands of rows is none to paste."""
    for forged in ("", "{", "7", '"text"', "[1, 2]", "[[]]", '[["", " "]]', "[" * 5000, '[["\\u0000"]]', "null"):
        answer = page_of(client, "sales/orders", forged, **head())
        assert answer.status_code == 200 and "data-take" not in answer.content.decode(), forged
    full = {f"lines-{i}-product_text": "SV-750W" for i in range(999)}
    for count, given in ((1001, {}), (3, {**full, "at": "998"})):
        answer = page_of(client, "sales/orders", [["SV-750W"]] * count, **{**head(), **given})
        assert "at most 1000 rows" in answer.content.decode() and "data-take" not in answer.content.decode()
    hostile = shown(page_of(client, "sales/orders", [["SV-750W\x00", {"a": 1}], [None, ["<script>"]]], **head()))
    assert hostile[1].cells["product"]["text"] == "SV-750W"


# ---- scanning ---------------------------------------------------------------------------------------------------


@dataclass
class Scan:
    done: bool
    words: str
    started: str
    writes: list[tuple[str, dict[str, Any]]]


def scan(client: Any, path: str, code: str, **given: Any) -> Scan:
    answer = client.post(f"/{path}/scan/", {"code": code, **given}, headers={"HX-Request": "true", "HX-Target": "scan"})
    assert answer.status_code == 200
    text = html.unescape(answer.content.decode())
    done, words, started = re.findall(r'data-scanned="(\w+)" data-words="(.*?)" data-started="(.*?)">', text)[0]
    writes = [(to, json.loads(cells)) for to, cells in re.findall(r'<i data-to="(\d*)" data-cells="(.*?)"></i>', text)]
    return Scan(done == "yes", words, started, writes)


def test_a_code_or_barcode_makes_a_row_and_counts_in_it(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.6: before the first save; the same code again adds 1 to its row."""
    for code in ("SV-750W", "sv-750w", "6901234500017", "　ＳＶ-750W "):
        made = scan(client, "sales/orders", code, **head())
        [(to, cells)] = made.writes
        assert made.done and to == "" and made.words == "SV-750W × 1", code
        assert (cells["product"]["id"], cells["quantity"]["text"]) == (str(goods.pk), "1")
    [(to, cells)] = scan(client, "sales/orders", "SV-750W", **head(), **row(goods, 3, quantity="1,000")).writes
    assert (to, cells) == ("3", {"quantity": {"text": "1001", "id": ""}})
    assert SalesOrder.objects.count() == 0


def test_a_row_in_boxes_is_not_the_row_of_a_piece(client: Any, clerk: Any, goods: Any) -> None:
    """A code means one of the product's own unit (rule G-13)."""
    box = Unit.objects.get(code="box")
    given = row(goods, 0, unit=box.pk, unit_text="box")
    assert [to for to, _cells in scan(client, "sales/orders", "SV-750W", **head(), **given).writes] == [""]


def test_an_unknown_code_writes_nothing(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.6: only an exact code or barcode counts, never the best hit of a search."""
    for code in ("SV", "Servo motor 750 W", "", "nonsense", "x" * 5000):
        made = scan(client, "sales/orders", code, **head(), **row(goods, 0))
        assert not made.done and not made.writes and "known here" in made.words
    goods.active = False
    goods.save()
    assert not scan(client, "sales/orders", "SV-750W", **head()).done


def test_counting_into_a_delivery_starts_at_zero(client: Any, clerk: Any, goods: Any) -> None:
    """UX 11, script 7: the proposed quantities give way to what is scanned; what is counted is never thrown away."""
    rail = goods.__class__.objects.get(code="SR-15A")
    order = make.confirmed_order(make.make_customer(), make.line(goods, 2), make.line(rail, 5), by=clerk)
    note = draft_delivery(order, by=clerk)
    motor_line, rail_line = note.lines.order_by("position")
    ids = {"document": note.pk, "lines-0-id": motor_line.pk, "lines-1-id": rail_line.pk}
    first = scan(client, "sales/deliveries", "SV-750W", **ids, **{"lines-0-quantity": "2", "lines-1-quantity": "5"})
    assert dict(first.writes) == {
        "1": {"quantity": {"text": "0", "id": ""}},
        "0": {"quantity": {"text": "1", "id": ""}},
    }
    assert "starts at 0" in first.started
    counted = {**ids, "lines-0-quantity": "1", "lines-1-quantity": "0", "counting": "1"}
    assert scan(client, "sales/deliveries", "SV-750W", **counted).writes == [
        ("0", {"quantity": {"text": "2", "id": ""}})
    ]
    full = {**ids, "lines-0-quantity": "2", "lines-1-quantity": "5", "counting": "1"}
    assert scan(client, "sales/deliveries", "SV-750W", **full).writes == [("0", {"quantity": {"text": "3", "id": ""}})]
    other = make.make_product("CP-25")
    assert "is not in this document" in scan(client, "sales/deliveries", other.code, **counted).words


def test_an_exact_barcode_is_the_first_choice_of_a_picker(client: Any, clerk: Any, goods: Any) -> None:
    """UX 6.6.6: Enter in a product cell takes the exact barcode, however many begin with it."""
    for n in range(12):
        make.make_product(f"A-{n:02}", barcode=f"6901234500017{n:02}")
    text = client.get("/ui/pick/product/", {"q": "6901234500017"}).content.decode()
    first = re.findall(r'<div class="o" role="option" ([^>]*)>', text)[0]
    assert f'data-value="{goods.pk}"' in first and "data-exact" in first
    assert text.count("data-exact") == 1
    assert D(goods.price) == D("1180")
