"""Dates and periods of postings (rules G-18, F-30, F-31, V-24)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from crm.customers.models import Customer
from erp.finance.context import ensure_fiscal_year
from erp.finance.models import FiscalYear, JournalEntry, Period
from erp.finance.services import close_period, reopen_period, reverse_payment
from erp.inventory.models import Product, StockMove
from erp.sales.services import deliver_order, invoice_order, reverse_delivery, reverse_invoice
from kit.values.dates import month_end
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def last_month() -> dt.date:
    """The last day of the month before this one, whose year has its periods, as nothing was posted in it yet."""
    day = make.today().replace(day=1) - dt.timedelta(days=1)
    ensure_fiscal_year(day)
    return day


@pytest.fixture
def part(clerk: User, last_month: dt.date) -> Product:
    """10 in stock since before last month."""
    product = make.make_product("PART")
    make.stock(product, 10, "60", by=clerk, date=last_month.replace(day=1) - dt.timedelta(days=1))
    return product


def test_nothing_is_posted_in_the_future(clerk: User, mingrui: Customer, part: Product) -> None:
    """G-18: neither delivery, nor invoice, nor receipt."""
    order = make.confirmed_order(mingrui, make.line(part, 2), by=clerk)
    tomorrow = make.days_ago(-1)
    with refused("lies in the future"):
        deliver_order(order, by=clerk, date=tomorrow)
    deliver_order(order, by=clerk)
    with refused("lies in the future"):
        invoice_order(order, by=clerk, date=tomorrow)
    with refused("lies in the future"):
        make.receive(mingrui, "10", by=clerk, date=tomorrow)


def test_a_closed_period_takes_no_postings(clerk: User, mingrui: Customer, part: Product, last_month: dt.date) -> None:
    """F-30: refused with the period's name; a correction goes into an open one; reopening opens later ones."""
    order = make.confirmed_order(mingrui, make.line(part, 4), by=clerk, date=last_month)
    row = order.lines.get()
    delivery = deliver_order(order, {row.pk: make.Decimal(2)}, by=clerk, date=last_month)
    invoice = invoice_order(order, by=clerk, date=last_month)
    payment = make.receive(mingrui, "226", by=clerk, date=last_month)
    for period in Period.objects.filter(end__lte=last_month, entries__isnull=False).distinct().order_by("start"):
        close_period(period, by=clerk)
    name = last_month.strftime("%Y-%m")
    with refused(f"{name} is closed"):
        deliver_order(order, by=clerk, date=last_month)
    with refused(f"{name} is closed"):
        reverse_payment(payment, by=clerk, date=last_month)
    reverse_payment(payment, by=clerk)
    reverse_invoice(invoice, by=clerk)
    reverse_delivery(delivery, by=clerk)
    reopen_period(Period.objects.get(start__lte=last_month, end__gte=last_month), by=clerk)
    deliver_order(order, {row.pk: make.Decimal(1)}, by=clerk, date=last_month)


def test_the_database_refuses_closed_periods_by_itself(
    clerk: User, mingrui: Customer, part: Product, last_month: dt.date
) -> None:
    """F-30: an entry inserted past the services is refused by the trigger."""
    period = Period.objects.get(start__lte=last_month, end__gte=last_month)
    entry = JournalEntry.objects.first()
    for earlier in Period.objects.filter(start__lte=period.start).order_by("start"):
        close_period(earlier, by=clerk)
    entry.pk = None
    entry.period, entry.date, entry.source_id = period, last_month, 999
    with pytest.raises(IntegrityError, match="period is closed"), transaction.atomic():
        entry.save(force_insert=True)


def test_periods_are_closed_in_order(clerk: User, part: Product, last_month: dt.date) -> None:
    """F-31: the one before must be closed first, and reopening one opens those after it."""
    first = JournalEntry.objects.first().period
    second = Period.objects.get(start__lte=last_month, end__gte=last_month)
    with refused(f"Close {first} first"):
        close_period(second, by=clerk)
    close_period(first, by=clerk)
    close_period(second, by=clerk)
    with refused("closed already"):
        close_period(first, by=clerk)
    reopen_period(first, by=clerk)
    second.refresh_from_db()
    assert second.state == "open"


def test_back_dating_needs_the_right(mingrui: Customer, clerk: User, part: Product, last_month: dt.date) -> None:
    """V-24: who may not is refused, who may is not."""
    order = make.confirmed_order(mingrui, make.line(part, 2), by=clerk)
    keeper = make.make_user("keeper", "warehouse")
    with refused("of today only"):
        deliver_order(order, by=keeper, date=last_month)
    delivery = deliver_order(order, by=clerk, date=last_month)
    assert delivery.number.startswith(f"DN-{last_month:%y%m}-")
    assert StockMove.objects.get(source="erp.delivery").date == last_month


def test_back_dating_never_makes_later_stock_negative(
    mingrui: Customer, clerk: User, part: Product, last_month: dt.date
) -> None:
    """V-24 (c): what came later was not there yet, and what left later cannot leave twice."""
    deliver_order(make.confirmed_order(mingrui, make.line(part, 9), by=clerk), by=clerk)
    make.stock(part, 25, "60", by=clerk)
    order = make.confirmed_order(mingrui, make.line(part, 12), by=clerk)
    row = order.lines.get()
    with refused("On .* only 1 of PART could have left"):
        deliver_order(order, by=clerk, date=last_month)
    deliver_order(order, {row.pk: make.Decimal(1)}, by=clerk, date=last_month)
    with refused("only 0 of PART could have left"):
        deliver_order(order, {row.pk: make.Decimal(1)}, by=clerk, date=last_month)
    deliver_order(order, by=clerk)


def test_documents_do_not_precede_what_they_correct(
    clerk: User, mingrui: Customer, part: Product, last_month: dt.date
) -> None:
    """G-04: a reversal is not dated before its original; a receipt settles nothing that is dated after it."""
    order = make.confirmed_order(mingrui, make.line(part, 1), by=clerk)
    delivery = deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    with refused("cannot be dated before"):
        reverse_invoice(invoice, by=clerk, date=last_month)
    with refused("after the payment"):
        make.receive(mingrui, "113", {make.items(invoice)[0].pk: make.Decimal(113)}, by=clerk, date=last_month)
    early = make.receive(mingrui, "113", by=clerk, date=last_month)
    assert make.items(early)[0].remaining == -113, "A-04: proposed is only what was there"
    reverse_invoice(invoice, by=clerk)
    with refused("cannot be dated before"):
        reverse_delivery(delivery, by=clerk, date=last_month)


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
def test_colleagues_far_away_post_into_the_companys_day(
    clerk: User, mingrui: Customer, part: Product, zone: str
) -> None:
    """G-18: a person's time zone changes what they read, not the day of the books."""
    with timezone.override(zone):
        order = make.confirmed_order(mingrui, make.line(part, 2), by=clerk)
        delivery = deliver_order(order, by=make.make_user("keeper", "warehouse"))
        invoice = invoice_order(order, by=clerk)
        payment = make.receive(mingrui, "226", by=clerk)
    assert {order.date, delivery.date, invoice.date, payment.date} == {make.today()}


def test_the_fiscal_year_is_made_on_demand(clerk: User, part: Product) -> None:
    """F-30: twelve periods for the first posting of a year, from the company's first month."""
    make.company(fiscal_year_start=4)
    day = dt.date(2019, 2, 28)
    make.stock(part, 1, "1", by=clerk, date=day)
    year = FiscalYear.objects.get(start=dt.date(2018, 4, 1))
    periods = list(year.periods.order_by("number"))
    assert (year.name, year.end, len(periods)) == ("2018/19", dt.date(2019, 3, 31), 12)
    assert (periods[10].start, periods[10].end) == (dt.date(2019, 2, 1), month_end(day))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM erp_period a JOIN erp_period b ON a.id < b.id AND a.start <= b.end AND b.start <= a.end"
        )
        assert cursor.fetchone() == (0,)
