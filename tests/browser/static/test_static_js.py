"""Our JavaScript in a real browser against harness.py: no database, no Django settings of the project."""

from __future__ import annotations

import pytest
from axe_playwright_python import sync_playwright as axe
from playwright.sync_api import expect

from tests.browser.static.driving import at, ime, knob, settle, texts, until, value

# ---- pickers --------------------------------------------------------------------------------------------------


def test_picker_lists_marks_and_takes(page):
    page.goto("/order/")
    page.fill("#id_customer", "")
    assert value(page, "customer") == ""
    page.type("#id_customer", "yun")
    page.wait_for_selector(".ac .o")
    box = page.locator("#id_customer")
    assert box.get_attribute("aria-expanded") == "true"
    assert page.locator(f"#{box.get_attribute('aria-activedescendant')}").text_content().startswith("C-002")
    page.keyboard.press("Enter")
    assert value(page, "customer_text") == "C-002 Hangzhou Yunduan"
    assert value(page, "customer") == "13"
    assert box.get_attribute("aria-expanded") == "false"
    assert at(page) == "id_contact"  # in a document Enter goes on


def test_picker_shows_recent_rows_on_arrow_down_and_closes_on_escape(page):
    page.goto("/order/")
    page.focus("#id_customer")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".ac .o")
    expect(page.locator(".ac .o:not(.new)")).to_have_count(3)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(page.locator(".ac")).to_have_count(0)
    assert value(page, "customer") == "12"


def test_an_answer_that_comes_late_does_not_open_the_list_again(page):
    """UX 6.5.4: the list covers what stands below; it stays away once something is taken, whatever is on its way."""
    page.goto("/order/")
    page.fill("#id_customer", "")
    page.type("#id_customer", "C-002 Hangzhou Yunduan")
    page.wait_for_selector(".ac .o")
    held = []
    page.route("**q=C-002*", lambda route: held.append(route))
    with page.expect_request("**q=C-002*"):
        page.keyboard.type("x")
        page.keyboard.press("Backspace")
    page.locator(".ac .o").first.click()
    assert value(page, "customer") == "13"
    held.pop().continue_()
    settle(page)
    expect(page.locator(".ac")).to_have_count(0)


def test_typing_after_a_choice_clears_the_id_and_blur_takes_the_only_hit(page):
    page.goto("/order/")
    page.focus("#id_customer")
    page.keyboard.press("Control+a")
    page.keyboard.type("wuxi")
    assert value(page, "customer") == ""
    page.keyboard.press("Tab")  # before the list could open
    until(page, "document.querySelector('[name=customer]').value === '14'")
    assert value(page, "customer_text") == "C-003 Wuxi Hengtuo"


def test_ambiguous_text_stays_text_without_id(page):
    page.goto("/order/")
    page.focus("#id_customer")
    page.keyboard.press("Control+a")
    page.keyboard.type("u")
    page.keyboard.press("Tab")
    settle(page)
    assert value(page, "customer_text") == "u"
    assert value(page, "customer") == ""


def test_create_from_the_picker_fills_it(page):
    page.goto("/order/")
    page.fill("#id_customer", "")
    page.type("#id_customer", "Acme")
    page.wait_for_selector(".ac .o.new")
    page.click(".ac .o.new")
    page.wait_for_selector("#drawer[open] #n")
    assert page.input_value("#n") == "Acme"
    assert at(page) == "n"
    page.fill("#n", "")
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer .errsum:focus")  # 422 is swapped in
    page.fill("#n", "Acme Ltd")
    page.keyboard.press("Enter")
    page.wait_for_selector("#drawer:not([open])", state="attached")
    assert value(page, "customer") == "99"
    assert value(page, "customer_text") == "C-099 Acme Ltd"
    assert at(page) == "id_customer"


# ---- input method ---------------------------------------------------------------------------------------------


def test_input_method_enter_does_nothing_but_confirm(page, site):
    page.goto("/order/")
    page.evaluate("document.querySelector('#doc').addEventListener('submit', () => { window.sent = true; })")
    # picker in the head
    page.fill("#id_customer", "")
    page.focus("#id_customer")
    ime(page, "mingrui", "明锐")
    assert at(page) == "id_customer"
    page.wait_for_selector(".ac .o")  # the search ran after the composition
    assert value(page, "customer") == ""
    page.keyboard.press("Escape")
    # grid cell
    page.focus("#lines-3-product_text")
    ime(page, "mingrui", "明锐")
    assert at(page) == "lines-3-product_text"
    page.wait_for_selector(".ac .o")
    page.keyboard.press("Enter")
    settle(page)
    assert value(page, "lines-3-product") == "7"
    assert at(page) == "lines-3-quantity"
    # plain field of a document
    page.focus("#id_po")
    ime(page, "hao", "好")
    assert at(page) == "id_po"
    # list search and top search
    assert page.evaluate("window.sent") is None
    page.goto("/list/")
    page.focus("#find")
    ime(page, "chen", "陈")
    page.wait_for_timeout(100)
    assert page.url.endswith("/list/")
    page.focus("#list-q")
    with page.expect_response(lambda r: "q=" in r.url) as got:
        ime(page, "chen", "陈")
    assert "%E9%99%88" in got.value.url  # asked once, with the result of the composition
    page.wait_for_timeout(300)
    assert page.url.endswith("/list/")


def test_saved_once_with_the_button_that_was_pressed(page, site):
    page.goto("/order/")
    page.evaluate("{ const save = document.querySelector('[data-save]'); save.click(); save.click(); }")
    page.wait_for_selector(".tst.success")
    posts = knob(site)["posts"]
    assert len(posts) == 1
    assert posts[0]["save"] == ["1"]


def test_a_drawer_is_sent_once_too(page, site):
    page.goto("/parts/")
    page.click("#open-drawer")
    page.wait_for_selector("#drawer[open] #n:focus")
    page.click("#drawer .bt.pri", click_count=2, delay=20)
    page.wait_for_selector("#drawer .errsum:focus")
    assert len(knob(site)["posts"]) == 1
    page.fill("#n", "Acme")
    page.click("#drawer .bt.pri")
    page.wait_for_timeout(300)
    assert len(knob(site)["posts"]) == 2


def test_ctrl_s_and_ctrl_enter_from_a_cell(page, site):
    page.goto("/order/")
    page.focus("#lines-0-quantity")
    page.keyboard.press("Control+a")
    page.keyboard.type("5")
    page.keyboard.press("Control+s")
    page.wait_for_selector(".tst.success")
    page.focus("#id_po")
    page.keyboard.press("Control+Enter")
    page.wait_for_timeout(900)
    posts = knob(site)["posts"]
    assert posts[0]["lines-0-quantity"] == ["5"]
    assert posts[0]["save"] == ["1"]
    assert posts[1]["submit"] == ["1"]


def test_leaving_with_unsaved_input_warns(page):
    page.goto("/order/")
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/list/")
    assert asked == []
    page.goto("/order/")
    page.focus("#id_po")
    page.keyboard.type("x")
    page.goto("/list/")
    assert asked == ["beforeunload"]


def test_confirm_dialog_names_the_verb_and_starts_on_cancel(page):
    page.goto("/order/")
    page.click("summary[aria-label=More] >> nth=0")
    page.click("text=Void")
    page.wait_for_selector("#dialog[open]")
    expect(page.locator("#dialog [data-yes]")).to_have_text("Void order")
    assert page.evaluate("document.activeElement.hasAttribute('data-close')")
    page.click("#dialog [data-yes]")
    page.wait_for_selector(".tst.success")
    assert page.locator(".tst.success [data-toast-undo]").is_visible()


def test_keys_dialog_lists_what_the_page_has(page):
    page.goto("/order/")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    for word in ("Print", "Previous", "Save", "Duplicate the row", "Ctrl"):
        expect(page.locator("#keys")).to_contain_text(word)
    page.keyboard.press("Escape")
    expect(page.locator("#keys")).to_be_hidden()
    page.focus("#id_po")
    page.keyboard.type("?")
    assert page.locator("#keys").is_hidden()


def test_session_over_asks_to_log_in_and_repeats_the_request(page, site):
    page.goto("/parts/")
    answers = []
    page.on("response", lambda r: answers.append(r.status) if "/status/401/" in r.url else None)
    page.evaluate("void window.htmx.ajax('GET', '/status/401/', {target: '#nothing', swap: 'innerHTML'})")
    page.wait_for_selector("#dialog[open] [data-login-again]")
    expect(page.locator("#dialog a")).to_have_attribute("target", "_blank")
    page.click("#dialog [data-again]")
    page.wait_for_selector("#dialog[open] [data-login-again]")  # still not logged in
    assert answers == [401, 401]
    page.evaluate("void window.htmx.ajax('GET', '/status/403/', {target: '#nothing', swap: 'innerHTML'})")
    page.wait_for_selector(".tst.error")
    assert page.evaluate("!!document.querySelector('.tst').closest('#dialog')")  # not under the veil
    page.keyboard.press("Escape")
    until(page, "document.querySelector('.tst').closest('dialog') === null")


# ---- lists ----------------------------------------------------------------------------------------------------


def test_list_cursor_selection_and_paging(page):
    page.goto("/list/")
    assert page.locator("[data-bulk]").is_hidden()
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("x")
    expect(page.locator("[data-bulk-count]")).to_have_text("1 selected")
    page.keyboard.press("Shift+J")
    expect(page.locator("tr.sel")).to_have_count(2)
    page.locator("tbody .cb").nth(5).click(modifiers=["Shift"])
    expect(page.locator("tr.sel")).to_have_count(5)
    assert page.evaluate("document.querySelector('[data-check-all]').indeterminate")
    page.click("#next-page")
    until(page, "document.querySelector('.tfootbar span').textContent === '2 of 8'")
    page.wait_for_selector("[data-bulk].on")
    expect(page.locator("tr.sel")).to_have_count(0)
    expect(page.locator("[data-bulk-count]")).to_have_text("5 selected")
    assert (
        page.eval_on_selector_all("[data-bulk-form] input[data-kept]", "all => all.map(one => one.name)") == ["ids"] * 5
    )
    page.click("[data-select-all]")
    expect(page.locator("[data-bulk-count]")).to_have_text("186 selected")
    expect(page.locator("tr.sel")).to_have_count(24)
    page.click("[data-clear-selection]")
    assert page.locator("[data-bulk]").is_hidden()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/order/**")


def test_slash_goes_to_the_search_and_c_creates(page):
    page.goto("/list/")
    page.keyboard.press("/")
    assert at(page) == "list-q"
    page.keyboard.type("c")
    assert page.url.endswith("/list/")
    page.locator("h1").click()
    page.keyboard.press("c")
    page.wait_for_url("**/order/")


def test_folded_side_bar_is_kept(page):
    page.goto("/list/")
    page.click("[data-fold-side]")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-side", "icons")
    assert page.locator(".side").bounding_box()["width"] == 56
    page.keyboard.press("\\")
    assert page.locator(".side").bounding_box()["width"] == 212


# ---- every page -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/order/", "/list/", "/customer/", "/desk/", "/parts/", "/login/", "/bare/404/", "/e403/"]
)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing_serious(page, site, address, theme):
    page.context.add_cookies([{"name": "theme", "value": theme, "url": site}])
    page.goto(address)
    found = axe.Axe().run(page).response["violations"]
    serious = [
        (v["id"], n["html"][:160], n.get("failureSummary", "")[:300])
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]
    assert serious == []


@pytest.mark.parametrize("width", [320, 390, 768, 1024, 1440])
@pytest.mark.parametrize("address", ["/order/", "/list/", "/customer/", "/desk/", "/parts/", "/login/"])
def test_no_page_scrolls_sideways(page, address, width):
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(address)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


OPENED = {
    "picker": ("/order/", "#id_customer", ".ac .o"),
    "keys": ("/order/", "#help-button", "#keys[open]"),
    "drawer": ("/parts/", "#open-drawer", "#drawer[open] .hd"),
    "dialog": ("/parts/", "[data-dialog-open]", "#dlg1[open]"),
    "menu": ("/list/", ".top .ava", ".top .menu[open] .menu-list .me"),
    "toast": ("/parts/", "#fail", ".tst.error"),
}


@pytest.mark.parametrize("what", OPENED)
def test_axe_finds_nothing_serious_in_what_opens(page, what):
    address, button, shown = OPENED[what]
    page.goto(address)
    page.click(button)
    page.wait_for_selector(shown)
    page.wait_for_timeout(200)
    found = axe.Axe().run(page).response["violations"]
    assert [
        (v["id"], n["html"][:160]) for v in found if v["impact"] in ("serious", "critical") for n in v["nodes"]
    ] == []


def test_picker_list_stands_under_its_field(page):
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    page.keyboard.type("sr")
    page.wait_for_selector(".ac .o")
    field, box = page.locator("#lines-3-product_text").bounding_box(), page.locator(".ac").bounding_box()
    assert abs(box["x"] - field["x"]) < 2
    assert 0 <= box["y"] - field["y"] - field["height"] < 8
    page.set_viewport_size({"width": 1440, "height": 620})
    page.wait_for_timeout(50)
    box = page.locator(".ac").bounding_box()
    assert box["y"] + box["height"] <= page.locator("#lines-3-product_text").bounding_box()["y"]  # no room below


def test_menu_of_a_row_is_not_cut_off(page):
    page.goto("/order/")
    page.click("tr[data-row='3'] summary")
    menu = page.locator("tr[data-row='3'] .menu-list")
    box = menu.bounding_box()
    assert box["x"] + box["width"] <= 1440
    inside = "([x, y]) => !!document.elementFromPoint(x, y).closest('.menu-list')"
    assert page.evaluate(inside, [box["x"] + 10, box["y"] + box["height"] - 10])
    page.keyboard.press("Escape")
    assert menu.is_hidden()
    page.click("tr[data-row='1'] summary")
    page.click("tr[data-row='1'] [data-row-delete]")
    assert texts(page) == ["LM20-0400", "SV-750W", ""]


def test_files_by_paste(page):
    page.goto("/parts/")
    page.evaluate(
        """() => {
          const data = new DataTransfer();
          data.items.add(new File(['x'.repeat(3000)], '报告.pdf', {type: 'application/pdf'}));
          document.querySelector('[data-drop]').dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }"""
    )
    until(page, "document.querySelector('[data-drop] input').files.length === 1")
    expect(page.locator("[data-files]")).to_have_text("报告.pdf · 3 kB")


def test_without_javascript(browser, site):
    context = browser.new_context(java_script_enabled=False, base_url=site)
    page = context.new_page()
    page.goto("/list/")
    page.click("summary:has-text('CRM')")
    assert page.locator(".subs a:has-text('Customer pool')").is_visible()
    assert page.locator("[data-bulk]").is_visible()
    page.click("#new-menu")
    page.click(".top .menu-list a >> nth=0")
    page.fill("#lines-0-quantity", "3")
    page.click("[data-save]")
    page.wait_for_selector(".tst.success")
    assert knob(site)["posts"][-1]["lines-0-quantity"] == ["3"]
    page.click(".langsw button[value=zh-hans]")
    expect(page.locator("html")).to_have_attribute("lang", "zh-hans")
    context.close()
