"""Back office of the library, to be read: folders and documents as far as the reader's rights in them go."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin
from oa.documents.models import Folder, LibraryDocument, ReadingReceipt


@admin.register(Folder)
class FolderAdmin(ReadOnlyAdmin):
    """Folders."""

    list_display = ["name", "parent", "space", "owner", "department"]
    list_filter = ["space"]
    list_select_related = ["parent", "owner", "department"]
    search_fields = ["name"]


@admin.register(LibraryDocument)
class LibraryDocumentAdmin(ReadOnlyAdmin):
    """Documents."""

    list_display = ["title", "folder", "owner", "state"]
    list_filter = ["state"]
    list_select_related = ["folder", "owner"]
    search_fields = ["title"]


@admin.register(ReadingReceipt)
class ReadingReceiptAdmin(ReadOnlyAdmin):
    """Readers."""

    list_display = ["record", "user", "edition", "delivered_at", "first_read_at", "confirmed_at", "superseded_at"]
    list_select_related = ["record", "user"]
    search_fields = ["record__title", "user__username"]
    date_hierarchy = "delivered_at"
