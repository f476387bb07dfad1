"""Order to cash on two roads: our services, and plain psycopg."""

from __future__ import annotations

import datetime as dt
import random
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

import pghistory
from django.db import connection

from crm.customers.models import Customer
from erp.finance.models import Payment
from erp.finance.models.accounts import Purpose
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import Product
from erp.sales.models import SalesOrder
from erp.sales.services import confirm_order, deliver_order, invoice_order, save_order
from erp.trade.lines import LineInput
from harness.company import Shop
from harness.measure import Step, service_statements
from harness.plain import Booking, Plain, cents

QUANTITY = Decimal(3)


@dataclass
class ServiceRoad:
    """The connection of Django, with the acting user in the history as in every request."""

    shop: Shop
    partner: int = 0
    name: str = "services"
    chance: random.Random = field(default_factory=lambda: random.Random(1))

    def backend(self) -> int:
        """Process of the server that works for this road."""
        connection.ensure_connection()
        return int(connection.connection.info.backend_pid)

    def execute(self, sql: str) -> None:
        """A statement of the benchmark itself."""
        with connection.cursor() as cursor:
            cursor.execute(sql)

    @contextmanager
    def counted(self) -> Iterator[list[str]]:
        """Every statement sent meanwhile."""
        with service_statements() as sent:
            yield sent

    def goods(self, lines: int) -> list[Product]:
        """Products as a page or an import hands them over: loaded without any joins."""
        keys = self.chance.sample([product.pk for product in self.shop.products], lines)
        return list(Product.objects.filter(pk__in=keys))

    def acting(self, command: Any) -> Any:
        """Run a command as a person: the history names them."""
        with pghistory.context(user=self.shop.user.pk, url="/bench/"):
            return command()


class ServiceSales(ServiceRoad):
    """Draft, confirm with credit check and reservation, ship, invoice, receive and allocate."""

    def steps(self, lines: int) -> list[Step]:
        """The five commands on one new order."""
        user, products = self.shop.user, self.goods(lines)
        customer = Customer.objects.get(pk=self.shop.customers[self.partner].pk)
        order = SalesOrder(customer=customer, warehouse=self.shop.warehouse)
        payment = Payment(
            direction=Direction.RECEIVE, customer=customer, account=self.shop.bank, currency=self.shop.currency
        )

        def receive() -> None:
            payment.amount = order.total
            pay(payment, by=user)

        inputs = [LineInput(product, QUANTITY) for product in products]
        commands: dict[str, Any] = {
            "draft": lambda: save_order(order, inputs, by=user),
            "confirm": lambda: confirm_order(order, by=user),
            "ship": lambda: deliver_order(order, by=user),
            "invoice": lambda: invoice_order(order, by=user),
            "pay": receive,
        }
        return [(name, partial(self.acting, command)) for name, command in commands.items()]


_ORDER = """INSERT INTO erp_salesorder (version, created_at, updated_at, created_by_id, date, owner_id, note,
    currency_id, rate, payment_terms_id, tax_method, prices_include_tax, discount, discount_amount, net, tax, total,
    base_total, goods_status, billing_status, goods_percent, billed_percent, paid_percent, revision, customer_id,
    customer_reference, warehouse_id, ship_to, ship_country, party_name, party_address, party_tax_number, state, hold,
    hold_reason, closing_reason)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, 1, %s, 'line', false, 0, 0, %s, %s, %s, %s, 'none', 'none', 0,
    0, 0, 1, %s, '', %s, '1 Road, Suzhou', '', '', '', '', 'draft', '', '', '') RETURNING id"""
_ORDER_LINES = """INSERT INTO erp_salesorderline (position, product_id, description, unit_id, factor, quantity, price,
    discount, tax_code_id, tax_rate, discount_share, net, tax, warehouse_id, cancelled, moved, returned_replace,
    returned_credit, billed, credited, order_id, price_rule, reserved, delivered_cost, expensed_cost)
    SELECT position, product, description, %s, 1, %s, price, 0, %s, %s, 0, net, tax, %s, 0, 0, 0, 0, 0, 0, %s, 'item',
    0, 0, 0 FROM unnest(%s::bigint[], %s::text[], %s::numeric[], %s::numeric[], %s::numeric[]) WITH ORDINALITY
        AS l(product, description, price, net, tax, position) RETURNING id"""
_RESERVE = """UPDATE erp_salesorderline SET reserved = quantity WHERE order_id = %s"""
_CONFIRM = """UPDATE erp_salesorder SET number = %s, state = 'confirmed', confirmed_at = now(), version = 2,
    party_name = %s,
    party_address = '1 Road, Suzhou', updated_at = now() WHERE id = %s"""
_DELIVERY = """INSERT INTO erp_delivery (version, created_at, updated_at, created_by_id, date, owner_id, note,
    customer_id, warehouse_id, ship_to, party_name, party_address, party_tax_number, carrier, tracking, cost, state)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, %s, '1 Road, Suzhou', '', '', '', '', '', 0, 'draft')
    RETURNING id"""
_DELIVERY_LINES = """INSERT INTO erp_deliveryline (delivery_id, position, order_line_id, product_id, description,
    unit_id, factor, quantity, cost, given_up) SELECT %s, position, line, product, description, %s, 1, %s, cost, 0
    FROM unnest(%s::bigint[], %s::bigint[], %s::text[], %s::numeric[]) WITH ORDINALITY
        AS l(line, product, description, cost, position) RETURNING id"""
_SHIP = """UPDATE erp_delivery SET number = %s, cost = %s, state = 'posted', posted_at = now(), posted_by_id = %s,
    party_name = %s, party_address = '1 Road, Suzhou', version = 2, updated_at = now() WHERE id = %s"""
_SHIPPED_LINES = """UPDATE erp_salesorderline l SET moved = quantity, reserved = 0, delivered_cost = v.cost,
    expensed_cost = v.cost FROM unnest(%s::bigint[], %s::numeric[]) AS v(id, cost) WHERE l.id = v.id"""
_SHIPPED = """UPDATE erp_salesorder SET goods_status = 'complete', goods_percent = 100 WHERE id = %s"""
_INVOICE = """INSERT INTO erp_invoice (version, created_at, updated_at, created_by_id, date, owner_id, note,
    currency_id, rate, payment_terms_id, tax_method, prices_include_tax, discount, discount_amount, net, tax, total,
    base_total, customer_id, billing_name, billing_tax_number, billing_address, open_amount, state)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, 1, %s, 'line', false, 0, 0, %s, %s, %s, %s, %s, '', '', '', 0,
    'draft') RETURNING id"""
_INVOICE_LINES = """INSERT INTO erp_invoiceline (position, product_id, description, unit_id, factor, quantity, price,
    discount, tax_code_id, tax_rate, discount_share, net, tax, invoice_id, order_line_id, cost)
    SELECT position, product_id, description, unit_id, factor, quantity, price, discount, tax_code_id, tax_rate,
    discount_share, net, tax, %s, id, 0 FROM erp_salesorderline WHERE order_id = %s ORDER BY position"""
_POST_INVOICE = """UPDATE erp_invoice SET number = %s, due_date = %s, billing_name = %s,
    billing_address = '1 Road, Suzhou', open_amount = total, state = 'posted', posted_at = now(), posted_by_id = %s,
    version = 2, updated_at = now() WHERE id = %s"""
_BILLED_LINES = """UPDATE erp_salesorderline SET billed = quantity WHERE order_id = %s"""
_BILLED = """UPDATE erp_salesorder SET state = 'closed', billing_status = 'complete', billed_percent = 100
    WHERE id = %s"""
_PAID_INVOICE = """UPDATE erp_invoice SET open_amount = 0 WHERE id = %s"""
_PAID_ORDER = """UPDATE erp_salesorder SET paid_percent = 100 WHERE id = %s"""


@dataclass
class Sale:
    """What the plain program remembers from step to step."""

    customer: Customer
    products: list[Product]
    prices: list[Decimal]
    nets: list[Decimal]
    taxes: list[Decimal]
    order: int = 0
    lines: list[int] = field(default_factory=list)
    invoice: int = 0
    item: int = 0

    @property
    def keys(self) -> list[int]:
        """Products by line."""
        return [product.pk for product in self.products]

    @property
    def labels(self) -> list[str]:
        """Descriptions by line."""
        return [product.name for product in self.products]

    @property
    def totals(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Net, tax, total, total in base currency."""
        net, tax = sum(self.nets, Decimal(0)), sum(self.taxes, Decimal(0))
        return net, tax, net + tax, net + tax


class PlainSales(Plain):
    """The same rows by hand."""

    name = "plain"

    def __init__(self, shop: Shop, partner: int = 0) -> None:
        super().__init__(shop)
        self.partner = partner
        self.chance = random.Random(1)
        self.terms = shop.suppliers[partner].payment_terms_id

    def steps(self, lines: int) -> list[Step]:
        """The five steps of one new order."""
        products = self.chance.sample(self.shop.products, lines)
        prices = [product.price for product in products]
        nets = [cents(QUANTITY * price) for price in prices]
        taxes = [cents(net * self.shop.tax.rate) for net in nets]
        sale = Sale(self.shop.customers[self.partner], products, prices, nets, taxes)
        todo = {
            "draft": self.draft, "confirm": self.confirm, "ship": self.ship, "invoice": self.invoice,
            "pay": self.receive,
        }  # fmt: skip
        return [(name, partial(step, sale)) for name, step in todo.items()]

    def draft(self, sale: Sale) -> None:
        """Order and lines."""
        shop, user = self.shop, self.shop.user.pk
        with self.transaction():
            sale.order = self.key(
                _ORDER, user, shop.today, user, shop.currency.pk, self.terms, *sale.totals, sale.customer.pk,
                shop.warehouse.pk,
            )  # fmt: skip
            rows = self.run(
                _ORDER_LINES, sale.products[0].unit_id, QUANTITY, shop.tax.pk, shop.tax.rate, shop.warehouse.pk,
                sale.order, sale.keys, sale.labels, sale.prices, sale.nets, sale.taxes,
            )  # fmt: skip
            sale.lines = [row[0] for row in rows.fetchall()]

    def confirm(self, sale: Sale) -> None:
        """Reservation and number."""
        with self.transaction():
            levels = self.levels(sale.keys)
            for product in sale.keys:
                levels[product][2] += QUANTITY
            self.set_levels(levels)
            self.run(_RESERVE, sale.order)
            self.run(_CONFIRM, self.number("sales-order", "SO"), sale.customer.name, sale.order)

    def ship(self, sale: Sale) -> None:
        """Delivery, stock moves at the average, entry."""
        shop, user = self.shop, self.shop.user.pk
        with self.transaction():
            levels = self.levels(sale.keys)
            costs = [self._issue(levels[product]) for product in sale.keys]
            delivery = self.key(_DELIVERY, user, shop.today, user, sale.customer.pk, shop.warehouse.pk)
            unit = sale.products[0].unit_id
            rows = self.run(_DELIVERY_LINES, delivery, unit, QUANTITY, sale.lines, sale.keys, sale.labels, costs)
            lines = [row[0] for row in rows.fetchall()]
            number, cost = self.number("delivery", "DN"), sum(costs, Decimal(0))
            source = ("erp.delivery", delivery, number)
            inventory = shop.account(Purpose.INVENTORY)
            bookings: list[Booking] = [(shop.account(Purpose.COGS), cost, None, None), (inventory, -cost, None, None)]
            entry = self.entry("INV", source, bookings, f"Delivery {number} {sale.customer}")
            moves = [
                (product, -QUANTITY, -value, line) for product, value, line in zip(sale.keys, costs, lines, strict=True)
            ]
            self.move("delivery", inventory, entry, source, moves, levels)
            self.run(_SHIP, number, cost, user, sale.customer.name, delivery)
            self.run(_SHIPPED_LINES, sale.lines, costs)
            self.run(_SHIPPED, sale.order)

    def _issue(self, level: list[Any]) -> Decimal:
        cost = cents(level[3] * QUANTITY / level[1])
        level[1] -= QUANTITY
        level[2] -= QUANTITY
        level[3] -= cost
        return cost

    def invoice(self, sale: Sale) -> None:
        """Invoice, entry, open item."""
        shop, user = self.shop, self.shop.user.pk
        net, tax, total, _base = sale.totals
        due = shop.today + dt.timedelta(days=30)
        with self.transaction():
            sale.invoice = self.key(
                _INVOICE, user, shop.today, user, shop.currency.pk, self.terms, *sale.totals, sale.customer.pk
            )
            self.run(_INVOICE_LINES, sale.invoice, sale.order)
            number, control = self.number("invoice", "IV"), shop.account(Purpose.RECEIVABLE)
            source = ("erp.invoice", sale.invoice, number)
            bookings: list[Booking] = [
                (control, total, sale.customer.pk, None), (shop.account(Purpose.REVENUE), -net, None, None),
                (int(shop.tax.output_account_id or 0), -tax, None, None),
            ]  # fmt: skip
            entry = self.entry("SAL", source, bookings, f"Invoice {number} {sale.customer}")
            sale.item = self.item("invoice", control, (sale.customer.pk, None), entry, source, due, total)
            self.run(_POST_INVOICE, number, due, sale.customer.name, user, sale.invoice)
            self.run(_BILLED_LINES, sale.order)
            self.run(_BILLED, sale.order)

    def receive(self, sale: Sale) -> None:
        """Payment that settles the invoice."""
        control = self.shop.account(Purpose.RECEIVABLE)
        with self.transaction():
            self.pay("receive", (sale.customer.pk, None), control, sale.item, sale.totals[2])
            self.run(_PAID_INVOICE, sale.invoice)
            self.run(_PAID_ORDER, sale.order)
