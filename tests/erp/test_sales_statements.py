"""The number of statements of a sale does not grow with its lines, and stays small (PERFORMANCE 3)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from erp.finance.models import Payment
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import Product
from erp.sales.models import SalesOrder
from erp.sales.models.terms import CreditAction
from erp.sales.services import confirm_order, deliver_order, invoice_order, save_order
from tests import factories as make
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db

NOT_COUNTED = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK")


class Counter:
    """Statements of each step, transaction control left out."""

    def __init__(self) -> None:
        self.steps: dict[str, list[str]] = {}

    def run(self, step: str, command: Callable[[], Any]) -> Any:
        with CaptureQueriesContext(
            connection,
        ) as queries:
            result = command()
        self.steps[step] = [q["sql"] for q in queries if not q["sql"].startswith(NOT_COUNTED)]
        return result

    def counts(self) -> dict[str, int]:
        return {step: len(statements) for step, statements in self.steps.items()}


def order_to_cash(lines: int) -> Counter:
    """One sale of `lines` products, with a credit limit, reservation, ledgers and history, dated today."""
    by = make.make_user()
    customer = make.make_customer(f"Customer of {lines}")
    make.terms(customer, credit_limit=10_000_000, credit_action=CreditAction.REFUSE)
    products = [make.make_product(price=f"{10 + number}.17") for number in range(lines)]
    for product in products:
        make.stock(product, 100, "7.31", by=by)
    # What a page or an import hands over: rows loaded without any joins.
    products = list(Product.objects.filter(pk__in=[p.pk for p in products]).order_by("pk"))
    fresh_customer = type(customer).objects.get(pk=customer.pk)
    counter = Counter()
    order = counter.run(
        "draft",
        lambda: save_order(
            SalesOrder(customer=fresh_customer, warehouse=make.warehouse()), [make.line(p, 3) for p in products], by=by
        ),
    )
    counter.run("confirm", lambda: confirm_order(order, by=by))
    counter.run("deliver", lambda: deliver_order(order, by=by))
    counter.run("invoice", lambda: invoice_order(order, by=by))
    order.refresh_from_db()
    payment = Payment(
        direction=Direction.RECEIVE,
        customer=fresh_customer,
        account=make.bank(),
        currency=order.currency,
        amount=order.total,
    )
    counter.run("pay", lambda: pay(payment, by=by))
    order.refresh_from_db()
    assert (order.state, order.paid_percent) == ("closed", 100)
    return counter


def test_statements_do_not_grow_with_lines() -> None:
    """Draft, confirm with credit check and reservation, deliver, invoice, receive and allocate."""
    order_to_cash(1)  # the fiscal year and the counters exist from here on
    few, many = order_to_cash(2), order_to_cash(40)
    assert few.counts() == many.counts()
    print(few.counts(), sum(few.counts().values()))
    assert max(few.counts().values()) <= 12, few.counts()
    assert sum(few.counts().values()) <= 60
    assert_books()
