"""Whose turn it is, what was said, earlier texts, numbers and reminders of official documents (N-11 to N-13)."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from kit.rules.states import State, StateTable, Transition
from oa.official.models.documents import IncomingDocument, OutgoingDocument
from oa.official.models.levels import UnitWord
from oa.official.models.states import VERBS
from oa.records.guards import append_only, no_truncate
from oa.records.models import PersonSignature, Record
from oa.records.models.notes import OnRecord
from oa.records.models.signatures import own_signature


class OfDocument(VisibleQuerySet):
    """Rows of documents, seen by who works on the document."""

    def visible_to(self, user: Any) -> Self:
        """Rows of the documents that `user` works on."""
        seen = Q(outgoing__in=OutgoingDocument.objects.worked_by(user).values("pk"))
        return (
            super()
            .visible_to(user)
            .filter(seen | Q(incoming__in=IncomingDocument.objects.worked_by(user).values("pk")))
        )


class OnDocument(models.Model):
    """A row that belongs to an outgoing or to an incoming document."""

    outgoing = models.ForeignKey(
        OutgoingDocument, models.CASCADE, null=True, editable=False, related_name="%(class)ss",
        verbose_name=_("outgoing document"),
    )  # fmt: skip
    incoming = models.ForeignKey(
        IncomingDocument, models.CASCADE, null=True, editable=False, related_name="%(class)ss",
        verbose_name=_("incoming document"),
    )  # fmt: skip
    verb = models.CharField(_("step"), max_length=10, choices=VERBS, editable=False)

    objects = OfDocument.as_manager()

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(
                condition=Q(outgoing=None, incoming__isnull=False) | Q(outgoing__isnull=False, incoming=None),
                name="%(class)s_one_document",
            )
        ]

    @property
    def document(self) -> Any:
        """The document it belongs to."""
        return self.outgoing or self.incoming


class OfficialTurn(OnDocument):
    """That a person, or somebody of a department, is to do a step. Not opened while others come before (N-14)."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("person")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("department")
    )
    position = models.PositiveIntegerField(_("position"), default=1, editable=False)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("asked by"),
    )  # fmt: skip
    opened_at = models.DateTimeField(_("since"), null=True, editable=False)
    done_at = models.DateTimeField(_("done at"), null=True, editable=False)
    done_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("done by")
    )
    dropped = models.BooleanField(_("dropped"), default=False, editable=False)
    urged = models.PositiveSmallIntegerField(_("urged"), default=0, editable=False)
    urged_at = models.DateTimeField(_("urged at"), null=True, editable=False)

    class Meta(OnDocument.Meta):
        verbose_name = _("open step of an official document")
        verbose_name_plural = _("open steps of official documents")
        default_permissions = ("view",)
        ordering = ["position", "id"]
        constraints = [
            *OnDocument.Meta.constraints,
            models.CheckConstraint(
                condition=Q(user=None, department__isnull=False) | Q(user__isnull=False, department=None),
                name="officialturn_one_hand",
            ),
            models.CheckConstraint(
                condition=Q(done_at=None) | Q(dropped=True) | Q(opened_at__isnull=False), name="officialturn_opened"
            ),
        ]
        indexes = [
            models.Index(fields=["user"], name="officialturn_mine", condition=Q(done_at=None)),
            models.Index(fields=["department"], name="officialturn_theirs", condition=Q(done_at=None)),
        ]
        triggers = [pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete,
                                      condition=pgtrigger.Q(old__done_at__isnull=False)), no_truncate()]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.get_verb_display()} · {self.user or self.department}"

    @staticmethod
    def meant_for(user: Any) -> Q:
        """Turns of a person: by name, or as a member of the department."""
        return Q(user=user.pk) | Q(department__in=user.own_department_ids)


class OfficialOpinion(OnDocument):
    """What somebody said at a step, kept as it was (N-12)."""

    text = models.TextField(_("opinion"), editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    edition = models.PositiveIntegerField(_("version"), default=1, editable=False)
    signature = models.ForeignKey(
        PersonSignature, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("signature")
    )

    class Meta(OnDocument.Meta):
        verbose_name = _("opinion")
        verbose_name_plural = _("opinions")
        default_permissions = ("view",)
        ordering = ["id"]
        triggers = [*append_only(), own_signature()]

    def __str__(self) -> str:
        return f"{self.by} · {self.get_verb_display()}"


class OutgoingText(models.Model):
    """One text of an outgoing document, kept as it was (N-12)."""

    outgoing = models.ForeignKey(
        OutgoingDocument, models.CASCADE, related_name="texts", editable=False, verbose_name=_("outgoing document")
    )
    number = models.PositiveIntegerField(_("version"), editable=False)
    title = models.CharField(_("title"), max_length=200, editable=False)
    body = models.TextField(_("text"), editable=False)
    state = models.CharField(_("state"), max_length=11, choices=OutgoingDocument.STATES.choices, editable=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("by")
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Rows(VisibleQuerySet):
        def visible_to(self, user: Any) -> Self:
            """Texts of documents that `user` works on."""
            seen = OutgoingDocument.objects.worked_by(user)
            return super().visible_to(user).filter(outgoing__in=seen.values("pk"))

    objects = Rows.as_manager()

    class Meta:
        verbose_name = _("version of an outgoing document")
        verbose_name_plural = _("versions of outgoing documents")
        default_permissions = ("view",)
        ordering = ["-outgoing", "-number"]
        constraints = [models.UniqueConstraint(fields=["outgoing", "number"], name="outgoingtext_number")]
        triggers = [
            pgtrigger.Protect(name="append_only", operation=pgtrigger.Update),
            pgtrigger.Trigger(
                name="no_delete",
                when=pgtrigger.Before,
                operation=pgtrigger.Delete,
                # A draft that was never submitted goes with its texts.
                func="IF EXISTS (SELECT 1 FROM oa_outgoingdocument d WHERE d.id = OLD.outgoing_id "
                "AND d.state <> 'drafted') THEN RAISE EXCEPTION 'Texts are kept.' USING ERRCODE = '23001'; END IF; "
                "RETURN OLD;",
            ),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return f"{self.title} · {self.number}"


NUMBER_STATES = StateTable(
    states=(
        State("reserved", pgettext_lazy("document number", "reserved"), "warn"),
        State("used", pgettext_lazy("document number", "used"), "ok"),
        State("void", pgettext_lazy("document number", "void"), "mute", step=False),
    ),
    transitions=(
        Transition("use", ("reserved",), "used", _("Use"), internal=True),
        Transition("void", ("reserved",), "void", _("Declare void"), "void_officialnumber", danger=True,
                   fields=("reason",), icon="ban"),
        Transition("cancel", ("used",), "void", _("Declare void"), internal=True),
    ),
)  # fmt: skip


@tracked()
class OfficialNumber(Record):
    """A number of the register: word, year and running number; none is missing and none is there twice (N-11)."""

    STATES = NUMBER_STATES

    word = models.ForeignKey(UnitWord, models.PROTECT, related_name="numbers", verbose_name=_("unit word"))
    year = models.PositiveSmallIntegerField(_("year"), editable=False)
    running = models.PositiveIntegerField(_("running number"), editable=False)
    text = models.CharField(_("document number"), max_length=60, unique=True, editable=False)
    state = models.CharField(
        _("state"), max_length=8, choices=NUMBER_STATES.choices, default=NUMBER_STATES.initial, editable=False
    )
    document = models.OneToOneField(
        OutgoingDocument, models.PROTECT, null=True, blank=True, related_name="number_row",
        verbose_name=_("outgoing document"),
    )  # fmt: skip
    purpose = models.CharField(_("reserved for"), max_length=200, blank=True)
    reason = models.CharField(_("why it is void"), max_length=300, blank=True, editable=False)

    class Rows(VisibleQuerySet):
        def visible_to(self, user: Any) -> Self:
            """The register, without numbers of documents that `user` does not see."""
            seen = OutgoingDocument.objects.visible_to(user)
            return super().visible_to(user).filter(Q(document=None) | Q(document__in=seen.values("pk")))

    objects = Rows.as_manager()

    class Meta:
        verbose_name = _("document number")
        verbose_name_plural = _("document numbers")
        default_permissions = ("view", "add")
        permissions = [("void_officialnumber", "Can declare document numbers void")]
        ordering = ["-year", "word", "-running"]
        constraints = [
            models.UniqueConstraint(fields=["word", "year", "running"], name="officialnumber_once"),
            models.CheckConstraint(
                condition=Q(state="void", reason__gt="") | (~Q(state="void") & Q(reason="")),
                name="officialnumber_void_reason",
            ),
            models.CheckConstraint(condition=~Q(state="used") | Q(document__isnull=False), name="officialnumber_used"),
        ]
        triggers = [
            NUMBER_STATES.trigger(),
            pgtrigger.ReadOnly(name="number_is_fixed", fields=["word", "year", "running", "text"]),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return self.text


class OfficialReminder(OnRecord):
    """That a person was reminded of a late document or seal on a day: the row is there once (N-13)."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    day = models.DateField()

    class Meta:
        verbose_name = _("reminder of a late document")
        verbose_name_plural = _("reminders of late documents")
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id", "user", "day"], name="officialreminder_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.day}"
