"""Outgoing and incoming documents, whose turn it is, what was said, and who received them (N-10 to N-14)."""

from __future__ import annotations

import datetime as dt
from typing import Any, ClassVar, Self

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from kit.rules.days import business_day
from kit.rules.history import tracked
from kit.rules.permissions import ALL, DEPARTMENT, SUBTREE, VisibleQuerySet
from kit.rules.search import PinyinField, search_column
from kit.rules.states import permissions
from oa.approvals.models import ApprovalTask
from oa.official.models.levels import DocumentClass, Secrecy, UnitWord, Urgency, readable_by
from oa.official.models.states import INCOMING, ISSUED, OUTGOING, UNSIGNED
from oa.records.guards import Frozen, no_truncate
from oa.records.models import Circulated, Record
from oa.records.models.audiences import Chosen, Receipt, receipt_guards

KIND = "oa.outgoingdocument"
# What goes on after the signature; everything else of a signed document stays as it was signed (N-12).
FREE = (
    "state", "version", "updated_at", "owner", "department", "due_on", "supervised", "seal", "distributed_at",
    "filed_at", "recipients", "reminded_at", "pinyin",
)  # fmt: skip


class Order(models.TextChoices):
    PARALLEL = "parallel", _("all at once")
    SERIAL = "serial", _("one after the other")


class OfficialQuerySet(VisibleQuerySet):
    """Seen by the people in them and by scope, and by nobody who is not cleared, whoever it is (N-10).

    The scope "all records" counts here only together with the right to see every document.
    """

    side: ClassVar[str] = ""  # the column of turns and opinions that leads here

    def visible_to(self, user: Any) -> Self:
        """What `user` takes part in or received, and what the data scope adds to that."""
        return self._seen(user, self.worked_on(user) | self.received_by(user))

    def worked_by(self, user: Any) -> Self:
        """The same without what was only received: opinions and versions are no business of recipients."""
        return self._seen(user, self.worked_on(user))

    def worked_on(self, user: Any) -> Q:
        """Who wrote it, whose turn it is or was."""
        from oa.official.models.turns import OfficialTurn

        turns = OfficialTurn.objects.filter(opened_at__isnull=False).filter(OfficialTurn.meant_for(user))
        mine = turns.filter(**{f"{self.side}__isnull": False}).values(self.side)
        return Q(owner=user.pk) | Q(created_by=user.pk) | Q(pk__in=mine)

    def received_by(self, user: Any) -> Q:
        """What reached a person by distribution."""
        return Q(pk__in=[])

    def _seen(self, user: Any, own: Q) -> Self:
        scope = user.data_scope(self.model)
        if scope is None:
            return self.none()
        every = f"oa.view_every_{self.model._meta.model_name}"
        if not (scope == ALL and user.has_perm(every)):
            if scope in (DEPARTMENT, SUBTREE):
                own |= Q(department__in=user.department_ids if scope == SUBTREE else user.own_department_ids)
            return self.filter(own).filter(readable_by(user))
        return self.filter(readable_by(user))


class OutgoingQuerySet(OfficialQuerySet):
    side = "outgoing"

    def worked_on(self, user: Any) -> Q:
        """Also who is asked by an approval flow."""
        asked = ApprovalTask.objects.filter(request__kind=KIND, user=user.pk).values("request__object_id")
        return super().worked_on(user) | Q(pk__in=asked)

    def received_by(self, user: Any) -> Q:
        """Recipients read what has reached them."""
        mine = OutgoingReceipt.objects.filter(user=user.pk, opened_at__isnull=False).values("record")
        return Q(state__in=ISSUED, pk__in=mine)


class IncomingQuerySet(OfficialQuerySet):
    side = "incoming"


class Official(Record):
    """What outgoing and incoming documents have in common (N-10, N-13)."""

    LIST_NAME: ClassVar[str] = "title"  # a draft has no number

    title = models.CharField(_("title"), max_length=200)
    document_class = models.ForeignKey(DocumentClass, models.PROTECT, related_name="+", verbose_name=_("class"))
    secrecy = models.PositiveSmallIntegerField(_("secrecy"), choices=Secrecy, default=Secrecy.PUBLIC)
    urgency = models.CharField(_("urgency"), max_length=7, choices=Urgency, default=Urgency.NORMAL)
    due_on = models.DateField(_("due on"), null=True, blank=True, help_text=_("Empty: as the urgency says."))
    keywords = models.CharField(_("keywords"), max_length=120, blank=True)
    date = models.DateField(_("date"), default=business_day)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("owner")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("unit")
    )
    body = models.TextField(_("text"), max_length=50_000, blank=True)
    supervised = models.BooleanField(_("supervised"), default=False, editable=False)
    filed_at = models.DateTimeField(_("filed at"), null=True, editable=False)

    class Meta:
        abstract = True

    @property
    def late(self) -> bool:
        """Whether it should have been done by now."""
        return self.due_on is not None and self.due_on < business_day() and self.state not in self.STATES.ended  # type: ignore[attr-defined]

    @property
    def open_title(self) -> str:
        """What may stand where people without clearance could read it: in messages and approvals (N-10)."""
        return str(self) if self.secrecy == Secrecy.PUBLIC else f"{self._meta.verbose_name} {self.pk}"


@tracked("recipients", "reminded_at")
class OutgoingDocument(Circulated, Official):
    """A document that the company issues. `created_by` drafted it; `edition` counts its texts."""

    STATES = OUTGOING
    UNTOLD = ("title", "body")  # earlier texts are for those who work on it, see `OutgoingText`

    unit_word = models.ForeignKey(UnitWord, models.PROTECT, related_name="+", verbose_name=_("unit word"))
    number = models.CharField(_("document number"), max_length=60, null=True, unique=True, editable=False)
    order = models.CharField(_("circulation"), max_length=8, choices=Order, default=Order.PARALLEL)
    outside = models.CharField(_("recipients outside"), max_length=500, blank=True)
    copy_departments = Chosen("oa.Department", blank=True, related_name="+", verbose_name=_("copies to departments"))
    copy_people = Chosen("oa.User", blank=True, related_name="+", verbose_name=_("copies to people"))
    copy_outside = models.CharField(_("copies outside"), max_length=500, blank=True)
    state = models.CharField(
        _("state"), max_length=11, choices=OUTGOING.choices, default=OUTGOING.initial, editable=False
    )
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("signed by"),
    )  # fmt: skip
    signed_at = models.DateTimeField(_("signed at"), null=True, editable=False)
    signed_digest = models.CharField(max_length=64, blank=True, editable=False)
    seal = models.ForeignKey(
        "oa.Seal", models.PROTECT, null=True, editable=False, related_name="+", verbose_name=_("seal")
    )
    distributed_at = models.DateTimeField(_("distributed at"), null=True, editable=False)
    pinyin = PinyinField(sources=("title", "keywords"))
    search = search_column("title", "number", "keywords", "pinyin")

    objects = OutgoingQuerySet.as_manager()

    class Meta:
        verbose_name = _("outgoing document")
        verbose_name_plural = _("outgoing documents")
        ordering = ["-id"]
        permissions = [
            *(p for p in permissions(OUTGOING, "outgoingdocument", "outgoing document")),
            ("view_every_outgoingdocument", "Can view every outgoing document"),
            ("supervise_outgoingdocument", "Can supervise outgoing documents"),
        ]
        indexes = [GinIndex(fields=["search"], name="outgoing_search")]
        constraints = [
            models.CheckConstraint(
                condition=Q(signed_by=None) | ~Q(signed_by=F("created_by")),
                name="outgoing_four_eyes",
                violation_error_message=_("Somebody else than the drafter has to sign."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=[*UNSIGNED, "cancelled"])
                | Q(signed_at__isnull=False, number__isnull=False, signed_digest__gt=""),
                name="outgoing_signed",
            ),
        ]
        triggers = [
            OUTGOING.trigger(),
            pgtrigger.Trigger(
                name="signed_is_fixed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=Frozen(UNSIGNED, FREE),
                func="RAISE EXCEPTION 'A signed document cannot be changed.' USING ERRCODE = '23001';",
            ),
            pgtrigger.Protect(
                name="issued_stays", operation=pgtrigger.Delete, condition=~pgtrigger.Q(old__state="drafted")
            ),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}" if self.number else self.title

    @property
    def drafted_by(self) -> Any:
        """Who wrote it, whoever looks after it now."""
        return self.created_by


@tracked()
class IncomingDocument(Official):
    """A document that came from outside; `owner` registered it."""

    STATES = INCOMING

    SEQUENCE = "incoming-document"

    number = models.CharField(_("register number"), max_length=40, null=True, unique=True, editable=False)
    sender = models.CharField(_("sender"), max_length=200)
    sender_number = models.CharField(_("sender's number"), max_length=80, blank=True)
    received_on = models.DateField(_("date received"), default=business_day)
    copies = models.PositiveSmallIntegerField(_("copies"), default=1)
    state = models.CharField(
        _("state"), max_length=11, choices=INCOMING.choices, default=INCOMING.initial, editable=False
    )
    feedback = models.TextField(_("feedback"), blank=True, editable=False)
    closed_at = models.DateTimeField(_("closed at"), null=True, editable=False)
    pinyin = PinyinField(sources=("title", "sender", "keywords"))
    search = search_column("title", "number", "sender", "sender_number", "keywords", "pinyin")

    objects = IncomingQuerySet.as_manager()

    class Meta:
        verbose_name = _("incoming document")
        verbose_name_plural = _("incoming documents")
        ordering = ["-id"]
        permissions = [
            *permissions(INCOMING, "incomingdocument", "incoming document"),
            ("view_every_incomingdocument", "Can view every incoming document"),
            ("supervise_incomingdocument", "Can supervise incoming documents"),
        ]
        indexes = [GinIndex(fields=["search"], name="incoming_search")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state__in=["fedback", "closed", "filed"]) | Q(feedback__gt=""),
                name="incoming_fed_back",
                violation_error_message=_("It is closed only after a feedback."),
            ),
            models.CheckConstraint(condition=Q(copies__gte=1), name="incoming_copies"),
        ]
        triggers = [
            INCOMING.trigger(),
            pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
            no_truncate(),
        ]

    def __str__(self) -> str:
        return f"{self.number} {self.title}" if self.number else self.title


class OutgoingReceipt(Receipt):
    """That a document was distributed to a person, and when it was signed for (N-14)."""

    record = models.ForeignKey(
        OutgoingDocument, models.PROTECT, related_name="receipts", editable=False, verbose_name=_("outgoing document")
    )
    copy = models.BooleanField(_("copy"), default=False, editable=False)
    position = models.PositiveIntegerField(_("position"), default=1, editable=False)
    opened_at = models.DateTimeField(_("reached at"), null=True, editable=False)

    class Rows(VisibleQuerySet):
        def visible_to(self, user: Any) -> Self:
            """Who received what is known to those who worked on it."""
            seen = OutgoingDocument.objects.worked_by(user)
            return super().visible_to(user).filter(record__in=seen.values("pk"))

    objects = Rows.as_manager()

    class Meta(Receipt.Meta):
        verbose_name = _("recipient of an outgoing document")
        verbose_name_plural = _("recipients of outgoing documents")
        default_permissions = ("view",)
        ordering = ["record", "position", "id"]
        triggers = receipt_guards()

    def __str__(self) -> str:
        return f"{self.record} · {self.user}"


def deadline(date: dt.date, days: int) -> dt.date:
    """The day on which a document of `date` has to be done."""
    return date + dt.timedelta(days=days)
