"""Back office of contracts."""

from __future__ import annotations

from django.contrib import admin

from crm.contracts.models import Contract
from oa.records.admin import DocumentAdmin


@admin.register(Contract)
class ContractAdmin(DocumentAdmin):
    """Contracts."""

    list_display = ["number", "date", "title", "customer", "type", "state", "amount", "currency_code", "owner"]
    list_filter = ["state", "type"]
    list_select_related = ["customer", "owner"]
    search_fields = ["=number", "title", "customer__name", "customer__code"]
