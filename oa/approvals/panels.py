"""Approvals on other pages: the state on a document, steps on a flow, history on a request."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from kit.pages.actions import Action
from kit.pages.columns import telling
from kit.pages.panels import Figure, Panel, actions, events, figures, panels
from oa.approvals import leaving, signing, todo  # register the inbox, what leaving hands over, who sees signatures
from oa.approvals.deeds import deeds
from oa.approvals.forecast import conditions_in_words, names
from oa.approvals.inbox import request_url
from oa.approvals.models import ApprovalRequest, Flow, FlowVersion, FormRequest
from oa.approvals.models.flows import How, NodeKind, Who
from oa.approvals.registry import Approvable, approvables
from oa.approvals.resources import form_actions
from oa.approvals.services.forms import field_label, shown
from oa.approvals.track import events_of, path_of


def on_document(document: Any, user: Any) -> dict[str, Any]:
    """The newest run of a document with its path, as far as `user` may see requests."""
    kind = ContentType.objects.get_for_model(document)
    rows = ApprovalRequest.objects.filter(content_type=kind, object_id=document.pk).select_related("applicant")
    found = rows.order_by("-pk").first()
    if found is None:
        return {"found": None}
    state = ApprovalRequest.STATES[found.state]
    opens = ApprovalRequest.objects.visible_to(user).filter(pk=found.pk).exists()
    return {
        "found": found,
        "state": (state.label, state.tone),
        "url": request_url(found) if opens else "",
        "path": path_of(found) if opens else [],
    }


def request_actions(found: ApprovalRequest, user: Any) -> Sequence[Action]:
    """What a person can do on the page of a request."""
    return deeds(found, user).actions


def request_figures(found: ApprovalRequest, user: Any) -> Sequence[Figure]:
    """Amount, applicant and time."""
    from kit.pages import formats

    made = [Figure(_("Applicant"), str(found.applicant), note=str(found.department or ""))]
    if found.amount is not None:
        made.append(Figure(_("Amount"), formats.money(found.amount)))
    made.append(Figure(_("Submitted"), formats.moment(found.submitted_at), note=todo.inbox.waited_for(found)))
    return made


def filled_in(document: FormRequest, user: Any) -> dict[str, Any]:
    """The fields of a form and what was filled in."""
    return {
        "filled": [
            (field_label(field), shown(field, document.values.get(field["name"], ""))) for field in document.fields
        ]
    }


def flow_steps(flow: Flow, user: Any) -> dict[str, Any]:
    """The version in force and the draft, step by step."""
    try:
        approvable: Approvable | None = approvables.get(flow.kind)
    except LookupError:
        approvable = None
    versions = flow.versions.filter(state__in=("published", "draft")).order_by("-state")
    return {
        "versions": [(version, _steps(version, approvable)) for version in versions],
        "may": user.has_perm("oa.change_flow"),
        "flow": flow,
        "old": flow.versions.filter(state="superseded").order_by("-number"),
    }


def _steps(version: FlowVersion, approvable: Approvable | None) -> list[dict[str, Any]]:
    rows = version.steps.select_related("role__group", "position", "department").prefetch_related("named__user")
    known = approvable.known if approvable is not None else {}
    return [
        {
            "step": step,
            "who": _who(step, known),
            "how": How(step.how).label if step.kind == NodeKind.APPROVE else NodeKind(step.kind).label,
            "when": conditions_in_words(step, known),
        }
        for step in rows.order_by("stage", "pk")
    ]


def _who(step: Any, known: Any) -> str:
    if step.who == Who.PEOPLE:
        return names(row.user for row in step.named.all())
    named = {Who.ROLE: step.role, Who.POSITION: step.position, Who.MEMBERS: step.department}
    if step.who in named:
        return f"{Who(step.who).label}: {named[step.who]}"
    if step.who == Who.FIELD and step.field in known:
        return str(known[step.field].label)
    text = str(Who(step.who).label)
    return f"{text} ({step.levels})" if step.levels and step.who in (Who.HEAD_ABOVE, Who.CHAIN) else text


def _kinds(kinds: Sequence[str]) -> str:
    """Kinds of documents by name."""
    known = dict(approvables.choices())
    return ", ".join(str(known.get(kind, kind)) for kind in kinds)


def _conditions(step: Any) -> str:
    """The conditions of a step in words, by the facts of what its flow approves."""
    try:
        return conditions_in_words(step, approvables.get(step.flow_version.flow.kind).known)
    except LookupError:
        return ""


def flow_actions(flow: Flow, user: Any) -> Sequence[Action]:
    """New version and simulator."""
    if not user.has_perm("oa.change_flow"):
        return []
    made = []
    if flow.versions.filter(state="published").exists():
        made.append(Action(_("Simulate"), reverse("flow-simulate", args=(flow.code,)), icon="play", name="simulate"))
    if not flow.versions.filter(state="draft").exists():
        made.append(
            Action(
                _("New version"),
                reverse("flow-draft", args=(flow.code,)),
                icon="copy-plus",
                post=True,
                primary=True,
                name="new-version",
            )
        )
    return made


def show_on(label: str) -> None:
    """Let pages of the model `label` show their approval."""
    panels[label].append(
        Panel(
            "approval",
            gettext_lazy("Approval"),
            "side",
            template="oa/approvals/panel.html",
            context=on_document,
            order=5,
        )
    )


panels["oa.formrequest"].append(
    Panel(
        "filled",
        pgettext_lazy("approval", "Request"),
        "main",
        template="oa/approvals/filled.html",
        context=filled_in,
        order=5,
    )
)
panels["oa.flow"].append(
    Panel("steps", gettext_lazy("Steps"), "main", template="oa/approvals/flow_steps.html", context=flow_steps, order=5)
)
telling["oa.flowstep.conditions"] = _conditions
telling["oa.requestform.fields"] = lambda form: ", ".join(field_label(field) for field in form.fields)
telling["oa.proxy.kinds"] = lambda proxy: _kinds(proxy.kinds)
telling["oa.flow.kind"] = lambda flow: _kinds([flow.kind])
show_on("oa.formrequest")
actions["oa.formrequest"].append(form_actions)
actions["oa.approvalrequest"].append(request_actions)
figures["oa.approvalrequest"].append(request_figures)
actions["oa.flow"].append(flow_actions)
events["oa.approvalrequest"].append(events_of)
__all__ = ["leaving", "signing", "todo"]
