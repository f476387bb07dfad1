"""Scan mode of the line grid in a real browser, against a fake server that knows a few codes (UX 6.6.6)."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.static.driving import at, settle, texts, until

SOUNDS = """() => {
  window.tones = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (...given) { window.tones.push(this.frequency.value); return start.apply(this, given); };
}"""


def test_scan_mode_counts_in_rows(page, site):
    """UX 6.6.6: the same code adds 1, the row flashes, sounds tell yes from no; an unknown code is said politely."""
    page.goto("/order/")
    page.evaluate(SOUNDS)
    page.focus("#lines-3-product_text")
    page.keyboard.press("F8")
    assert at(page) == "scan-code"
    expect(page.locator("[data-scan]").first).to_have_attribute("aria-pressed", "true")
    for code in ("CP-25-19", "cp-25-19", "LM20-0600"):  # faster than the server answers
        page.keyboard.type(code)
        page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-scan-said]').textContent === 'LM20-0600 × 25'")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", "CP-25-19"]
    assert texts(page, "quantity") == ["40", "25", "40", "2"]
    expect(page.locator("#lines-3-amount").first).to_have_text("173.00")
    assert page.locator("tr.flash").count() >= 1
    page.keyboard.type("nonsense")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('[data-scan-said]').textContent === 'No code nonsense'")
    expect(page.locator("[data-scan-said]").first).to_have_attribute("role", "status")
    assert texts(page, "quantity") == ["40", "25", "40", "2"]
    yes, no = page.evaluate("[window.tones.slice(0, 3), window.tones[3]]")
    assert len(set(map(round, yes))) == 1 and round(no) != round(yes[0])
    page.keyboard.press("Escape")
    expect(page.locator("[data-scan]").first).to_have_attribute("aria-pressed", "false")
    assert at(page) == "lines-3-product_text"


def test_a_code_that_could_not_be_sent_stays(page, site):
    """UX 1.3: without the network the code stands in the field again and counts when it is sent once more."""
    page.goto("/order/")
    page.click("[data-scan]")
    page.context.set_offline(True)
    page.keyboard.type("SV-750W")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#scan-code').value === 'SV-750W'")
    page.context.set_offline(False)
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")  # what was scanned still counts
    until(page, "document.querySelector('#lines-2-quantity').value === '41'")


def test_scanning_into_a_product_cell(page, site):
    """UX 6.6.6: in scan mode a code in an empty product cell counts in its row; otherwise it leads to the quantity."""
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    page.keyboard.type("SV-750W")
    page.keyboard.press("Enter")
    assert at(page) == "lines-3-quantity"
    until(page, "document.querySelector('[name=lines-3-product]').value === '3'")
    page.goto("/order/")
    page.click("[data-scan]")
    page.focus("#lines-3-product_text")
    page.keyboard.type("SV-750W")
    page.keyboard.press("Enter")
    until(page, "document.querySelector('#lines-2-quantity').value === '41'")
    assert texts(page)[3] == "" and at(page) == "lines-3-product_text"


def test_the_key_of_scan_mode_is_listed(page, site):
    """UX 7.1: every key stands in the list of keys."""
    page.goto("/order/")
    page.keyboard.press("?")
    assert "F8" in page.locator("#keys").inner_text()
