"""Tax and prices of sales documents (rules G-14, G-15, S-01)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import JournalLine, TaxCode
from erp.inventory.models import Product, ProductUnit, Unit
from erp.sales.models import CustomerPrice
from erp.sales.services import deliver_order, invoice_order, save_order
from oa.organisation.models import User
from oa.organisation.models.company import TaxMethod
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def test_tax_is_rounded_on_every_line(clerk: User, mingrui: Customer, drive: Product) -> None:
    """G-15 per line: 3 x round(33.33 x 0.13 = 4.3329) = 12.99."""
    make.company(tax_method=TaxMethod.LINE)
    order = make.make_order(mingrui, *[make.line(drive) for _ in range(3)], by=clerk)
    assert (order.net, order.tax, order.total) == (D("99.99"), D("12.99"), D("112.98"))
    assert [x.tax for x in order.lines.all()] == [D("4.33")] * 3


def test_tax_is_rounded_once_per_rate(clerk: User, mingrui: Customer, drive: Product) -> None:
    """G-15 per tax: round(99.99 x 0.13 = 12.9987) = 13.00, spread over the lines so that they add up."""
    make.company(tax_method=TaxMethod.TAX)
    service = make.make_service("SRV", price="33.33")
    order = make.confirmed_order(mingrui, *[make.line(drive) for _ in range(3)], make.line(service), by=clerk)
    assert (order.net, order.tax) == (D("133.32"), D("15.00"))
    assert [x.tax for x in order.lines.all()] == [D("4.34"), D("4.33"), D("4.33"), D("2.00")]
    deliver_order(order, by=clerk)
    assert invoice_order(order, by=clerk).total == order.total == D("148.32")


@pytest.mark.parametrize(("method", "net"), [(TaxMethod.LINE, "265.50"), (TaxMethod.TAX, "265.49")])
def test_prices_with_tax_keep_their_gross(
    clerk: User, mingrui: Customer, motor: Product, method: TaxMethod, net: str
) -> None:
    """G-15 inclusive: gross is fixed, net = round(gross / 1.13), tax is the rest; 88.50 for 100.00, 265.49 for 300."""
    make.company(tax_method=method)
    lines = [make.line(motor, 1, "100") for _ in range(3)]
    order = make.confirmed_order(mingrui, *lines, by=clerk, prices_include_tax=True)
    assert (order.total, order.net, order.tax) == (300, D(net), 300 - D(net))
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    assert (invoice.total, invoice.net) == (300, D(net)) and make.balance("revenue") == -D(net)


def test_the_method_stays_on_the_document(clerk: User, mingrui: Customer, drive: Product) -> None:
    """G-15: changing the company's setting never changes existing documents."""
    make.company(tax_method=TaxMethod.TAX)
    order = make.make_order(mingrui, *[make.line(drive) for _ in range(3)], by=clerk)
    make.company(tax_method=TaxMethod.LINE)
    order = save_order(order, [make.line(drive) for _ in range(3)], by=clerk)
    assert order.tax == 13
    order = make.confirm_order(order, by=clerk)
    deliver_order(order, by=clerk)
    assert invoice_order(order, by=clerk).tax == 13


def test_invoice_in_parts_may_differ_by_a_cent_and_the_order_is_paid_in_full(
    clerk: User, mingrui: Customer, drive: Product
) -> None:
    """G-15, G-11: three invoices of one piece come to 112.98 where the order says 112.99; it is paid all the same."""
    order = make.confirmed_order(mingrui, make.line(drive, 3), by=clerk)
    row = order.lines.get()
    assert order.total == D("112.99")
    deliver_order(order, by=clerk)
    for _ in range(3):
        invoice = invoice_order(order, {row.pk: D(1)}, by=clerk)
        assert invoice.total == D("37.66")
    make.receive(mingrui, "112.98", by=clerk)
    order.refresh_from_db()
    assert (order.state, order.paid_percent, make.balance("receivable")) == ("closed", 100, 0)


def test_tax_goes_to_the_accounts_of_its_codes(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-20, F-08: one line per tax account; a code without an account is named and nothing is posted."""
    simple = TaxCode.objects.get(code="V3")
    order = make.confirmed_order(mingrui, make.line(motor, 1), make.line(motor, 1, tax_code=simple), by=clerk)
    deliver_order(order, by=clerk)
    account, simple.output_account = simple.output_account, None
    simple.save()
    with refused("V3 has no output tax account"):
        invoice_order(order, by=clerk)
    simple.output_account = account
    simple.save()
    invoice_order(order, by=clerk)
    credits = {row.account_id: row.credit for row in JournalLine.objects.filter(credit__in=[13, 3])}
    assert credits == {motor.tax_code.output_account_id: 13, account.pk: 3}


def test_discount_is_taken_before_rounding(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-14: 3 x 0.335 less 10 % is 0.9045, rounded once to 0.90; half a cent rounds up."""
    order = make.make_order(
        mingrui, make.line(motor, 3, "0.335", discount="10"), make.line(motor, 1, "0.005"), by=clerk
    )
    assert [x.net for x in order.lines.all()] == [D("0.90"), D("0.01")]


def test_price_is_the_customers_own_where_there_is_one(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-01: customer-item price by quantity, date and currency, else the item's; the line tells which."""
    cny, usd = make.currency(), make.currency("USD", "8")
    more = {"customer": mingrui, "product": motor, "currency": cny}
    CustomerPrice.objects.create(price=95, **more)
    CustomerPrice.objects.create(price=90, minimum=10, **more)
    CustomerPrice.objects.create(price=1, valid_to=make.days_ago(1), minimum=1, **more)
    CustomerPrice.objects.create(price=2, valid_from=make.days_ago(-1), minimum=1, **more)
    box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=box, factor=12)
    order = make.make_order(
        mingrui,
        make.line(motor, 9),
        make.line(motor, 10),
        make.line(motor, 1, unit=box),
        make.line(motor, 1, "96"),
        make.line(motor, 1, "95"),
        by=clerk,
    )
    assert [(x.price, x.price_rule) for x in order.lines.all()] == [
        (95, "customer"),
        (90, "customer"),
        (1080, "customer"),
        (96, "manual"),
        (95, "customer"),
    ]
    foreign = make.make_order(mingrui, make.line(motor, 1), by=clerk, currency=usd)
    assert [(x.price, x.price_rule) for x in foreign.lines.all()] == [(D("12.5"), "item")]
    other = make.make_order(make.make_customer("Other"), make.line(motor, 10), by=clerk)
    assert other.lines.get().price == 100


def test_tax_category_of_the_customer_wins(clerk: User, mingrui: Customer, motor: Product) -> None:
    """A-20: the customer's tax category replaces the product's; a code given on the line wins over both."""
    make.terms(mingrui, tax_code=TaxCode.objects.get(code="V0"))
    order = make.make_order(
        mingrui, make.line(motor), make.line(motor, tax_code=TaxCode.objects.get(code="V6")), by=clerk
    )
    assert [x.tax for x in order.lines.all()] == [0, 6]


def test_missing_posting_rule_is_named(clerk: User, mingrui: Customer, motor: Product) -> None:
    """F-08: refused with the purpose that has no account."""
    order = make.confirmed_order(mingrui, make.line(motor), by=clerk)
    deliver_order(order, by=clerk)
    make.PostingRule.objects.filter(purpose="revenue").delete()
    with refused("no posting rule for “sales revenue”"):
        invoice_order(order, by=clerk)
