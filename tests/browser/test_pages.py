"""Every kind of page in both languages, wide and on a phone: nothing that axe finds serious, no complaint of the browser
(scripts, content security policy), nothing wider than the window. And the same pages without JavaScript (UX 5.9)."""

from __future__ import annotations

import re
from decimal import Decimal as D

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from erp.sales.models import SalesOrder
from tests import factories as make
from tests.browser.static.driving import until
from tests.erp.living import live

SIZES = (1440, 390)
LOCALES = ("en-US", "zh-CN")
GRAVE = {"serious", "critical"}


@pytest.fixture
def company(transactional_db):
    """A company that has lived, and somebody who may see all of it."""
    found = live()
    found.boss = make.make_user("boss2", name="Zhou Lan")
    found.pages = (
        "/",
        "/sales/orders/",
        f"/sales/orders/{found.draft.url_key}/edit/",
        f"/sales/orders/{found.order.number}/",
        f"/crm/customers/{found.mingrui.code}/",
        "/reports/sales/",
    )
    found.others = (
        "/sales/orders/new/",
        "/sales/receipts/new/",
        "/crm/customers/new/",
        f"/sales/deliveries/{found.delivery.number}/",
        f"/sales/invoices/{found.invoice.number}/?tab=ledger",
        "/reports/",
        "/notifications/",
        "/search/?q=cable",
        "/password/",
    )
    return found


def faults(page):
    """What is wrong with the page at hand, in words."""
    found = [
        f"{page.url}: {violation['id']} at {violation['nodes'][0]['html'][:120]}"
        for violation in Axe().run(page).response["violations"]
        if violation["impact"] in GRAVE
    ]
    return found + ([f"{page.url}: {page.watch.wide()} px too wide"] if page.watch.wide() > 0 else [])


@pytest.mark.parametrize("width", SIZES)
@pytest.mark.parametrize("locale", LOCALES)
def test_pages_are_sound(open_page, company, locale, width):
    """WCAG 2.2 AA as far as axe can tell (UX 7.10), no overflow, and no complaint (at the end of `open_page`)."""
    found = []
    stranger = open_page(locale, width)
    stranger.goto("/login/")
    found += faults(stranger)
    page = open_page(locale, width, company.boss)
    # what differs between the kinds of pages is looked at everywhere, the others once wide and once narrow
    others = company.others if (locale, width) in (("en-US", 1440), ("zh-CN", 390)) else ()
    for address in (*company.pages, *others):
        answer = page.goto(address)
        assert answer.status == 200 and page.locator("nav.side").count() == 1, address
        found += faults(page)
    assert found == []


def test_dark_pages_have_contrast(open_page, company):
    """Both themes are measured (UX 7.9)."""
    page = open_page("zh-CN", 1440, company.boss, color_scheme="dark")
    found = []
    for address in company.pages:
        page.goto(address)
        assert page.evaluate("getComputedStyle(document.body).colorScheme") == "dark"
        found += faults(page)
    assert found == []


@pytest.mark.parametrize("locale", LOCALES)
def test_pages_fit_when_zoomed(open_page, company, locale):
    """UX 7.10, WCAG 1.4.4 and 1.4.10: nothing is cut off at 1024 px, zoomed to 200 %, or at 320 px."""
    page = open_page(locale, 1440, company.boss)
    found = []
    for width in (1024, 1440 // 2, 320):
        page.set_viewport_size({"width": width, "height": 900})
        for address in (*company.pages, *company.others):
            page.goto(address)
            if page.watch.wide() > 0:
                found.append(f"{address} at {width} px: {page.watch.wide()} px too wide")
    assert found == []


def test_one_filled_button_a_page(open_page, company):
    """Principle 2 of UX 1: exactly one main action, at the most one where there is nothing to do."""
    page = open_page(user=company.boss)
    for address in (*company.pages, *company.others):
        page.goto(address)
        filled = page.locator("main .bt.pri:visible")
        assert filled.count() <= 1, (address, filled.all_inner_texts())


def test_lists_and_orders_fit_the_window(open_page, company):
    """UX 7.12: what a 1440 x 900 window shows in standard density."""
    page = open_page(user=company.boss)
    for _round in range(16):
        make.make_order(company.mingrui, make.line(company.service), by=company.by)
    page.goto("/sales/orders/")
    shown = [
        row for row in page.locator("tbody tr").all() if (box := row.bounding_box()) and box["y"] + box["height"] <= 900
    ]
    assert len(shown) >= 14
    page.goto("/sales/orders/new/")
    first = page.locator("tr[data-row]").first.bounding_box()
    assert (900 - first["y"]) // first["height"] >= 9
    assert page.locator("[data-head] > .fgrid > .fld").count() <= 8


SHIFTS = """window.shifted = 0; new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""
NOTHING_WAITS_IN_SIGHT = """[...document.querySelectorAll("section[id^=card-]")].every(
  (one) => one.getBoundingClientRect().top >= innerHeight)"""


@pytest.mark.parametrize("width", SIZES)
def test_cards_of_the_desk_come_when_they_are_seen(open_page, company, width):
    """UX 6.1, 9: the queue is there at once, each card is asked for once, when it is in sight, and nothing jumps."""
    page, asked, under_way = open_page("en-US", width, company.boss), [], [0]

    def count(request, step):
        if "card=" in request.url:
            under_way.append(under_way[-1] + step)
            if step > 0:
                asked.append(request.url.partition("card=")[2])

    page.add_init_script(SHIFTS)
    page.on("request", lambda request: count(request, 1))
    page.on("requestfinished", lambda request: count(request, -1))
    page.goto("/")
    until(page, NOTHING_WAITS_IN_SIGHT)
    assert page.evaluate("window.shifted") <= 0.05
    names = page.locator("section[id^=card-]").evaluate_all("found => found.map((one) => one.id)")
    assert width > 600 or "card-overdue" in names, "it is far below"
    for name in names:  # one that comes meanwhile need not be scrolled to
        page.locator(f"#{name}").evaluate_all("found => found.forEach((one) => one.scrollIntoView())")
        expect(page.locator(f"#{name}")).to_have_count(0)
    expect(page.locator(".kpis .v").first).to_contain_text(re.compile(r"[0-9]"))
    expect(page.locator("a.lk >> text=Calendar")).to_be_visible()
    assert len(asked) == len(set(asked)) >= 6 and max(under_way) <= 4  # one for each column, and what is just ending


@pytest.mark.parametrize("path", ["/finance/vouchers/new/", "/sales/orders/new/"])
def test_no_column_of_a_grid_is_squeezed(open_page, company, path):
    """UX 4.3: between phone and desktop a grid scrolls in a region of its own."""
    page = open_page("en-US", 1024, company.boss)
    page.goto(path)
    widths = page.locator("table.lg thead th").evaluate_all("found => found.slice(1, -1).map((one) => one.offsetWidth)")
    assert min(widths) >= 50 and page.watch.wide() <= 0


@pytest.mark.parametrize("width", SIZES)
def test_without_javascript(open_page, company, width):
    """Login, filter, order entry with Recalculate, tabs: plain HTML does it all (principle 10)."""
    page = open_page("en-US", width, java_script_enabled=False)
    page.goto("/sales/orders/")
    page.locator("#id_username").fill("boss2")
    page.locator("#id_password").fill("sanhe-test-pass")
    page.locator("main form .bt.pri").click()
    page.wait_for_url("**/sales/orders/")

    page.locator("summary[data-key=f]").click()
    page.locator("input[name=state][value=draft]").check()
    page.locator(".menu-list.filters .bt.pri").click()
    page.wait_for_url(re.compile("state=draft"))
    assert page.locator("tbody tr").count() == SalesOrder.objects.filter(state="draft").count() == 1

    page.goto("/sales/orders/new/")
    page.locator("#id_customer").fill("C-1")
    page.locator("[name=lines-0-product_text]").fill("SERVICE")
    page.locator("[name=lines-0-quantity]").fill("3")
    page.locator("button[value=recalculate]").click()
    expect(page.locator("#totals .grand")).to_have_text("¥ 1,590.00")
    expect(page.locator("[name=lines-0-price]")).to_have_value("500.00")
    page.locator("[data-save]").click()
    page.wait_for_url(re.compile(r"/sales/orders/d-\d+/$"))
    stored = SalesOrder.objects.order_by("-pk").first()
    assert (stored.customer, stored.total) == (company.mingrui, D("1590.00"))

    page.goto("/")
    page.locator("#card-figures a").click()
    expect(page.locator(".kpis .v").first).to_contain_text(re.compile(r"[0-9]"))
    expect(page.locator("[aria-busy=true]")).to_have_count(0)

    page.goto(f"/crm/customers/{company.mingrui.code}/")
    page.locator(".tabs a[href='?tab=orders-all']").click()
    expect(page.locator("tbody tr").nth(4)).to_be_visible()
    page.goto("/sales/orders/new/")
    page.locator("[data-save]").click()
    expect(page.locator(".errsum li").first).to_be_visible()  # and nothing was stored
    assert SalesOrder.objects.order_by("-pk").first() == stored
