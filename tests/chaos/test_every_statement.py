"""Drill F-16: every command fails at each of its statements; nothing of it is left, and the same form succeeds then."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from django.core.files.base import ContentFile

from crm.customers.models import Customer
from crm.customers.services import save_customer, transfer_customer
from erp.finance.models import Account, Journal, Payment, Voucher
from erp.finance.models.payments import Direction
from erp.finance.services import (
    pay,
    post_payment,
    post_voucher,
    reverse_payment,
    reverse_voucher,
    save_payment,
    save_voucher,
)
from erp.finance.services.settlements import settle_item, undo_settlements
from erp.finance.services.vouchers import EntryInput
from erp.inventory.models import AdjustmentReason, StockAdjustment
from erp.inventory.services import count_stock, post_adjustment, reverse_adjustment
from erp.purchasing import services as purchasing
from erp.purchasing.models import PurchaseOrder
from erp.sales import services as sales
from erp.sales.models import SalesOrder
from kit.values.errors import BusinessError
from oa.approvals import services as approvals
from oa.approvals.models import FormRequest, RequestForm
from oa.approvals.services.forms import save_request
from oa.records.attachments import store_attachments
from oa.records.comments import add_comment
from oa.records.idempotency import once
from tests import approving
from tests import factories as make
from tests.chaos.failing import checksum, failing
from tests.invariants import assert_books

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

MOST = 200  # statements of one command


class Sweep:
    """Commands of one person, each failed at its first statement, its second, and so on until it comes through."""

    def __init__(self) -> None:
        self.by = make.make_user("boss")
        self.failed = 0

    def __call__(self, effect: Callable[[], Any], by: Any = None) -> Any:
        key, by, before = str(uuid.uuid4()), by or self.by, checksum()
        for at in range(1, MOST):
            with failing(at) as statements:
                try:
                    result, repeated = once(key, by, "sweep", effect)
                except BusinessError as error:
                    assert statements.seen >= at and "Try again" in str(error), f"refused by itself: {error}"
                else:
                    assert statements.seen < at, f"the failure of statement {at} was not noticed"
                    break
            left = {table for table, content in checksum().items() if content != before[table]}
            assert not left, f"a failure at statement {at} left traces in {left}"
        self.failed += at - 1
        after = checksum()
        assert not repeated and after != before and at > 3
        again, repeated = once(key, by, "sweep", effect)
        assert (again, repeated) == (result, True) and checksum() == after
        return result


@pytest.fixture
def sweep() -> Sweep:
    return Sweep()


def test_the_sum_of_the_database_sees_every_change() -> None:
    """The control: one column of one row, and a row that came or went."""
    customer = make.make_customer()
    first = checksum()
    assert checksum() == first
    Customer.objects.filter(pk=customer.pk).update(note="x")
    assert {t for t, c in checksum().items() if c != first[t]} == {"crm_customer", "crm_customerhistory"}


def test_sales(sweep: Sweep) -> None:
    """From the order to the money and all the way back."""
    customer, product, by = make.make_customer(), make.make_product(), sweep.by
    make.stock(product, 100)
    store = make.warehouse()
    line = make.line(product, 10)
    draft = sweep(lambda: sales.save_order(SalesOrder(customer=customer, warehouse=store), [line], by=by))
    order = sweep(lambda: sales.confirm_order(draft, by=by))
    [row] = order.lines.all()
    sweep(lambda: sales.amend_order(order, [make.line(product, 12, pk=row.pk)], by=by))
    sweep(lambda: sales.hold_order(order, by=by, reason="x"))
    sweep(lambda: sales.release_hold(order, by=by, reason="x"))
    first = sweep(lambda: sales.deliver_order(order, {row.pk: D(4)}, by=by))
    drafted = sweep(lambda: sales.draft_delivery(order, {row.pk: D(2)}, by=by))
    second = sweep(lambda: sales.post_delivery(drafted, by=by))
    sweep(lambda: sales.reverse_delivery(second, by=by))
    invoice = sweep(lambda: sales.invoice_order(order, by=by))
    [item] = make.items(invoice)
    payment = sweep(lambda: pay(receipt(customer, item.amount), {item.pk: item.amount}, by=by))
    sweep(lambda: reverse_payment(payment, by=by))
    sweep(lambda: sales.reverse_invoice(invoice, by=by))
    drafted = sweep(lambda: sales.draft_invoice(order, by=by))
    sweep(lambda: sales.post_invoice(drafted, by=by))
    sweep(lambda: sales.close_order(order, by=by, reason="x"))
    sweep(lambda: sales.reopen_order(order, by=by))
    other = make.confirmed_order(customer, line)
    sweep(lambda: sales.cancel_order(other, by=by, reason="x"))
    assert first.state == "posted" and sweep.failed > 200
    assert_books()


def receipt(customer: Customer, amount: Any) -> Payment:
    return Payment(customer=customer, account=make.bank(), currency=make.currency(), amount=amount)


def test_purchasing(sweep: Sweep) -> None:
    """From the order to the payment and back."""
    supplier, product, by = make.make_supplier(), make.make_product(), sweep.by
    store, line = make.warehouse(), make.line(product, 10, "50")
    draft = sweep(lambda: purchasing.save_order(PurchaseOrder(supplier=supplier, warehouse=store), [line], by=by))
    order = sweep(lambda: purchasing.confirm_order(draft, by=by))
    [row] = order.lines.all()
    sweep(lambda: purchasing.amend_order(order, [make.line(product, 12, "50", pk=row.pk)], by=by))
    sweep(lambda: purchasing.receive_order(order, {row.pk: D(4)}, by=by))
    drafted = sweep(lambda: purchasing.draft_receipt(order, {row.pk: D(2)}, by=by))
    second = sweep(lambda: purchasing.post_receipt(drafted, by=by))
    sweep(lambda: purchasing.reverse_receipt(second, by=by))
    bill = sweep(lambda: purchasing.bill_order(order, by=by, supplier_number="A1"))
    [item] = make.items(bill)
    columns = {"account": make.bank(), "currency": make.currency(), "amount": -item.amount}
    paid = sweep(
        lambda: pay(Payment(direction=Direction.PAY, supplier=supplier, **columns), {item.pk: -item.amount}, by=by)
    )
    sweep(lambda: reverse_payment(paid, by=by))
    sweep(lambda: purchasing.reverse_bill(bill, by=by))
    drafted = sweep(lambda: purchasing.draft_bill(order, by=by))
    sweep(lambda: purchasing.post_bill(drafted, by=by))
    sweep(lambda: purchasing.close_order(order, by=by, reason="x"))
    sweep(lambda: purchasing.reopen_order(order, by=by))
    other = make.confirmed_purchase(supplier, line)
    sweep(lambda: purchasing.cancel_order(other, by=by, reason="x"))
    assert sweep.failed > 180
    assert_books()


def test_inventory_and_finance(sweep: Sweep) -> None:
    """Counting, entries by hand, money that is allocated later, and all of it taken back."""
    customer, product, by = make.make_customer(), make.make_product(), sweep.by
    make.stock(product, 10)
    head = lambda: StockAdjustment(warehouse=make.warehouse(), reason=AdjustmentReason.COUNT)  # noqa: E731
    counted = sweep(lambda: count_stock(head(), {product: D(7)}, by=by))
    posted = sweep(lambda: post_adjustment(counted, by=by))
    sweep(lambda: reverse_adjustment(posted, by=by))
    debit, credit = Account.objects.filter(is_group=False, control="", is_cash=False).order_by("pk")[:2]
    lines = [EntryInput(debit, debit=D(5)), EntryInput(credit, credit=D(5))]
    entry = lambda: Voucher(journal=Journal.objects.get(code="GEN"), memo="x")  # noqa: E731
    draft = sweep(lambda: save_voucher(entry(), lines, by=by))
    voucher = sweep(lambda: post_voucher(draft, by=by))
    sweep(lambda: reverse_voucher(voucher, by=by))
    order = make.confirmed_order(customer, make.line(product, 2))
    sales.deliver_order(order, by=by)
    [item] = make.items(sales.invoice_order(order, by=by))
    drafted = sweep(lambda: save_payment(receipt(customer, D(100)), {}, by=by))
    sweep(lambda: post_payment(drafted, by=by))
    sweep(lambda: settle_item(item, by=by))
    sweep(lambda: undo_settlements(item, by=by))
    assert sweep.failed > 120
    assert_books()


def test_approvals_and_records(sweep: Sweep) -> None:
    """A request with two steps, then customers and what is written and attached to them."""
    ann, mia, leo = approving.people("ann", "mia", "leo")
    flow = approving.flow(approving.step(1, mia), approving.step(2, leo))
    form = RequestForm.objects.get(code=flow.kind.removeprefix("form:"))
    drafts = [sweep(lambda: save_request(FormRequest(form=form), {"amount": "5"}, by=ann), ann) for _n in range(3)]
    first, second, third = (sweep(lambda d=draft: approvals.submit(d, kind=flow.kind, by=ann), ann) for draft in drafts)
    sweep(lambda: approvals.approve(approving.task(first, mia), by=mia), mia)
    sweep(lambda: approvals.approve(approving.task(first, leo), by=leo), leo)
    sweep(lambda: approvals.reject(approving.task(second, mia), by=mia, text="x"), mia)
    sweep(lambda: approvals.withdraw(third, by=ann), ann)
    customer = sweep(lambda: save_customer(Customer(name="Mingrui"), by=ann), ann)
    sweep(lambda: transfer_customer(customer, mia, by=ann), ann)
    sweep(lambda: add_comment(customer, "x", by=ann), ann)
    sweep(lambda: store_attachments(customer, [ContentFile(b"words", name="a.txt")], by=sweep.by)[0])
    assert sweep.failed > 120
    assert_books()
