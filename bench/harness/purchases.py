"""Procure to pay on two roads: our services, and plain psycopg."""

from __future__ import annotations

import datetime as dt
import random
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from typing import Any

from erp.finance.models import Payment, Supplier
from erp.finance.models.accounts import Purpose
from erp.finance.models.payments import Direction
from erp.finance.services import pay
from erp.inventory.models import Product
from erp.purchasing.models import PurchaseOrder
from erp.purchasing.services import bill_order, confirm_order, receive_order, save_order
from erp.trade.lines import LineInput
from harness.company import COST, Shop
from harness.measure import Step
from harness.plain import Booking, Plain, cents
from harness.sales import ServiceRoad

QUANTITY = Decimal(3)


class ServicePurchases(ServiceRoad):
    """Draft, confirm, receive, bill at the order's prices, pay and allocate."""

    def steps(self, lines: int) -> list[Step]:
        """The five commands on one new order."""
        user, products = self.shop.user, self.goods(lines)
        supplier = Supplier.objects.get(pk=self.shop.suppliers[self.partner].pk)
        order = PurchaseOrder(supplier=supplier, warehouse=self.shop.warehouse)
        payment = Payment(
            direction=Direction.PAY, supplier=supplier, account=self.shop.bank, currency=self.shop.currency
        )

        def settle() -> None:
            payment.amount = order.total
            pay(payment, by=user)

        inputs = [LineInput(product, QUANTITY) for product in products]
        commands: dict[str, Any] = {
            "draft": lambda: save_order(order, inputs, by=user),
            "confirm": lambda: confirm_order(order, by=user),
            "receive": lambda: receive_order(order, by=user),
            "bill": lambda: bill_order(order, by=user, supplier_number=f"N{order.pk}"),
            "pay": settle,
        }
        return [(name, partial(self.acting, command)) for name, command in commands.items()]


_ORDER = """INSERT INTO erp_purchaseorder (version, created_at, updated_at, created_by_id, date, owner_id, note,
    currency_id, rate, payment_terms_id, tax_method, prices_include_tax, discount, discount_amount, net, tax, total,
    base_total, goods_status, billing_status, goods_percent, billed_percent, paid_percent, revision, supplier_id,
    supplier_reference, warehouse_id, party_name, party_address, party_tax_number, state, closing_reason)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, 1, %s, 'line', false, 0, 0, %s, %s, %s, %s, 'none', 'none', 0,
    0, 0, 1, %s, '', %s, '', '', '', 'draft', '') RETURNING id"""
_ORDER_LINES = """INSERT INTO erp_purchaseorderline (position, product_id, description, unit_id, factor, quantity,
    price, discount, tax_code_id, tax_rate, discount_share, net, tax, warehouse_id, cancelled, moved,
    returned_replace, returned_credit, billed, credited, order_id)
    SELECT position, product, description, %s, 1, %s, %s, 0, %s, %s, 0, %s, %s, %s, 0, 0, 0, 0, 0, 0, %s
    FROM unnest(%s::bigint[], %s::text[]) WITH ORDINALITY AS l(product, description, position) RETURNING id"""
_CONFIRM = """UPDATE erp_purchaseorder SET number = %s, state = 'confirmed', confirmed_at = now(), version = 2,
    party_name = %s, updated_at = now() WHERE id = %s"""
_RECEIPT = """INSERT INTO erp_goodsreceipt (version, created_at, updated_at, created_by_id, date, owner_id, note,
    supplier_id, warehouse_id, supplier_note, party_name, party_address, party_tax_number, value, state)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, %s, '', '', '', '', 0, 'draft') RETURNING id"""
_RECEIPT_LINES = """INSERT INTO erp_goodsreceiptline (receipt_id, position, order_line_id, product_id, description,
    unit_id, factor, quantity, value, billed, cleared, given_up)
    SELECT %s, position, id, product_id, description, unit_id, factor, quantity, net, 0, 0, 0
    FROM erp_purchaseorderline WHERE order_id = %s ORDER BY position RETURNING id"""
_RECEIVE = """UPDATE erp_goodsreceipt SET number = %s, value = %s, state = 'posted', posted_at = now(),
    posted_by_id = %s, party_name = %s, version = 2, updated_at = now() WHERE id = %s"""
_RECEIVED_LINES = """UPDATE erp_purchaseorderline SET moved = quantity WHERE order_id = %s"""
_RECEIVED = """UPDATE erp_purchaseorder SET goods_status = 'complete', goods_percent = 100 WHERE id = %s"""
_BILL = """INSERT INTO erp_bill (version, created_at, updated_at, created_by_id, date, owner_id, note, currency_id,
    rate, payment_terms_id, tax_method, prices_include_tax, discount, discount_amount, net, tax, total, base_total,
    supplier_id, supplier_number, party_name, party_address, party_tax_number, open_amount, state)
    VALUES (1, now(), now(), %s, %s, %s, '', %s, 1, %s, 'line', false, 0, 0, %s, %s, %s, %s, %s, %s, '', '', '', 0,
    'draft') RETURNING id"""
_BILL_LINES = """INSERT INTO erp_billline (position, product_id, description, unit_id, factor, quantity, price,
    discount, tax_code_id, tax_rate, discount_share, net, tax, cleared, difference, to_stock, bill_id, receipt_line_id,
    order_line_id)
    SELECT o.position, o.product_id, o.description, o.unit_id, o.factor, o.quantity, o.price, o.discount,
    o.tax_code_id, o.tax_rate, o.discount_share, o.net, o.tax, r.value, 0, 0, %s, r.id, o.id
    FROM erp_purchaseorderline o JOIN erp_goodsreceiptline r ON r.order_line_id = o.id
    WHERE o.order_id = %s ORDER BY o.position"""
_POST_BILL = """UPDATE erp_bill SET number = %s, due_date = %s, open_amount = total, party_name = %s, state = 'posted',
    posted_at = now(), posted_by_id = %s, version = 2, updated_at = now() WHERE id = %s"""
_BILLED_RECEIPT = """UPDATE erp_goodsreceiptline SET billed = quantity, cleared = value WHERE receipt_id = %s"""
_BILLED_LINES = """UPDATE erp_purchaseorderline SET billed = quantity WHERE order_id = %s"""
_BILLED = """UPDATE erp_purchaseorder SET state = 'closed', billing_status = 'complete', billed_percent = 100
    WHERE id = %s"""
_PAID_BILL = """UPDATE erp_bill SET open_amount = 0 WHERE id = %s"""
_PAID_ORDER = """UPDATE erp_purchaseorder SET paid_percent = 100 WHERE id = %s"""


@dataclass
class Purchase:
    """What the plain program remembers from step to step."""

    supplier: Supplier
    products: list[Product]
    net: Decimal = field(init=False)  # of a line
    tax: Decimal = field(init=False)
    rate: Decimal = Decimal(0)
    order: int = 0
    receipt: int = 0
    bill: int = 0
    item: int = 0

    def __post_init__(self) -> None:
        self.net = cents(QUANTITY * COST)
        self.tax = cents(self.net * self.rate)

    @property
    def keys(self) -> list[int]:
        """Products by line."""
        return [product.pk for product in self.products]

    @property
    def totals(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        """Net, tax, total, total in base currency."""
        net, tax = self.net * len(self.products), self.tax * len(self.products)
        return net, tax, net + tax, net + tax


class PlainPurchases(Plain):
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
        purchase = Purchase(self.shop.suppliers[self.partner], products, rate=self.shop.tax.rate)
        todo = {
            "draft": self.draft, "confirm": self.confirm, "receive": self.receive, "bill": self.invoice,
            "pay": self.settle,
        }  # fmt: skip
        return [(name, partial(step, purchase)) for name, step in todo.items()]

    def draft(self, purchase: Purchase) -> None:
        """Order and lines."""
        shop, user = self.shop, self.shop.user.pk
        with self.transaction():
            purchase.order = self.key(
                _ORDER, user, shop.today, user, shop.currency.pk, self.terms, *purchase.totals,
                purchase.supplier.pk, shop.warehouse.pk,
            )  # fmt: skip
            labels = [product.name for product in purchase.products]
            self.run(
                _ORDER_LINES, purchase.products[0].unit_id, QUANTITY, COST, shop.tax.pk, shop.tax.rate,
                purchase.net, purchase.tax, shop.warehouse.pk, purchase.order, purchase.keys, labels,
            )  # fmt: skip

    def confirm(self, purchase: Purchase) -> None:
        """Number."""
        with self.transaction():
            self.run(_CONFIRM, self.number("purchase-order", "PO"), purchase.supplier.name, purchase.order)

    def receive(self, purchase: Purchase) -> None:
        """Receipt, stock moves at order price, entry."""
        shop, user = self.shop, self.shop.user.pk
        with self.transaction():
            levels = self.levels(purchase.keys)
            for product in purchase.keys:
                levels[product][1] += QUANTITY
                levels[product][3] += purchase.net
            receipt = purchase.receipt = self.key(
                _RECEIPT, user, shop.today, user, purchase.supplier.pk, shop.warehouse.pk
            )
            lines = [row[0] for row in self.run(_RECEIPT_LINES, receipt, purchase.order).fetchall()]
            number, value = self.number("goods-receipt", "GR"), purchase.totals[0]
            source, inventory = ("erp.goodsreceipt", receipt, number), shop.account(Purpose.INVENTORY)
            bookings: list[Booking] = [(shop.account(Purpose.GRNI), -value, None, None), (inventory, value, None, None)]
            entry = self.entry("INV", source, bookings, f"Goods receipt {number} {purchase.supplier}")
            moves = [(key, QUANTITY, purchase.net, line) for key, line in zip(purchase.keys, lines, strict=True)]
            self.move("receipt", inventory, entry, source, moves, levels)
            self.run(_RECEIVE, number, value, user, purchase.supplier.name, receipt)
            self.run(_RECEIVED_LINES, purchase.order)
            self.run(_RECEIVED, purchase.order)

    def invoice(self, purchase: Purchase) -> None:
        """Bill, entry, open item."""
        shop, user = self.shop, self.shop.user.pk
        net, tax, total, _base = purchase.totals
        due, partner = shop.today + dt.timedelta(days=30), (None, purchase.supplier.pk)
        with self.transaction():
            bill = purchase.bill = self.key(
                _BILL, user, shop.today, user, shop.currency.pk, self.terms, *purchase.totals, purchase.supplier.pk,
                f"P{purchase.order}",
            )  # fmt: skip
            self.run(_BILL_LINES, bill, purchase.order)
            number, control = self.number("bill", "BL"), shop.account(Purpose.PAYABLE)
            source = ("erp.bill", bill, number)
            bookings: list[Booking] = [
                (control, -total, *partner), (shop.account(Purpose.GRNI), net, None, None),
                (int(shop.tax.input_account_id or 0), tax, None, None),
            ]  # fmt: skip
            entry = self.entry("PUR", source, bookings, f"Bill {number} {purchase.supplier}")
            purchase.item = self.item("bill", control, partner, entry, source, due, -total)
            self.run(_POST_BILL, number, due, purchase.supplier.name, user, bill)
            self.run(_BILLED_RECEIPT, purchase.receipt)
            self.run(_BILLED_LINES, purchase.order)
            self.run(_BILLED, purchase.order)

    def settle(self, purchase: Purchase) -> None:
        """Payment that settles the bill."""
        partner, control = (None, purchase.supplier.pk), self.shop.account(Purpose.PAYABLE)
        with self.transaction():
            self.pay("pay", partner, control, purchase.item, purchase.totals[2])
            self.run(_PAID_BILL, purchase.bill)
            self.run(_PAID_ORDER, purchase.order)
