"""Pages of purchasing."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from erp.finance.currencies import base_currency
from erp.inventory.models import Warehouse
from erp.purchasing import services
from erp.purchasing.forms import supplier_head
from erp.purchasing.grids import BillGrid, PurchaseOrderGrid, ReceiptGrid
from erp.purchasing.matching import most_to_bill
from erp.purchasing.models import Bill, GoodsReceipt, PurchaseOrder
from erp.purchasing.services.orders import AMENDABLE
from erp.trade.heads import RECOMPUTE
from erp.trade.movement_grids import exceeds_order, excess_command
from erp.trade.progress import to_bill, to_move
from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.resources import Resource, register
from kit.values.money import ZERO


def _open(order: PurchaseOrder, rule: Callable[[Any], Decimal]) -> bool:
    return any(rule(line) > 0 for line in order.lines.all())


def _above_order(bill: Bill) -> bool:
    """Whether a line of `bill` is more than is ordered, in quantity (services) or in money."""
    exponent = bill.currency.exponent
    lines: Any = bill.lines.filter(order_line__isnull=False).select_related("order_line")
    return any(
        line.net > most_to_bill(line.order_line, line.quantity, ZERO, exponent)
        or (line.receipt_line_id is None and line.quantity > to_move(line.order_line))
        for line in lines
    )


@register
class PurchaseOrderResource(Resource):
    model = PurchaseOrder
    path = "purchasing/orders"
    group = "purchasing"
    order = 10
    create_key = "b"
    icon = "truck"
    columns = (
        "number",
        Column("supplier", phone="cust"),
        "date",
        "required_date",
        "owner",
        "state",
        Column("goods_percent", _("Received"), "progress"),
        Column("billed_percent", _("Billed"), "progress"),
        Column("paid_percent", _("Paid"), "progress"),
        Column("base_total", _("Total incl. tax"), total=True, phone="amt"),
    )
    filters = ("state", "supplier", "owner", "department", "date", "required_date", "goods_status", "billing_status")
    labels: ClassVar = {"goods_status": _("receipt status"), "billing_status": _("billing status")}
    search_fields = ("supplier__search",)
    ordering = ("-date", "-id")
    fields = (
        "supplier",
        "supplier_reference",
        "date",
        "required_date",
        "payment_terms",
        "warehouse",
        "currency",
        "rate",
        "prices_include_tax",
        "discount",
        "discount_amount",
        "owner",
        "note",
    )
    more = ("rate", "prices_include_tax", "discount", "discount_amount", "owner")
    recompute = ("supplier", *RECOMPUTE)
    extra_fields = ("closing_reason", "revision")
    related = ("supplier", "currency", "payment_terms", "warehouse", "owner")
    importable = False
    not_copied = ("date", "required_date", "supplier_reference", "rate")
    lines = PurchaseOrderGrid()
    run = {
        "confirm": services.confirm_order,
        "close": services.close_order,
        "reopen": services.reopen_order,
        "cancel": services.cancel_order,
    }
    commands = (
        Command(
            "receive",
            _("Create receipt"),
            services.draft_receipt,
            "erp.add_goodsreceipt",
            icon="package-check",
            primary=True,
            when=lambda o: o.state == "confirmed" and _open(o, to_move),
            goto="edit",
        ),
        Command(
            "bill",
            _("Create bill"),
            services.draft_bill,
            "erp.add_bill",
            icon="receipt",
            primary=True,
            when=lambda o: o.state in ("confirmed", "closed") and _open(o, to_bill),
            goto="edit",
        ),
    )

    def editable(self, obj: Any, user: Any) -> bool:
        return obj.state in ("draft", "confirmed") and self.may(user, "change")

    def initial(self, request: Any) -> dict[str, Any]:
        first = Warehouse.objects.filter(active=True).order_by("pk").first()
        return {"warehouse": first, "currency": base_currency(), **super().initial(request)}

    def fill(self, document: Any, name: str, user: Any) -> dict[str, Any]:
        return supplier_head(document, name)

    def fixed(self, obj: Any) -> list[str]:
        kept = {name.removesuffix("_id") for name in AMENDABLE}
        return [name for name in self.fields if name not in kept] if obj.state != "draft" else []


@register
class GoodsReceiptResource(Resource):
    model = GoodsReceipt
    path = "purchasing/receipts"
    group = "purchasing"
    order = 20
    icon = "package-check"
    columns = ("number", Column("supplier", phone="cust"), "date", "warehouse", "state", "supplier_note", "owner")
    filters = ("state", "supplier", "warehouse", "date")
    search_fields = ("supplier__search",)
    ordering = ("-date", "-id")
    fields = ("date", "supplier_note", "note")
    extra_fields = ("supplier", "warehouse", "owner", "reversal_of", "posted_at", "posted_by", "excess_allowed_by")
    related = ("supplier", "warehouse", "owner", "posted_by", "reversal_of", "excess_allowed_by")
    importable = False
    can_create = False
    lines = ReceiptGrid()
    run = {"post": services.post_receipt, "reverse": services.reverse_receipt}
    commands = (
        Command(
            "add-open",
            _("Add other orders"),
            services.add_open,
            "erp.change_goodsreceipt",
            icon="package-check",
            when=lambda receipt: receipt.state == "draft",
            goto="edit",
        ),
        excess_command(exceeds_order),
    )


@register
class BillResource(Resource):
    model = Bill
    path = "purchasing/bills"
    group = "purchasing"
    order = 30
    icon = "receipt"
    columns = (
        "number",
        Column("supplier", phone="cust"),
        "supplier_number",
        "date",
        "due_date",
        "state",
        Column("base_total", _("Total incl. tax"), total=True, phone="amt"),
        Column("open_amount", pgettext_lazy("amount", "Open")),
    )
    filters = ("state", "supplier", "date", "due_date")
    search_fields = ("supplier__search",)
    ordering = ("-date", "-id")
    fields = (
        "supplier",
        "supplier_number",
        "date",
        "payment_terms",
        "currency",
        "rate",
        "prices_include_tax",
        "discount",
        "discount_amount",
        "note",
    )
    more = ("rate", "prices_include_tax", "discount", "discount_amount")
    recompute = ("supplier", *(name for name in RECOMPUTE if name != "warehouse"))
    extra_fields = ("due_date", "owner", "reversal_of", "posted_at", "posted_by", "excess_allowed_by")
    related = ("supplier", "currency", "payment_terms", "owner", "posted_by", "reversal_of", "excess_allowed_by")
    importable = False
    not_copied = ("date", "rate", "supplier_number")
    lines = BillGrid()
    run = {"post": services.post_bill, "reverse": services.reverse_bill}
    commands = (
        Command(
            "add-received",
            _("Add other receipts"),
            services.add_received,
            "erp.change_bill",
            icon="package-check",
            when=lambda bill: bill.state == "draft",
            goto="edit",
        ),
        excess_command(_above_order),
    )

    def initial(self, request: Any) -> dict[str, Any]:
        return {"currency": base_currency(), **super().initial(request)}

    def fill(self, document: Any, name: str, user: Any) -> dict[str, Any]:
        return supplier_head(document, name)
