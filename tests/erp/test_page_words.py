"""What pages of documents and lists say, and where: errors at their lines, words in the reader's language."""

from __future__ import annotations

import re

import pytest
from django.conf import settings

from erp.inventory.models import StockAdjustment
from erp.sales import services
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(client):
    user = make.make_user("clerk")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return user


@pytest.fixture
def reader(client):
    user = make.make_user("reader", language="zh-hans")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return user


def loss(product, quantity, **more):
    """What the page of an adjustment posts to save and post it."""
    head = {"warehouse": make.warehouse().pk, "date": make.today().isoformat(), "reason": "count", "then": "post"}
    line = {"lines-0-product": product.pk, "lines-0-product_text": product.code, "lines-0-quantity": quantity}
    return {**head, **line, **more}


def test_a_step_that_is_refused_tells_why_at_the_line_and_goes_on_from_there(client, clerk):
    """UX 7.4: the draft is kept, the error stands at its cell, and the next try needs nothing typed again."""
    product = make.make_product("P-1")
    make.stock(product, 3)
    answer = client.post("/stock/adjustments/new/", loss(product, "-5"))
    page = answer.content.decode()
    draft = StockAdjustment.objects.latest("pk")
    assert (answer.status_code, draft.state) == (422, "draft")
    assert 'href="#lines-0-quantity"' in page and 'id="lines-0-err"' in page
    assert re.search(r'id="lines-0-quantity" value="-5"[^>]*aria-invalid="true"', page)
    address = re.search(r'<form id="doc" method="post" action="([^"]+)"', page).group(1)
    version = re.search(r'name="version" value="(\d+)"', page).group(1)
    line = {"lines-0-id": draft.lines.get().pk, "version": version}
    assert client.post(address, loss(product, "-2", **line)).status_code == 302
    draft.refresh_from_db()
    assert draft.state == "posted" and StockAdjustment.objects.filter(reason="count").count() == 1


def test_the_summary_of_errors_leads_to_the_cell(client, clerk):
    """UX 6.5.8: what is wrong in a line is named above the form as well."""
    product = make.make_product("P-1")
    answer = client.post("/stock/adjustments/new/", loss(product, "abc"))
    page = answer.content.decode()
    assert answer.status_code == 422 and 'value="abc"' in page
    assert re.search(r'<a href="#lines-0-quantity">Line 1: “abc” is not a number.</a>', page)


def test_open_items_that_are_settled_have_no_place_among_the_open(client, clerk):
    """UX 6.2.1: a resource may ship views over its list."""
    customer, product = make.make_customer(), make.make_service("S")
    paid, owed = (invoiced(customer, product) for _times in range(2))
    make.receive(customer, str(paid.total))
    listed = client.get("/finance/open-items/?view=open").content.decode()
    assert owed.number in listed and paid.number not in listed


def invoiced(customer, product):
    """A posted invoice of one service."""
    order = make.confirmed_order(customer, make.line(product))
    services.post_delivery(services.draft_delivery(order, by=None), by=None)
    order.refresh_from_db()
    return services.post_invoice(services.draft_invoice(order, by=None), by=None)


def test_an_order_on_hold_says_so_and_offers_its_release(client, clerk):
    """UX 6.4.2: a side state is told beside the title; the next step is to end it."""
    order = make.confirmed_order(make.make_customer(), make.line(make.make_service("S")))
    services.hold_order(order, by=None, reason="Deposit")
    page = client.get(f"/sales/orders/{order.number}/").content.decode()
    assert re.search(r'class="bd warn">On hold<', page)
    assert re.search(r'class="bt pri"[^>]*data-name="release"', page)
    assert order.number in client.get("/sales/orders/?view=hold").content.decode()


def test_masters_are_titled_in_the_language_of_the_reader(client, reader):
    """UX D9: on a phone's card stands the Chinese name for who reads Chinese."""
    make.company()
    page = client.get("/stock/units/").content.decode()
    assert re.search(r'c-cust[^"]*">\s*个', page)


def test_goods_are_received_and_money_is_received_in_different_words(client, reader):
    """UX 10: one English word, two Chinese ones."""
    supplier, product = make.make_supplier(), make.make_product("P-1")
    order = make.confirmed_purchase(supplier, make.line(product))
    page = client.get(f"/purchasing/orders/{order.number}/").content.decode()
    assert "交货日期" in client.get("/purchasing/orders/").content.decode() and "已收货" in page
    receipts = client.get("/purchasing/receipts/").content.decode()
    assert "已收货" in receipts and "收款" not in re.search(r'<nav class="tabs".*?</nav>', receipts, re.S).group(0)
