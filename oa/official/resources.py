"""Pages of official documents, their registers, and supervision."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _

from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.resources import Resource, register
from kit.rules.days import business_day
from kit.rules.permissions import may
from oa.official import approving, sealpages
from oa.official.clearing import give_clearance
from oa.official.flags import flag
from oa.official.forms import OfficialForm
from oa.official.models import (
    Clearance,
    DocumentClass,
    IncomingDocument,
    OfficialNumber,
    OfficialOpinion,
    OfficialTurn,
    OutgoingDocument,
    OutgoingReceipt,
    OutgoingText,
    UnitWord,
    UrgencyTerm,
)
from oa.official.services import numbers, supervision, writing

__all__ = ["approving", "sealpages"]


class _Official(Resource):
    """What both kinds of documents have in common."""

    key = "pk"
    icon = "stamp"
    group = "official"
    importable = False
    form_class = OfficialForm
    annotations = ("overdue",)
    quiet: ClassVar = {
        **Resource.quiet, "secrecy": 0, "urgency": "normal", "order": "parallel", "edition": 1, "supervised": False,
        "recipients": 0, "copies": 1,
    }  # fmt: skip

    def list_queryset(self, user: Any) -> QuerySet[Any]:
        """With what the views ask for."""
        late = Q(due_on__lt=business_day()) & ~Q(state__in=self.model.STATES.ended)  # type: ignore[attr-defined]
        return self.queryset(user).annotate(overdue=flag(late))

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """Secrecy, urgency, and that it is late or watched."""
        said = (
            (obj.get_secrecy_display(), obj.secrecy),
            (obj.get_urgency_display(), obj.urgency != "normal"),
            (_("overdue"), obj.late),
            (_("supervised"), obj.supervised),
        )
        return [word for word, holds in said if holds]

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """Urging is for who supervises and for who looks after the document."""
        found = super().commands_for(obj, user)
        urges = may(user, "supervise", self.model) or user.pk == obj.owner_id
        return [command for command in found if command.name != "urge" or urges]


def _commands(name: str) -> tuple[Command, ...]:
    def running(document: Any) -> bool:
        return document.state not in document.STATES.ended

    return (
        Command("urge", _("Urge"), supervision.urge, f"oa.view_{name}", running, icon="bell", menu=True),
        Command(
            "supervise", _("Supervise"), supervision.supervise, f"oa.supervise_{name}",
            lambda document: running(document) and not document.supervised, icon="eye", menu=True,
        ),
        Command(
            "unsupervise", _("End supervision"), supervision.supervise, f"oa.supervise_{name}",
            lambda document: running(document) and document.supervised, icon="eye-off", menu=True,
        ),
    )  # fmt: skip


@register
class OutgoingResource(_Official):
    model = OutgoingDocument
    path = "official/outgoing"
    order = 10
    columns = (
        Column("number", phone="no"), Column("title", phone="cust"), "document_class", "state", "secrecy", "urgency",
        Column("due_on", phone="amt"), "department", Column("created_by", _("Drafted by")), "signed_at",
    )  # fmt: skip
    filters = ("state", "document_class", "unit_word", "secrecy", "urgency", "department", "created_by", "date")
    labels: ClassVar = {"created_by": _("drafted by"), "to_departments": _("main recipients: departments"),
                        "to_people": _("main recipients: people"), "department": _("drafting unit")}  # fmt: skip
    search_fields = ("title", "number", "keywords")
    ordering = ("-id",)
    sections = (
        (_("Document"), ("title", "document_class", "unit_word", "secrecy", "urgency", "due_on", "body")),
        (_("Main recipients"), ("to_departments", "to_people", "outside", "order")),
        (_("Copies"), ("copy_departments", "copy_people", "copy_outside")),
        (_("More"), ("department", "date", "keywords")),
    )  # fmt: skip
    form_only = ("title", "body")
    more = ("department", "date", "keywords", "copy_departments", "copy_people", "copy_outside")
    extra_fields = ("created_by", "owner", "signed_by", "signed_at", "seal", "distributed_at", "filed_at", "edition")
    related = ("document_class", "unit_word", "department", "owner", "created_by", "signed_by", "seal")
    views: ClassVar = {
        "running": (_("Running"), ~Q(state__in=("filed", "cancelled"))),
        "overdue": (_("Overdue"), Q(overdue=True)),
        "issued": (_("Issued"), Q(state__in=("distributed", "received", "filed"))),
    }
    save = staticmethod(writing.save_outgoing)
    commands = _commands("outgoingdocument")

    def editable(self, obj: Any, user: Any) -> bool:
        """By who drafts it, or has it in hand before the signature."""
        return self.may(user, "change") and writing.may_write(obj, user)

    def deletable(self, obj: Any, user: Any) -> bool:
        """A draft that was never submitted, by its owner."""
        return super().deletable(obj, user) and obj.owner_id == user.pk


@register
class IncomingResource(_Official):
    model = IncomingDocument
    path = "official/incoming"
    order = 20
    columns = (
        Column("number", phone="no"), Column("title", phone="cust"), "sender", "sender_number", "state", "secrecy",
        "urgency", Column("due_on", phone="amt"), "received_on", "owner",
    )  # fmt: skip
    filters = ("state", "document_class", "secrecy", "urgency", "department", "received_on", "due_on")
    search_fields = ("title", "number", "sender", "sender_number", "keywords")
    labels: ClassVar = {"owner": _("registered by"), "body": _("summary"), "department": _("department")}
    ordering = ("-id",)
    sections = (
        (_("Document"), ("title", "sender", "sender_number", "document_class", "secrecy", "urgency", "received_on",
                         "due_on", "date", "copies", "department", "keywords", "body")),
    )  # fmt: skip
    form_only = ("title", "body")
    more = ("date", "copies", "department", "keywords")
    extra_fields = ("owner", "feedback", "closed_at", "filed_at")
    related = ("document_class", "department", "owner")
    views: ClassVar = {
        "running": (_("Running"), ~Q(state__in=("closed", "filed", "cancelled"))),
        "overdue": (_("Overdue"), Q(overdue=True)),
    }
    save = staticmethod(writing.save_incoming)
    commands = _commands("incomingdocument")

    def editable(self, obj: Any, user: Any) -> bool:
        """By who registered it, until something is proposed."""
        return obj.state == "registered" and self.may(user, "change") and writing.may_register(obj, user)

    def deletable(self, obj: Any, user: Any) -> bool:
        """Never: the register has no gaps; a mistake is cancelled."""
        return False


@register
class SupervisionResource(Resource):
    """Whom official documents wait for, the latest first."""

    model = OfficialTurn
    name = "supervision"
    path = "official/supervision"
    label_plural = _("open steps")
    group = "official"
    order = 30
    key = "pk"
    icon = "clock"
    columns = (
        Column("subject", _("Document"), "text"),
        Column("document_number", _("Number"), "text"),
        Column("verb", phone="st"),
        "user",
        "department",
        "opened_at",
        Column("due", _("Due on"), "date", phone="amt"),
        "urged",
    )  # fmt: skip
    annotations = ("due", "subject", "document_number", "overdue")
    filters = ("verb", "user", "department", "opened_at")
    search_fields = ("outgoing__search", "incoming__search")
    searched = False
    ordering = ("due", "opened_at", "id")
    extra_fields = ("outgoing", "incoming", "verb", "user", "department", "asked_by", "opened_at", "urged", "urged_at")
    related = ("outgoing", "incoming", "user", "department", "asked_by")
    views: ClassVar = {
        "overdue": (_("Overdue"), Q(overdue=True)),
        "watched": (_("Supervised"), Q(outgoing__supervised=True) | Q(incoming__supervised=True)),
    }
    can_create = can_edit = importable = False

    def queryset(self, user: Any) -> QuerySet[Any]:
        """Open turns with the deadline of their document."""
        rows = super().queryset(user).filter(done_at=None, opened_at__isnull=False)
        return supervision.with_deadline(rows).annotate(overdue=flag(Q(due__lt=business_day())))


@register
class NumberResource(Resource):
    model = OfficialNumber
    path = "official/numbers"
    group = "official"
    order = 40
    key = "pk"
    icon = "hash"
    columns = (
        Column("text", phone="cust"), "word", "year", "running", "state", "document", "purpose",
        Column("reason", phone="more"), Column("created_by", _("Given by")), "created_at",
    )  # fmt: skip
    filters = ("word", "year", "state")
    search_fields = ("text", "purpose")
    searched = False
    ordering = ("-year", "word", "-running")
    fields = ("word", "purpose", "document")
    extra_fields = ("text", "year", "running", "reason", "created_by", "created_at")
    related = ("word", "document", "created_by")
    importable = can_edit = False
    save = staticmethod(numbers.reserve_number)
    run: ClassVar = {"void": numbers.void_number}

    def deletable(self, obj: Any, user: Any) -> bool:
        """Never: a number that is not used is declared void."""
        return False


class _Readonly(Resource):
    key = "pk"
    searched = False
    can_create = can_edit = importable = False


@register
class OpinionResource(_Readonly):
    model = OfficialOpinion
    path = "official/opinions"
    icon = "message-square"
    columns = (Column("by", phone="cust"), "verb", "text", "at", "edition", "outgoing", "incoming")
    filters = ("verb", "by", "at")
    search_fields = ("text",)
    ordering = ("-id",)
    extra_fields = ("outgoing", "incoming", "verb", "text", "by", "at", "edition")
    related = ("outgoing", "incoming", "by", "signature")


@register
class TextResource(_Readonly):
    model = OutgoingText
    path = "official/versions"
    icon = "history"
    columns = ("number", Column("title", phone="cust"), "outgoing", "state", "by", "at")
    filters = ("by", "at")
    search_fields = ("title",)
    ordering = ("-outgoing", "-number")
    extra_fields = ("outgoing", "number", "title", "body", "state", "by", "at")
    related = ("outgoing", "by")
    states = None


@register
class ReceiptResource(_Readonly):
    model = OutgoingReceipt
    path = "official/recipients"
    icon = "eye"
    columns = (
        "position", Column("user", phone="cust"), Column("user__department", _("Department"), phone="more"), "record",
        "copy", "opened_at", Column("confirmed_at", _("Signed for at"), phone="amt"), "reminders",
    )  # fmt: skip
    filters = ("record", "user", "copy", "confirmed_at")
    search_fields = ("user__name", "user__username")
    ordering = ("-record", "position", "id")
    extra_fields = ("record", "user", "copy", "position", "delivered_at", "opened_at", "confirmed_at", "reminders")
    related = ("record", "user")
    labels: ClassVar = {"confirmed_at": _("signed for at"), "delivered_at": _("distributed at")}
    views: ClassVar = {
        "open": (_("not signed"), Q(confirmed_at=None)),
        "signed": (_("signed"), Q(confirmed_at__isnull=False)),
    }

    def heading(self, obj: Any) -> str:
        return str(obj.user)


class _Setting(Resource):
    group = "official"
    searched = False
    small = True


@register
class DocumentClassResource(_Setting):
    model = DocumentClass
    path = "settings/document-classes"
    order = 70
    columns = ("code", Column("name", phone="cust"), "name_zh")
    search_fields = ("code", "name", "name_zh")
    fields = ("code", "name", "name_zh", "active")


@register
class UnitWordResource(_Setting):
    model = UnitWord
    path = "settings/unit-words"
    order = 71
    key = "pk"
    columns = (Column("word", phone="cust"), "name", "heading", "active")
    search_fields = ("word", "name")
    fields = ("word", "name", "heading", "active")
    import_key = ("word",)


@register
class UrgencyResource(_Setting):
    model = UrgencyTerm
    path = "settings/urgencies"
    order = 72
    key = "pk"
    columns = (Column("urgency", phone="cust"), Column("days", phone="amt"))
    fields = ("days",)
    extra_fields = ("urgency",)
    can_create = importable = False


@register
class ClearanceResource(_Setting):
    model = Clearance
    path = "settings/clearances"
    order = 73
    key = "pk"
    small = importable = False
    columns = (Column("user", phone="cust"), "level", "given_by", "note")
    filters = ("level", "user")
    search_fields = ("user__name", "user__username")
    fields = ("user", "level", "note")
    extra_fields = ("given_by",)
    related = ("user", "given_by")
    save = staticmethod(give_clearance)
