"""Copies of documents (rule G-23): the form of a new one with what was agreed, and nothing of what happened."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from erp.finance.models import Account, Journal, Voucher
from erp.finance.services import save_voucher
from erp.finance.services.vouchers import EntryInput
from erp.purchasing.models import PurchaseOrder
from erp.sales.models import SalesOrder
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


def test_what_one_may_not_see_is_not_copied(client: Client, clerk: User) -> None:
    """G-21: 404 like one that does not exist; deliveries and invoices are made from orders and not copied."""
    order = make.confirmed_order(make.make_customer(owner=clerk), make.line(make.make_product(), 1), by=clerk)
    client.force_login(make.make_user("seller", "sales"), backend=settings.AUTHENTICATION_BACKENDS[-1])
    assert client.get(f"/sales/orders/new/?copy={order.number}").status_code == 404
    assert client.get("/sales/orders/new/?copy=nothing").status_code == 404
