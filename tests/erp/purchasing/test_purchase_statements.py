"""The number of statements of a purchase does not grow with its lines, and stays small."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.finance.models import Payment, Supplier
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import Product
from erp.purchasing.models import PurchaseOrder
from erp.purchasing.services import (
    bill_order,
    confirm_order,
    draft_bill,
    draft_receipt,
    post_bill,
    post_receipt,
    receive_order,
    reverse_bill,
    reverse_receipt,
    save_bill,
    save_order,
)
from tests import factories as make
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db

NOT_COUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")
BUDGET, WHOLE_ROAD = 12, 60  # statements of a step, and of all five


class Counter:
    """Statements of each step, transaction control left out."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}

    def run(self, step: str, command: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(connection) as queries:
            result = command()
        self.steps[step] = [q["sql"] for q in queries if not q["sql"].startswith(NOT_COUNTED)]
        return result

    def counts(self) -> dict[str, int]:
        return {step: len(statements) for step, statements in self.steps.items()}


def products(count: int) -> list[Product]:
    """As a page or an import hands them over: rows loaded without any joins. They were never in stock before."""
    keys = [make.make_product(cost=D(f"{5 + number}.17")).pk for number in range(count)]
    return list(Product.objects.filter(pk__in=keys).order_by("pk"))


def plain_supplier(**columns: Any) -> Supplier:
    return Supplier.objects.get(pk=make.make_supplier(payment_terms=make.payment_terms(), **columns).pk)


def procure_to_pay(lines: int) -> Counter:
    """One purchase of `lines` products in one go, dated today."""
    by, supplier = make.make_user(), plain_supplier()
    goods = products(lines)
    counter = Counter()
    order = counter.run(
        "draft",
        lambda: save_order(
            PurchaseOrder(supplier=supplier, warehouse=make.warehouse()), [make.line(p, 3) for p in goods], by=by
        ),
    )
    counter.run("confirm", lambda: confirm_order(order, by=by))
    counter.run("receive", lambda: receive_order(order, by=by))
    counter.run("bill", lambda: bill_order(order, by=by, supplier_number=f"N{lines}"))
    order.refresh_from_db()
    payment = Payment(
        direction=Direction.PAY, supplier=supplier, account=make.bank(), currency=order.currency, amount=order.total
    )
    counter.run("pay", lambda: pay(payment, by=by))
    order.refresh_from_db()
    assert (order.state, order.paid_percent) == ("closed", 100)
    return counter


def over_drafts(lines: int) -> Counter:
    """One purchase in foreign currency over drafts, billed at other prices and another rate, then reversed."""
    by, usd = make.make_user(), make.currency("USD", "7.00", make.days_ago(5))
    supplier, goods = plain_supplier(currency=usd), products(lines)
    order = make.confirmed_purchase(supplier, *[make.line(p, 3, "10") for p in goods], by=by, date=make.days_ago(2))
    make.currency("USD", "7.20", make.today())
    counter = Counter()
    receipt = counter.run("draft receipt", lambda: draft_receipt(order, by=by))
    receipt = counter.run("receive", lambda: post_receipt(receipt, by=by))
    direct = counter.run("bill at once", lambda: bill_order(order, by=by))
    assert all(line.to_stock for line in direct.lines.all())
    counter.run("reverse bill", lambda: reverse_bill(direct, by=by))
    bill = counter.run("draft bill", lambda: draft_bill(order, by=by))
    rows = list(bill.lines.select_related("product"))
    inputs = [make.line(Product.objects.get(pk=row.product_id), 3, "11", pk=row.pk) for row in rows]
    counter.run("save bill", lambda: save_bill(bill, inputs, by=by))
    bill = counter.run("bill", lambda: post_bill(bill, by=by))
    assert all(line.difference == line.to_stock != 0 for line in bill.lines.all())
    reverse_bill(bill, by=by)
    counter.run("reverse receipt", lambda: reverse_receipt(receipt, by=by))
    return counter


def test_statements_do_not_grow_with_lines() -> None:
    """Draft, confirm, receive (products new in the warehouse), bill, pay."""
    procure_to_pay(1)  # the fiscal year and the counters exist from here on
    few, many = procure_to_pay(2), procure_to_pay(40)
    assert few.counts() == many.counts()
    assert max(few.counts().values()) <= BUDGET, few.counts()
    assert sum(few.counts().values()) <= WHOLE_ROAD, few.counts()
    assert_books()


def test_statements_over_drafts_do_not_grow_with_lines() -> None:
    """The worst case of each: foreign currency, price differences into stock, reversals."""
    over_drafts(1)
    few, many = over_drafts(2), over_drafts(40)
    assert few.counts() == many.counts()
    posting = {step: count for step, count in few.counts().items() if not step.startswith("reverse")}
    assert max(posting.values()) <= BUDGET, few.counts()
    assert max(few.counts().values()) <= 24, few.counts()
    assert_books()
