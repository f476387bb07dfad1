"""Reading in a browser: opened is not read until the text was displayed to its end, with and without scripts (N-02)."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from oa.announcements.models import AnnouncementReceipt
from tests import factories as make
from tests.oa.announcing import published

LONG = "\n\n".join(f"Paragraph {n} of the plan." for n in range(80))


@pytest.fixture
def receipt(transactional_db: None) -> AnnouncementReceipt:
    """Of a long announcement, for a salesperson."""
    reader = make.make_user("reader", "sales")
    row = published(make.make_user("boss"), "The plan", body=LONG, to_people=[reader], must_confirm=True)
    return row.receipts.get()


def reads(receipt: AnnouncementReceipt) -> int:
    receipt.refresh_from_db()
    return receipt.read_count


@pytest.mark.parametrize("width", [1440, 390])
def test_a_long_text_is_read_when_its_end_was_in_view(open_page: Any, receipt: AnnouncementReceipt, width: int) -> None:
    """One request when the end comes into view, none before; the page shows no fault on a phone either."""
    page = open_page(width=width, user=receipt.user)
    page.goto("/")
    page.get_by_role("link", name="The plan").first.click()
    page.wait_for_load_state("networkidle")
    assert reads(receipt) == 0 and page.watch.wide() <= 0
    with page.expect_response(lambda answer: "/seen/" in answer.url) as sent:
        page.get_by_text("Paragraph 79").scroll_into_view_if_needed()
        page.mouse.wheel(0, 5000)
    assert (sent.value.status, reads(receipt)) == (204, 1)
    page.get_by_role("button", name="I have read and understood this").click()
    expect(page.get_by_text("You confirmed this on")).to_be_visible()
    receipt.refresh_from_db()
    assert receipt.confirmed_at is not None


def test_without_scripts_a_button_tells_that_it_was_read(open_page: Any, receipt: AnnouncementReceipt) -> None:
    """Nothing is written by opening; the button works alone, and is gone then."""
    plain = published(make.make_user("chief"), "In short", to_people=[receipt.user]).receipts.get()
    page = open_page(user=receipt.user, java_script_enabled=False)
    page.goto(f"/news/{plain.record_id}/")
    assert reads(plain) == 0
    page.get_by_role("button", name="I have read this").click()
    expect(page.get_by_role("button", name="I have read this")).to_have_count(0)
    assert reads(plain) == 1
    page.goto(f"/news/{receipt.record_id}/")
    page.get_by_role("button", name="I have read and understood this").click()
    expect(page.get_by_text("You confirmed this on")).to_be_visible()
    assert reads(receipt) == 1 and receipt.confirmed_at
