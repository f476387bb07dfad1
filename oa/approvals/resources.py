"""Entities of approvals for the kit: requests, forms, flows, proxies."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.actions import Action, Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.resources import Resource, register
from oa.approvals.flowforms import FlowForm, FlowStepForm, FlowVersionForm, RequestFormForm
from oa.approvals.forms import ProxyForm
from oa.approvals.models import ApprovalRequest, Flow, FlowStep, FlowVersion, FormRequest, Proxy, RequestForm
from oa.approvals.services.flows import publish, save_step
from oa.approvals.services.proxies import revoke_proxy, save_proxy

tree.group("approvals", gettext_lazy("Approvals"), "stamp", 80, gettext_lazy("Office"))
tree.add(
    "approvals", Link(gettext_lazy("Start a request"), "approval-start", 5, "oa.add_formrequest", icon="file-pen-line")
)


@register
class ApprovalRequestResource(Resource):
    model = ApprovalRequest
    path = "approvals/requests"
    group = "approvals"
    order = 10
    key = "pk"
    icon = "stamp"
    columns = (
        Column("title", phone="cust"),
        "applicant",
        Column("amount", phone="amt"),
        "state",
        "submitted_at",
        "decided_at",
    )
    filters = ("state", "applicant", "submitted_at")
    ordering = ("-submitted_at", "-id")
    extra_fields = ("title", "applicant", "department", "amount", "submitted_at", "decided_at", "reason")
    related = ("applicant", "department", "flow_version__flow__admin")
    can_create = can_edit = importable = False
    template = "oa/approvals/request.html"


@register
class FormRequestResource(Resource):
    """Requests made with forms; they are filled in on a page of their own."""

    model = FormRequest
    path = "approvals/forms"
    group = "approvals"
    order = 20
    icon = "file-pen-line"
    columns = (Column("number"), Column("title", phone="cust"), "form", "date", "owner", "state")
    filters = ("form", "state", "owner", "date")
    ordering = ("-date", "-id")
    extra_fields = ("form", "date", "owner", "department")
    related = ("form", "owner", "department")
    importable = False
    can_create = False

    def deletable(self, obj: Any, user: Any) -> bool:
        return super().deletable(obj, user) and obj.owner_id == user.pk


@register
class RequestFormResource(Resource):
    model = RequestForm
    path = "settings/request-forms"
    group = "approvals"
    order = 80
    small = True
    icon = "list-checks"
    columns = ("code", Column("name", phone="cust"), "name_zh", "active")
    search_fields = ("code", "name", "name_zh")
    fields = ("code", "name", "name_zh", "note", "active", "fields")
    form_class = RequestFormForm
    importable = False


@register
class FlowResource(Resource):
    model = Flow
    path = "settings/flows"
    group = "approvals"
    order = 70
    icon = "workflow"
    columns = ("code", Column("name", phone="cust"), "name_zh", "admin", "active")
    filters = ("active", "admin")
    search_fields = ("code", "name", "name_zh")
    fields = ("code", "name", "name_zh", "kind", "admin", "active", "note")
    related = ("admin",)
    form_class = FlowForm
    importable = False


@register
class FlowVersionResource(Resource):
    model = FlowVersion
    path = "settings/flow-versions"
    key = "pk"
    small = True
    icon = "workflow"
    columns = ("flow", "number", "state", "published_at", "published_by")
    fields = ("on_empty", "fallback", "on_self", "on_repeat", "resubmit", "withdraw")
    extra_fields = ("number", "published_at", "published_by")
    related = ("flow", "fallback", "published_by")
    form_class = FlowVersionForm
    can_create = importable = False
    run: ClassVar = {"publish": publish}

    def editable(self, obj: Any, user: Any) -> bool:
        return obj.state == "draft" and self.may(user, "change")


@register
class FlowStepResource(Resource):
    model = FlowStep
    path = "settings/flow-steps"
    key = "pk"
    icon = "workflow"
    columns = ("flow_version", "stage", "name", "kind", "who", "how")
    sections = (
        ("", ("flow_version", "stage", "name", "kind", "conditions")),
        (gettext_lazy("Who"), ("who", "people", "role", "position", "department", "levels", "field")),
        (gettext_lazy("Decision"), ("how", "ratio", "on_reject", "reject_to", "signed")),
        (gettext_lazy("Time"), ("hours", "on_timeout", "remind_hours", "remind_most")),
        (gettext_lazy("Rights at this step"), ("editable",)),
    )
    related = ("flow_version__flow", "role", "position", "department")
    form_class = FlowStepForm
    importable = False
    save = staticmethod(save_step)

    def editable(self, obj: Any, user: Any) -> bool:
        return obj.flow_version.state == "draft" and self.may(user, "change")

    def deletable(self, obj: Any, user: Any) -> bool:
        return obj.flow_version.state == "draft" and self.may(user, "delete")


@register
class ProxyResource(Resource):
    model = Proxy
    path = "approvals/proxies"
    group = "approvals"
    order = 30
    key = "pk"
    icon = "user-round-check"
    columns = (Column("principal", phone="cust"), "proxy", "since", "until", "reason", "revoked_at")
    filters = ("principal", "proxy", "until")
    ordering = ("-since", "-id")
    fields = ("principal", "proxy", "since", "until", "kinds", "reason")
    extra_fields = ("revoked_at",)
    related = ("principal", "proxy")
    form_class = ProxyForm
    importable = False
    save = staticmethod(save_proxy)
    commands = (
        Command(
            "revoke",
            gettext_lazy("Revoke"),
            revoke_proxy,
            "oa.change_proxy",
            icon="ban",
            danger=True,
            menu=True,
            when=lambda proxy: proxy.revoked_at is None,
        ),
    )

    def editable(self, obj: Any, user: Any) -> bool:
        return obj.revoked_at is None and super().editable(obj, user)

    def deletable(self, obj: Any, user: Any) -> bool:
        return False


def form_actions(document: FormRequest, user: Any) -> list[Action]:
    """Edit and submit a draft of one's own."""
    if document.state != "draft" or document.owner_id != user.pk or not user.has_perm("oa.change_formrequest"):
        return []
    submit = reverse("approval-submit", args=(document.form.kind, document.pk))
    return [
        Action(_("Edit"), reverse("approval-draft", args=(document.pk,)), icon="pencil", key="e", name="edit"),
        Action(_("Submit for approval"), submit, icon="send", primary=True, name="submit"),
    ]
