"""Back office of announcements: read only, everything is done on their pages."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin, RecordAdmin
from oa.announcements.models import Announcement, AnnouncementCategory, AnnouncementEdition, AnnouncementReceipt


@admin.register(AnnouncementCategory)
class AnnouncementCategoryAdmin(RecordAdmin):
    """Categories."""

    list_display = ["code", "name", "name_zh", "needs_approval", "active"]
    list_filter = ["needs_approval", "active"]
    search_fields = ["code", "name", "name_zh"]
    autocomplete_fields = ["managers"]


@admin.register(Announcement)
class AnnouncementAdmin(ReadOnlyAdmin):
    """Announcements."""

    list_display = ["title", "category", "state", "owner", "published_at", "recipients", "edition"]
    list_filter = ["state", "category"]
    list_select_related = ["category", "owner"]
    search_fields = ["title"]
    date_hierarchy = "published_at"


@admin.register(AnnouncementEdition)
class AnnouncementEditionAdmin(ReadOnlyAdmin):
    """Versions."""

    list_display = ["announcement", "number", "title", "major", "by", "at"]
    list_select_related = ["announcement", "by"]
    search_fields = ["title"]
    date_hierarchy = "at"


@admin.register(AnnouncementReceipt)
class AnnouncementReceiptAdmin(ReadOnlyAdmin):
    """Readers."""

    list_display = ["record", "user", "edition", "delivered_at", "first_read_at", "confirmed_at", "superseded_at"]
    list_select_related = ["record", "user"]
    search_fields = ["record__title", "user__username"]
    date_hierarchy = "delivered_at"
