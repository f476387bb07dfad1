"""Back office of follow-ups."""

from __future__ import annotations

from django.contrib import admin

from crm.followups.models import FollowUp
from kit.pages.admin import ReadOnlyAdmin


@admin.register(FollowUp)
class FollowUpAdmin(ReadOnlyAdmin):
    """Follow-ups; their page keeps the customer's last and next contact in step."""

    list_display = ["happened_at", "customer", "contact", "channel", "owner", "next_on"]
    list_filter = ["channel"]
    list_select_related = ["customer", "contact", "owner"]
    search_fields = ["text", "customer__name", "customer__code"]
    date_hierarchy = "happened_at"
