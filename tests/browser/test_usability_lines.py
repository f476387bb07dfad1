"""Quick entry of document lines as people do it: pasted, scanned, marked (UX 6.6, 7, 11)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from erp.inventory.models import Unit
from erp.sales.models import SalesOrder
from erp.sales.services import draft_delivery
from oa.organisation.models import User
from tests import factories as make
from tests.browser.counting import hands

SHEET = (
    "商品\t数量\t单价\t颜色\n"
    "LM-400\t40\t1,280\t蓝\nservo\t2\t\t\nXYZ-1\t3\t\t\nGR-10\t-1\t\t\nGR-10\t2 bundle\t\t\nCP-25\t6 pc\t86.5\t\n"
)
RIGHT_EDGE = """async element => {
  await Promise.all(document.getAnimations().map(animation => animation.finished));
  return element.getBoundingClientRect().right;
}"""


@pytest.fixture
def ann(transactional_db: None) -> User:
    """A clerk, a customer and goods in stock."""
    make.make_customer("苏州明锐自动化有限公司", code="C-7", short_name="明锐")
    for code, name in (
        ("LM-400", "Linear module"),
        ("SV-750", "Servo motor"),
        ("CP-25", "Coupling"),
        ("GR-10", "Rail"),
    ):
        make.stock(make.make_product(code, "100", tax=None, name=name, barcode=f"690{code[:2]}{code[3:]}"), 500)
    for code in ("bd1", "bd2"):
        Unit.objects.create(code=code, name="bundle", name_zh="捆")
    return make.make_user("ann", name="Ann", language="en")


def rows_of(page: Any, column: str) -> list[str]:
    values = page.eval_on_selector_all(f"[data-grid] [name$='-{column}']", "all => all.map(one => one.value)")
    return [value for value in values if value]


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-hans", 1440), ("en", 390), ("zh-hans", 390)])
def test_pasted_rows_are_looked_at_first(open_page: Any, ann: User, language: str, width: int, tmp_path: Any) -> None:
    """UX 6.6.5: red rows stand on top with their reasons, the others are taken by one key, with Undo."""
    ann.language = language
    ann.save()
    page = open_page(user=ann, width=width, locale="zh-CN" if language == "zh-hans" else "en-US")
    page.goto("/sales/orders/new/")
    with hands(page, clicks=1, keys=2) as hand:
        hand.click("[data-grid] [name='lines-0-product_text']")
        hand.paste(SHEET)
        drawer = page.locator("#drawer[open]")
        expect(drawer.locator("tbody tr")).to_have_count(6)
        tones = drawer.locator("tbody .bd").evaluate_all("all => all.map(one => one.className)")
        assert tones == ["bd bad"] * 3 + ["bd warn", "bd ok", "bd ok"]
        assert "XYZ-1" in drawer.locator("tbody tr").first.inner_text()
        assert "颜色" in drawer.inner_text()
        assert page.watch.wide() <= 0
        take = drawer.locator("[data-take]")
        expect(take).to_be_focused()
        assert take.evaluate(RIGHT_EDGE) <= width
        page.screenshot(path=tmp_path / f"paste-{language}-{width}.png", animations="disabled")
        assert rows_of(page, "product_text") == []
        hand.press("Enter")
        expect(page.locator("#toasts .tst")).to_have_count(1)
    assert rows_of(page, "product_text") == ["LM-400", "SV-750", "CP-25"]
    expect(page.locator("#livetotal")).to_contain_text("51,919.00")
    assert rows_of(page, "quantity") == ["40", "2", "6"]
    page.locator("#toasts [data-toast-undo]:visible").click()
    assert rows_of(page, "product_text") == []


def test_a_block_that_nothing_can_be_taken_of(open_page: Any, ann: User) -> None:
    """UX 6.6.5: without a good row there is nothing to take; Escape leads back to the cell."""
    page = open_page(user=ann)
    page.goto("/sales/orders/new/")
    with hands(page, clicks=1, keys=2) as hand:
        hand.click("[data-grid] [name='lines-0-product_text']")
        hand.paste("XYZ\t1\nABC\t2\n")
        expect(page.locator("#drawer tbody tr")).to_have_count(2)
        expect(page.locator("#drawer [data-take]")).to_have_count(0)
        expect(page.locator("#drawer .ftr [data-close]")).to_be_focused()
        hand.press("Escape")
    expect(page.locator("#drawer")).to_be_hidden()
    expect(page.locator("[name='lines-0-product_text']")).to_be_focused()


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-hans", 390)])
def test_scanning_into_a_new_order(open_page: Any, ann: User, language: str, width: int, tmp_path: Any) -> None:
    """UX 6.6.6: before the first save; code or barcode, the same again adds 1, an unknown one changes nothing."""
    ann.language = language
    ann.save()
    page = open_page(user=ann, width=width, locale="zh-CN" if language == "zh-hans" else "en-US")
    page.goto("/sales/orders/new/")
    with hands(page, clicks=1) as hand:
        hand.click("[data-scan]")
        for code in ("LM-400", "690CP25", "LM-400", "nobody"):
            hand.scan(code)
        said = page.locator("[data-scan-said]")
        expect(said).to_contain_text("nobody")
        expect(page.locator("#scan-code")).to_be_focused()
    assert (rows_of(page, "product_text"), rows_of(page, "quantity")) == (["LM-400", "CP-25"], ["2", "1"])
    expect(page.locator("#livetotal")).to_contain_text("300.00")
    expect(said).to_be_in_viewport()
    assert page.watch.wide() <= 0
    page.screenshot(path=tmp_path / f"scan-{language}-{width}.png")
    page.keyboard.press("Escape")
    expect(page.locator("#scan")).to_be_hidden()


def test_three_barcodes_into_a_delivery(open_page: Any, ann: User) -> None:
    """UX 11, script 7: the same item twice: 1 click, the rows hold 2 and 1."""
    from crm.customers.models import Customer
    from erp.inventory.models import Product

    goods = list(Product.objects.order_by("code")[:2])  # CP-25, GR-10
    order = make.confirmed_order(Customer.objects.get(), make.line(goods[0], 2), make.line(goods[1], 9), by=ann)
    note = draft_delivery(order, by=ann)
    page = open_page(user=ann)
    page.goto(f"/sales/deliveries/d-{note.pk}/edit/")
    with hands(page, clicks=1) as hand:
        hand.click("[data-scan]")
        for code in ("690CP25", "690GR10", "690CP25"):
            hand.scan(code)
        expect(page.locator("[data-scan-said]")).to_have_text("CP-25 × 2")
    assert rows_of(page, "quantity") == ["2", "1"]
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts")).to_contain_text("saved")
    assert [line.quantity for line in note.lines.order_by("position")] == [2, 1]


def test_the_tax_of_marked_rows_is_chosen_once(open_page: Any, ann: User) -> None:
    """UX 6.6.8: a value goes into the column of all marked rows; where the cells are choices it is one as well."""
    page = open_page(user=ann)
    page.goto("/sales/orders/new/")
    with hands(page, clicks=1, keys=8) as hand:
        hand.click("[data-grid] [name='lines-0-product_text']")
        hand.paste("CP-25\t\t\t1\nGR-10\t\t\t2\n")
        expect(page.locator("#drawer [data-take]")).to_be_focused()
        hand.press("Enter")
        expect(page.locator("#livetotal")).to_contain_text("300.00")
        page.locator("[name='lines-0-tax_code']").focus()
        hand.press("Shift+ArrowDown", "F2")
        value = page.locator("[data-marks] [data-value]")
        expect(value).to_be_focused()
        hand.type("V13")  # the choice that begins with it
        hand.press("Enter")
        expect(page.locator("#livetotal")).to_contain_text("339.00")
    chosen = [page.locator(f"[name='lines-{row}-tax_code']").input_value() for row in (0, 1)]
    assert chosen[0] == chosen[1] != ""


def test_rows_are_pasted_by_a_button(open_page: Any, ann: User) -> None:
    """UX 6.6.5, 7.1: the button does what the keys do; where the browser does not let it, it leads to the cell."""
    page = open_page(user=ann)
    page.goto("/sales/orders/new/")
    page.evaluate("() => { navigator.clipboard.readText = () => Promise.reject(new DOMException('no')); }")
    page.locator("[data-paste-rows]").click()
    expect(page.locator("#toasts")).to_contain_text("Press Ctrl V")
    expect(page.locator("[name='lines-0-product_text']")).to_be_focused()
    page.evaluate("text => { navigator.clipboard.readText = () => Promise.resolve(text); }", SHEET)
    page.locator("[data-paste-rows]").click()
    expect(page.locator("#drawer [data-take]")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#livetotal")).to_contain_text("51,919.00")
    assert rows_of(page, "product_text") == ["LM-400", "SV-750", "CP-25"]


@pytest.mark.parametrize(("language", "width"), [("en", 1440), ("zh-hans", 390)])
def test_details_of_a_line(open_page: Any, ann: User, language: str, width: int) -> None:
    """UX 6.6.10: typed under the row, no dialog; what is wrong opens them; a mark stays; on phones part of the card."""
    ann.language = language
    ann.save()
    page = open_page(user=ann, width=width, locale="zh-CN" if language == "zh-hans" else "en-US")
    page.goto("/sales/orders/new/?customer=" + str(_the_customer().pk))
    with hands(page, clicks=1, keys=6) as hand:
        hand.click("[name='lines-0-product_text']")
        hand.type("CP-25")
        hand.press("Enter")
        expect(page.locator("#livetotal")).to_contain_text("100.00")
        hand.type("2")
        hand.press("Alt+Enter")
        expect(page.locator("[name='lines-0-tolerance']")).to_be_focused()
        page.locator("[name='lines-0-due']").focus()
        hand.type("tomorrowish")
        hand.press("Escape")
        panel = page.locator("#lines-0-det")
        expect(panel.locator(".errlist").nth(1)).to_contain_text("tomorrowish")
        expect(panel).to_be_visible()
        assert page.watch.wide() <= 0
        page.locator("[name='lines-0-due']").fill("2030-12-24")
        hand.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator("tr[data-row='0'] td.changed")).to_have_count(1)
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts .tst")).to_have_count(1)
    assert str(SalesOrder.objects.get().lines.get().due_date) == "2030-12-24"


def test_hundreds_of_lines(open_page: Any, ann: User) -> None:
    """UX 6.6.11: a jump to the last page, a quantity there, the total of all, a mistake on a page out of view, saved."""
    from erp.inventory.models import Product

    goods = Product.objects.get(code="CP-25")
    lines = [make.line(goods, 1, "10") for _ in range(260)]
    order = make.make_order(_the_customer(), *lines, currency=make.currency(), by=ann)
    page = open_page(user=ann)
    page.goto(f"/sales/orders/{order.url_key}/edit/")
    expect(page.locator("tr[data-row]")).to_have_count(200)
    page.locator("[name='lines-7-quantity']").fill("1.5")  # a piece has no decimals
    page.locator("[data-pages]").first.select_option("200")
    page.locator("[name='lines-250-quantity']").fill("101")
    page.keyboard.press("Enter")
    expect(page.locator("#livetotal")).to_contain_text("3,605.00")
    page.keyboard.press("Control+s")
    expect(page.locator(".errsum a")).to_contain_text("Line 8")
    expect(page.locator("tr[data-row]")).to_have_count(200)
    page.locator("[data-pages]").first.select_option("200")
    page.locator(".errsum a").click()
    expect(page.locator("[name='lines-7-quantity']")).to_be_focused()
    page.keyboard.type("2")
    page.keyboard.press("Control+s")
    expect(page.locator("#toasts")).to_contain_text("saved")
    found = [line.quantity for line in order.lines.order_by("position")]
    assert (len(found), found[7], found[250]) == (260, 2, 101)


def _the_customer() -> Any:
    from crm.customers.models import Customer

    return Customer.objects.get()


def test_products_are_found_and_counted_on_a_phone(open_page: Any, ann: User) -> None:
    """UX 6.6.7, 6.6.14: many at once by the button over the lines; one more by the button at the quantity."""
    page = open_page(user=ann, width=390)
    page.goto("/sales/orders/new/")
    with hands(page, clicks=6) as hand:
        hand.click("[data-choose-rows]")
        search = page.locator("[data-choose-search]")
        expect(search).to_be_focused()
        hand.click(page.get_by_role("checkbox", name="CP-25"))
        search.fill("rail")
        expect(page.locator("#choose-found tr")).to_have_count(1)
        hand.click(page.locator("#choose-found input[type=checkbox]"))
        assert page.watch.wide() <= 0
        hand.click("[data-choose-take]")
        expect(page.locator("#livetotal")).to_contain_text("200.00")
        hand.click("tr[data-row='1'] [data-count-by='1']")
        hand.click("tr[data-row='1'] [data-count-by='1']")
    expect(page.locator("#livetotal")).to_contain_text("400.00")
    assert (rows_of(page, "product_text"), rows_of(page, "quantity")) == (["CP-25", "GR-10"], ["1", "3"])
    assert page.watch.wide() <= 0
