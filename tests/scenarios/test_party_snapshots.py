"""Documents keep the partner as it was when they were issued (rule G-25)."""

from __future__ import annotations

from typing import Any

import pytest

from crm.customers.models import Customer
from erp.inventory.models import Product
from erp.purchasing.services import bill_order, receive_order, reverse_bill, reverse_receipt
from erp.sales.services import deliver_order, invoice_order, reverse_delivery, reverse_invoice
from kit.exchange.printing import get
from oa.organisation.models import User
from tests import factories as make

pytestmark = pytest.mark.django_db

OLD = ("Old Name", "1 Old Road, Suzhou, China", "OLD-TAX")


def renamed(partner: Any) -> None:
    """The partner moves and gets another name."""
    partner.name, partner.address, partner.tax_number = "New Name", "2 New Road", "NEW-TAX"
    partner.save()


def party(document: Any) -> tuple[str, str, str]:
    document.refresh_from_db()
    return document.party_name, document.party_address, document.party_tax_number


def printed(name: str, document: Any) -> str:
    """The parties on the paper."""
    return str(get(name).build(type(document).objects.get(pk=document.pk), "en")["parties"])


def test_what_a_customer_got_keeps_the_customer(clerk: User, motor: Product) -> None:
    """Order, delivery note and invoice, and the counter documents of later days."""
    customer = make.make_customer(OLD[0], address="1 Old Road", city="Suzhou", country="China", tax_number=OLD[2])
    order = make.confirmed_order(customer, make.line(motor, 2), by=clerk)
    delivery = deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    renamed(customer)
    assert party(order) == party(delivery) == OLD
    assert (invoice.billing_name, invoice.billing_tax_number) == (OLD[0], OLD[2])
    for name, document in (("order-confirmation", order), ("delivery-note", delivery), ("invoice", invoice)):
        assert "Old Name" in printed(name, document) and "New" not in printed(name, document).replace("NEW-TAX", "New")
    counter = reverse_invoice(invoice, by=clerk)
    assert counter.billing_name == OLD[0]
    assert party(reverse_delivery(delivery, by=clerk)) == OLD
    fresh = make.make_order(Customer.objects.get(pk=customer.pk), make.line(motor, 1), by=clerk)
    assert "New Name" in printed("order-confirmation", fresh), "a draft shows the customer as it is now"
    assert party(make.confirm_order(fresh, by=clerk))[0] == "New Name"


def test_what_a_supplier_got_keeps_the_supplier(clerk: User, motor: Product) -> None:
    """Purchase order, goods receipt and bill, and the counter documents of later days."""
    supplier = make.make_supplier(OLD[0], address="1 Old Road", city="Suzhou", country="China", tax_number=OLD[2])
    order = make.confirmed_purchase(supplier, make.line(motor, 2), by=clerk)
    receipt = receive_order(order, by=clerk)
    bill = bill_order(order, by=clerk, supplier_number="A1")
    renamed(supplier)
    assert party(order) == party(receipt) == party(bill) == OLD
    assert "Old Name" in printed("purchase-order", order) and "New Name" not in printed("purchase-order", order)
    assert party(reverse_bill(bill, by=clerk)) == OLD
    assert party(reverse_receipt(receipt, by=clerk)) == OLD


def test_addresses_are_written_as_their_country_writes_them(clerk: User) -> None:
    """Chinese ones from the country to the house, others the other way, in prints of either language."""
    customer = make.make_customer("苏州明锐", address="苏虹中路8号", city="苏州市", region="江苏省", country="中国")
    order = make.confirmed_order(customer, make.line(make.make_service("S-1", "100"), 1), by=clerk)
    assert party(order)[1] == "中国 江苏省 苏州市 苏虹中路8号"
    for language in ("en", "zh-hans"):
        parties = get("order-confirmation").build(order, language)["parties"]
        assert parties[0]["lines"][0] == "中国 江苏省 苏州市 苏虹中路8号"


def test_what_was_empty_at_posting_stays_empty(clerk: User) -> None:
    """An address that is entered later does not appear on the invoice."""
    customer = make.make_customer("Blue Mill")
    order = make.confirmed_order(customer, make.line(make.make_service("S-1", "100"), 1), by=clerk)
    deliver_order(order, by=clerk)
    invoice = invoice_order(order, by=clerk)
    customer.address, customer.tax_number = "1 New Road", "NEW-TAX"
    customer.save()
    assert "New" not in printed("invoice", invoice).replace("NEW", "New")
