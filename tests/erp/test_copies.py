"""Copies of documents (rule G-23): the form of a new one with what was agreed, and nothing of what happened."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from erp.finance.models import Account, Journal, Payment, Voucher
from erp.finance.services import save_payment, save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import StockAdjustment
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.purchasing.models import PurchaseOrder
from erp.sales.models import Invoice, SalesOrder
from erp.sales.services import deliver_order, invoice_order, post_invoice, reverse_invoice, save_invoice
from oa.organisation.models import User
from tests import factories as make
from tests.erp.test_document_forms import Fields

pytestmark = pytest.mark.django_db


@pytest.fixture
def clerk(client: Client) -> User:
    user = make.make_user("clerk")
    client.force_login(user, backend=settings.AUTHENTICATION_BACKENDS[-1])
    return user


def saved_copy(client: Client, path: str, key: str, model: Any, **more: str) -> Any:
    """Open the copy of a document by its page's own link, and save the form as it is."""
    page = client.get(f"{path}{key}/").content.decode()
    link = f"{path}new/?copy={key}"
    assert link in page
    values = Fields(client.get(link).content.decode()).values
    answer = client.post(f"{path}new/", values | more)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return model.objects.order_by("-pk").first()


def test_a_sales_order_is_copied_at_its_prices(client: Client, clerk: User) -> None:
    """Prices, discounts and terms as agreed; date, number, due date and the customer's number are new."""
    customer, product = make.make_customer(), make.make_product("MOTOR", price="100")
    order = make.confirmed_order(
        customer,
        make.line(product, 3, "88", discount="5", description="with brake"),
        by=clerk,
        date=make.days_ago(40),
        required_date=make.days_ago(30),
        customer_reference="PO1",
        ship_to="Dock 1",
        discount=D(2),
        discount_amount=D("1.5"),
    )
    product.price = D(120)
    product.save()
    copy = saved_copy(client, "/sales/orders/", order.number, SalesOrder)
    assert (copy.state, copy.number, copy.date, copy.required_date) == ("draft", None, make.today(), None)
    assert (copy.customer_reference, copy.ship_to, copy.net) == ("", "Dock 1", order.net)
    [line] = copy.lines.all()
    assert (line.price, line.discount, line.quantity, line.description) == (88, 5, 3, "with brake")
    assert (line.moved, line.reserved, copy.pk != order.pk) == (0, 0, True)


def test_purchase_orders_and_vouchers_are_copied(client: Client, clerk: User) -> None:
    order = make.confirmed_purchase(make.make_supplier(), make.line(make.make_product(), 4, "60"), by=clerk)
    copy = saved_copy(client, "/purchasing/orders/", order.number, PurchaseOrder)
    assert (copy.state, copy.net, copy.supplier) == ("draft", D(240), order.supplier)
    bank = make.bank()
    other = Account.objects.filter(type="equity", is_group=False).first()
    lines = [EntryInput(bank, debit=D(5)), EntryInput(other, credit=D(5))]
    voucher = save_voucher(Voucher(journal=Journal.objects.get(code="GEN"), memo="rent"), lines, by=clerk)
    copied = saved_copy(client, "/finance/vouchers/", f"d-{voucher.pk}", Voucher)
    assert (copied.memo, copied.state) == ("rent", "draft")
    assert [(line.account, line.debit, line.credit) for line in copied.lines.all()] == [(bank, 5, 0), (other, 0, 5)]


def test_invoices_of_services_are_copied_and_those_of_orders_made_from_the_order(client: Client, clerk: User) -> None:
    """G-23, G-10: what was delivered is invoiced once; a monthly service again and again."""
    customer, service = make.make_customer(), make.make_service("CARE", "100")
    invoice = Invoice(customer=customer, date=make.days_ago(30), currency=make.currency())
    invoice = post_invoice(save_invoice(invoice, [make.line(service, 2, "90")], by=clerk), by=clerk)
    copy = saved_copy(client, "/sales/invoices/", invoice.number, Invoice)
    assert (copy.state, copy.date, copy.net) == ("draft", make.today(), invoice.net)
    order = make.confirmed_order(customer, make.line(service, 1), by=clerk)
    deliver_order(order, by=clerk)
    for other in (invoice_order(order, by=clerk), reverse_invoice(invoice, by=clerk)):
        assert "?copy=" not in client.get(f"/sales/invoices/{other.number}/").content.decode()
        values = Fields(client.get(f"/sales/invoices/new/?copy={other.number}").content.decode()).values
        assert not any(values[name] for name in values if name.endswith("product_text"))


def test_adjustments_and_receipts_of_money_are_copied(client: Client, clerk: User) -> None:
    """At the cost of the day, and for what is open today."""
    product = make.make_product("MOTOR", cost=D(60))
    make.stock(product, 10, "60", by=clerk)
    adjustment = StockAdjustment(warehouse=make.warehouse(), reason="damage", date=make.today())
    adjustment = post_adjustment(save_adjustment(adjustment, [AdjustmentInput(product, D(-2))], by=clerk), by=clerk)
    make.stock(product, 8, "90", by=clerk)  # 8 at 60 and 8 at 90
    page = client.get(f"/stock/adjustments/new/?copy={adjustment.number}").content.decode()
    assert adjustment.value == -120 and "−150.00" in page and "−120.00" not in page
    copy = saved_copy(client, "/stock/adjustments/", adjustment.number, StockAdjustment)
    assert (copy.reason, copy.date, copy.lines.get().quantity) == ("damage", make.today(), -2)
    customer = make.make_customer()
    order = make.confirmed_order(customer, make.line(make.make_service("CARE", "80", tax=None), 1), by=clerk)
    deliver_order(order, by=clerk)
    invoice_order(order, by=clerk)
    receipt = Payment(customer=customer, account=make.bank(), currency=make.currency(), date=make.today(), amount=D(50))
    receipt = save_payment(receipt, {}, by=clerk)
    copied = saved_copy(client, "/sales/receipts/", f"d-{receipt.pk}", Payment)
    assert (copied.amount, copied.customer, copied.lines.get().amount) == (50, customer, 50)


def test_what_one_may_not_see_is_not_copied(client: Client, clerk: User) -> None:
    """G-21: 404 like one that does not exist."""
    order = make.confirmed_order(make.make_customer(owner=clerk), make.line(make.make_product(), 1), by=clerk)
    client.force_login(make.make_user("seller", "sales"), backend=settings.AUTHENTICATION_BACKENDS[-1])
    assert client.get(f"/sales/orders/new/?copy={order.number}").status_code == 404
    assert client.get("/sales/orders/new/?copy=nothing").status_code == 404
