"""Back office of number sequences and of what records carry."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin, RecordAdmin
from oa.records.models import (
    Attachment,
    AuditEntry,
    Comment,
    Counter,
    IdempotencyKey,
    Job,
    Notification,
    NumberSequence,
    PersonSignature,
)


class DocumentAdmin(ReadOnlyAdmin):
    """A business document: drafts are edited in the pages, posted ones not at all (rule G-03)."""

    list_display = ["number", "date", "state", "owner", "department"]
    list_filter = ["state"]
    list_select_related = ["owner", "department"]
    search_fields = ["=number", "note"]
    date_hierarchy = "date"
    ordering = ["-date", "-id"]
    list_display_links = ["number", "date"]


@admin.register(NumberSequence)
class NumberSequenceAdmin(RecordAdmin):
    """How numbers look; the sequences themselves belong to the document types."""

    list_display = ["key", "prefix", "digits", "reset"]
    list_filter = ["reset"]
    search_fields = ["key", "prefix"]
    readonly_fields = ["key"]

    def has_add_permission(self, request: object) -> bool:
        return False

    def has_delete_permission(self, request: object, obj: object = None) -> bool:
        return False


@admin.register(Counter)
class CounterAdmin(ReadOnlyAdmin):
    """Last numbers given."""

    list_display = ["key", "last"]
    search_fields = ["key"]
    ordering = ["key"]


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Submitted forms and what came of them."""

    list_display = ["key", "user", "command", "effect", "effect_id", "created_at"]
    list_filter = ["command"]
    list_select_related = ["user"]
    search_fields = ["key", "effect_id"]
    date_hierarchy = "created_at"
    ordering = ["-created_at"]


@admin.register(Job)
class JobAdmin(ReadOnlyAdmin):
    """Long work."""

    list_display = ["title", "kind", "owner", "state", "done", "total", "attempts", "created_at", "finished_at"]
    list_filter = ["state", "kind"]
    list_select_related = ["owner"]
    search_fields = ["title", "key"]
    date_hierarchy = "created_at"


@admin.register(Attachment)
class AttachmentAdmin(ReadOnlyAdmin):
    """Files of records."""

    list_display = ["name", "size", "content_type", "object_id", "owner", "created_at"]
    list_filter = ["content_type"]
    list_select_related = ["content_type", "owner"]
    search_fields = ["name", "sha256"]
    date_hierarchy = "created_at"
    exclude = ["file"]  # files are sent by the page that checks the record's visibility


@admin.register(Comment)
class CommentAdmin(ReadOnlyAdmin):
    """Notes on records."""

    list_display = ["__str__", "content_type", "object_id", "owner", "created_at"]
    list_filter = ["content_type"]
    list_select_related = ["content_type", "owner"]
    search_fields = ["text"]
    date_hierarchy = "created_at"


@admin.register(Notification)
class NotificationAdmin(ReadOnlyAdmin):
    """Messages to people."""

    list_display = ["text", "user", "read_at", "created_at"]
    list_select_related = ["user"]
    search_fields = ["text", "user__username"]
    date_hierarchy = "created_at"


@admin.register(PersonSignature)
class PersonSignatureAdmin(ReadOnlyAdmin):
    """Whose signatures there were, and when."""

    list_display = ["user", "made_at", "given_up_at"]
    list_select_related = ["user"]
    search_fields = ["user__username"]
    date_hierarchy = "made_at"
    exclude = ["file"]  # the picture is shown beside what was signed


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """What people printed and exported."""

    list_display = ["at", "user", "action", "what", "ip"]
    list_filter = ["action"]
    list_select_related = ["user"]
    search_fields = ["what"]
    date_hierarchy = "at"
    ordering = ["-at", "-id"]
