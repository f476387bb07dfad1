"""Pages of the document library that the kit makes: documents, and folders for pickers and forms."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.resources import Resource, register
from oa.documents import services
from oa.documents.models import Folder, LibraryDocument, ReadingReceipt
from oa.documents.models.rights import EDIT, MANAGE, rights_in
from oa.documents.search import found

CHANGE = "oa.change_librarydocument"
UNDONE = models.Q(first_read_at=None) | models.Q(record__must_confirm=True, confirmed_at=None)
tree.group("docs", _("Documents and news"), "folder-open", 84, _("Office"))
for _link in (
    Link(_("Folders"), "docs", 10, "oa.view_librarydocument"),
    Link(_("My documents"), "docs-mine", 20, "oa.view_librarydocument"),
    Link(pgettext_lazy("documents", "Recent"), "docs-recent", 30, "oa.view_librarydocument"),
    Link(_("Recycle bin"), "docs-bin", 90, "oa.view_librarydocument"),
):
    tree.add("docs", _link)


@register
class FolderResource(Resource):
    """Folders. The one above is shown nowhere by name: who sees a folder may not see that one."""

    model = Folder
    path = "docs/folders"
    key = "pk"
    icon = "folder"
    columns = (Column("name", phone="cust"), "space", "needs_review")
    filters = ("space",)
    search_fields = ("name",)
    fields = ("name", "needs_review")
    pick_columns = ("space",)
    can_create = importable = False
    save = staticmethod(services.save_folder)

    def editable(self, obj: Any, user: Any) -> bool:
        """Whoever manages a folder changes it."""
        return super().editable(obj, user) and bool(rights_in(user, [obj.pk]).get(obj.pk, 0) & MANAGE)

    def deletable(self, obj: Any, user: Any) -> bool:
        """Folders go into the bin instead."""
        return False


def _open(document: LibraryDocument) -> bool:
    return document.state in ("draft", "published")


def _bin(document: LibraryDocument, *, by: Any) -> Folder:
    """Into the bin; what is left to look at is the folder."""
    return services.bin_document(document, by=by).folder


@register
class LibraryDocumentResource(Resource):
    """Documents of all folders."""

    model = LibraryDocument
    path = "docs/files"
    label = _("document")
    label_plural = _("documents")
    group = "docs"
    order = 40
    icon = "file-text"
    columns = (
        Column("title", css="ell"),
        "folder",
        Column("current__number", _("Version"), "number"),
        "state",
        "owner",
        Column("updated_at", phone="amt"),
        "checked_out_by",
    )
    filters = ("state", "folder", "owner", "review_on", "retain_until", "required_reading")
    ordering = ("-updated_at", "-id")
    sections = (
        (pgettext_lazy("library", "Document"), ("title", "folder", "owner", "date")),
        (_("Care"), ("review_on", "retain_until", "note")),
    )
    quiet: ClassVar = {"required_reading": False}
    views: ClassVar = {"kept": (_("Kept long enough"), models.Q(retain_until__lt=models.functions.Now()))}
    related = ("folder", "owner", "current__author", "published", "checked_out_by", "superseded_by")
    can_create = importable = False
    save = staticmethod(services.save_details)
    run: ClassVar = {
        "submit": services.submit_document,
        "publish": services.publish_document,
        "return": services.return_document,
        "obsolete": services.declare_obsolete,
        "archive": services.archive_document,
    }
    commands = (
        Command(
            "check_out", _("Check out"), services.check_out, CHANGE,
            when=lambda d: d.checked_out_by_id is None and _open(d), icon="lock",
        ),
        Command(
            "cancel_check_out", pgettext_lazy("library", "Give back"), services.cancel_check_out, CHANGE,
            when=lambda d: d.checked_out_by_id is not None, icon="lock-open",
        ),
        Command(
            "break_lock", _("End check-out"), services.break_lock, CHANGE,
            when=lambda d: d.checked_out_by_id is not None, icon="lock-open", danger=True, menu=True,
            fields=("reason",),
        ),
        Command(
            "remind_readers", _("Remind who has not read"), services.remind_readers, CHANGE,
            when=lambda d: d.required_reading and d.reading_since is not None, icon="bell",
        ),
        Command(
            "end_reading", _("End required reading"), services.end_reading, CHANGE,
            when=lambda d: d.required_reading, icon="book-x", menu=True,
        ),
        Command(
            "bin", _("Move to recycle bin"), _bin, CHANGE,
            when=lambda d: d.checked_out_by_id is None, icon="trash-2", danger=True, menu=True, goto="result",
        ),
    )  # fmt: skip

    def search(self, rows: models.QuerySet[Any], text: str) -> models.QuerySet[Any]:
        """Documents with the words in their name or in what they say."""
        return found(rows, text)

    def editable(self, obj: Any, user: Any) -> bool:
        """Whoever edits in the folder changes what stands about a document."""
        open_ = obj.state not in ("archived", "approving") and super().editable(obj, user)
        return open_ and bool(rights_on(obj, user) & EDIT)

    def deletable(self, obj: Any, user: Any) -> bool:
        """Documents go into the bin instead."""
        return False

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """What the state allows and the person's rights in the folder, too."""
        found = super().commands_for(obj, user)
        rights = rights_on(obj, user) if found else 0
        found = [command for command in found if _allowed(command.name, obj, user, rights)]
        if any(command.name in ("publish", "submit") for command in found) and services.by_flow(obj, user):
            found = [command for command in found if command.name not in ("publish", "submit")]
        return found

    def subtitle(self, obj: Any) -> list[Any]:
        """The newest version, and the valid one where that is another."""
        tags = [f"v{obj.current.number}"] if obj.current else []
        if obj.published and obj.published_id != obj.current_id:
            tags.append(pgettext_lazy("document", "published: v%s") % obj.published.number)
        return tags


@register
class ReadingReceiptResource(Resource):
    """Who was asked to read which document, and who has."""

    model = ReadingReceipt
    path = "docs/readers"
    key = "pk"
    icon = "book-open-check"
    columns = (
        "user", Column("user__department", _("Department"), phone="more"), Column("record", phone="cust"),
        "delivered_at", Column("first_read_at", phone="amt"), "last_read_at", "read_count", "device", "confirmed_at",
        "reminders", "edition",
    )  # fmt: skip
    filters = ("record", "user__department", "user", "first_read_at", "confirmed_at")
    labels: ClassVar = {"user__department": _("department")}
    search_fields = ("user__name", "user__username", "user__pinyin", "user__department__name")
    searched = False
    ordering = ("-record", "user__department__code", "user__username", "id")
    extra_fields = (
        "record", "user", "edition", "delivered_at", "first_read_at", "last_read_at", "read_count", "device",
        "confirmed_at", "reminders", "reminded_at", "superseded_at",
    )  # fmt: skip
    related = ("record", "user")
    views: ClassVar = {
        "current": (_("present version"), models.Q(superseded_at=None)),
        "open": (_("not done"), models.Q(superseded_at=None) & UNDONE),
        "done": (_("done"), models.Q(superseded_at=None) & ~UNDONE),
    }
    can_create = can_edit = importable = False

    def heading(self, obj: Any) -> str:
        return str(obj.user)


def rights_on(document: LibraryDocument, user: Any) -> int:
    """What `user` may do with a document; asked for once while one page is made."""
    known: dict[int, int] = document.__dict__.setdefault("_rights", {})
    if user.pk not in known:
        known[user.pk] = services.rights_of(user, document.folder_id)
    return known[user.pk]


_NEEDED = {"obsolete": MANAGE, "archive": MANAGE, "break_lock": MANAGE, "remind_readers": MANAGE, "end_reading": MANAGE}


def _allowed(name: str, document: LibraryDocument, user: Any, rights: int) -> bool:
    """Whether a command makes sense for this person; the command itself asks again."""
    if name == "cancel_check_out" and document.checked_out_by_id != user.pk:
        return False
    if name == "break_lock" and document.checked_out_by_id == user.pk:
        return False
    if name == "return" and document.submitted_by_id == user.pk:
        return bool(rights & EDIT)
    if name == "publish" and document.folder.needs_review:
        author = document.current.author_id if document.current else None
        if document.state != "review" or user.pk in (author, document.submitted_by_id):
            return False
        return bool(rights & MANAGE)
    if name == "submit" and not document.folder.needs_review:
        return False
    if name == "return":
        return bool(rights & MANAGE)
    return bool(rights & _NEEDED.get(name, EDIT))
