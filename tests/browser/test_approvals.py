"""A request through its approval in a browser: submitted, returned, decided by keyboard, many at once.

In both languages, at the desk and on a phone. What counts is what the database holds.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from oa.approvals.models import ApprovalRequest, FormRequest
from oa.organisation.models import User
from tests import approving
from tests.browser.conftest import become
from tests.invariants import assert_books

SCREENS = {"desk": 1440, "phone": 390}


@pytest.fixture
def office(transactional_db: Any) -> dict[str, Any]:
    """Ann asks, Mia approves."""
    ann, mia = approving.people("ann", "mia")
    form = approving.form("TRAVEL")
    flow = approving.flow(approving.step(1, mia), of=form)
    return {"ann": ann, "mia": mia, "flow": flow}


@pytest.fixture(params=[("en-US", "desk"), ("zh-CN", "desk"), ("en-US", "phone"), ("zh-CN", "phone")])
def page(request: pytest.FixtureRequest, open_page: Any, office: dict[str, Any]) -> Any:
    locale, screen = request.param
    one = open_page(locale=locale, width=SCREENS[screen])
    one.screen = screen
    return one


def only_request() -> ApprovalRequest:
    return ApprovalRequest.objects.get()


def until(page: Any, state: str) -> None:
    """Wait until the request has come to `state`."""
    for _try in range(100):
        if only_request().state == state:
            return
        page.wait_for_timeout(100)
    assert only_request().state == state


def test_a_request_is_submitted_returned_and_approved(page: Any, live_server: Any, office: dict[str, Any]) -> None:
    """X-09, X-03, X-12: the path with names before submitting, a return with a reason, a decision by key."""
    become(page, live_server, office["ann"])
    page.goto("/approvals/start/")
    page.locator("a[href='/approvals/fill/TRAVEL/']").first.click()
    page.locator("input[name=amount]").fill("1842.5")
    page.locator("input[name=reason]").fill("Visit")
    page.locator("button[name=then]").click()
    page.wait_for_url(re.compile("/approvals/submit/"))
    expect(page.locator(".track")).to_contain_text("Mia")
    page.locator("main form button.pri").click()
    page.wait_for_url(re.compile("/approvals/forms/"))
    request = only_request()
    assert (request.state, str(request.amount)) == ("running", "1842.50")

    become(page, live_server, office["mia"])
    page.goto(f"/approvals/requests/{request.pk}/")
    if page.screen == "phone":
        page.locator(".phead details.menu summary").first.click()
    page.locator("a[data-name=return]:visible").first.click()
    page.locator("dialog[open] textarea[name=reason]").fill("Whom do you visit?")
    page.locator("dialog[open] footer button.pri").click()
    until(page, "returned")

    become(page, live_server, office["ann"])
    document = FormRequest.objects.get()
    page.goto(f"/approvals/drafts/{document.pk}/")
    page.locator("input[name=reason]").fill("Visit Mingrui")
    page.locator("main form button:not(.pri)").click()
    page.wait_for_url(re.compile("/approvals/forms/"))
    page.goto(f"/approvals/requests/{request.pk}/")
    page.locator("a[data-name=resubmit]:visible").first.click()
    page.locator("dialog[open] footer button.pri").click()
    until(page, "running")

    become(page, live_server, office["mia"])
    page.goto("/" if page.screen == "desk" else "/todo/")
    row = page.locator("[data-item]").first
    expect(row).to_contain_text("Visit Mingrui")
    if page.screen == "desk":
        page.keyboard.press("j")
        page.keyboard.press("e")
    else:
        row.locator("a").first.click()
        page.locator("a[data-name=approve]:visible").first.click()
        page.locator("dialog[open] footer button.pri").click()
    until(page, "approved")
    assert FormRequest.objects.get().state == "approved"
    assert_books(["I-07", "I-27", "I-28", "I-29"])


def test_many_are_approved_at_once(page: Any, live_server: Any, office: dict[str, Any]) -> None:
    """X-12: ticked rows, each checked again, and what came of each."""
    for reason in ("first", "second", "third"):
        approving.request(office["flow"], office["ann"], reason=reason)
    become(page, live_server, office["mia"])
    page.goto("/todo/")
    boxes = page.locator("[data-item] input.cb")
    expect(boxes).to_have_count(3)
    boxes.nth(0).check()
    boxes.nth(2).check()
    page.locator("#queue button").last.click()
    page.wait_for_url(re.compile("/approvals/batch/"))
    expect(page.locator("main .li .bd.ok")).to_have_count(2)
    assert ApprovalRequest.objects.filter(state="approved").count() == 2
    assert User.objects.filter(username="mia").exists()


def titles_of(url: str) -> list[str]:
    """The title of the request that an address of the inbox opens."""
    found = re.search(r"requests%2F(\d+)", url)
    return list(ApprovalRequest.objects.filter(pk=found[1] if found else 0).values_list("title", flat=True))


@pytest.mark.parametrize("page", [("en-US", "desk"), ("zh-CN", "desk")], indirect=True)
def test_keys_act_on_the_marked_row_only(page: Any, live_server: Any, office: dict[str, Any]) -> None:
    """UX 6.12: J and K move what stands beside the list with the mark; E never decides on another row than the marked."""
    for reason in ("first", "second", "third"):
        approving.request(office["flow"], office["ann"], reason=reason)
    become(page, live_server, office["mia"])
    page.goto("/todo/")
    rows = page.locator("[data-item]")
    titles = [text.strip() for text in page.locator("[data-item] .b5").all_inner_texts()]
    expect(rows.first).to_have_class(re.compile("cur"))
    expect(page.locator("#beside h2").first).to_have_text(titles[0])
    held: list[Any] = []
    page.route(re.compile(r"/todo/\?.*open="), lambda answer: held.append(answer))  # they take long
    page.keyboard.press("j")
    page.keyboard.press("j")
    expect(rows.nth(2)).to_have_class(re.compile("cur"))
    page.keyboard.press("e")  # before the third has come: nothing is decided
    for _try in range(200):
        if held and titles[2] in titles_of(held[-1].request.url):
            break
        page.wait_for_timeout(50)
    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(page.locator("#beside")).to_have_text("")
    for answer in held:
        answer.continue_()
    expect(page.locator("#beside h2").first).to_have_text(titles[2])
    for _try in range(100):  # until its links open dialogs; for an instant they lead to the same question on a page
        if page.evaluate("!!document.querySelector('#beside [data-key=e]')?.['htmx-internal-data']"):
            break
        page.wait_for_timeout(50)
    page.keyboard.press("e")
    expect(page.locator("dialog[open] h2")).to_contain_text(titles[2])
    page.locator("dialog[open] footer button.pri").click()
    for _try in range(100):
        if decided := list(ApprovalRequest.objects.filter(state="approved")):
            break
        page.wait_for_timeout(50)
    assert [request.title for request in decided] == [titles[2]]


def test_rejecting_asks_for_a_reason(page: Any, live_server: Any, office: dict[str, Any]) -> None:
    """UX 6.12: the key R opens the dialog; without a reason nothing happens and nothing is lost."""
    request = approving.request(office["flow"], office["ann"], reason="nothing")
    become(page, live_server, office["mia"])
    page.goto(f"/approvals/requests/{request.pk}/")
    page.keyboard.press("r") if page.screen == "desk" else _reject_by_menu(page)
    dialog = page.locator("dialog[open]")
    dialog.locator("footer button.dng").click()
    expect(dialog.locator(".errlist, .invalid-feedback, .note.bad, .alert-danger").first).to_be_visible()
    dialog.locator("textarea[name=reason]").fill("No budget")
    dialog.locator("footer button.dng").click()
    until(page, "rejected")


def _reject_by_menu(page: Any) -> None:
    page.locator(".phead details.menu summary").first.click()
    page.locator("a[data-name=reject]:visible").first.click()
