"""Back office of purchasing."""

from __future__ import annotations

from django.contrib import admin

from erp.purchasing.models import (
    Bill,
    BillLine,
    GoodsReceipt,
    GoodsReceiptLine,
    PurchaseOrder,
    PurchaseOrderLine,
)
from kit.pages.admin import ReadOnlyInline
from oa.records.admin import DocumentAdmin

PARTY = ["=number", "supplier__name", "supplier__code"]


class PurchaseOrderLineInline(ReadOnlyInline):
    """Ordered products."""

    model = PurchaseOrderLine


@admin.register(PurchaseOrder)
class PurchaseOrderAdmin(DocumentAdmin):
    """Purchase orders."""

    list_display = ["number", "date", "supplier", "state", "total", "currency", "goods_status", "billing_status"]
    list_filter = ["state", "goods_status", "billing_status", "warehouse"]
    list_select_related = ["supplier", "currency"]
    search_fields = [*PARTY, "supplier_reference"]
    inlines = [PurchaseOrderLineInline]


class GoodsReceiptLineInline(ReadOnlyInline):
    """Received products."""

    model = GoodsReceiptLine


@admin.register(GoodsReceipt)
class GoodsReceiptAdmin(DocumentAdmin):
    """Goods receipts."""

    list_display = ["number", "date", "supplier", "warehouse", "state", "supplier_note", "value"]
    list_filter = ["state", "warehouse"]
    list_select_related = ["supplier", "warehouse"]
    search_fields = [*PARTY, "supplier_note"]
    inlines = [GoodsReceiptLineInline]


class BillLineInline(ReadOnlyInline):
    """Billed products and cost."""

    model = BillLine


@admin.register(Bill)
class BillAdmin(DocumentAdmin):
    """Supplier bills."""

    list_display = ["number", "date", "supplier", "supplier_number", "state", "total", "currency", "open_amount"]
    list_filter = ["state", "currency"]
    list_select_related = ["supplier", "currency"]
    search_fields = [*PARTY, "supplier_number"]
    inlines = [BillLineInline]
