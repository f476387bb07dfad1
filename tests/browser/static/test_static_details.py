"""The details of a line, driven in a real browser against a fake server (UX 6.6.10)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.static.driving import at, knob, settle, texts, until, value
from tests.browser.static.test_static_grid import paste


@pytest.fixture
def lines(page, site):
    page.goto("/order/?details=1")
    return page


def opened(page):
    return page.eval_on_selector_all(".rowdet:not([hidden])", "all => all.map(one => one.id)")


def test_details_open_and_close_by_keys(lines):
    """UX 6.6.10: Alt+Enter folds them out, Ctrl+arrows go along the rows, Escape leads back to the cell."""
    lines.focus("#lines-1-price")
    lines.keyboard.press("Alt+Enter")
    assert (at(lines), opened(lines)) == ("lines-1-due", ["lines-1-det"])
    expect(lines.locator("tr[data-row='1'] [data-row-more]").first).to_have_attribute("aria-expanded", "true")
    lines.keyboard.press("Enter")
    assert at(lines) == "lines-1-lot"
    lines.keyboard.press("Control+ArrowDown")
    assert (at(lines), opened(lines)) == ("lines-2-lot", ["lines-2-det"])
    lines.keyboard.press("Control+ArrowUp")
    lines.keyboard.press("Control+ArrowUp")
    lines.keyboard.press("Control+ArrowUp")  # the first row stays
    assert (at(lines), opened(lines)) == ("lines-0-lot", ["lines-0-det"])
    lines.keyboard.press("Escape")
    assert (at(lines), opened(lines)) == ("lines-0-product_text", [])
    lines.focus("#lines-1-price")
    lines.keyboard.press("Alt+Enter")
    lines.keyboard.press("Escape")
    assert at(lines) == "lines-1-price"
    lines.click("tr[data-row='3'] [data-row-more]")
    assert at(lines) == "lines-3-due"
    lines.keyboard.press("Alt+Enter")
    assert opened(lines) == []


def test_a_changed_detail_is_asked_for_and_marks_its_row(lines, site):
    """UX 6.6.4, 6.6.10: the server hears of the row; a mark with the text shows that something is folded away."""
    lines.focus("#lines-2-price")
    lines.keyboard.press("Alt+Enter")
    lines.keyboard.type("12-24")
    lines.keyboard.press("Enter")
    settle(lines)
    assert [entry["changed"] for entry in knob(site)["computes"]] == ["2"]
    expect(lines.locator("td.changed")).to_have_count(1)
    expect(lines.locator("tr[data-row='2'] [data-row-more]").first).to_have_attribute("title", "Due: 12-24")
    expect(lines.locator("#lines-2-due").first).to_have_attribute("aria-label", "Row 3, Due")
    lines.fill("#lines-2-due", "")
    expect(lines.locator("td.changed")).to_have_count(0)


def test_what_is_wrong_in_folded_details_opens_them(lines, site):
    """UX 6.6.10: the message stands at the field and leaves when it is right."""
    lines.focus("#lines-1-price")
    lines.keyboard.press("Alt+Enter")
    lines.keyboard.type("never")
    lines.keyboard.press("Escape")
    until(lines, "document.querySelector('#lines-1-due-err').textContent === 'No such day.'")
    assert opened(lines) == ["lines-1-det"]
    expect(lines.locator("#lines-1-due").first).to_have_attribute("aria-invalid", "true")
    expect(lines.locator("#lines-1-due").first).to_have_attribute("aria-describedby", "lines-1-due-err")
    lines.fill("#lines-1-due", "12-24")
    lines.keyboard.press("Enter")
    until(lines, "document.querySelector('#lines-1-due-err').textContent === ''")
    expect(lines.locator("#lines-1-due").first).to_have_attribute("aria-invalid", "false")


def test_details_go_with_their_row(lines, site):
    """UX 6.6.8, 6.6.10: copied, moved, deleted and brought back together."""
    lines.click("tr[data-row='0'] [data-row-more]")
    lines.fill("#lines-0-lot", "A7")
    lines.keyboard.press("Escape")
    lines.focus("#lines-0-price")
    lines.keyboard.press("Control+Shift+d")
    assert value(lines, "lines-4-lot") == "A7"
    expect(lines.locator("td.changed")).to_have_count(2)
    lines.keyboard.press("Alt+ArrowDown")
    order = "all => all.map(one => one.dataset.row || one.id)"
    assert lines.eval_on_selector_all("[data-grid] tbody tr", order)[:6] == [
        "0", "lines-0-det", "1", "lines-1-det", "4", "lines-4-det",
    ]  # fmt: skip
    lines.focus("#lines-0-price")
    lines.keyboard.press("Alt+Delete")
    expect(lines.locator("#lines-0-det")).to_have_count(0)
    lines.click(".tst [data-toast-undo]")
    assert value(lines, "lines-0-lot") == "A7"
    lines.focus("#lines-3-product_text")
    paste(lines, "SV-750W\t\t7\n")
    settle(lines)
    assert texts(lines, "lot") == ["A7", "", "A7", "", ""]
    lines.locator("#lines-1-lot").evaluate("field => { field.value = 'B'; }")
    lines.click("tr[data-row='1'] [data-row-more]")
    lines.click("#lines-1-det [data-row-copy]")
    assert texts(lines, "lot").count("B") == 2
