"""Documents of many lines, driven in a real browser against a fake server (UX 6.6.11)."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from tests.browser.static.driving import at, knob, settle, texts, value
from tests.browser.static.test_static_grid import paste

ORDER = "all => all.map(one => (one.dataset.row || one.name.split('-')[1]))"
ROWS = "[data-folded] > input, [data-grid] tr[data-row]"


@pytest.fixture
def lines(page, site):
    page.goto("/order/?rows=500")
    page.focus("#lines-3-quantity")
    page.keyboard.press("Alt+PageDown")  # the first page takes its 200 rows
    return page


def order(page):
    return page.eval_on_selector_all(ROWS, ORDER)


def packed(page, index):
    return json.loads(page.locator(f"#lines-{index}-packed").get_attribute("value") or "{}")


def drawn(page):
    return page.locator("tr[data-row]").count()


def test_a_page_is_turned_and_every_row_keeps_its_place(lines, site):
    """UX 6.6.11: 200 rows are drawn, the others one input each; numbers go on; a jump leads anywhere."""
    everything = [str(n) for n in range(500)]
    lines.select_option("[data-pages] >> nth=0", "0")
    assert (drawn(lines), at(lines), order(lines)) == (200, "lines-0-product_text", everything)
    lines.fill("#lines-199-quantity", "7")
    lines.focus("#lines-199-quantity")
    lines.keyboard.press("ArrowDown")  # past the edge
    assert (at(lines), drawn(lines)) == ("lines-200-quantity", 200)
    expect(lines.locator("tr[data-row='200'] td.rn")).to_have_text("201")
    expect(lines.locator("#lines-200-quantity").first).to_have_attribute("aria-label", "Row 201, Qty")
    assert packed(lines, 199)["quantity"] == "7"
    lines.keyboard.press("Alt+PageDown")
    assert (drawn(lines), at(lines)) == (100, "lines-400-product_text")
    expect(lines.locator("[data-pager] option:checked").first).to_have_text("401–500")
    lines.focus("#lines-400-quantity")
    lines.keyboard.press("ArrowUp")
    assert at(lines) == "lines-399-quantity"
    assert order(lines) == everything
    settle(lines)
    assert value(lines, "lines-399-product_text") == "CP-25-19" and lines.text_content("#lines-399-amount") == "1.00"


def test_figures_of_rows_that_leave_the_view_arrive(lines, site):
    """UX 6.6.4, 6.6.11: an answer that comes when its row is folded is asked for again, and nothing typed is lost."""
    lines.select_option("[data-pages] >> nth=0", "0")
    settle(lines)
    knob(site, delay=0.3)
    lines.fill("#lines-10-quantity", "70")
    lines.keyboard.press("Tab")
    lines.wait_for_timeout(80)
    lines.click("[data-turn='1'] >> nth=0")
    settle(lines)
    assert packed(lines, 10)["quantity"] == "70"
    assert json.loads(lines.get_attribute("#lines-10-packed", "data-shown"))["o"]["amount"] == "700.00"
    assert [entry["changed"] for entry in knob(site)["computes"]][-1] == "10"


def test_rows_are_moved_copied_and_deleted_across_the_edge(lines, site):
    """UX 6.6.8, 6.6.11: what is done to rows does not stop at the edge of a page, Undo neither."""
    lines.select_option("[data-pages] >> nth=0", "0")
    lines.focus("#lines-199-quantity")
    lines.keyboard.press("Alt+ArrowDown")
    assert order(lines)[198:202] == ["198", "200", "199", "201"]
    assert at(lines) == "lines-199-quantity"
    lines.keyboard.press("Control+Shift+d")
    assert order(lines)[199:204] == ["200", "199", "500", "201", "202"]
    lines.keyboard.press("Alt+Delete")
    lines.select_option("[data-pages] >> nth=0", "400")
    lines.click(".tst [data-toast-undo]")
    assert order(lines)[199:204] == ["200", "199", "500", "201", "202"]
    expect(lines.locator("tr[data-row='500']")).to_have_count(1)
    settle(lines)


def test_a_page_of_which_all_rows_are_deleted_gives_way(lines, site):
    """UX 6.6.11: the neighbours come into view, no empty row is made up."""
    lines.select_option("[data-pages] >> nth=0", "400")
    lines.click("tr[data-row='400'] td.rn")
    lines.click("tr[data-row='499'] td.rn", modifiers=["Shift"])
    lines.keyboard.press("Delete")
    assert (len(order(lines)), drawn(lines)) == (400, 200)
    lines.click(".tst [data-toast-undo]")
    assert order(lines) == [str(n) for n in range(500)]
    settle(lines)


def test_the_last_cell_of_the_last_page_makes_a_row(lines, site):
    """UX 6.6.8: Enter goes on over the pages; only behind all rows it makes a new one."""
    lines.select_option("[data-pages] >> nth=0", "0")
    lines.focus("#lines-199-discount")
    lines.keyboard.press("Enter")
    assert at(lines) == "lines-200-product_text"
    lines.click("[data-row-add]")
    assert at(lines) == "lines-500-product_text" and order(lines)[-1] == "500"
    settle(lines)


def test_hundreds_of_rows_are_pasted(page, site):
    """UX 6.6.5, 6.6.11: the rows of a block beyond the page are packed at once; Undo takes all of them back."""
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    paste(page, "\n".join(f"CP-25-19\t\t{n}" for n in range(1, 501)))
    page.wait_for_selector("#drawer[open] [data-take]:focus")
    page.keyboard.press("Enter")
    settle(page)
    assert (drawn(page), len(order(page))) == (200, 503)
    assert texts(page, "quantity")[3:6] == ["1", "2", "3"]
    assert packed(page, 502)["quantity"] == "500" and packed(page, 502)["product"] == "6"
    asked = knob(site)["computes"][-1]["changed"].split(",")
    assert len(asked) == 500
    page.click(".tst [data-toast-undo]")
    settle(page)
    assert (order(page), texts(page)[3]) == (["0", "1", "2", "3"], "")
