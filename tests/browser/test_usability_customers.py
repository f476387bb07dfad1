"""Usability scripts around a customer, within their limits of clicks and keys (UX 11)."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import expect

from crm.customers.models import Contact
from crm.followups.models import FollowUp
from crm.followups.services import log_followup
from oa.records.models import Attachment
from tests import factories as make
from tests.browser.counting import hands


@pytest.fixture
def ann(transactional_db: None) -> Any:
    """A clerk; the customer of the scripts stands among others, and has an order."""
    ann = make.make_user("ann", name="Ann", language="en")
    mingrui = make.make_customer("苏州明锐自动化有限公司", code="C-7", short_name="明锐", owner=ann, city="苏州")
    for code, name in (("C-1", "无锡恒拓"), ("C-2", "深圳美锐科技"), ("C-3", "Suzhou Motors")):
        make.make_customer(name, code=code)
    product = make.make_product("LM-400", "1280", name="Linear module")
    make.confirmed_order(mingrui, make.line(product, 2), by=ann)
    return ann


def test_a_customer_is_found_by_initials(open_page: Any, ann: Any) -> None:
    """UX 11, script 3: find 明锐 knowing only "szmr"; Ctrl+K, szmr, Enter: 2 keys and 4 letters, no click."""
    page = open_page(user=ann)
    page.goto("/")
    with hands(page, keys=2) as hand:
        hand.press("Control+k")
        hand.type("szmr")
        hand.press("Enter")  # at once: the list of hits has not come yet
        page.wait_for_url("**/crm/customers/C-7/")
    assert "明锐" in page.locator("h1").inner_text()


def test_a_call_is_logged_with_a_file_and_the_next_date(open_page: Any, ann: Any, tmp_path: Path) -> None:
    """UX 11, script 4: log a call, attach a file, plan the next contact for Friday: at most 5 clicks, F and text."""
    minutes = tmp_path / "minutes.txt"
    minutes.write_text("Tolerance of 0.02 mm")
    page = open_page(user=ann)
    page.goto("/crm/customers/C-7/")
    with hands(page, clicks=5, keys=1) as hand:
        hand.press("f")
        hand.click("#composer label >> text=Call")
        hand.type("Samples meet the tolerance")
        hand.drop(minutes, "#composer")
        expect(page.locator("#composer [data-files]")).to_contain_text("minutes.txt")
        hand.click("#composer >> text=Friday")
        hand.click("#composer .bar >> text=Save")
        expect(page.locator(".tl .txt")).to_contain_text(["Samples meet the tolerance"])
    talk, file = FollowUp.objects.get(), Attachment.objects.get()
    assert hand.used == {"clicks": 3, "keys": 1}
    assert (talk.channel, talk.text, file.name) == ("call", "Samples meet the tolerance", "minutes.txt")
    assert talk.next_on.isoweekday() == 5 and 1 <= (talk.next_on - make.today()).days <= 7


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """What the camera of a phone gives, larger than anybody needs."""
    path = tmp_path / "machine.jpg"
    Image.new("RGB", (2400, 1800), "navy").save(path)
    return path


def test_a_visit_by_phone(open_page: Any, ann: Any, photo: Path) -> None:
    """UX 11, script 18: on a phone see debt and last talks of the customer, call, log the visit: at most 8 taps."""
    customer = Contact.objects.create(
        customer=make.Customer.objects.get(code="C-7"), name="Zhou Zhiyuan", phone="138 1234 6021", primary=True
    ).customer
    log_followup(customer, by=ann, channel="call", text="Wants a visit", next_on=make.today())
    page = open_page(user=ann, width=390)
    page.goto("/")
    with hands(page, clicks=8) as hand:
        hand.click(".mnav >> text=Customers")
        page.wait_for_url("**/crm/customers/")
        hand.click("#list >> text=苏州明锐")
        page.wait_for_url("**/crm/customers/C-7/*")
        expect(page.locator(".kpis")).to_contain_text("Receivable")
        expect(page.locator(".tl .txt").first).to_contain_text("Wants a visit")
        call = page.locator("a[href^='tel:']").locator("visible=true").first
        assert call.get_attribute("href") == "tel:13812346021"
        call.evaluate("link => link.addEventListener('click', event => event.preventDefault())")  # there is no phone
        hand.click(call)
        hand.click("[data-name=follow-up]")
        hand.click("#composer label >> text=Visit")
        hand.type("The second line is planned for March")
        hand.choose("#composer label >> text=File", photo)
        expect(page.locator("#composer [data-files]")).to_contain_text("machine.jpg")
        hand.click("#composer .bar >> text=Save")
        expect(page.locator(".tl .txt").first).to_contain_text("The second line")
        assert page.watch.wide() <= 0
    assert hand.used["clicks"] == 7
    visit = FollowUp.objects.exclude(text="Wants a visit").get()
    assert (visit.channel, visit.happened_at.date() <= dt.date.today()) == ("visit", True)
    with Attachment.objects.get().file.open() as stored:
        assert max(Image.open(stored).size) == 2000, "made smaller in the browser"
