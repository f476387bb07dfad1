"""Documents of the library with their versions."""

from __future__ import annotations

import uuid
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from kit.rules.states import State, StateTable, Transition
from oa.approvals.models.requests import decided_by_flow, running_for
from oa.documents.models.folders import Folder
from oa.documents.models.rights import VIEW, folders_with, folders_with_drafts
from oa.organisation.models import User
from oa.records.guards import no_truncate
from oa.records.models import Circulated, TitledDocument

KIND = "oa.librarydocument"  # what approval flows call them
LIVING = ("draft", "review", "approving", "published")  # states in which a published version is the valid one
LIBRARY_STATES = StateTable(
    states=(
        State("draft", _("draft"), "draft"),
        State("review", pgettext_lazy("document", "in review"), "viol"),
        State("approving", _("in approval"), "viol", step=False),
        State("published", pgettext_lazy("document", "published"), "ok"),
        State("superseded", pgettext_lazy("document", "superseded"), "mute", step=False),
        State("obsolete", pgettext_lazy("document", "obsolete"), "warn", step=False),
        State("archived", pgettext_lazy("document", "archived"), "mute"),
    ),
    transitions=(
        Transition("submit", ("draft",), "review", _("Submit for review"), icon="send"),
        Transition("publish", ("draft", "review"), "published", _("Publish"), primary=True, icon="badge-check"),
        Transition("return", ("review",), "draft", _("Send back"), fields=("reason",), icon="undo-2"),
        Transition("lock", ("draft",), "approving", _("Submit for approval"), internal=True),
        Transition("unlock", ("approving",), "draft", _("Return from approval"), internal=True),
        Transition("agree", ("approving",), "published", _("Publish"), internal=True),
        Transition("revise", ("published",), "draft", _("Revise"), internal=True),
        Transition("obsolete", ("published",), "obsolete", _("Declare obsolete"), fields=("reason",), icon="ban"),
        Transition("supersede", ("published",), "superseded", _("Supersede"), internal=True),
        Transition(
            "archive",
            ("superseded", "obsolete"),
            "archived",
            _("Archive"),
            confirm=_("Archive this document? It cannot be changed afterwards."),
            icon="archive",
        ),
    ),
)


def in_bin_only() -> list[pgtrigger.Trigger]:
    """What belongs to a document is never changed, and goes with a document from the bin only."""
    body = """
        IF EXISTS (SELECT 1 FROM oa_librarydocument d WHERE d.id = OLD.document_id AND d.deleted_at IS NULL) THEN
            RAISE EXCEPTION 'What belongs to a document is kept with it.' USING ERRCODE = '23001';
        END IF;
        RETURN OLD;
    """
    return [
        pgtrigger.ReadOnly(name="immutable"),
        pgtrigger.Trigger(name="kept", when=pgtrigger.Before, operation=pgtrigger.Delete, func=body),
        no_truncate(),
    ]


def _changed_in_approval() -> pgtrigger.Condition:
    """Name, place and version of what a flow decides about."""
    fixed = "(OLD.title, OLD.folder_id, OLD.current_id, OLD.required_reading, OLD.must_confirm, OLD.to_everyone)"
    changed = f"{fixed} IS DISTINCT FROM {fixed.replace('OLD', 'NEW')}"
    return pgtrigger.Condition(f"(OLD.state = 'approving' AND {changed})")


class LibraryQuerySet(VisibleQuerySet):
    """Documents are seen by whoever may look into their folder; in the bin they are gone.

    Where publishing needs a second person, readers see a document from its first publication on. Who is asked by an
    approval flow sees it as long as it is in approval.
    """

    def visible_to(self, user: Any) -> Self:
        """The documents `user` may see."""
        if user.data_scope(self.model) is None:
            return self.none()
        shown = Q(folder__in=folders_with_drafts(user)) | Q(
            folder__in=folders_with(user, VIEW), published__isnull=False
        )
        shown |= Q(state="approving", pk__in=running_for(user, KIND))
        return self.filter(shown, deleted_at=None)


@tracked("recipients", "reminded_at")
class LibraryDocument(Circulated, TitledDocument):
    """A document: what people call it, where it lies, and which of its versions is the valid one.

    Of required reading `edition` is the number of the version that is valid, `major_edition` that of the one that
    readers were asked to read last.
    """

    STATES = LIBRARY_STATES

    folder = models.ForeignKey(Folder, models.PROTECT, related_name="documents", verbose_name=_("folder"))
    state = TitledDocument.state_field(LIBRARY_STATES)
    current = models.ForeignKey(
        "oa.DocumentVersion",
        models.RESTRICT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("newest version"),
    )
    published = models.ForeignKey(
        "oa.DocumentVersion",
        models.RESTRICT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("published version"),
    )
    submitted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    superseded_by = models.ForeignKey(
        "self", models.SET_NULL, null=True, editable=False, related_name="+", verbose_name=_("superseded by")
    )
    required_reading = models.BooleanField(_("required reading"), default=False, editable=False)
    read_by = models.DateField(_("to be read by"), null=True, blank=True)
    reading_since = models.DateTimeField(_("to be read since"), null=True, editable=False)
    review_on = models.DateField(_("review by"), null=True, blank=True)
    review_told = models.DateField(null=True, editable=False)  # the review date that the owner was reminded of
    retain_until = models.DateField(
        _("keep until"), null=True, blank=True, help_text=_("Before this day nobody deletes it.")
    )
    retention_told = models.DateField(null=True, editable=False)
    checked_out_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("checked out by"),
    )
    checked_out_at = models.DateTimeField(_("checked out at"), null=True, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, editable=False)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+"
    )
    pinyin = PinyinField(sources=("title",))
    search = search_column("title", "pinyin")

    objects = LibraryQuerySet.as_manager()  # type: ignore[assignment]

    class Meta(TitledDocument.Meta):
        verbose_name = _("library document")
        verbose_name_plural = _("library documents")
        ordering = ["-updated_at", "-id"]
        indexes = [
            GinIndex(fields=["search"], name="librarydocument_search"),
            models.Index(fields=["folder", "-updated_at"], name="librarydocument_folder"),
            models.Index(fields=["-updated_at", "-id"], name="librarydocument_latest", condition=Q(deleted_at=None)),
            models.Index(fields=["review_on"], name="librarydocument_review", condition=Q(review_on__isnull=False)),
        ]
        constraints = [
            models.UniqueConstraint(
                "folder",
                Lower("title"),
                condition=Q(deleted_at=None),
                name="librarydocument_title",
                violation_error_message=_("There is a document of this name in this folder already."),
            ),
            models.CheckConstraint(
                condition=Q(checked_out_by=None, checked_out_at=None)
                | Q(checked_out_by__isnull=False, checked_out_at__isnull=False),
                name="librarydocument_lock",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["draft", "review", "approving"]) | Q(published__isnull=False),
                name="librarydocument_published",
            ),
            models.CheckConstraint(
                condition=Q(major_edition__gte=1, major_edition__lte=F("edition")), name="librarydocument_editions"
            ),
            models.CheckConstraint(
                condition=Q(reading_since=None, recipients=0) | Q(reading_since__isnull=False, published__isnull=False),
                name="librarydocument_reading",
            ),
        ]
        triggers = [
            LIBRARY_STATES.trigger(),
            *decided_by_flow(KIND, "approving", "published"),
            pgtrigger.Trigger(
                name="fixed_in_approval",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=_changed_in_approval(),
                func="RAISE EXCEPTION 'A document in approval stays as it is.' USING ERRCODE = '23001';",
            ),
            pgtrigger.Protect(
                name="bin_first", operation=pgtrigger.Delete, condition=pgtrigger.Q(old__deleted_at=None)
            ),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def readers_version(self) -> DocumentVersion | None:
        """What whoever may only read gets: the published version; the newest where nobody has to review it."""
        return self.published or (None if self.folder.needs_review else self.current)


class VersionQuerySet(VisibleQuerySet):
    """Versions are seen with their document; drafts where the person sees drafts."""

    def visible_to(self, user: Any) -> Self:
        """The versions `user` may see: all of them, or those that were published, or the one to decide about."""
        if user.data_scope(LibraryDocument) is None:
            return self.none()
        published = Q(document__folder__in=folders_with(user, VIEW), publications__isnull=False)
        shown = Q(document__folder__in=folders_with_drafts(user)) | published
        shown |= Q(document__state="approving", pk=F("document__current"), document__in=running_for(user, KIND))
        return self.filter(shown, document__deleted_at=None).distinct()


class DocumentVersion(models.Model):
    """One content of a document; the database keeps it as it is."""

    document = models.ForeignKey(
        LibraryDocument, models.CASCADE, related_name="versions", verbose_name=_("library document")
    )
    number = models.PositiveIntegerField(_("version"))
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.FileField(upload_to="library/%Y/%m/")
    name = models.CharField(_("file name"), max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    comment = models.CharField(_("what is new"), max_length=300, blank=True)
    minor = models.BooleanField(_("minor change"), default=False)
    restored_from = models.PositiveIntegerField(_("restored from version"), null=True)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("author")
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    objects = VersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("document version")
        verbose_name_plural = _("document versions")
        ordering = ["document", "-number"]
        indexes = [models.Index(fields=["author"], name="documentversion_author")]
        constraints = [models.UniqueConstraint(fields=["document", "number"], name="documentversion_number")]
        triggers = in_bin_only()

    def __str__(self) -> str:
        return f"{self.document} v{self.number}"

    @property
    def kind(self) -> str:
        """The extension, which says how it is shown."""
        return self.name.rpartition(".")[2].lower()


class Publication(models.Model):
    """That a version became the valid one; the one before is superseded by it."""

    document = models.ForeignKey(LibraryDocument, models.CASCADE, related_name="publications")
    version = models.ForeignKey(DocumentVersion, models.CASCADE, related_name="publications")
    at = models.DateTimeField(_("published at"), default=timezone.now)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        ordering = ["-id"]
        triggers = in_bin_only()

    def __str__(self) -> str:
        return str(self.version)


class TextState(models.TextChoices):
    WAITING = "waiting", _("is being read")
    READ = "read", pgettext_lazy("text", "read")
    FAILED = "failed", _("text could not be read")
    NONE = "none", _("has no text")


class VersionText(models.Model):
    """The words of a version, read by a child process after the upload."""

    version = models.OneToOneField(DocumentVersion, models.CASCADE, related_name="text", primary_key=True)
    state = models.CharField(max_length=7, choices=TextState, default=TextState.WAITING)
    reason = models.CharField(max_length=20, blank=True)  # a code, so that everybody reads it in their language
    text = models.TextField(blank=True)
    search = search_column("text")

    class Meta:
        verbose_name = _("text of a version")
        verbose_name_plural = _("texts of versions")
        indexes = [
            GinIndex(fields=["search"], name="versiontext_search"),
            models.Index(fields=["state"], name="versiontext_waiting", condition=Q(state="waiting")),
        ]

    def __str__(self) -> str:
        return str(self.version_id)


# Who does not work here any more holds no document (spec office 5.8.2), however the account was closed.
pgtrigger.register(
    pgtrigger.Trigger(
        name="release_documents",
        when=pgtrigger.After,
        operation=pgtrigger.UpdateOf("is_active"),
        condition=pgtrigger.Q(old__is_active=True, new__is_active=False),
        func="""
            UPDATE oa_librarydocument SET checked_out_by_id = NULL, checked_out_at = NULL
             WHERE checked_out_by_id = NEW.id;
            RETURN NEW;
        """,
    )
)(User)
