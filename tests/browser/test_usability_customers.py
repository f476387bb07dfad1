"""Usability scripts around a customer, within their limits of clicks and keys (UX 11)."""

from __future__ import annotations

from typing import Any

import pytest

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
