"""Back office of official documents: read only, everything is done on their pages."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin, RecordAdmin
from oa.official.models import DocumentClass, OfficialNumber, OutgoingDocument, Seal, UnitWord


@admin.register(OutgoingDocument)
class OutgoingDocumentAdmin(ReadOnlyAdmin):
    """Outgoing documents."""

    list_display = ["number", "title", "state", "secrecy", "urgency", "owner", "signed_at"]
    list_filter = ["state", "secrecy"]
    list_select_related = ["owner"]
    search_fields = ["number", "title"]
    date_hierarchy = "signed_at"


@admin.register(OfficialNumber)
class OfficialNumberAdmin(ReadOnlyAdmin):
    """The register of numbers."""

    list_display = ["text", "year", "running", "state", "document", "reason"]
    list_filter = ["state", "year"]
    list_select_related = ["document"]
    search_fields = ["text"]


@admin.register(DocumentClass)
class DocumentClassAdmin(RecordAdmin):
    """Classes."""

    list_display = ["code", "name", "name_zh", "active"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(UnitWord)
class UnitWordAdmin(RecordAdmin):
    """Unit words."""

    list_display = ["word", "name", "active"]
    search_fields = ["word", "name"]


@admin.register(Seal)
class SealAdmin(RecordAdmin):
    """Seals."""

    list_display = ["code", "name", "kind", "keeper", "place", "active"]
    list_filter = ["kind", "active"]
    search_fields = ["code", "name", "name_zh"]
    autocomplete_fields = ["keeper"]
