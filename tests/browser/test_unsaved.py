"""Forms that are left, come back to, and edited by two: nothing typed is lost (UX 6.5.9, 7.6)."""

from __future__ import annotations

import pytest

from oa.records.models import FormDraft
from tests import factories as make


@pytest.fixture
def ann(transactional_db):
    return make.make_user("ann", language="en")


@pytest.mark.parametrize("width", (1440, 390))
def test_a_form_that_is_left_comes_back(open_page, ann, width):
    """UX 6.5.9: leaving asks nothing; on return the bar brings the input back."""
    page = open_page(width=width, user=ann)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/crm/customers/new/")
    page.fill("[name=name]", "Blue Harbour")
    page.goto("/crm/customers/")
    for _try in range(50):  # it is sent while the page goes away, so the page cannot be asked
        if FormDraft.objects.exists():
            break
        page.wait_for_timeout(100)
    page.goto("/crm/customers/new/")
    assert page.input_value("[name=name]") == ""
    page.get_by_role("button", name="Restore").click()
    assert page.input_value("[name=name]") == "Blue Harbour" and page.watch.wide() <= 0
    page.get_by_role("button", name="Discard").click()
    page.wait_for_url("**/new/")
    assert page.input_value("[name=name]") == "" and not FormDraft.objects.exists() and asked == []


def test_leaving_asks_where_the_draft_could_not_be_kept(open_page, ann):
    """UX 6.5.9: the browser's warning is for a failed draft only; nothing is sent while nothing changes."""
    page = open_page(user=ann)
    page.watch.expected += ["500"]
    asked, sent = [], []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.clock.install()
    page.route("**/new/draft/", lambda route: (sent.append(1), route.fulfill(status=204 if len(sent) > 1 else 500)))
    page.goto("/crm/customers/new/")
    page.clock.run_for(40_000)
    assert sent == [], "nothing was typed"
    page.fill("[name=name]", "Blue Harbour")
    page.clock.run_for(16_000)
    page.wait_for_timeout(300)
    assert sent == [1]
    page.reload()
    assert asked == ["beforeunload"]
    page.fill("[name=name]", "Blue Harbour")
    for _tick in range(3):
        page.clock.run_for(16_000)
        page.wait_for_timeout(100)
    before = len(sent)
    page.reload()
    assert asked == ["beforeunload"] and len(sent) == before, "the same input is sent once"


@pytest.mark.parametrize("width", (1440, 390))
def test_likely_duplicates_appear_while_one_types(open_page, ann, width):
    """C-01, UX 6.5.6: the box comes by itself, goes by itself, and leaves the form unsaved."""
    make.make_customer("Blue Harbour Ltd", code="C-1", city="Wuxi")
    page = open_page(width=width, user=ann)
    page.goto("/crm/customers/new/")
    page.locator("[name=name]").press_sequentially("blue harbour")
    page.wait_for_selector("#similar >> text=C-1 Blue Harbour Ltd")
    assert page.watch.wide() <= 0 and page.evaluate("document.activeElement.name") == "name"
    page.locator("[name=name]").press_sequentially(" two")
    page.wait_for_selector("#similar .note", state="detached")
    page.goto("/crm/customers/")
    for _try in range(50):
        if FormDraft.objects.exists():
            break
        page.wait_for_timeout(100)
    assert FormDraft.objects.exists(), "asking for duplicates is no saving"
