"""Credit when goods leave, orders on hold, direct invoices, free goods, and what no line may hold."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from crm.customers.models import Customer
from erp.finance.models import Account, PostingRule, TaxCode
from erp.finance.rules import save_posting_rule
from erp.inventory.models import Product, ProductUnit, Unit
from erp.sales.grids import InvoiceGrid, OrderGrid
from erp.sales.models import CustomerPrice, DeliveryLine, Invoice, SalesOrder
from erp.sales.models.terms import CreditAction
from erp.sales.services import (
    amend_order,
    cancel_order,
    confirm_order,
    deliver_order,
    draft_delivery,
    draft_invoice,
    hold_order,
    invoice_order,
    post_delivery,
    post_invoice,
    release_hold,
    reverse_delivery,
    save_invoice,
)
from kit.pages.lines import GridRow
from oa.organisation.models import User
from oa.organisation.models.company import TaxMethod
from tests import factories as make
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("counted", [True, False])
@pytest.mark.parametrize("action", [CreditAction.REFUSE, CreditAction.HOLD])
def test_credit_is_checked_again_when_goods_leave(
    clerk: User, mingrui: Customer, motor: Product, action: CreditAction, counted: bool
) -> None:
    """S-04, delivery: refused with the amount until the order is released for its present amount (S-05)."""
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    make.terms(mingrui, credit_limit=D(500), credit_action=action, count_orders=counted)
    row = order.lines.get()
    if not counted:
        deliver_order(order, {row.pk: D(4)}, by=clerk)  # 452.00 delivered is within the limit
    with refused(rf"{order.number} exceeds the credit limit of Mingrui by 630\.00.*released"):
        deliver_order(order, by=clerk)
    release_hold(order, by=clerk, reason="guaranteed by the parent company")
    deliver_order(order, by=clerk)
    assert invoice_order(order, by=clerk).total == 1130


def test_overdue_customers_get_no_goods_or_a_warning(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04: the overdue rule holds for deliveries as well; a warning lets them pass and says so."""
    make.stock(motor, 5, "60", by=clerk, date=make.days_ago(60))
    old = make.confirmed_order(mingrui, make.line(motor, 1), by=clerk, date=make.days_ago(50))
    deliver_order(old, by=clerk, date=make.days_ago(50))
    invoice_order(old, by=clerk, date=make.days_ago(50))
    order = make.confirmed_order(mingrui, make.line(motor, 2), by=clerk)
    terms = make.terms(mingrui, overdue_days=30, credit_action=CreditAction.REFUSE)
    with refused("overdue for 50 days.*Have .* released"):
        deliver_order(order, by=clerk)
    terms.credit_action = CreditAction.WARN
    terms.save()
    assert "overdue for 50 days" in deliver_order(order, by=clerk).warning


def test_a_direct_invoice_is_checked_too(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-04, direct invoice: only what no order was checked for."""
    make.terms(mingrui, credit_limit=D(1200), credit_action=CreditAction.HOLD)
    order = make.confirmed_order(mingrui, make.line(motor, 10), by=clerk)
    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    service = make.make_service(price="100")
    draft = save_invoice(Invoice(customer=mingrui), [make.line(service)], by=clerk)
    with refused(r"This invoice exceeds the credit limit of Mingrui by 36\.00"):
        post_invoice(draft, by=clerk)
    make.receive(mingrui, "36", by=clerk)
    assert post_invoice(draft, by=clerk).warning == ""


def test_an_order_is_held_by_hand(clerk: User, mingrui: Customer, motor: Product) -> None:
    """Hold axis, D-03: reserves and ships nothing until it is released; what is delivered may be invoiced."""
    order = make.confirmed_order(mingrui, make.line(motor, 5), by=clerk)
    row = order.lines.get()
    deliver_order(order, {row.pk: D(2)}, by=clerk)
    with refused("Enter the reason"):
        hold_order(order, by=clerk)
    order = hold_order(order, by=clerk, reason="wrong address")
    assert (order.hold, make.level(motor).reserved) == ("manual", 0)
    with refused("on hold: wrong address"):
        deliver_order(order, by=clerk)
    with refused("on hold already"):
        hold_order(order, by=clerk, reason="again")
    make.terms(mingrui, credit_limit=D(1), credit_action=CreditAction.HOLD)
    order = amend_order(order, [make.line(motor, 6, pk=row.pk)], by=clerk)
    assert (order.hold, order.hold_reason) == ("manual", "wrong address"), "a person's hold is not replaced"
    assert invoice_order(order, by=clerk).net == 200
    order = release_hold(order, by=clerk, reason="corrected")
    assert (order.hold, make.level(motor).reserved) == ("", 4)
    other = hold_order(make.confirmed_order(make.make_customer(), make.line(motor), by=clerk), by=clerk, reason="x")
    assert cancel_order(other, by=clerk, reason="x").hold == ""


def test_a_draft_of_an_archived_customer_is_not_confirmed(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-24: the customer is active when the order is issued."""
    draft = make.make_order(mingrui, make.line(motor), by=clerk)
    mingrui.active = False
    mingrui.save()
    with refused("Mingrui is archived"):
        confirm_order(draft, by=clerk)


def test_direct_invoices_follow_what_was_agreed(clerk: User, mingrui: Customer) -> None:
    """S-01, G-15, A-20: customer price, currency, tax category, payment terms and tax method as on an order."""
    make.company(tax_method=TaxMethod.TAX)
    service, usd = make.make_service(price="100"), make.currency("USD", "8")
    own = {
        "currency": usd,
        "tax_code": TaxCode.objects.get(code="V0"),
        "payment_terms": make.payment_terms("N9", days=9),
    }
    make.terms(mingrui, **own)
    invoice = save_invoice(Invoice(customer=mingrui), [make.line(service)], by=clerk)
    assert (invoice.currency, invoice.rate, invoice.net, invoice.tax) == (usd, 8, D("12.50"), 0)
    assert (invoice.tax_method, invoice.payment_terms.code) == (TaxMethod.TAX, "N9")
    CustomerPrice.objects.create(customer=mingrui, product=service, currency=usd, price=11)
    assert save_invoice(Invoice(customer=mingrui), [make.line(service)], by=clerk).net == 11
    mingrui.active = False
    mingrui.save()
    with refused("is archived"):
        save_invoice(Invoice(customer=mingrui), [make.line(service)], by=clerk)


def test_an_invoice_keeps_the_kind_of_prices_of_its_order(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-15: a net price does not become a gross price on the way."""
    order = make.confirmed_order(mingrui, make.line(motor), by=clerk)
    deliver_order(order, by=clerk)
    draft = draft_invoice(order, by=clerk)
    draft.prices_include_tax = True
    row = draft.lines.get()
    draft = save_invoice(draft, [make.line(motor, pk=row.pk)], by=clerk)
    with refused("prices of the other kind"):
        post_invoice(draft, by=clerk)


@pytest.mark.parametrize(("price", "discount"), [("0", "0"), ("100", "100")])
def test_free_goods_go_the_whole_road(
    clerk: User, mingrui: Customer, motor: Product, price: str, discount: str
) -> None:
    """G-11, G-14: no entry and nothing due; the order is complete and paid once all of it is invoiced."""
    order = make.confirmed_order(mingrui, make.line(motor, 2, price, discount=discount), by=clerk)
    row = order.lines.get()
    deliver_order(order, by=clerk)
    invoice_order(order, {row.pk: D(1)}, by=clerk)
    order.refresh_from_db()
    assert (order.state, order.paid_percent) == ("confirmed", 0)
    invoice = invoice_order(order, by=clerk)
    order.refresh_from_db()
    assert (order.state, order.billing_status, order.paid_percent) == ("closed", "complete", 100)
    assert (invoice.total, make.items(invoice), make.balance("cogs")) == (0, [], 120)


def test_two_lines_of_one_order_line_go_back_together(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-06: a delivery whose lines took from one order line is taken back only if all of it may be."""
    order = make.confirmed_order(mingrui, make.line(motor, 4), by=clerk)
    draft = draft_delivery(order, {order.lines.get().pk: D(2)}, by=clerk)
    [line] = draft.lines.all()
    DeliveryLine.objects.create(
        delivery=draft, position=2, order_line_id=line.order_line_id, product=motor, unit_id=line.unit_id, quantity=2
    )
    delivery = post_delivery(draft, by=clerk)
    assert (make.level(motor).on_hand, make.level(motor).reserved) == (16, 0)
    invoice_order(order, {order.lines.get().pk: D(1)}, by=clerk)
    with refused("is invoiced"):
        reverse_delivery(delivery, by=clerk)


def test_amounts_that_fit_no_column_are_refused_in_words(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-13: a slip of the finger is told; longer prices get the six decimals that are kept."""
    for quantity, price in (("1", "1000000000000"), ("99999999999999", "0"), ("1000000", "1000000")):
        with refused("The amount of this line is too large"):
            make.make_order(mingrui, make.line(motor, quantity, price), by=clerk)
    order = make.make_order(mingrui, make.line(motor, 3, "33.33333333", discount="0.33333"), by=clerk)
    [line] = order.lines.all()
    assert (line.price, line.discount, line.net) == (D("33.333333"), D("0.3333"), D("99.67"))


def test_rates_of_documents_are_positive(clerk: User, mingrui: Customer, motor: Product) -> None:
    """G-17: a rate of 0 or less is refused before anything is divided by it."""
    usd = make.currency("USD", "7")
    for rate in ("0", "-7"):
        with refused("The rate must be more than 0"):
            make.make_order(mingrui, make.line(motor), by=clerk, currency=usd, rate=D(rate))


def test_posting_rules_lead_to_accounts_that_take_postings(clerk: User) -> None:
    """F-02, F-08: a rule to a group or an archived account is refused when it is made, not when goods wait."""
    group = Account.objects.filter(is_group=True).first()
    with refused("is a group"):
        save_posting_rule(PostingRule(purpose="revenue", account=group, valid_from=make.today()), by=clerk)
    archived = make.bank()
    archived.active = False
    archived.save()
    with refused("is archived"):
        save_posting_rule(PostingRule(purpose="revenue", account=archived, valid_from=make.today()), by=clerk)


def test_a_missing_rule_is_named_and_nothing_is_posted(clerk: User, mingrui: Customer, motor: Product) -> None:
    """F-08: the delivery tells which purpose has no account."""
    order = make.confirmed_order(mingrui, make.line(motor), by=clerk)
    PostingRule.objects.filter(purpose="cogs").delete()
    with refused("no posting rule for “cost of goods sold”"):
        deliver_order(order, by=clerk)


def test_the_page_finds_the_price_of_the_unit(clerk: User, mingrui: Customer, motor: Product) -> None:
    """S-01, V-21: a box of 12 costs twelve pieces on the page as well, and needs twelve of them."""
    box = Unit.objects.get(code="box")
    ProductUnit.objects.create(product=motor, unit=box, factor=12)
    make.terms(mingrui, tax_code=TaxCode.objects.get(code="V0"))
    row = GridRow("0")
    row.put("product", motor, motor.pk)
    row.put("unit", box, box.pk)
    row.put("quantity", D(2))
    order = SalesOrder(customer=mingrui, warehouse=make.warehouse(), currency=make.currency(), date=make.today())
    computed = OrderGrid().compute(order, [row], None, clerk)
    assert (row.get("price"), row.values["short"]) == (1200, 4)
    assert "short by 4" in computed.notices[0][1]
    service = make.make_service(price="80")
    direct = GridRow("0")
    direct.put("product", service, service.pk)
    invoice = Invoice(customer=mingrui, currency=make.currency("USD", "8"), rate=D(8), date=make.today())
    InvoiceGrid().compute(invoice, [direct], None, clerk)
    assert direct.get("price") == 10 and direct.typed["tax_code"] == str(TaxCode.objects.get(code="V0").pk)
