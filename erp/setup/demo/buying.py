"""Opening stock, purchase orders, goods receipts, bills and payments to suppliers."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from decimal import Decimal
from functools import partial
from typing import Any

from erp.finance.currencies import rate_on
from erp.finance.models import OpenItem, Payment, TaxCode
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import AdjustmentReason, StockAdjustment
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.purchasing.models import PurchaseOrder
from erp.purchasing.services import bill_order, confirm_order, receive_order, save_order
from erp.setup.demo.plan import GOODS, Story, demand
from erp.setup.demo.world import CENT, World
from erp.trade.lines import LineInput

EVERY = 40  # days between two looks at the stock
AHEAD = 70  # days that stock and open orders must last
FIRST = 60  # days that the opening stock lasts


class Buying:
    """The buyer's year. What is needed is known from the plan of sales, as a good buyer knows it."""

    def __init__(self, world: World, stories: list[Story]) -> None:
        self.world = world
        self.stories = stories
        self.got: Counter[str] = Counter()  # opening stock and everything ordered since
        self.free = TaxCode.objects.get(code="V0")

    def plan(self) -> None:
        """Opening stock on the first day, and a look at the stock every few weeks."""
        world = self.world
        world.on(world.start, self._open, urgency=0)
        for age in range(FIRST - 40, (world.today - world.start).days - 6, EVERY):
            world.on(world.working(world.start + dt.timedelta(days=age)), self._review, urgency=1)
        world.on(world.ago(4), partial(self._restock, end="part"))
        world.on(world.ago(2), partial(self._restock, end="wait"))
        world.on(world.ago(1), partial(self._restock, end="draft"))

    def _open(self, day: dt.date) -> None:
        wanted = demand(self.stories, day, day + dt.timedelta(days=FIRST))
        lines = []
        for item in GOODS:
            quantity = _round_up(wanted[item.code] + item.most)
            self.got[item.code] += quantity
            lines.append(AdjustmentInput(self.world.products[item.code], Decimal(quantity), Decimal(item.cost)))
        adjustment = StockAdjustment(warehouse=self.world.warehouse, reason=AdjustmentReason.OPENING, date=day)
        admin = self.world.people["admin"]
        self.world.let(admin, save_adjustment, adjustment, lines)
        self.world.let(admin, post_adjustment, adjustment)

    def _review(self, day: dt.date) -> None:
        """Order what would run out, from every supplier at once."""
        world = self.world
        until = day + dt.timedelta(days=AHEAD)
        wanted = demand(self.stories, world.start, until)
        later = demand(self.stories, until, until + dt.timedelta(days=EVERY))
        missing: dict[int, list[tuple[str, int]]] = {}
        for item in GOODS:
            if self.got[item.code] < wanted[item.code] + item.least:
                quantity = wanted[item.code] - self.got[item.code] + later[item.code] + item.most // 2
                missing.setdefault(item.supplier, []).append((item.code, _round_up(quantity)))
        for supplier in sorted(missing):
            self._order(day, supplier, missing[supplier])

    def _restock(self, day: dt.date, end: str) -> None:
        """A late order that is only partly received, not received, or not even sent by today."""
        supplier = {"part": 4, "wait": 2, "draft": 3}[end]
        items = [item for item in GOODS if item.supplier == supplier][:3]
        self._order(day, supplier, [(item.code, _round_up(item.most)) for item in items], end)

    def _order(self, day: dt.date, supplier: int, wanted: list[tuple[str, int]], end: str = "") -> None:
        world, buyer = self.world, self.world.people["buyer"]
        partner = world.suppliers[supplier]
        foreign = partner.currency.code != "CNY"
        rate = rate_on(partner.currency, day)
        lines = []
        for code, quantity in wanted:
            product = world.products[code]
            self.got[code] += quantity
            price = product.cost * Decimal(world.dice.randint(96, 104)) / 100 / rate
            lines.append(
                LineInput(product, Decimal(quantity), price.quantize(CENT), tax_code=self.free if foreign else None)
            )
        order = PurchaseOrder(
            supplier=partner, warehouse=world.warehouse, date=day, owner=buyer, department=buyer.department,
            currency=partner.currency, required_date=day + dt.timedelta(days=14),
        )  # fmt: skip
        world.let(buyer, save_order, order, lines)
        if end == "draft":
            return
        order = world.let(buyer, confirm_order, order)
        if end == "part":
            first = order.lines.order_by("position")[0]
            world.on(world.today, lambda today: self._receive(today, order, {first.pk: first.quantity // 2}), urgency=2)
        elif end != "wait":
            world.on(world.later(day, 5, 16), lambda arrived: self._receive(arrived, order), urgency=2)

    def _receive(self, day: dt.date, order: PurchaseOrder, part: dict[int, Decimal] | None = None) -> None:
        self.world.let(self.world.people["warehouse"], receive_order, order, part, date=day)
        if part is None:
            self.world.on(self.world.later(day, 2, 9), lambda billed: self._bill(billed, order))

    def _bill(self, day: dt.date, order: PurchaseOrder) -> None:
        number = f"{self.world.dice.randint(10**7, 10**8 - 1)}"
        accountant = self.world.people["accountant"]
        bill = self.world.let(accountant, bill_order, order, date=day, supplier_number=number)
        if self.world.dice.random() < 0.92 and bill.due_date is not None:
            due = self.world.working(bill.due_date + dt.timedelta(days=self.world.dice.randint(-2, 6)))
            self.world.on(max(due, day), lambda paid: self._pay(paid, bill))

    def _pay(self, day: dt.date, bill: Any) -> None:
        items = OpenItem.objects.filter(source="erp.bill", source_id=bill.pk)
        wanted = {item.pk: abs(item.remaining) for item in items}
        currency = bill.currency
        payment = Payment(
            direction=Direction.PAY, supplier=bill.supplier, date=day, amount=sum(wanted.values()), rate=None,
            currency=currency, account=self.world.banks[currency.code], reference=f"付 {bill.number}",
        )  # fmt: skip
        self.world.let(self.world.people["accountant"], pay, payment, wanted)


def _round_up(quantity: int) -> int:
    """A number that people order: tens from 20 on."""
    quantity = max(quantity, 2)
    return -(-quantity // 10) * 10 if quantity > 20 else quantity
