"""Back office of official documents: read only, everything is done on their pages."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from kit.pages.admin import ReadOnlyAdmin, RecordAdmin, visible
from oa.official.models import (
    Clearance,
    DocumentClass,
    IncomingDocument,
    OfficialNumber,
    OfficialOpinion,
    OfficialTurn,
    OutgoingDocument,
    OutgoingReceipt,
    Seal,
    SealRequest,
    UnitWord,
    UrgencyTerm,
)


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


@admin.register(IncomingDocument)
class IncomingDocumentAdmin(ReadOnlyAdmin):
    """Incoming documents."""

    list_display = ["number", "title", "sender", "received_on", "state", "secrecy", "urgency"]
    list_filter = ["state", "secrecy"]
    search_fields = ["number", "title", "sender"]
    date_hierarchy = "received_on"


@admin.register(SealRequest)
class SealRequestAdmin(ReadOnlyAdmin):
    """Uses of seals."""

    list_display = ["title", "seal", "owner", "date", "copies", "lend", "state"]
    list_filter = ["state", "seal"]
    list_select_related = ["seal", "owner"]
    search_fields = ["title", "counterpart"]


@admin.register(Clearance)
class ClearanceAdmin(ReadOnlyAdmin):
    """Who may see what; given on its page, by somebody else."""

    list_display = ["user", "level", "given_by"]
    list_select_related = ["user", "given_by"]


@admin.register(UrgencyTerm)
class UrgencyTermAdmin(ReadOnlyAdmin):
    """Deadlines by urgency."""

    list_display = ["urgency", "days"]


class _Step(ReadOnlyAdmin):
    """A row of the course of one document, outgoing or incoming: as visible as the document."""

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Rows of documents that the person may see."""
        outgoing, incoming = (model._default_manager.all() for model in (OutgoingDocument, IncomingDocument))
        seen = Q(outgoing__in=visible(outgoing, request.user)) | Q(incoming__in=visible(incoming, request.user))
        return super().get_queryset(request).filter(seen)


@admin.register(OfficialTurn)
class OfficialTurnAdmin(_Step):
    """Whose turn it is and was."""

    list_display = ["outgoing", "incoming", "verb", "user", "department", "opened_at", "done_at"]
    list_filter = ["verb"]
    list_select_related = ["outgoing", "incoming", "user", "department"]


@admin.register(OfficialOpinion)
class OfficialOpinionAdmin(_Step):
    """What people said."""

    list_display = ["outgoing", "incoming", "verb", "by", "at"]
    list_filter = ["verb"]
    list_select_related = ["outgoing", "incoming", "by"]


@admin.register(OutgoingReceipt)
class OutgoingReceiptAdmin(ReadOnlyAdmin):
    """Who received what, of documents that the person may see."""

    list_display = ["record", "user", "copy", "delivered_at", "first_read_at", "confirmed_at"]
    list_filter = ["copy"]
    list_select_related = ["record", "user"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """Receipts of visible documents."""
        return super().get_queryset(request).filter(record__in=visible(OutgoingDocument.objects.all(), request.user))
