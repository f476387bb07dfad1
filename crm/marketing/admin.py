"""Back office of marketing plans."""

from __future__ import annotations

from django.contrib import admin

from crm.marketing.models import MarketingPlan
from oa.records.admin import DocumentAdmin


@admin.register(MarketingPlan)
class MarketingPlanAdmin(DocumentAdmin):
    """Marketing plans; their customers are shown on their page, there may be thousands."""

    list_display = ["number", "date", "title", "channel", "state", "budget", "cost", "owner"]
    list_filter = ["state", "channel"]
    list_select_related = ["owner"]
    search_fields = ["=number", "title"]
    exclude = ["customers"]
