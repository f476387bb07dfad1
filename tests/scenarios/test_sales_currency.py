"""Sales in foreign currency: the result of the exchange rates is realised with the money (rules G-17, A-06)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import JournalEntry
from erp.finance.services import allocate_open_items, reverse_payment
from erp.inventory.models import Product
from erp.sales.models import Invoice
from erp.sales.services import deliver_order, invoice_order, reverse_invoice
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def dollars(clerk: User, customer: Customer, product: Product, price: str, rate: str, quantity: int = 1) -> Invoice:
    """A posted invoice in dollars at a rate, without tax."""
    usd = make.currency("USD", rate, make.today())
    order = make.confirmed_order(customer, make.line(product, quantity, price), by=clerk, currency=usd)
    deliver_order(order, by=clerk)
    return invoice_order(order, by=clerk)


@pytest.fixture
def export(clerk: User) -> Product:
    product = make.make_product("EXP", tax="V0")
    make.stock(product, 100, "50", by=clerk)
    return product


@pytest.mark.parametrize(
    ("sold_at", "paid_at", "gain", "loss"),
    [("7.10", "7.25", "-150.00", "0"), ("7.10", "6.95", "0", "150.00"), ("7.10", "7.10", "0", "0")],
)
def test_invoice_is_paid_at_another_rate(
    clerk: User, mingrui: Customer, export: Product, sold_at: str, paid_at: str, gain: str, loss: str
) -> None:
    """A-06, invoice and receipt: gain when the currency rose, loss when it fell, nothing at the same rate."""
    invoice = dollars(clerk, mingrui, export, "1000", sold_at)
    assert (invoice.total, invoice.base_total) == (1000, D(sold_at) * 1000)
    make.receive(mingrui, "1000", currency=make.currency("USD"), rate=D(paid_at), by=clerk)
    assert (make.balance("exchange-gain"), make.balance("exchange-loss")) == (D(gain), D(loss))
    assert make.balance("receivable") == 0


@pytest.mark.parametrize(("received_at", "sold_at", "result"), [("7.00", "7.20", "200"), ("7.20", "7.00", "-200")])
def test_advance_settles_an_invoice_of_another_rate(
    clerk: User, mingrui: Customer, export: Product, received_at: str, sold_at: str, result: str
) -> None:
    """A-06, advance and invoice: an advance received at less than the invoice's rate is a loss."""
    usd = make.currency("USD", received_at, make.today())
    advance = make.receive(mingrui, "1500", currency=usd, rate=D(received_at), by=clerk)
    invoice = dollars(clerk, mingrui, export, "1000", sold_at)
    allocate_open_items([(make.items(invoice)[0].pk, make.items(advance)[0].pk, D(1000))], by=clerk)
    assert make.balance("exchange-gain") + make.balance("exchange-loss") == D(result)
    [left] = make.items(advance)
    assert (left.remaining, left.base_remaining) == (-500, D(received_at) * -500)


def test_parts_of_a_payment_leave_no_residue(clerk: User, mingrui: Customer, export: Product) -> None:
    """A-06, A-07: three parts at three rates; the last one takes what rounding left in base currency."""
    invoice = dollars(clerk, mingrui, export, "100", "7.123457")
    assert invoice.base_total == D("712.35")
    for part, rate in (("33.33", "7.2"), ("33.33", "7.0"), ("33.34", "7.123457")):
        make.receive(mingrui, part, currency=make.currency("USD"), rate=D(rate), by=clerk)
    [item] = make.items(invoice)
    assert (item.remaining, item.base_remaining, make.balance("receivable")) == (0, 0, 0)
    assert make.balance("exchange-gain") == D("-2.56") and make.balance("exchange-loss") == D("4.12")


def test_one_receipt_settles_invoices_of_different_rates(clerk: User, mingrui: Customer, export: Product) -> None:
    """A-06: gains and losses of one receipt stand in one entry, each on its account."""
    first = dollars(clerk, mingrui, export, "1000", "7.00")
    second = dollars(clerk, mingrui, export, "1000", "7.40")
    payment = make.receive(mingrui, "2000", currency=make.currency("USD"), rate=D("7.20"), by=clerk)
    assert (make.balance("exchange-gain"), make.balance("exchange-loss")) == (-200, 200)
    entries = JournalEntry.objects.filter(source="erp.payment", source_id=payment.pk)
    assert sorted(entries.values_list("purpose", flat=True)) == ["exchange-1", "post"]
    assert [make.items(x)[0].remaining for x in (first, second)] == [0, 0]


def test_exchange_result_is_reversed_with_the_receipt(clerk: User, mingrui: Customer, export: Product) -> None:
    """A-06, A-02: reversed with it, those of later allocations as well; another receipt's result stays."""
    invoice = dollars(clerk, mingrui, export, "1000", "7.00")
    usd = make.currency("USD")
    first = make.receive(mingrui, "300", {}, currency=usd, rate=D("7.10"), by=clerk)
    second = make.receive(mingrui, "700", {}, currency=usd, rate=D("7.20"), by=clerk)
    [due], [one], [two] = make.items(invoice), make.items(first), make.items(second)
    allocate_open_items([(due.pk, one.pk, D(100)), (due.pk, two.pk, D(700))], by=clerk)
    allocate_open_items([(due.pk, one.pk, D(200))], by=clerk)
    assert make.balance("exchange-gain") == -170
    reverse_payment(first, by=clerk)
    assert make.balance("exchange-gain") == -140
    invoice.refresh_from_db()
    assert invoice.open_amount == 300
    with refused("is settled by"):
        reverse_invoice(invoice, by=clerk)
    reverse_payment(second, by=clerk)
    reverse_invoice(invoice, by=clerk)
    assert (make.balance("exchange-gain"), make.balance("receivable"), make.balance("revenue")) == (0, 0, 0)


def test_invoice_takes_the_rate_of_its_own_day(clerk: User, mingrui: Customer, export: Product) -> None:
    """G-17: the order keeps its rate, the invoice has that of its date; roundings go to their account."""
    usd = make.currency("USD", "7.00")
    order = make.confirmed_order(mingrui, make.line(export, 3, "33.333333"), by=clerk, currency=usd)
    make.currency("USD", "7.123456", make.today())
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    assert (order.rate, invoice.rate, invoice.total, invoice.base_total) == (7, D("7.123456"), 100, D("712.35"))


def test_amounts_in_several_accounts_balance_in_base_currency(clerk: User, mingrui: Customer) -> None:
    """G-17: each account is rounded by itself, the difference is a line on the rounding account."""
    goods = make.make_product("G", tax="V13")
    make.stock(goods, 10, "5", by=clerk)
    usd = make.currency("USD", "7.123457")
    order = make.confirmed_order(mingrui, make.line(goods, 1, "0.20"), by=clerk, currency=usd)
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    assert (invoice.total, invoice.base_total) == (D("0.23"), D("1.64"))  # tax 0.03
    assert make.balance("revenue") == D("-1.42")
    assert make.balance("rounding") == D("-0.01")  # 1.42 + 0.21 - 1.64


def test_rates_are_needed_and_the_base_currency_has_none(clerk: User, mingrui: Customer, export: Product) -> None:
    """G-17: an order in a currency without a rate is refused; the base currency's rate is 1."""
    with refused("no exchange rate for EUR"):
        make.make_order(mingrui, make.line(export), by=clerk, currency=make.currency("EUR"))
    order = make.make_order(mingrui, make.line(export), by=clerk, currency=make.currency(), rate=D(3))
    assert order.rate == 1
    with refused("The rate of CNY is 1"):
        make.receive(mingrui, "10", rate=D(2), by=clerk)


def test_yen_have_no_decimals(clerk: User, mingrui: Customer, export: Product) -> None:
    """G-13: amounts have the decimals of their currency."""
    yen = make.currency("JPY", "0.048")
    order = make.confirmed_order(mingrui, make.line(export, 3, "333.5"), by=clerk, currency=yen)
    assert (order.total, order.base_total) == (1001, D("48.05"))
    with refused("JPY has 0 decimals"):
        make.receive(mingrui, "10.5", currency=yen, rate=D("0.048"), by=clerk)


def test_currencies_do_not_settle_each_other(clerk: User, mingrui: Customer, export: Product) -> None:
    """A-02: a receipt in one currency does not settle an invoice in another."""
    invoice = dollars(clerk, mingrui, export, "1000", "7.00")
    with refused("differ in currency"):
        make.receive(mingrui, "7000", {make.items(invoice)[0].pk: D(1000)}, by=clerk)
