"""Back office of scheduled reports and outgoing mail."""

from __future__ import annotations

from html import unescape

from django.contrib import admin
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from kit.pages.admin import ReadOnlyAdmin, ReadOnlyInline
from oa.reporting.models import OutboxMail, ReportSchedule, ReportSubscription


class SubscriptionInline(ReadOnlyInline):
    """Who gets the report."""

    model = ReportSubscription


@admin.register(ReportSchedule)
class ReportScheduleAdmin(ReadOnlyAdmin):
    """Report schedules; their page keeps the timer in step, so they are changed there."""

    list_display = ["title", "report", "frequency", "at", "active", "owner"]
    list_filter = ["active", "frequency", "report"]
    list_select_related = ["owner"]
    search_fields = ["title", "report"]
    inlines = [SubscriptionInline]


@admin.register(OutboxMail)
class OutboxMailAdmin(ReadOnlyAdmin):
    """Mails to send and sent, readable as text."""

    list_display = ["subject", "to", "state", "attempts", "created_at", "sent_at"]
    list_filter = ["state"]
    search_fields = ["subject", "to", "message_id"]
    date_hierarchy = "created_at"
    readonly_fields = ["html_as_text"]
    exclude = ["html"]

    @admin.display(description=_("HTML as text"))
    def html_as_text(self, mail: OutboxMail) -> SafeString:
        """The HTML part without markup; what is left is escaped, so nothing in it can run."""
        lines = (line.strip() for line in unescape(strip_tags(mail.html)).splitlines())
        return format_html("<pre>{}</pre>", "\n".join(line for line in lines if line))
