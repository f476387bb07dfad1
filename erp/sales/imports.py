"""Sales orders and what was agreed with customers, from files and into files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from crm.customers.models import Customer
from erp.finance.models import Payment
from erp.finance.models.payments import Direction
from erp.sales import services
from erp.sales.models import Delivery, DeliveryLine, Invoice, InvoiceLine, SalesOrder
from erp.trade.lines import LineInput
from erp.trade.order_files import OrderImporter
from erp.trade.order_rows import Models, OrderRows
from kit.exchange import exporting, importing
from kit.exchange.importing import Column, Row
from kit.exchange.importing_records import RecordImporter

_CUSTOMER = ("客户", "客户编码", "客户编号", "客户代码")


class TermsImporter(RecordImporter):
    """Credit, payment and tax terms by customer."""

    kind = "customer-terms"
    resource = "customerterms"
    names: ClassVar = {"tax_code": "tax_category"}
    aliases: ClassVar = {
        "customer": ("客户", "客户编码", "客户编号", "客户代码"),
        "credit_limit": ("信用额度", "信用限额"),
        "payment_terms": ("付款条件", "付款条款", "收款条件"),
        "currency": ("币种", "货币"),
        "tax_code": ("税类", "税码"),
    }


class SalesOrderImporter(OrderImporter):
    """Sales orders with their own numbers: confirmed, delivered, invoiced and paid on the given days.

    Unknown owners are made; they can log in once they get a password. An empty tax code means no tax;
    without such a column product and customer tell it.
    """

    kind = "sales-orders"
    title = _("sales orders")
    resource = "salesorder"
    permissions = (
        "erp.add_salesorder",
        "erp.confirm_salesorder",
        "erp.add_delivery",
        "erp.post_delivery",
        "erp.add_invoice",
        "erp.post_invoice",
        "erp.add_payment",
        "erp.post_payment",
    )
    partner = "customer"
    partner_model = Customer
    moved, billed = "shipped_date", "invoiced_date"
    model = SalesOrder
    documents_made = (Delivery, DeliveryLine, Invoice, InvoiceLine)
    head: ClassVar = (*OrderImporter.head, "customer", "ship_country", "ship_to", "customer_reference")

    def own_columns(self) -> list[Column]:
        """Customer, dates and where it goes."""
        return [
            Column("customer", _("customer"), "record", required=True, model=Customer, aliases=_CUSTOMER),
            Column("shipped_date", _("shipped on"), "date", aliases=("发货日期", "发货日")),
            Column("invoiced_date", _("invoiced on"), "date", aliases=("开票日期", "开票日")),
            Column("paid_date", _("paid on"), "date", aliases=("收款日期", "收款日", "付款日期")),
            Column("ship_country", _("ship country"), length=80, aliases=("收货国家", "目的国", "收货国")),
            Column("ship_to", _("ship to"), length=400, aliases=("收货地址",)),
            Column("customer_reference", _("customer's order number"), length=80, aliases=("客户订单号",)),
        ]

    def new_order(self, row: Row, **head: Any) -> SalesOrder:
        """A draft that is not stored."""
        texts = {name: row.get(name, "") for name in ("ship_country", "ship_to", "customer_reference")}
        return SalesOrder(customer=row.values["customer"], **texts, **head)

    def save(self, order: SalesOrder, lines: Sequence[LineInput], by: Any) -> SalesOrder:
        """Store the draft."""
        return services.save_order(order, lines, by=by)

    def confirm(self, order: SalesOrder, by: Any, number: str) -> SalesOrder:
        """Issue the order."""
        return services.confirm_order(order, by=by, number=number)

    def move(self, order: SalesOrder, quantities: Mapping[int, Decimal], by: Any, date: dt.date) -> Any:
        """Ship."""
        return services.deliver_order(order, quantities, by=by, date=date)

    def bill(self, order: SalesOrder, quantities: Mapping[int, Decimal], by: Any, date: dt.date, row: Row) -> Invoice:
        """Invoice."""
        return services.invoice_order(order, quantities, by=by, date=date)

    def payment(self, bill: Invoice, **columns: Any) -> Payment:
        """What the customer paid."""
        return Payment(direction=Direction.RECEIVE, customer=bill.customer, **columns)

    def give_up(self, order: SalesOrder, by: Any) -> None:
        """Free the reservations; whoever imports need not have the right to close orders."""
        services.close_order(order, by=None, reason=self.kind)

    @cached_property
    def out(self) -> OrderRows:
        """How orders are written."""
        found = Models(SalesOrder, DeliveryLine, "delivery", InvoiceLine, "invoice", Invoice)
        return OrderRows(self.columns(), self.chain, found)


TERMS, ORDERS = TermsImporter(), SalesOrderImporter()
for importer in (TERMS, ORDERS):
    importing.register(importer)
exporting.register(TERMS.kind, TERMS.exporter)
exporting.register(ORDERS.kind, lambda filters, user: ORDERS.out.exporter(filters, user))
