"""The line grid, driven in a real browser against a fake server of figures."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.static.driving import at, knob, settle, texts, until, value

# ---- line grid ------------------------------------------------------------------------------------------------


def test_a_line_by_keyboard_only(page, site):
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    page.keyboard.type("sr-15a-l460")
    page.keyboard.press("Enter")  # faster than the list
    assert at(page) == "lines-3-quantity"
    page.keyboard.type("10")
    page.keyboard.press("Enter")
    assert at(page) == "lines-3-price"
    until(page, "document.querySelector('[name=lines-3-product]').value === '4'")
    settle(page)
    assert value(page, "lines-3-description") == "Ball guide rail 15A, 460 mm"
    until(page, "document.querySelector('#lines-3-amount').textContent === '1,640.00'")
    page.keyboard.press("Enter")
    assert at(page) == "lines-3-discount"
    page.keyboard.press("Enter")  # last cell of the last row: a new row
    assert at(page) == "lines-4-product_text"
    expect(page.locator("tr[data-row='4'] td.rn")).to_have_text("5")
    expect(page.locator("#lines-4-quantity")).to_have_attribute("aria-label", "Row 5, Qty")
    page.keyboard.press("Tab")  # an empty last row lets go
    assert at(page) == "id_notes"
    page.focus("#lines-4-product_text")
    page.keyboard.press("Shift+Tab")
    assert at(page) == "lines-3-discount"
    until(page, "document.querySelector('#livetotal').textContent === '¥ 135,080.00'")


def test_only_the_changed_row_is_asked_for_and_a_focused_field_is_left_alone(page, site):
    page.goto("/order/")
    knob(site, delay=3)  # the sign of waiting is there to be seen by a slow machine, too
    page.fill("#lines-0-quantity", "=20*2+1")
    page.keyboard.press("Enter")
    page.keyboard.press("Control+a")
    page.keyboard.type("99")  # typing goes on while the server computes
    page.wait_for_selector("tr[data-row='0'] .pending")
    settle(page)
    assert value(page, "lines-0-quantity") == "41"
    assert value(page, "lines-0-price") == "99"
    expect(page.locator(".pending")).to_have_count(0)
    log = knob(site)["computes"]
    assert [entry["changed"] for entry in log] == ["0"]
    knob(site, delay=0)
    page.keyboard.press("Enter")
    settle(page)
    expect(page.locator("#lines-0-amount").first).to_have_text("4,059.00")
    assert page.text_content("#livetotal") == page.evaluate("'¥ ' + document.querySelector('#foot-total').textContent")


def test_older_answers_are_ignored(page, site):
    page.goto("/order/")
    knob(site, delay=0.5)
    page.fill("#lines-0-quantity", "1")
    page.keyboard.press("Tab")
    page.wait_for_timeout(120)
    knob(site, delay=0)
    page.fill("#lines-1-quantity", "1")
    page.keyboard.press("Tab")
    until(page, "document.querySelector('#lines-1-amount').textContent === '1,460.00'")
    settle(page)
    page.wait_for_timeout(600)  # the older answer has come by now
    expect(page.locator("#lines-0-amount").first).to_have_text("1,280.00")
    expect(page.locator("#lines-1-amount").first).to_have_text("1,460.00")
    assert knob(site)["computes"][-1]["changed"] in ("0,1", "1,0")


def test_a_row_that_changes_while_its_answer_is_on_the_way_is_asked_for_again(page, site):
    """UX 6.6.4: the answer to the former figure does not take the question about the new one along."""
    page.goto("/order/")
    for turn in range(6):  # the second change comes just before and just after the answer to the first
        page.evaluate(
            """async wait => {
              const field = document.querySelector("#lines-0-quantity");
              const type = text => { field.value = text; field.dispatchEvent(new Event("change", {bubbles: true})); };
              const answered = new Promise(done => {
                const real = window.fetch;
                window.fetch = async (...given) => { const answer = await real(...given); window.fetch = real; done(); return answer; };
              });
              type("3");
              await answered;
              if (wait) await new Promise(done => setTimeout(done, wait));
              type("7");
            }""",
            turn,
        )
        settle(page)
        until(page, "document.querySelector('#lines-0-amount').textContent === '8,960.00'")


def test_row_error_comes_and_goes(page, site):
    page.goto("/order/")
    page.fill("#lines-0-quantity", "many")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr.rowerr")
    assert page.evaluate("document.querySelector('tr.rowerr').previousElementSibling.dataset.row") == "0"
    page.fill("#lines-0-quantity", "2")
    page.keyboard.press("Enter")
    page.wait_for_selector("tr.rowerr", state="detached")
    page.fill("#lines-3-product_text", "nonsense")
    page.keyboard.press("Enter")
    page.wait_for_selector("#lines-3-err")
    settle(page)
    expect(page.locator("#lines-3-product_text")).to_have_attribute("aria-invalid", "true")


def test_what_is_worth_a_look_is_said_on_focus(page, site):
    """UX 6.6.3: an amber corner, its words while the cell has the focus, also for those who hear them."""
    page.goto("/order/")
    page.fill("#lines-1-quantity", "40")
    page.keyboard.press("Tab")
    settle(page)
    expect(page.locator("td.warned").first).to_have_attribute("data-col", "quantity")
    expect(page.locator("#cell-hint")).to_have_count(0)
    page.focus("#lines-1-quantity")
    expect(page.locator("#cell-hint").first).to_have_text("36 available.")
    expect(page.locator("#lines-1-quantity").first).to_have_attribute("aria-describedby", "cell-hint")
    page.keyboard.press("Control+a")
    page.keyboard.type("20")
    page.keyboard.press("Tab")
    settle(page)
    expect(page.locator("td.warned, #cell-hint")).to_have_count(0)


def test_arrows_insert_copy_duplicate_move(page):
    page.goto("/order/")
    page.focus("#lines-1-quantity")
    page.keyboard.press("ArrowDown")
    assert at(page) == "lines-2-quantity"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    assert at(page) == "lines-0-quantity"
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")
    assert at(page) == "lines-0-price"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert at(page) == "lines-0-quantity"
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    assert at(page) == "lines-0-description"  # arrows reach what Enter skips
    page.keyboard.press("Control+ArrowDown")
    assert at(page) == "lines-4-product_text"
    page.keyboard.press("Control+d")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0400", "LM20-0600", "SV-750W", ""]
    assert value(page, "lines-4-product") == "1"
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("tr[data-row]").first).to_have_attribute("data-row", "4")
    assert at(page) == "lines-4-product_text"
    page.focus("#lines-2-quantity")
    page.keyboard.press("Control+Shift+d")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0400", "LM20-0600", "SV-750W", "SV-750W", ""]
    assert at(page) == "lines-5-quantity"
    page.keyboard.press("Control+ArrowUp")
    assert texts(page).index("") == 4


def test_delete_and_undo(page, site):
    page.goto("/order/")
    page.focus("#lines-1-quantity")
    page.keyboard.press("Alt+Delete")
    settle(page)
    assert texts(page) == ["LM20-0400", "SV-750W", ""]
    assert at(page) == "lines-2-quantity"
    expect(page.locator("#livetotal").first).to_have_text("¥ 98,400.00")
    page.click(".tst [data-toast-undo]")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", ""]
    expect(page.locator("#livetotal").first).to_have_text("¥ 133,440.00")


def test_escape_undoes_then_row_mode_then_leaves(page):
    page.goto("/order/")
    page.focus("#lines-1-quantity")
    page.keyboard.type("7")
    page.keyboard.press("Escape")
    assert value(page, "lines-1-quantity") == "24"
    page.keyboard.press("Escape")
    assert at(page) == "rn"
    page.keyboard.press("ArrowDown")
    expect(page.locator("tr.cur")).to_have_attribute("data-row", "2")
    page.keyboard.press("Enter")
    assert at(page) == "lines-2-product_text"
    page.keyboard.press("Escape")
    page.keyboard.press("Delete")
    assert texts(page) == ["LM20-0400", "LM20-0600", ""]
    page.keyboard.press("Escape")
    assert at(page) == "id_notes"


def test_mark_rows_and_set_a_column(page, site):
    page.goto("/order/")
    page.focus("#lines-0-discount")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("Shift+ArrowDown")
    expect(page.locator("tr.mark")).to_have_count(3)
    page.select_option("[data-marks] select", "discount")
    page.fill("[data-marks] input", "5")
    page.click("[data-marks] [data-set]")
    assert texts(page, "discount") == ["5", "5", "5", "0"]
    settle(page)
    assert set(knob(site)["computes"][-1]["changed"].split(",")) == {"0", "1", "2"}
    page.fill("#lines-0-discount", "8")
    page.keyboard.press("Control+d")  # marked rows: fill down
    assert texts(page, "discount") == ["8", "8", "8", "0"]
    page.click("tr[data-row='0'] td.rn")
    page.click("tr[data-row='1'] td.rn", modifiers=["Shift"])
    page.keyboard.press("Delete")
    settle(page)
    assert texts(page) == ["SV-750W", ""]


def test_marked_rows_without_a_mouse(page, site):
    """UX 6.6.8: F2 leads to the bar of the marked rows; what is set has an Undo, Escape leads back to the rows."""
    page.goto("/order/")
    page.focus("#lines-1-discount")
    page.keyboard.press("Shift+ArrowDown")
    page.keyboard.press("F2")
    expect(page.locator("[data-marks] select").first).to_have_value("discount")
    page.keyboard.type("7")
    page.keyboard.press("Enter")
    assert texts(page, "discount") == ["0", "7", "7", "0"]
    page.click(".tst [data-toast-undo]")
    assert texts(page, "discount") == ["0", "0", "0", "0"]
    page.focus("[data-marks] [data-value]")
    page.keyboard.press("Escape")
    expect(page.locator("tr.cur")).to_have_attribute("data-row", "1")
    page.keyboard.press("Delete")  # row mode: all marked rows go
    assert texts(page) == ["LM20-0400", ""]
    page.click(".tst [data-toast-undo]:visible >> nth=-1")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", ""]


def test_marking_begins_anew_from_another_row(page, site):
    """UX 6.6.8: who has gone on to a row outside of the marked ones marks from there."""
    page.goto("/order/")
    page.focus("#lines-0-discount")
    page.keyboard.press("Shift+ArrowDown")
    page.focus("#lines-3-discount")
    page.keyboard.press("Shift+ArrowUp")
    marked = page.eval_on_selector_all("tr.mark", "rows => rows.map(row => row.dataset.row)")
    assert marked == ["2", "3"]


def test_the_menu_of_a_row_by_keyboard(page, site):
    """UX 6.6.10, 7.1: Alt+Enter does what the button at the end of the row does."""
    page.goto("/order/")
    page.focus("#lines-1-quantity")
    page.keyboard.press("Alt+Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")  # the first entry: duplicate
    assert texts(page) == ["LM20-0400", "LM20-0600", "LM20-0600", "SV-750W", ""]


def paste(page, block):
    page.evaluate(
        """block => {
          const data = new DataTransfer();
          data.setData('text/plain', block);
          document.activeElement.dispatchEvent(new ClipboardEvent('paste', {clipboardData: data, bubbles: true, cancelable: true}));
        }""",
        block,
    )


def test_paste_from_a_spreadsheet(page, site):
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    paste(page, "cp-25-19\t\t64\r\nXYZ\t\t3\r\nLM20-0400\tx\t1,000\r\n")
    page.wait_for_selector("#drawer[open] [data-take]:focus")
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", ""]  # nothing is taken yet
    page.keyboard.press("Enter")  # the button has the focus
    settle(page)
    assert texts(page)[3:] == ["CP-25-19", "LM20-0400"]
    assert texts(page, "quantity")[3:] == ["64", "1,000"]
    until(page, "document.querySelector('#lines-3-amount').textContent === '5,536.00'")
    assert knob(site)["computes"][-1]["changed"] == "3,4"
    assert at(page) == "lines-3-product_text"
    page.click(".tst [data-toast-undo]")
    settle(page)
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", ""]


def test_escape_takes_nothing_of_pasted_rows(page, site):
    """UX 6.6.5: Escape leaves the preview and the lines as they were, and leads back to the cell."""
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    paste(page, "CP-25-19\t\t64\nLM20-0400\t\t1\n")
    page.wait_for_selector("#drawer[open] [data-take]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#drawer:not([open])", state="attached")
    assert at(page) == "lines-3-product_text"
    assert texts(page) == ["LM20-0400", "LM20-0600", "SV-750W", ""]
    assert knob(site)["computes"] == []


def test_one_row_is_pasted_at_once(page, site):
    """UX 6.6.5: a single row goes into its cells without a question, with Undo."""
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    paste(page, 'SV-750W\t"a ""b""\nc"\t7\n')
    settle(page)
    expect(page.locator("#drawer[open]")).to_have_count(0)
    assert texts(page, "quantity")[3] == "7"
    assert value(page, "lines-3-product") == "3"
    page.click(".tst [data-toast-undo]")
    settle(page)
    assert texts(page, "quantity")[3] == ""


def test_changed_head_field_asks_for_all_rows(page, site):
    page.goto("/order/")
    page.select_option("#id_list", "List")
    settle(page)
    assert knob(site)["computes"][-1]["changed"] == "all"
    page.focus("#id_customer")
    page.keyboard.press("Control+a")
    page.keyboard.type("wuxi")
    page.keyboard.press("Enter")
    page.wait_for_timeout(200)
    settle(page)
    assert knob(site)["computes"][-1]["changed"] == "all"
    assert len(knob(site)["computes"]) == 2


def test_server_failure_keeps_the_input_and_offers_a_retry(page, site):
    page.goto("/order/")
    knob(site, status=500)
    page.fill("#lines-0-quantity", "3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".tst.error")
    knob(site, status=200)
    page.click(".tst.error [data-toast-undo]")
    until(page, "document.querySelector('#lines-0-amount').textContent === '3,840.00'")


def test_network_lost_shows_the_banner(page, site):
    page.goto("/order/")
    page.context.set_offline(True)
    page.fill("#lines-0-quantity", "4")
    page.keyboard.press("Enter")
    page.wait_for_selector("#offline:not([hidden])")
    page.context.set_offline(False)
    until(page, "document.querySelector('#lines-0-amount').textContent === '5,120.00'")
    assert page.locator("#offline").is_hidden()


# ---- forms ----------------------------------------------------------------------------------------------------


def test_a_row_moves_up_from_an_open_list_of_products(page):
    """UX 6.6.8: Alt+↑ means the row, whatever the list under the cell shows."""
    page.goto("/order/")
    page.focus("#lines-3-product_text")
    page.keyboard.type("sr")
    page.locator(".ac .o").first.wait_for()
    page.keyboard.press("Alt+ArrowUp")
    expect(page.locator("tr[data-row]").nth(2)).to_have_attribute("data-row", "3")
    expect(page.locator(".ac .o")).to_have_count(0)
