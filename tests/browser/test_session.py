"""The session ends while a person types: nothing is lost, with and without scripts (UX 5.3)."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from crm.customers.models import Customer
from tests import factories as make

PASSWORD = "sanhe-test-pass"


@pytest.fixture
def boss(transactional_db):
    return make.make_user("boss", name="Zhou Lan")


def log_in(page):
    page.locator("#id_username").fill("boss")
    page.locator("#id_password").fill(PASSWORD)
    page.locator("#id_password").press("Enter")


def forget(page):
    """The session is over, as the server sees it."""
    page.context.clear_cookies(name="sessionid")


def log_in_beside(page):
    """By the link of the dialog, which opens a page of its own; then on with what waits."""
    dialog = page.locator("#dialog[open]")
    expect(dialog.locator("[data-login-again]")).to_have_count(1)
    with page.context.expect_page() as opened:
        dialog.locator("a[target=_blank]").click()
    log_in(opened.value)
    opened.value.locator("nav.side").wait_for()
    opened.value.close()
    dialog.locator("[data-again]").click()


@pytest.mark.parametrize("scripts", [True, False])
def test_a_form_is_sent_again_after_the_login(open_page, boss, scripts):
    page = open_page("en-US", 1440, boss, java_script_enabled=scripts)
    page.watch.expected += ["401"]
    page.goto("/crm/customers/new/")
    page.locator("#id_name").fill("Blue Mill")
    forget(page)
    page.locator("[data-save]:visible").first.click()
    page.locator("#id_username").wait_for()
    log_in(page)
    page.locator("form[action='/crm/customers/new/'] button").click()
    page.wait_for_url("**/crm/customers/C-*/")
    assert Customer.objects.get().name == "Blue Mill"


def test_what_scripts_send_goes_on_after_a_login_beside_the_page(open_page, boss):
    order = make.confirmed_order(make.make_customer("Blue Mill"), make.line(make.make_service("S-1", "100")))
    page = open_page("en-US", 1440, boss)
    page.watch.expected += ["401", "403"]
    page.goto(f"/sales/orders/{order.number}/")
    page.locator(".acts details[data-menu] > summary").click()
    page.locator(".acts [data-name=hold]:visible").click()
    page.locator("#dialog [name=reason]").fill("They asked to wait")
    forget(page)
    page.locator("#dialog footer button:not([type=button])").click()
    log_in_beside(page)
    page.locator(".phead .bd.warn").wait_for()
    order.refresh_from_db()
    assert (order.hold, order.hold_reason) == ("manual", "They asked to wait")
    page.goto("/sales/orders/new/")
    forget(page)
    page.locator("#id_customer").press_sequentially("Blue")
    log_in_beside(page)
    page.locator("#id_customer").fill("")
    page.locator("#id_customer").press_sequentially("Blue Mill")
    page.locator(".ac .o", has_text="Blue Mill").first.click()
    forget(page)
    page.locator("[name=lines-0-product_text]").fill("S-1")
    page.locator("[name=lines-0-product_text]").press("Tab")
    log_in_beside(page)
    expect(page.locator("[name=lines-0-price]")).to_have_value("100.00")
