"""A random walk over the commands of sales and money: every step is done or refused in words, and the books hold."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import transaction

from crm.customers.models import Customer
from erp.finance.models import OpenItem, Payment
from erp.finance.services import allocate_open_items, reverse_payment
from erp.inventory.models import Product, ProductUnit, Unit
from erp.sales import services as sales
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.sales.models.terms import CreditAction
from erp.trade.excess import allow_excess
from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.organisation.models.company import CostAt, TaxMethod
from tests import factories as make
from tests.invariants import assert_books
from tests.refusals import whole_state

pytestmark = pytest.mark.django_db

QUANTITIES = ("1", "2", "3", "7")
PRICES = ("0", "0.005", "33.33", "100", "0.335", "999.99")
OFF = {"discount": ("0", "0", "3", "99.99"), "discount_amount": ("0", "0", "0.03", "88")}
DISCOUNTS = ("0", "10", "100", "33.33")


class Walk:
    """A company, its customers and products, and what may happen to them next."""

    def __init__(self, seed: int, by: User) -> None:
        self.random, self.by = random.Random(seed), by
        self.customers = [make.make_customer(f"Customer {i}") for i in range(2)]
        make.terms(self.customers[0], credit_limit=D(5000), credit_action=CreditAction.HOLD)
        shop = make.warehouse("SHOP", allow_negative=True)
        self.warehouses = [make.warehouse(), shop]
        self.products = [make.make_product(f"W-{i}", tax=tax) for i, tax in enumerate(("V13", "V9", "V0", None))]
        self.products.append(make.make_service("W-S"))
        for product in self.products[:-1]:
            make.stock(product, 30, "7.77", by=by)
            make.stock(product, 2, "3.33", by=by, where=shop)
        self.box = Unit.objects.get(code="box")
        ProductUnit.objects.create(product=self.products[0], unit=self.box, factor=12)
        self.currencies = [make.currency(), make.currency("USD", "7.123457"), make.currency("JPY", "0.0483")]

    def lines(self, order: SalesOrder | None = None) -> list[Any]:
        """One to three lines as a person types them; those of `order` with other figures."""
        pick = self.random.choice
        made = []
        for old in order.lines.select_related("product", "unit") if order else ():
            if pick((True, True, True, False)):
                made.append(make.line(old.product, pick((str(old.quantity), *QUANTITIES)), pk=old.pk, unit=old.unit))
        for _ in range(pick((1, 2, 3)) if order is None else pick((0, 0, 1))):
            product: Product = pick(self.products)
            unit = self.box if product == self.products[0] and pick((True, False)) else None
            made.append(make.line(product, pick(QUANTITIES), pick(PRICES), discount=pick(DISCOUNTS), unit=unit))
        return made

    def part(self, document: Any) -> dict[int, D] | None:
        """Everything, or some of the lines."""
        if self.random.random() < 0.5:
            return None
        keys = document.lines.values_list("pk", flat=True)
        return {pk: D(self.random.choice(QUANTITIES)) for pk in keys if self.random.random() < 0.7}

    def one(self, model: Any, *states: str, **conditions: Any) -> Any:
        """Any record, mostly one in `states`."""
        if states and self.random.random() < 0.9:
            conditions["state__in"] = states
        found = list(model.objects.filter(**conditions).order_by("pk"))
        if not found:
            raise BusinessError("nothing there")
        return self.random.choice(found)

    # ---- what may happen ----

    def order(self) -> None:
        customer: Customer = self.random.choice(self.customers)
        head = {"currency": self.random.choice(self.currencies), "warehouse": self.random.choice(self.warehouses)}
        included = self.random.choice((True, False))
        head |= {name: D(self.random.choice(parts)) for name, parts in OFF.items()}
        order = make.make_order(customer, *self.lines(), by=self.by, prices_include_tax=included, **head)
        sales.confirm_order(order, by=self.by)

    def amend(self) -> None:
        order = self.one(SalesOrder, "confirmed")
        order.discount_amount = D(self.random.choice((str(order.discount_amount), *OFF["discount_amount"])))
        sales.amend_order(order, self.lines(order), by=self.by)

    def cancel(self) -> None:
        sales.cancel_order(self.one(SalesOrder, "confirmed", goods_percent=0), by=self.by, reason="walk")

    def close(self) -> None:
        sales.close_order(self.one(SalesOrder, "confirmed"), by=self.by, reason="walk")

    def reopen(self) -> None:
        sales.reopen_order(self.one(SalesOrder, "closed", "confirmed", lines__cancelled__gt=0), by=self.by)

    def release(self) -> None:
        sales.release_hold(self.one(SalesOrder, "confirmed", hold="credit"), by=self.by, reason="walk")

    def deliver(self) -> None:
        order = self.one(SalesOrder, "confirmed", goods_percent__lt=100)
        sales.deliver_order(order, self.part(order), by=self.by)

    @transaction.atomic
    def exceed(self) -> None:
        order = self.one(SalesOrder, "confirmed")
        draft = sales.draft_delivery(order, self.part(order), by=self.by)
        sales.post_delivery(allow_excess(draft, by=self.by), by=self.by)

    def invoice(self) -> None:
        order = self.one(SalesOrder, "confirmed", "closed", goods_percent__gt=0, billed_percent__lt=100)
        sales.invoice_order(order, self.part(order), by=self.by)

    def receive(self) -> None:
        customer = self.random.choice(self.customers)
        currency = self.random.choice(self.currencies)
        rate = D(1) if currency.code == "CNY" else D(self.random.choice(("7.0", "7.25", "0.05")))
        amount = str(self.random.choice((1, 37, 113, 500, 2000)))
        none: dict[int, D] | None = {} if self.random.random() < 0.3 else None
        make.receive(customer, amount, none, by=self.by, currency=currency, rate=rate)

    def allocate(self) -> None:
        debit = self.one(OpenItem, remaining__gt=0)
        credit = self.one(OpenItem, remaining__lt=0, customer=debit.customer, currency=debit.currency)
        allocate_open_items([(debit.pk, credit.pk, min(debit.remaining, -credit.remaining))], by=self.by)

    def undo_receipt(self) -> None:
        reverse_payment(self.one(Payment, "posted", reversal_of=None), by=self.by)

    def undo_invoice(self) -> None:
        sales.reverse_invoice(self.one(Invoice, "posted", reversal_of=None), by=self.by)

    def undo_delivery(self) -> None:
        sales.reverse_delivery(self.one(Delivery, "posted", reversal_of=None), by=self.by)

    def supply(self) -> None:
        make.stock(self.random.choice(self.products[:-1]), self.random.choice(QUANTITIES), "9.99", by=self.by)

    def steps(self) -> list[Callable[[], None]]:
        """The more frequent ones several times."""
        forth = [self.order, self.deliver, self.deliver, self.invoice, self.invoice, self.receive, self.allocate]
        back = [self.undo_receipt, self.undo_invoice, self.undo_delivery]
        return [
            *forth,
            *forth,
            *back,
            self.amend,
            self.cancel,
            self.close,
            self.reopen,
            self.release,
            self.supply,
            self.exceed,
        ]


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_the_books_hold(clerk: User, seed: int) -> None:
    """G-02, G-03, G-11, G-19: commands in any order; a refusal is a sentence and changes nothing."""
    make.company(
        cost_at=CostAt.INVOICE if seed % 2 else CostAt.DELIVERY,
        tax_method=TaxMethod.TAX if seed % 3 else TaxMethod.LINE,
        over_receipt_tolerance=D(10 * (seed % 2)),
        under_tolerance=D(30 * (seed // 2)),
    )
    walk = Walk(seed, clerk)
    done: dict[str, int] = {}
    for number in range(150):
        step = walk.random.choice(walk.steps())
        before = whole_state() if number % 10 == 0 else None
        try:
            step()
            done[step.__name__] = done.get(step.__name__, 0) + 1
        except BusinessError as error:
            assert str(error)
            assert before is None or whole_state() == before or step.__name__ == "order", step.__name__
        if number % 10 == 9:
            assert_books()
    assert len(done) > 10, done
