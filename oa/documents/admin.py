"""Back office of the library, to be read: folders and documents as far as the reader's rights in them go."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin
from oa.documents.models import Folder, LibraryDocument


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
