"""What is on hand, reserved, to come and to go, and what that leaves: the figures people order and promise by."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Customer
from erp.inventory.availability import Availability, availability
from erp.inventory.models import Product, ProductUnit, Unit
from erp.inventory.reports import StockForecast
from erp.purchasing.services import receive_order
from erp.sales.services import close_order, deliver_order
from kit.exchange.reports import SYSTEM
from oa.organisation.models import User
from tests import factories as make

pytestmark = pytest.mark.django_db


def stock_of(product: Product) -> Availability:
    return availability([product.pk])[product.pk]


def test_confirmed_orders_are_to_come_and_to_go_until_they_moved(
    clerk: User, mingrui: Customer, motor: Product
) -> None:
    """G-11: what is open of confirmed orders, ord - can - dlv + rr; drafts promise nothing, closed lines neither."""
    supplier = make.make_supplier()
    make.make_order(mingrui, make.line(motor, 3), by=clerk)
    make.make_purchase(supplier, make.line(motor, 4), by=clerk)
    assert stock_of(motor) == Availability(on_hand=D(20))
    sold = make.confirmed_order(mingrui, make.line(motor, 12), by=clerk)
    bought = make.confirmed_purchase(supplier, make.line(motor, 30), by=clerk)
    assert stock_of(motor) == Availability(D(20), reserved=D(12), incoming=D(30), outgoing=D(12))
    deliver_order(sold, {sold.lines.get().pk: D(5)}, by=clerk)
    receive_order(bought, {bought.lines.get().pk: D(10)}, by=clerk)
    now = stock_of(motor)
    assert now == Availability(D(25), reserved=D(7), incoming=D(20), outgoing=D(7))
    assert (now.available, now.forecast) == (18, 38)
    close_order(sold, by=clerk, reason="no more")
    assert stock_of(motor) == Availability(D(25), incoming=D(20))


def test_more_is_promised_than_there_is(clerk: User, mingrui: Customer, motor: Product) -> None:
    """Only what is on hand can be reserved; the forecast tells what is missing."""
    make.confirmed_order(mingrui, make.line(motor, 50), by=clerk)
    assert (stock_of(motor).reserved, stock_of(motor).available, stock_of(motor).forecast) == (20, 0, -30)


def test_other_units_count_in_the_unit_of_the_product(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-25: two boxes of twelve are 24 pieces."""
    ProductUnit.objects.create(product=motor, unit=(box := Unit.objects.get(code="box")), factor=12)
    make.confirmed_order(mingrui, make.line(motor, 2, unit=box), by=clerk)
    assert stock_of(motor).outgoing == 24


def test_one_product_takes_as_many_statements_as_many(motor: Product, drive: Product) -> None:
    counts = []
    for keys in ([motor.pk], [motor.pk, drive.pk]):
        with CaptureQueriesContext(connection) as statements:
            found = availability(keys)
        assert [found[key].on_hand for key in keys] == [20] * len(keys)
        counts.append(len(statements))
    assert counts == [3, 3]


def test_the_report_lists_every_product_with_its_forecast(
    clerk: User, mingrui: Customer, motor: Product, drive: Product
) -> None:
    make.make_service("CONSULT")
    make.confirmed_order(mingrui, make.line(motor, 12), by=clerk)
    rows: list[dict[str, Any]] = StockForecast().rows({"group": None}, SYSTEM)
    told = {row["product"]: (row["on_hand"], row["available"], row["outgoing"], row["forecast"]) for row in rows}
    assert told == {motor.code: (20, 8, 12, 8), drive.code: (20, 20, 0, 20)}
