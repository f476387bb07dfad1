"""Back office of sales."""

from __future__ import annotations

from django.contrib import admin

from erp.sales.models import (
    CustomerPrice,
    CustomerTerms,
    Delivery,
    DeliveryLine,
    Invoice,
    InvoiceLine,
    SalesOrder,
    SalesOrderLine,
)
from kit.pages.admin import ReadOnlyInline, RecordAdmin
from oa.records.admin import DocumentAdmin

PARTY = ["=number", "customer__name", "customer__code"]


@admin.register(CustomerTerms)
class CustomerTermsAdmin(RecordAdmin):
    """Credit, payment and tax terms."""

    list_display = ["customer", "credit_limit", "credit_action", "payment_terms", "currency", "tax_code", "blocked"]
    list_filter = ["credit_action", "blocked", "payment_terms"]
    list_select_related = ["customer", "payment_terms", "currency", "tax_code"]
    search_fields = ["customer__name", "customer__code"]


@admin.register(CustomerPrice)
class CustomerPriceAdmin(RecordAdmin):
    """Prices for single customers."""

    list_display = ["customer", "product", "currency", "minimum", "price", "valid_from", "valid_to"]
    list_filter = ["currency"]
    list_select_related = ["customer", "product", "currency"]
    search_fields = ["customer__name", "customer__code", "product__code", "product__name"]


class SalesOrderLineInline(ReadOnlyInline):
    """Ordered products."""

    model = SalesOrderLine


@admin.register(SalesOrder)
class SalesOrderAdmin(DocumentAdmin):
    """Sales orders."""

    list_display = [
        "number",
        "date",
        "customer",
        "state",
        "hold",
        "total",
        "currency",
        "goods_status",
        "billing_status",
    ]
    list_filter = ["state", "hold", "goods_status", "billing_status", "warehouse"]
    list_select_related = ["customer", "currency"]
    search_fields = [*PARTY, "customer_reference"]
    inlines = [SalesOrderLineInline]


class DeliveryLineInline(ReadOnlyInline):
    """Delivered products."""

    model = DeliveryLine


@admin.register(Delivery)
class DeliveryAdmin(DocumentAdmin):
    """Delivery notes."""

    list_display = ["number", "date", "customer", "warehouse", "state", "carrier", "tracking"]
    list_filter = ["state", "warehouse"]
    list_select_related = ["customer", "warehouse"]
    search_fields = [*PARTY, "tracking"]
    inlines = [DeliveryLineInline]


class InvoiceLineInline(ReadOnlyInline):
    """Invoiced products."""

    model = InvoiceLine


@admin.register(Invoice)
class InvoiceAdmin(DocumentAdmin):
    """Sales invoices."""

    list_display = ["number", "date", "customer", "state", "total", "currency", "open_amount", "due_date"]
    list_filter = ["state", "currency"]
    list_select_related = ["customer", "currency"]
    search_fields = [*PARTY, "billing_name"]
    inlines = [InvoiceLineInline]
