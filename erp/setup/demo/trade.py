"""A year of buying and selling of the demo company, through the services."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from erp.finance.currencies import rate_on
from erp.finance.models import OpenItem, Payment
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import AdjustmentReason, Product, StockAdjustment
from erp.inventory.services import AdjustmentInput, post_adjustment, save_adjustment
from erp.purchasing import services as purchasing
from erp.purchasing.models import PurchaseOrder
from erp.sales import services as sales
from erp.sales.models import SalesOrder
from erp.setup.demo.masters import World
from erp.trade.lines import LineInput
from kit.values.errors import BusinessError

YEAR = 365


def trade(world: World, orders: int) -> None:
    """Opening stock, purchases each quarter and `orders` sales orders, in the order in which they happened."""
    opening = world.today - dt.timedelta(days=YEAR + 20)
    goods = [product for product in world.products if product.stocked]
    _opening_stock(world, goods, opening)
    events: list[tuple[dt.date, int, Any]] = []
    for round_ in range(6):
        day = world.today - dt.timedelta(days=YEAR - round_ * 68)
        events += [(day, i, ("buy", name)) for i, name in enumerate(sorted(world.suppliers))]
    days = sorted((world.today - dt.timedelta(days=int(world.chance.triangular(0, YEAR, 60))) for _ in range(orders - 6)))
    days += [world.today] * 6
    events += [(day, 100 + i, ("sell", i)) for i, day in enumerate(days)]
    for day, _order, (kind, what) in sorted(events, key=lambda e: (e[0], e[1])):
        if kind == "buy":
            _buy(world, what, goods, day)
        else:
            _sell(world, day)


def _opening_stock(world: World, goods: list[Product], day: dt.date) -> None:
    adjustment = StockAdjustment(warehouse=world.warehouse, reason=AdjustmentReason.OPENING, date=day)
    lines = [AdjustmentInput(product, Decimal(world.chance.randint(60, 240)), product.cost) for product in goods]
    post_adjustment(save_adjustment(adjustment, lines, by=None), by=None)


def _buy(world: World, group: str, goods: list[Product], day: dt.date) -> None:
    """Order, receive in one or two parts, bill at a price that may differ, and pay when it is due."""
    supplier = world.chance.choice(world.suppliers[group])
    wanted = [p for p in goods if p.group is not None and p.group.code == group]
    buyer = world.people["buyer"]
    order = PurchaseOrder(supplier=supplier, date=day, warehouse=world.warehouse, owner=buyer, department=buyer.department,
                          required_date=day + dt.timedelta(days=14))
    lines = [LineInput(p, Decimal(world.chance.randint(4, 14) * 10), _price(world, p, supplier, day)) for p in wanted]
    order = purchasing.confirm_order(purchasing.save_order(order, lines, by=None), by=None)
    received = day + dt.timedelta(days=world.chance.randint(4, 12))
    if received > world.today:
        return
    if world.chance.random() < 0.3:
        part = {line.pk: (line.quantity / 2).quantize(Decimal(1)) for line in order.lines.all()}
        purchasing.receive_order(order, part, by=None, date=received)
        received += dt.timedelta(days=5)
        if received > world.today:
            return
    purchasing.receive_order(order, by=None, date=received)
    if received + dt.timedelta(days=6) > world.today:
        return
    bill = purchasing.bill_order(order, by=None, date=received + dt.timedelta(days=6))
    due = (bill.due_date or day) + dt.timedelta(days=world.chance.randint(-3, 10))
    if due <= world.today:
        _pay(world, bill, "erp.bill", Direction.PAY, due)


def _price(world: World, product: Product, partner: Any, day: dt.date) -> Decimal:
    rate = rate_on(partner.currency, day) if partner.currency else Decimal(1)
    factor = Decimal(world.chance.randint(96, 105)) / 100
    return (product.cost * factor / rate).quantize(Decimal("0.01"))


def _sell(world: World, day: dt.date) -> None:
    """One order that goes as far as its age and chance let it go."""
    customer = world.chance.choice(world.customers)
    goods = world.chance.sample(world.products, world.chance.randint(2, 6))
    lines = [
        LineInput(p, Decimal(1 if not p.stocked else world.chance.choice((2, 4, 5, 8, 10, 12, 20))),
                  discount=Decimal(world.chance.choice((0, 0, 0, 3, 5))))
        for p in goods
    ]
    order = SalesOrder(customer=customer, date=day, warehouse=world.warehouse, owner=customer.owner, department=customer.department,
                       required_date=day + dt.timedelta(days=world.chance.randint(5, 20)),
                       customer_reference=f"PO-{day:%y%m}-{world.chance.randint(100, 999)}", created_by=customer.owner)
    order = sales.save_order(order, lines, by=customer.owner)
    age = (world.today - day).days
    if age < 8 and world.chance.random() < 0.2:
        return  # still a draft
    order = sales.confirm_order(order, by=customer.owner)
    if world.chance.random() < 0.03:
        sales.cancel_order(order, by=customer.owner, reason="客户取消项目")
        return
    if order.hold:
        if age < 30:
            return
        sales.release_hold(order, by=world.people["chief"], reason="财务同意放行")
    _fulfil(world, order, day, age)


def _fulfil(world: World, order: SalesOrder, day: dt.date, age: int) -> None:
    shipped = min(day + dt.timedelta(days=world.chance.randint(0, 9)), world.today)
    if age < 12 and world.chance.random() < 0.4:
        return  # to be shipped
    try:
        if world.chance.random() < 0.25:
            first = order.lines.first()
            sales.deliver_order(order, {first.pk: first.quantity}, by=None, date=shipped)
            if age < 30:
                return
        sales.deliver_order(order, by=None, date=shipped)
    except BusinessError:
        return  # out of stock at that time: the order waits
    if age < 6 and world.chance.random() < 0.5:
        return  # to be invoiced
    invoice = sales.invoice_order(order, by=None, date=min(shipped + dt.timedelta(days=2), world.today))
    paid = (invoice.due_date or shipped) + dt.timedelta(days=world.chance.randint(-12, 25))
    if day == world.today:
        paid = world.today if world.chance.random() < 0.5 else world.today + dt.timedelta(days=1)
    if paid <= world.today:
        _pay(world, invoice, "erp.invoice", Direction.RECEIVE, paid, part=world.chance.random() < 0.1)


def _pay(world: World, document: Any, label: str, direction: str, day: dt.date, *, part: bool = False) -> None:
    items = OpenItem.objects.filter(source=label, source_id=document.pk).exclude(remaining=0)
    wanted = {item.pk: abs(item.remaining) for item in items}
    if part:
        wanted = {pk: (amount / 2).quantize(Decimal("0.01")) for pk, amount in wanted.items()}
    if not wanted:
        return
    partner = {"customer": document.customer} if direction == Direction.RECEIVE else {"supplier": document.supplier}
    payment = Payment(
        direction=direction, account=world.bank, currency=document.currency, date=day, amount=sum(wanted.values(), Decimal(0)),
        rate=rate_on(document.currency, day), reference=f"BOC{day:%y%m%d}{document.pk:04}", owner=document.owner,
        department=document.department, **partner,
    )
    pay(payment, wanted, by=None)
