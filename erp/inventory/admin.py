"""Back office of products, warehouses and stock."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest

from erp.inventory.ledger import allow_negative
from erp.inventory.models import (
    Product,
    ProductGroup,
    ProductUnit,
    StockAdjustment,
    StockAdjustmentLine,
    StockLevel,
    StockMove,
    Unit,
    Warehouse,
)
from kit.pages.admin import ReadOnlyAdmin, ReadOnlyInline, RecordAdmin
from oa.records.admin import DocumentAdmin


@admin.register(Unit)
class UnitAdmin(RecordAdmin):
    """Units of measure."""

    list_display = ["code", "name", "name_zh", "decimals", "active"]
    list_filter = ["active"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(ProductGroup)
class ProductGroupAdmin(RecordAdmin):
    """Product groups."""

    list_display = ["code", "name", "name_zh", "parent", "posting_group", "active"]
    list_filter = ["active", "posting_group"]
    list_select_related = ["parent", "posting_group"]
    search_fields = ["code", "name", "name_zh"]


class ProductUnitInline(admin.TabularInline):
    """Further units of a product."""

    model = ProductUnit
    extra = 0
    autocomplete_fields = ["unit"]


@admin.register(Product)
class ProductAdmin(RecordAdmin):
    """Products."""

    list_display = ["code", "name", "kind", "group", "unit", "price", "cost", "tax_code", "supplier", "active"]
    list_filter = ["active", "kind", "group", "tax_code"]
    list_select_related = ["group", "unit", "tax_code", "supplier"]
    search_fields = ["code", "name", "name_en", "barcode", "pinyin"]
    date_hierarchy = "created_at"
    inlines = [ProductUnitInline]


@admin.register(Warehouse)
class WarehouseAdmin(RecordAdmin):
    """Warehouses."""

    list_display = ["code", "name", "name_zh", "address", "allow_negative", "active"]
    list_filter = ["active", "allow_negative"]
    search_fields = ["code", "name", "name_zh"]

    @transaction.atomic
    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Stock levels carry the warehouse's setting (rule V-20)."""
        super().save_model(request, obj, form, change)
        if "allow_negative" in form.changed_data:
            allow_negative(obj)


@admin.register(StockLevel)
class StockLevelAdmin(ReadOnlyAdmin):
    """Stock on hand."""

    list_display = ["product", "warehouse", "on_hand", "reserved", "value"]
    list_filter = ["warehouse"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["product__code", "product__name"]


@admin.register(StockMove)
class StockMoveAdmin(ReadOnlyAdmin):
    """The stock ledger."""

    list_display = [
        "number",
        "date",
        "product",
        "warehouse",
        "kind",
        "quantity",
        "value",
        "quantity_after",
        "value_after",
    ]
    list_filter = ["kind", "warehouse"]
    list_select_related = ["product", "warehouse"]
    search_fields = ["=number", "product__code"]
    date_hierarchy = "date"
    ordering = ["-id"]


class StockAdjustmentLineInline(ReadOnlyInline):
    """Lines of the adjustment."""

    model = StockAdjustmentLine


@admin.register(StockAdjustment)
class StockAdjustmentAdmin(DocumentAdmin):
    """Stock adjustments."""

    list_display = ["number", "date", "warehouse", "reason", "state", "value", "owner"]
    list_filter = ["state", "reason", "warehouse"]
    list_select_related = ["warehouse", "owner"]
    inlines = [StockAdjustmentLineInline]
