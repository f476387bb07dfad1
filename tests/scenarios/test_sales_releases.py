"""Orders that somebody released although the credit of the customer is used up (rule S-05)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.test import Client

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.sales.models import SalesOrder
from erp.sales.models.terms import CreditAction
from erp.sales.services import amend_order, deliver_order, release_hold
from kit.pages.resources import registry
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def held(clerk: User, mingrui: Customer, motor: Product) -> SalesOrder:
    """An order over 1130 of a customer with a limit of 1000."""
    make.terms(mingrui, credit_limit=D("1000"), credit_action=CreditAction.HOLD)
    return make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)


def expire(order: SalesOrder) -> SalesOrder:
    """The release was valid until yesterday."""
    SalesOrder.objects.filter(pk=order.pk).update(released_until=make.days_ago(1))
    return SalesOrder.objects.get(pk=order.pk)


def test_a_release_tells_who_why_how_much_and_how_long(clerk: User, held: SalesOrder) -> None:
    """S-05: without an amount it covers the present total, without a day it holds for good."""
    order = release_hold(held, reason=" letter of credit ", by=clerk)
    assert (order.released_by, order.hold_reason) == (clerk, "letter of credit")
    assert (order.released_amount, order.released_until) == (1130, None)
    tomorrow = make.today() + dt.timedelta(days=1)
    SalesOrder.objects.filter(pk=order.pk).update(hold="credit")
    order = release_hold(order, reason="letter of credit", amount=D(1500), until=tomorrow, by=clerk)
    assert (order.released_amount, order.released_until) == (1500, tomorrow)
    old = SalesOrder._meta.apps.get_model("erp", "SalesOrderHistory").objects.filter(pgh_obj=order.pk)
    assert old.latest("pgh_id").released_by == clerk


def test_a_release_covers_the_order_as_it_is(clerk: User, held: SalesOrder) -> None:
    """S-05: less than the order or a day that is over releases nothing; all is said at the fields."""
    with refused("amounts to 1,130.00 already") as caught:
        release_hold(held, amount=D("1129.99"), until=make.days_ago(1), by=clerk)
    assert [p.field for p in caught.value] == ["reason", "amount", "until"]
    release_hold(held, reason="today only", amount=D(1130), until=make.today(), by=clerk)
    assert deliver_order(held, by=clerk).warning == ""


def test_an_amount_above_the_present_total_leaves_room(clerk: User, held: SalesOrder, motor: Product) -> None:
    """S-05: an increase within the amount passes, one above it triggers the check again."""
    order = release_hold(held, reason="agreed", amount=D(1356), by=clerk)
    row = order.lines.get()
    order = amend_order(order, [make.line(motor, 12, pk=row.pk)], by=clerk)
    assert order.hold == ""
    order = amend_order(order, [make.line(motor, 13, pk=row.pk)], by=clerk)
    assert (order.hold, "by 469.00" in order.hold_reason) == ("credit", True)


def test_an_expired_release_is_checked_again(clerk: User, held: SalesOrder, motor: Product) -> None:
    """S-05, S-04: at the delivery and at an increase, although the amount would cover it."""
    order = expire(release_hold(held, reason="agreed", amount=D(5000), until=make.today(), by=clerk))
    row = order.lines.get()
    with refused("Have .* released before it is shipped"):
        deliver_order(order, {row.pk: D(1)}, by=clerk)
    order = amend_order(order, [make.line(motor, 9, pk=row.pk)], by=clerk)
    assert order.hold == "", "what shrinks needs no new check"
    order = release_hold(order, reason="once more", by=clerk)  # not on hold, but its delivery was stopped
    deliver_order(order, {row.pk: D(1)}, by=clerk)
    order = expire(order)
    order = amend_order(order, [make.line(motor, 10, pk=row.pk)], by=clerk)
    assert order.hold == "credit"


def test_the_dialog_asks_for_amount_and_day(clerk: User, client: Client, held: SalesOrder) -> None:
    """S-05: it offers the present total; what is refused is said at its field, the page tells the release."""
    client.force_login(clerk, backend="oa.organisation.auth.NameOrMailBackend")
    resource = registry["salesorder"]
    url = resource.url_for(held, "do", "release")
    form = client.get(url).context["form"]
    assert list(form.fields) == ["reason", "amount", "until"]
    assert form.initial["amount"] == 1130
    typed = {"reason": "agreed", "amount": "1,000", "until": ""}
    answer = client.post(url, typed)
    assert (answer.status_code, list(answer.context["form"].errors)) == (422, ["amount"])
    tomorrow = make.today() + dt.timedelta(days=1)
    assert client.post(url, {**typed, "amount": "1,200", "until": tomorrow.isoformat()}).status_code == 302
    held.refresh_from_db()
    assert (held.hold, held.released_amount, held.released_until, held.released_by) == ("", 1200, tomorrow, clerk)
    page = client.get(resource.url_for(held)).content.decode()
    assert "1,200.00" in page and tomorrow.isoformat() in page and "Released by" in page
