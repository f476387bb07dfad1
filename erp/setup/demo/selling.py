"""Sales orders from the first draft to the money, with everything that may go wrong."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pghistory

from erp.finance.models import OpenItem, Payment
from erp.finance.models.payments import Direction
from erp.finance.services import pay, reverse_payment
from erp.sales import services
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.setup.demo.customers import REASONS
from erp.setup.demo.plan import ON_HOLD, Story
from erp.setup.demo.world import World
from erp.trade.lines import LineInput
from kit.values.errors import BusinessError

TRIES = 4  # how often a delivery waits for stock
NEVER = 0.07  # share of invoices that are not paid
PARTLY = 0.06  # share of invoices that are paid in two parts


class Selling:
    """The year of the salespeople, the warehouse and the accountants with the customers."""

    def __init__(self, world: World, links: Mapping[int, Mapping[str, Any]]) -> None:
        self.world = world
        self.links = links  # contract and campaign by position of the customer

    def plan(self, stories: list[Story]) -> None:
        """Let every order be placed on its day."""
        for story in stories:
            self.world.on(story.day, lambda day, story=story: self._place(day, story), urgency=3)

    def _place(self, day: dt.date, story: Story) -> None:
        world, customer = self.world, self.world.customers[story.customer]
        links = self.links.get(story.customer, {})
        order = SalesOrder(
            customer=customer, warehouse=world.warehouse, date=day, required_date=day + dt.timedelta(days=14),
            contact=customer.contacts.order_by("-primary", "pk").first(),
            customer_reference=f"PO{world.dice.randint(10000, 99999)}" if world.dice.random() < 0.6 else "",
            **{name: value for name, value in links.items() if world.dice.random() < 0.5},
        )  # fmt: skip
        lines = [
            LineInput(world.products[code], Decimal(quantity), discount=Decimal(discount))
            for code, quantity, discount in story.lines
        ]
        world.let(customer.owner, services.save_order, order, lines)
        if story.end == "draft":
            return
        try:
            order = world.let(customer.owner, services.confirm_order, order)
        except BusinessError as error:
            with pghistory.context(user=customer.owner.pk):
                SalesOrder.objects.filter(pk=order.pk).update(note=str(error))
            return
        self._go_on(day, order, story)

    def _go_on(self, day: dt.date, order: SalesOrder, story: Story) -> None:
        world = self.world
        if order.hold:
            if story.customer == ON_HOLD and story.end != "credit":
                world.on(world.later(day, 1, 3), lambda then: self._release(then, order, story), urgency=4)
            return
        if story.end == "cancel":
            reason = world.dice.choice(REASONS)
            world.on(
                world.later(day, 1, 6),
                lambda _then: world.let(world.people["manager"], services.cancel_order, order, reason=reason),
            )
            return
        shipped = story.ships_on or world.later(day, 2, 12)
        if day >= world.ago(1) and story.ships_on is None:
            shipped = world.today + dt.timedelta(days=3)
        half = story.end in ("split", "short") or (story.ships_on is not None and world.dice.random() < 0.25)
        world.on(shipped, lambda then: self._deliver(then, order, story, half=half), urgency=5)

    def _release(self, day: dt.date, order: SalesOrder, story: Story) -> None:
        chief = self.world.people["chief"]
        order = self.world.let(chief, services.release_hold, order, reason="已电话确认，本周付款")
        self._go_on(day, order, story)

    # ---- goods ----

    def _deliver(self, day: dt.date, order: SalesOrder, story: Story, *, half: bool, tries: int = TRIES) -> None:
        world = self.world
        quantities = _half(order) if half else None
        try:
            delivery = world.let(world.people["warehouse"], services.deliver_order, order, quantities, date=day)
        except BusinessError:
            if tries:
                again = world.working(day + dt.timedelta(days=4))
                world.on(again, lambda then: self._deliver(then, order, story, half=half, tries=tries - 1), urgency=5)
            return
        billed = world.later(day, 0, 3)
        if story.ships_on is not None:  # of late: most at once, some not yet
            billed = day if world.dice.random() < 0.75 else world.ago(-1)
        world.on(billed, lambda then: self._invoice(then, order, story), urgency=6)
        if story.end == "redeliver":
            self._take_back(day, delivery, order, story)
        elif half and story.end == "short":
            world.on(world.later(billed, 5, 10), lambda _then: self._close(order), urgency=7)
        elif half:
            world.on(world.later(billed, 4, 12), lambda then: self._deliver(then, order, story, half=False), urgency=5)

    def _take_back(self, day: dt.date, delivery: Delivery, order: SalesOrder, story: Story) -> None:
        """The wrong goods: back into stock at once, and out again some days later."""
        self.world.let(self.world.people["chief"], services.reverse_delivery, delivery, date=day)
        story.end = ""
        again = self.world.later(day, 3, 5)
        self.world.on(again, lambda then: self._deliver(then, order, story, half=False), urgency=5)

    def _close(self, order: SalesOrder) -> None:
        order.refresh_from_db()
        if order.state == "confirmed":
            manager = self.world.people["manager"]
            self.world.let(manager, services.close_order, order, reason="客户不再需要剩余数量")

    # ---- money ----

    def _invoice(self, day: dt.date, order: SalesOrder, story: Story) -> None:
        world, accountant = self.world, self.world.people["accountant"]
        try:
            invoice = world.let(accountant, services.invoice_order, order, date=day)
        except BusinessError:
            return  # the delivery was taken back meanwhile
        if story.end == "rebill":
            story.end = ""
            world.let(world.people["chief"], services.reverse_invoice, invoice, date=day)
            invoice = world.let(accountant, services.invoice_order, order, date=day)
        if invoice.due_date is None or story.end == "unpaid" or world.dice.random() < NEVER:
            return
        paid = max(day, world.working(invoice.due_date + dt.timedelta(days=world.dice.randint(-6, 24))))
        share = Decimal("0.5") if world.dice.random() < PARTLY else Decimal(1)
        world.on(paid, lambda then: self._collect(then, invoice, story, share), urgency=7)

    def _collect(self, day: dt.date, invoice: Invoice, story: Story, share: Decimal = Decimal(1)) -> None:
        world = self.world
        payment = self.receive(day, invoice, share)
        if payment is None:
            return
        if story.end == "bounce":
            story.end = ""
            world.let(world.people["chief"], reverse_payment, payment, date=day)
            world.on(world.later(day, 5, 9), lambda then: self._collect(then, invoice, story), urgency=7)
        elif share < 1:
            world.on(world.later(day, 12, 30), lambda then: self._collect(then, invoice, story), urgency=7)

    def receive(self, day: dt.date, invoice: Invoice, share: Decimal = Decimal(1)) -> Payment | None:
        """Money for what is open of an invoice, or a share of it; None when nothing is open."""
        items = OpenItem.objects.filter(source="erp.invoice", source_id=invoice.pk, remaining__gt=0).order_by(
            "due_date"
        )
        wanted = {item.pk: (item.remaining * share).quantize(Decimal("0.01")) for item in items}
        if not wanted:
            return None
        payment = Payment(
            direction=Direction.RECEIVE, customer=invoice.customer, date=day, amount=sum(wanted.values()), rate=None,
            currency=invoice.currency, account=self.world.banks[invoice.currency.code], reference=f"收 {invoice.number}",
        )  # fmt: skip
        return self.world.let(self.world.people["accountant"], pay, payment, wanted)


def _half(order: SalesOrder) -> dict[int, Decimal] | None:
    """About half of every line, the last piece of single ones too; None where there is nothing to halve."""
    lines = list(order.lines.order_by("position"))
    if all(line.quantity < 2 for line in lines):
        return None
    return {line.pk: max(line.quantity // 2, Decimal(1)) for line in lines}
