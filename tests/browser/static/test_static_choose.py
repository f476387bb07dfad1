"""Many products found and taken at once, driven in a real browser against a fake server (UX 6.6.7)."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.static.driving import at, knob, settle, texts, until


def opened(page):
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    page.keyboard.press("Alt+ArrowDown")
    page.wait_for_selector("#drawer[open] [data-choose-search]:focus")


def test_products_are_found_and_taken_by_keyboard(page, site):
    """UX 6.6.7: Alt+↓ in an empty product cell; what was chosen stays while one searches on; Enter takes the lines."""
    opened(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.type("3")
    expect(page.locator("[data-choose-take]").first).to_have_text("Take lines: 1")
    page.focus("[data-choose-search]")
    page.keyboard.type("cp-")
    until(page, "document.querySelectorAll('#choose-found tr').length === 1")
    expect(page.locator("#choose-taken tr")).to_have_count(1)
    page.check("#choose-found input[type=checkbox]")
    assert page.evaluate("document.activeElement.value") == "1"  # one, until another number is typed
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+a")
    page.keyboard.type("lm20-0400")  # chosen already: it is not offered twice
    until(page, "document.querySelectorAll('#choose-found tr').length === 0")
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer:not([open])", state="attached")
    settle(page)
    assert texts(page)[3:] == ["LM20-0400", "CP-25-19"]
    assert texts(page, "quantity")[3:] == ["3", "1"]
    assert at(page) == "lines-3-quantity"
    assert knob(site)["computes"][-1]["changed"] == "3,4"
    page.click(".tst [data-toast-undo]")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", ""]


def test_escape_takes_nothing_and_leads_back(page, site):
    """UX 7.1: the drawer closes, the cell has the focus; a cell that holds something is moved, not searched in."""
    opened(page)
    page.keyboard.press("ArrowDown")
    page.keyboard.type("3")
    page.keyboard.press("Escape")
    page.wait_for_selector("#drawer:not([open])", state="attached")
    assert at(page) == "lines-3-product_text"
    assert knob(site)["computes"] == []
    page.focus("#lines-1-product_text")
    page.keyboard.press("Alt+ArrowDown")
    expect(page.locator("tr[data-row]").nth(2)).to_have_attribute("data-row", "1")
    expect(page.locator("#drawer[open]")).to_have_count(0)
    settle(page)
