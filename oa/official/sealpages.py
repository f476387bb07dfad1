"""Pages of seals and seal requests, and the request from the page of a record that can be sealed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from kit.pages.actions import Action, Command
from kit.pages.columns import Column
from kit.pages.panels import ANY, Figure, Panel, actions, panels
from kit.pages.resources import Resource, register, resource_of
from kit.rules.days import business_day
from kit.rules.permissions import may
from oa.approvals.panels import show_on
from oa.approvals.services.submission import version_in_force
from oa.official.flags import flag
from oa.official.forms import SealRequestForm
from oa.official.models import Seal, SealRequest
from oa.official.models.seals import SEAL_KIND
from oa.official.sealable import about, hindrance, sealable, seen_record
from oa.official.services import seals
from oa.records import attachments
from oa.records.notifications import may_see

KEEPERS = {"ready", "use", "lend", "back"}
DECIDING = {"approve", "reject"}


@register
class SealResource(Resource):
    model = Seal
    path = "official/seals"
    group = "official"
    order = 50
    icon = "stamp"
    columns = ("code", Column("name", phone="cust"), "name_zh", "kind", "keeper", "place", "active")
    filters = ("kind", "keeper", "active")
    search_fields = ("code", "name", "name_zh")
    searched = False
    small = True
    fields = ("code", "name", "name_zh", "kind", "keeper", "place", "active")
    related = ("keeper",)


@register
class SealRequestResource(Resource):
    model = SealRequest
    path = "official/seal-requests"
    group = "official"
    order = 51
    key = "pk"
    icon = "stamp"
    columns = (
        Column("title", phone="cust"), "seal", "copies", "counterpart", "date", "state", "owner",
        Column("back_on", phone="amt"),
    )  # fmt: skip
    filters = ("state", "seal", "owner", "date", "lend")
    search_fields = ("title", "counterpart")
    ordering = ("-id",)
    sections = (
        (_("What is sealed"), ("title", "seal", "copies", "counterpart", "date", "note")),
        (_("Out of the house"), ("lend", "back_on")),
    )
    extra_fields = ("owner", "department", "decided_by", "decision", "used_by", "used_at", "returned_at")
    related = ("seal", "seal__keeper", "owner", "department", "decided_by", "used_by")
    quiet: ClassVar = {**Resource.quiet, "lend": False}
    annotations = ("overdue",)
    importable = False
    form_class = SealRequestForm
    save = staticmethod(seals.save_request)
    views: ClassVar = {
        "touse": (_("To use"), Q(state__in=("approved", "touse"))),
        "lent": (_("Lent out"), Q(state="lent")),
        "late": (_("Overdue"), Q(overdue=True)),
    }
    run: ClassVar = {
        "submit": seals.submit, "approve": seals.approve, "reject": seals.reject, "ready": seals.ready,
        "use": seals.use, "lend": seals.lend, "back": seals.give_back, "cancel": seals.cancel,
    }  # fmt: skip

    def list_queryset(self, user: Any) -> QuerySet[Any]:
        """With what the views ask for."""
        late = Q(state="lent", back_on__lt=business_day())
        return self.queryset(user).annotate(overdue=flag(late))

    def initial(self, request: Any) -> dict[str, Any]:
        """What the page it was opened from says."""
        text = request.GET.get("about", "")
        record = seen_record(text, request.user)
        given = {"title": str(record)[:200]} if record is not None else {}
        return {**given, "about": text, **super().initial(request)}

    def offered(self, obj: Any, name: str) -> dict[str, Any]:
        """The day the applicant wished."""
        return {"date": obj.back_on} if name == "lend" else {}

    def editable(self, obj: Any, user: Any) -> bool:
        """By the applicant, until it is submitted."""
        return self.may(user, "change") and seals.changeable(obj, user)

    def deletable(self, obj: Any, user: Any) -> bool:
        """A draft, by the applicant."""
        return super().deletable(obj, user) and obj.owner_id == user.pk

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """The keeper uses, somebody else decides, the applicant submits; lending and stamping exclude each other."""
        keeps, asks = user.pk == obj.seal.keeper_id, user.pk == obj.owner_id
        unfit = {"use"} if obj.lend else {"lend"}
        if obj.state in ("draft", "rejected") and version_in_force(SEAL_KIND) is not None:
            unfit.add("submit")
        return [
            command
            for command in super().commands_for(obj, user)
            if command.name not in unfit
            and (keeps or command.name not in KEEPERS)
            and (not asks or command.name not in DECIDING)
            and (asks or command.name != "submit")
            and (asks or keeps or command.name != "cancel")
        ]

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """That the seal should be back by now."""
        return [_("overdue")] if obj.late else []

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """Whom the seal is with, and the record it is about where the reader sees it."""
        made = [Figure(gettext("Keeper"), str(obj.seal.keeper), note=obj.seal.place)]
        record = seals.linked(obj)
        resource = resource_of(record) if record is not None else None
        if resource is not None and may(user, "view", resource.model) and may_see(user, record):
            made.append(Figure(gettext("About"), str(record), resource.url_for(record), note=str(resource.title)))
        return made


def ask_for_seal(record: Any, user: Any) -> Sequence[Action]:
    """A seal request about a record of a kind that is sealed, once it may be."""
    if record._meta.label_lower not in sealable or not user.has_perm("oa.add_sealrequest") or hindrance(record):
        return []
    url = f"{reverse('sealrequest-new')}?about={about(record)}"
    return [Action(_("Request a seal"), url, "stamp", menu=True, name="request-seal")]


def to_flow(request: SealRequest, user: Any) -> Sequence[Action]:
    """To the approval flow, where one is in force."""
    if request.state not in ("draft", "rejected") or request.owner_id != user.pk:
        return []
    if version_in_force(SEAL_KIND) is None or not user.has_perm("oa.change_sealrequest"):
        return []
    url = reverse("approval-submit", args=(SEAL_KIND, request.pk))
    return [Action(_("Submit for approval"), url, icon="send", primary=True, name="approval")]


def _closed(request: Any, by: Any) -> bool:
    """Scans are added by applicant and keeper."""
    return by.pk not in (request.owner_id, request.seal.keeper_id) or request.state == "cancelled"


attachments.closed_to[SEAL_KIND] = _closed
actions[ANY].append(ask_for_seal)
actions[SEAL_KIND].append(to_flow)
show_on(SEAL_KIND)
panels["oa.seal"].append(
    Panel(
        "requests", _("Seal requests"), "main", "sealrequest", "seal", ("title", "owner", "date", "state", "back_on"),
        permission="oa.view_sealrequest",
    )
)  # fmt: skip
