"""Back office of scheduled reports and outgoing mail."""

from __future__ import annotations

from html import unescape
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, strip_tags
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from kit.pages.admin import ReadOnlyAdmin, RecordAdmin
from oa.reporting.forms import BackOfficeScheduleForm
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule, ReportSubscription
from oa.reporting.services import save_schedule


class SubscriptionInline(admin.TabularInline):
    """Who gets the report."""

    model = ReportSubscription
    extra = 0
    autocomplete_fields = ["user"]


@admin.register(ReportSchedule)
class ReportScheduleAdmin(RecordAdmin):
    """Report schedules; saving one brings its timer in step."""

    form = BackOfficeScheduleForm
    list_display = ["title", "report", "frequency", "at", "active", "owner"]
    list_filter = ["active", "frequency"]
    list_select_related = ["owner"]
    search_fields = ["title", "report"]
    inlines = [SubscriptionInline]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the service, like the page."""
        if change:
            obj.version += 1
        else:
            obj.owner = request.user
        save_schedule(obj, by=None)


@admin.register(ReportRun)
class ReportRunAdmin(ReadOnlyAdmin):
    """What came of each run, and who got nothing."""

    list_display = ["schedule", "starts_on", "ends_on", "created_at", "finished_at", "mails"]
    list_select_related = ["schedule"]
    search_fields = ["schedule__title", "log"]
    date_hierarchy = "created_at"


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
