"""Purchase orders from files and into files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cached_property
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from erp.finance.models import Payment, Supplier
from erp.finance.models.payments import Direction
from erp.purchasing import services
from erp.purchasing.models import Bill, BillLine, GoodsReceipt, GoodsReceiptLine, PurchaseOrder
from erp.trade.lines import LineInput
from erp.trade.order_files import OrderImporter
from erp.trade.order_rows import Models, OrderRows
from kit.exchange import exporting, importing
from kit.exchange.importing import Column, Row


class PurchaseOrderImporter(OrderImporter):
    """Purchase orders with their own numbers: confirmed, received, billed and paid on the given days."""

    kind = "purchase-orders"
    title = _("purchase orders")
    resource = "purchaseorder"
    permissions = (
        "erp.add_purchaseorder",
        "erp.confirm_purchaseorder",
        "erp.add_goodsreceipt",
        "erp.post_goodsreceipt",
        "erp.add_bill",
        "erp.post_bill",
        "erp.add_payment",
        "erp.post_payment",
    )
    partner = "supplier"
    partner_model = Supplier
    moved, billed = "received_date", "billed_date"
    model = PurchaseOrder
    documents_made = (GoodsReceipt, GoodsReceiptLine, Bill, BillLine)
    head: ClassVar = (*OrderImporter.head, "supplier", "supplier_reference")

    def own_columns(self) -> list[Column]:
        """Supplier, dates and numbers of the supplier."""
        names = ("供应商", "供应商编码", "供应商编号", "供应商代码")
        return [
            Column("supplier", _("supplier"), "record", required=True, model=Supplier, aliases=names),
            Column("received_date", _("received on"), "date", aliases=("收货日期", "入库日期")),
            Column("billed_date", _("billed on"), "date", aliases=("收票日期",)),
            Column("paid_date", _("paid on"), "date", aliases=("付款日期",)),
            Column("bill_number", _("supplier's invoice number"), length=80, aliases=("供应商发票号", "发票号")),
            Column("supplier_reference", _("supplier's reference"), length=80, aliases=("供应商单号",)),
        ]

    def new_order(self, row: Row, **head: Any) -> PurchaseOrder:
        """A draft that is not stored."""
        reference = row.get("supplier_reference", "")
        return PurchaseOrder(supplier=row.values["supplier"], supplier_reference=reference, **head)

    def save(self, order: PurchaseOrder, lines: Sequence[LineInput], by: Any) -> PurchaseOrder:
        """Store the draft."""
        return services.save_order(order, lines, by=by)

    def confirm(self, order: PurchaseOrder, by: Any, number: str) -> PurchaseOrder:
        """Issue the order."""
        return services.confirm_order(order, by=by, number=number)

    def move(self, order: PurchaseOrder, quantities: Mapping[int, Decimal], by: Any, date: dt.date) -> Any:
        """Receive."""
        return services.receive_order(order, quantities, by=by, date=date)

    def bill(self, order: PurchaseOrder, quantities: Mapping[int, Decimal], by: Any, date: dt.date, row: Row) -> Bill:
        """Enter the supplier's bill."""
        number = row.get("bill_number", "")
        return services.bill_order(order, quantities, by=by, date=date, supplier_number=number)

    def payment(self, bill: Bill, **columns: Any) -> Payment:
        """What the supplier was paid."""
        return Payment(direction=Direction.PAY, supplier=bill.supplier, **columns)

    def give_up(self, order: PurchaseOrder, by: Any) -> None:
        """Purchase orders hold nothing."""

    @cached_property
    def out(self) -> OrderRows:
        """How orders are written."""
        found = Models(PurchaseOrder, GoodsReceiptLine, "receipt", BillLine, "bill", Bill)
        return OrderRows(self.columns(), self.chain, found)


ORDERS = PurchaseOrderImporter()
importing.register(ORDERS)
exporting.register(ORDERS.kind, lambda filters, user: ORDERS.out.exporter(filters, user))
