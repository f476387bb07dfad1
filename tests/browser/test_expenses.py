"""An expense with a photo, from the phone's page to an approved claim (rule E-01), in both languages and sizes."""

from __future__ import annotations

import io
import re
from decimal import Decimal
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from oa.expenses.models import ExpenseClaim
from oa.organisation.models import User
from tests.browser.conftest import become
from tests.oa import spending

SCREENS = {"desk": 1440, "phone": 390}


def photo() -> dict[str, Any]:
    """What a camera hands over: a large picture that says where it was taken."""
    image, file = Image.new("RGB", (2400, 1800), "wheat"), io.BytesIO()
    exif = Image.Exif()
    exif[0x010F] = "Phone maker"
    image.save(file, "JPEG", exif=exif)
    return {"name": "IMG_2041.jpg", "mimeType": "image/jpeg", "buffer": file.getvalue()}


@pytest.fixture
def ann(transactional_db: Any) -> User:
    """Has been on the way; lodging needs an invoice."""
    spending.kind("STAY", needs_invoice=True)
    spending.account_of(spending.kind("RIDE"))
    return spending.person("ann")


@pytest.fixture(params=[("en-US", "desk"), ("zh-CN", "desk"), ("en-US", "phone"), ("zh-CN", "phone")])
def page(request: pytest.FixtureRequest, open_page: Any, ann: User) -> Any:
    locale, screen = request.param
    one = open_page(locale=locale, width=SCREENS[screen], user=ann)
    one.screen = screen
    return one


def test_an_expense_with_a_photo_becomes_an_approved_claim(page: Any, live_server: Any, ann: User) -> None:
    """E-01: a wrong line is said at its field and stays typed; the photo hangs on the line; another approves."""
    page.goto("/expenses/receipt/")
    assert page.watch.wide() <= 0
    page.locator("select[name=type]").select_option(label="Type RIDE")
    page.locator("input[name=description]").fill("Taxi to the fair")
    page.locator("main form button[data-primary]").click()
    expect(page.locator("#error_1_id_amount, #id_amount_error, #div_id_amount .invalid-feedback").first).to_be_visible()
    expect(page.locator("input[name=description]")).to_have_value("Taxi to the fair")
    assert not ExpenseClaim.objects.exists()

    page.locator("input[name=amount]").fill("86.5")
    page.locator("input[name=photo]").set_input_files(photo())
    page.locator("main form button[data-primary]").click()
    page.wait_for_url(re.compile("/expenses/claims/"))
    claim = ExpenseClaim.objects.get()
    line = claim.lines.get()
    assert (line.amount, claim.owner) == (Decimal("86.50"), ann)
    assert line.receipts.get().attachment.name == "IMG_2041.jpg"
    expect(page.get_by_role("link", name="IMG_2041.jpg").first).to_be_visible()
    assert page.watch.wide() <= 0

    page.locator("a[data-name=submit]:visible, button[data-name=submit]:visible").first.click()
    until(page, claim, "approving")
    chief = spending.chief("chief")
    become(page, live_server, chief)
    claim.refresh_from_db()
    page.goto(f"/expenses/claims/{claim.number}/")
    with page.expect_download() as download:
        page.evaluate("""link => Object.assign(document.createElement("a"), {href: link, download: ""}).click()""",
                      page.get_by_role("link", name="IMG_2041.jpg").first.get_attribute("href"))  # fmt: skip
    assert download.value.path().read_bytes()[:2] == b"\xff\xd8"
    page.locator("a[data-name=approve]:visible, button[data-name=approve]:visible").first.click()
    until(page, claim, "approved")


def until(page: Any, claim: ExpenseClaim, state: str) -> None:
    """Wait until the claim has come to `state`."""
    for _try in range(100):
        claim.refresh_from_db()
        if claim.state == state:
            return
        page.wait_for_timeout(100)
    assert claim.state == state
