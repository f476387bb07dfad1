"""F-22: the books around midnight at the ends of months and years, on leap days, beyond 2038, in the company's zone."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from decimal import Decimal as D
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from erp.finance.models import JournalEntry, Payment, Period
from erp.inventory.models import StockMove
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.sales.services import deliver_order, invoice_order
from oa.organisation.zones import learn_zone
from tests import factories as make
from tests.clocks import moved_database
from tests.invariants import assert_books
from tests.refusals import refused

pytestmark = pytest.mark.django_db

DAY = dt.timedelta(days=1)
LITTLE = dt.timedelta(seconds=40)
MIDNIGHTS = {  # the midnight at which the day of these begins
    "year end beyond 2038": ("Asia/Shanghai", dt.date(2040, 1, 1)),
    "before a leap day": ("America/New_York", dt.date(2040, 2, 29)),
    "after a leap day": ("America/New_York", dt.date(2040, 3, 1)),
    "month end as summer time begins": ("Europe/Berlin", dt.date(2030, 4, 1)),
    "the earliest zone": ("Pacific/Kiritimati", dt.date(2027, 1, 1)),
    "the latest zone": ("Pacific/Pago_Pago", dt.date(2027, 1, 1)),
}


@pytest.fixture
def set_to(settings: Any, tmp_path: Path) -> Iterator[Callable[[dt.datetime], None]]:
    """The database's clock, and with it everybody's, goes on from the moment that it is set to.

    Files of other tests would be old by then, and `verify` would ask whose they are.
    """
    folder = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    settings.STORAGES = {**settings.STORAGES, "default": folder}
    with moved_database() as set_to:
        yield set_to


def live_in(zone: str) -> None:
    make.company(time_zone=zone)
    learn_zone(zone)


def sell(customer: Any, product: Any) -> dict[type, Any]:
    """From the order to the money, all of it now, with the dates that a form would show."""
    order = make.confirmed_order(customer, make.line(product, 1))
    delivery = deliver_order(order, by=None)
    invoice = invoice_order(order, by=None)
    payment = make.receive(customer, str(invoice.total))
    return {SalesOrder: order, Delivery: delivery, Invoice: invoice, Payment: payment}


def assert_on(day: dt.date, made: dict[type, Any]) -> None:
    """Documents, numbers, entries and moves are of `day` and its month."""
    period = Period.objects.get(start__lte=day, end__gte=day)
    assert (period.start.month, period.end.month) == (day.month, day.month)
    for model, document in made.items():
        document.refresh_from_db()
        assert document.date == day and document.number, model
        entries = JournalEntry.objects.filter(source=model._meta.label_lower, source_id=document.pk)
        assert {(entry.date, entry.period_id) for entry in entries} <= {(day, period.pk)}
    assert {move.date for move in StockMove.objects.filter(source_id=made[Delivery].pk, source="erp.delivery")} == {day}
    [due] = make.items(made[Invoice])
    assert due.remaining == 0 and due.date == day


@pytest.mark.parametrize("which", MIDNIGHTS)
def test_books_around_midnight(which: str, set_to: Callable[[dt.datetime], None]) -> None:
    """G-18: what is done 40 seconds before belongs to the old day and month, 40 seconds later to the new one."""
    zone, day = MIDNIGHTS[which]
    midnight = dt.datetime.combine(day, dt.time(), ZoneInfo(zone)).astimezone(dt.UTC)
    set_to(midnight - 2 * DAY)
    live_in(zone)
    customer, product = make.make_customer(), make.make_product()
    make.stock(product, 10)

    set_to(midnight - LITTLE)
    before = sell(customer, product)
    assert_on(day - DAY, before)
    late = make.confirmed_order(customer, make.line(product, 1))
    with refused("future"):
        deliver_order(late, by=None, date=day)

    set_to(midnight + LITTLE)
    assert make.today() == day
    assert_on(day, sell(customer, product))
    kept = deliver_order(late, by=None, date=day - DAY)
    assert kept.date == late.date == day - DAY, "what is of the old day can still be noted on it"
    assert make.balance("receivable") == 0 and make.level(product).on_hand == D(7)
    assert_books()


def test_a_moment_that_seconds_of_32_bits_do_not_hold(set_to: Callable[[dt.datetime], None]) -> None:
    """19 January 2038, 03:14:07 UTC: business goes on over the moment at which such seconds end."""
    edge = dt.datetime(2038, 1, 19, 3, 14, 7, tzinfo=dt.UTC)
    set_to(edge - LITTLE)
    live_in("Asia/Shanghai")
    customer, product = make.make_customer(), make.make_product()
    make.stock(product, 10)
    assert_on(dt.date(2038, 1, 19), sell(customer, product))
    set_to(edge + LITTLE)
    assert_on(dt.date(2038, 1, 19), sell(customer, product))
    assert_books()
