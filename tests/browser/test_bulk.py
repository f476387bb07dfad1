"""Selecting rows of a list and doing something to them, by mouse and by keyboard (UX 6.2.7, 6.2.8, 7.5)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.customers.models import Customer
from tests import factories as make


@pytest.fixture
def ann(transactional_db):
    Customer.objects.bulk_create(Customer(code=f"B{n:03}", name=f"Blue {n}") for n in range(30))
    return make.make_user("ann", language="en")


def selected(page):
    return page.locator("[data-bulk-count]").inner_text()


def test_a_selection_outlives_pages_and_is_archived_and_taken_back(open_page, ann):
    """UX 6.2.7: the box of the page, a range, other pages, all of the filter; 7.5: a toast with Undo."""
    page = open_page(user=ann)
    page.goto("/crm/customers/")
    boxes = page.locator("tbody input.cb")
    bar = page.locator("[data-bulk]")
    assert not bar.is_visible()
    boxes.nth(1).click()
    boxes.nth(3).click(modifiers=["Shift"])
    assert selected(page) == "3 selected" and bar.is_visible() and page.watch.wide() <= 0
    page.get_by_role("link", name="2", exact=True).click()
    page.wait_for_url("**page=2*")
    page.wait_for_selector("#r-" + str(Customer.objects.order_by("code").last().pk))
    boxes.nth(0).check()
    assert selected(page) == "4 selected", "those of the first page are still chosen"
    page.locator("button[value=archive]").click()
    page.wait_for_selector("#toasts form")
    assert "4 done" in page.locator("#toasts").inner_text()
    assert Customer.objects.filter(active=False).count() == 4
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    page.wait_for_selector("#toasts >> text=Taken back")
    assert not Customer.objects.filter(active=False).exists()


def test_all_of_the_filter_by_keyboard(open_page, ann):
    """UX 6.2: X selects the row in hand; "Select all 30" sends the filter and asks before it does it."""
    page = open_page(user=ann)
    page.goto("/crm/customers/")
    page.keyboard.press("j")
    page.keyboard.press("x")
    assert selected(page) == "1 selected"
    page.get_by_role("button", name="Select all 30").press("Enter")
    assert selected(page) == "30 selected"
    page.locator("button[value=archive]").press("Enter")
    page.wait_for_url("**/bulk/*")
    assert "30 rows" in page.locator("main").inner_text()
    page.get_by_role("button", name="Archive (30)").press("Enter")
    page.wait_for_selector("#toasts form")
    assert Customer.objects.filter(active=False).count() == 30


def test_without_javascript_boxes_and_bar_work(open_page, ann):
    """UX 5.9: the form of the list does it alone."""
    page = open_page(user=ann, java_script_enabled=False)
    page.goto("/crm/customers/")
    page.locator("tbody input.cb").nth(0).check()
    page.locator("button[value=archive]").click()
    expect(page.locator("#toasts")).to_contain_text("1 done")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Taken back")
    assert not Customer.objects.filter(active=False).exists()
