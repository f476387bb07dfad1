"""Supplier bills: matching, and what it refuses."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, transaction

from erp.finance.models import Supplier, TaxCode
from erp.inventory.models import Product
from erp.purchasing.models import Bill
from erp.purchasing.services import (
    bill_order,
    draft_bill,
    post_bill,
    receive_order,
    reverse_bill,
    reverse_receipt,
    save_bill,
)
from kit.values.errors import VersionConflict
from oa.organisation.models import User
from tests import factories as make
from tests.refusals import refused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def test_no_more_than_is_received_and_not_billed(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: at once, over drafts, and when two lines of a draft take from one receipt line."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    [line] = order.lines.all()
    with refused("Nothing received is left to bill"):
        bill_order(order, by=clerk)
    receive_order(order, {line.pk: D(6)}, by=clerk)
    with refused("Only 6 of SV-750W are received and not billed; you entered 7"):
        bill_order(order, {line.pk: D(7)}, by=clerk)
    with refused("more than 0"):
        bill_order(order, {line.pk: D(-1)}, by=clerk)

    draft = draft_bill(order, by=clerk)
    [row] = draft.lines.all()
    received = row.receipt_line
    lines = [make.line(motor, 4, "60", pk=row.pk), make.line(motor, 3, "60", origin=received)]
    draft = save_bill(draft, lines, by=clerk)
    with refused("Only 6 of SV-750W are received and not billed; you entered 7") as caught:
        post_bill(draft, by=clerk)
    assert [problem.row for problem in caught.value] == [1]
    first, second = draft.lines.all()
    lines = [make.line(motor, 4, "60", pk=first.pk), make.line(motor, 2, "60.5", pk=second.pk)]
    bill = post_bill(save_bill(draft, lines, by=clerk), by=clerk)
    assert [(x.cleared, x.difference) for x in bill.lines.all()] == [(240, 0), (120, 1)]
    received.refresh_from_db()
    assert (received.billed, received.cleared) == (6, 360)


def test_a_reversed_receipt_cannot_be_billed(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: a draft made before the reversal is refused as well."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    draft = draft_bill(order, by=clerk)
    reverse_receipt(receipt, by=clerk)
    with refused("Only 0 of SV-750W are received and not billed; you entered 10"):
        post_bill(draft, by=clerk)
    with refused("Nothing received is left to bill"):
        bill_order(order, by=clerk)


def test_supplier_currency_and_product_must_fit(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09."""
    other, drive = make.make_supplier("Other"), make.make_product("DR-1")
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receipt = receive_order(order, by=clerk)
    row = receipt.lines.get()
    foreign = save_bill(Bill(supplier=other), [make.line(motor, 1, "60", origin=row)], by=clerk)
    with refused("belongs to another supplier or currency"):
        post_bill(foreign, by=clerk)
    dollars = Bill(supplier=hengtuo, currency=make.currency("USD", "7.1"))
    dollars = save_bill(dollars, [make.line(motor, 1, "60", origin=row)], by=clerk)
    assert dollars.rate == D("7.1")
    with refused("belongs to another supplier or currency"):
        post_bill(dollars, by=clerk)
    with refused("The line is matched with SV-750W"):
        save_bill(Bill(supplier=hengtuo), [make.line(drive, 1, "60", origin=row)], by=clerk)
    with refused("bill it from a goods receipt"):
        save_bill(Bill(supplier=hengtuo), [make.line(motor, 1, "60", origin=order.lines.get())], by=clerk)


def test_one_bill_for_several_orders_and_their_receipts(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-09: many-to-many; what is left open comes from the order line."""
    orders = [make.confirmed_purchase(hengtuo, make.line(motor, 2, price), by=clerk) for price in ("60", "70")]
    rows = [receive_order(order, by=clerk).lines.get() for order in orders]
    bill = save_bill(Bill(supplier=hengtuo), [make.line(motor, 2, origin=row) for row in rows], by=clerk)
    bill = post_bill(bill, by=clerk)
    assert (bill.net, [line.price for line in bill.lines.all()]) == (260, [60, 70])
    for order in orders:
        order.refresh_from_db()
        assert order.state == "closed"
    reverse_bill(bill, by=clerk)
    for order in orders:
        order.refresh_from_db()
        assert (order.state, order.billing_status) == ("confirmed", "none")


def test_a_suppliers_invoice_number_is_entered_once(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """P-11: in words and by the database; other suppliers have numbers of their own, a reversed bill frees it."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receive_order(order, by=clerk)
    line = order.lines.get()
    bill = bill_order(order, {line.pk: D(1)}, by=clerk, supplier_number="INV 7")
    with refused(f"INV 7 of Wuxi Hengtuo was entered already: {bill.number}") as caught:
        bill_order(order, {line.pk: D(1)}, by=clerk, supplier_number=" INV 7 ")
    assert [problem.field for problem in caught.value] == ["supplier_number"]
    draft = draft_bill(order, {line.pk: D(1)}, by=clerk)
    draft.supplier_number = "INV 7"
    row = draft.lines.get()
    with refused("was entered already"):
        save_bill(draft, [make.line(motor, 1, "60", pk=row.pk)], by=clerk)
    with pytest.raises(IntegrityError, match="bill_number_once"), transaction.atomic():
        Bill.objects.filter(pk=draft.pk).update(supplier_number="INV 7")
    other = make.make_supplier("Other")
    rent = make.make_service("RENT")
    save_bill(Bill(supplier=other, supplier_number="INV 7"), [make.line(rent, 1, "5")], by=clerk)
    reverse_bill(bill, by=clerk)
    assert bill_order(order, {line.pk: D(1)}, by=clerk, supplier_number="INV 7").supplier_number == "INV 7"


def test_a_draft_bill_is_changed_until_it_is_posted(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-01, G-19, G-25."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receive_order(order, by=clerk)
    draft = draft_bill(order, by=clerk)
    rate = TaxCode.objects.get(code="V13")
    rate.rate = D("0.09")
    rate.save()
    row = draft.lines.get()
    lines = [make.line(motor, 10, pk=row.pk)]
    draft = save_bill(draft, lines, by=clerk, version=1)
    row.refresh_from_db()
    assert (row.price, row.tax_rate, draft.tax) == (60, D("0.13"), 78), "G-25: the rate of the order"
    with pytest.raises(VersionConflict):
        save_bill(draft, lines, by=clerk, version=1)
    bill = post_bill(draft, by=clerk)
    with refused("is posted and cannot be changed"):
        save_bill(bill, lines, by=clerk)
    with refused("not possible any more"):
        post_bill(bill, by=clerk)


def test_a_tax_code_without_input_account_is_named(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """A-20."""
    TaxCode.objects.filter(code="V13").update(input_account=None)
    order = make.confirmed_purchase(hengtuo, make.line(motor, 10, "60"), by=clerk)
    receive_order(order, by=clerk)
    with refused("The tax code V13 has no input tax account"):
        bill_order(order, by=clerk)


def test_rounding_of_a_foreign_bill_has_its_own_account(clerk: User, motor: Product) -> None:
    """G-17: amounts are rounded one by one; the entry balances by the rounding account."""
    usd = make.currency("USD", "7.12345678")
    acme = make.make_supplier("Acme", currency=usd)
    order = make.confirmed_purchase(acme, *[make.line(motor, 3, price) for price in ("0.37", "1.11", "2.23")], by=clerk)
    receive_order(order, by=clerk)
    bill = bill_order(order, by=clerk)
    assert all(line.difference == 0 for line in bill.lines.all()), "the same rate leaves no difference"
    assert make.items(bill)[0].base_amount == -bill.base_total


def test_payment_to_a_blocked_supplier_is_refused(clerk: User, hengtuo: Supplier, motor: Product) -> None:
    """G-24: what came before the block can be billed, but not paid."""
    order = make.confirmed_purchase(hengtuo, make.line(motor, 1, "60"), by=clerk)
    hengtuo.blocked = True
    hengtuo.save()
    receive_order(order, by=clerk)
    bill = bill_order(order, by=clerk)
    with refused("is blocked for orders and payments"):
        make.pay_supplier(Supplier.objects.get(pk=hengtuo.pk), str(bill.total), by=clerk)
