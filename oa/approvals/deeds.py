"""What people can do to a request right now: the verbs of its page, and running one of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kit.pages.actions import Action
from kit.values.errors import BusinessError
from oa.approvals import services
from oa.approvals.access import administers
from oa.approvals.choosing import to_choose
from oa.approvals.contents import document_of
from oa.approvals.forecast import choice_field
from oa.approvals.inbox import act_url
from oa.approvals.models import ApprovalNode, ApprovalRequest, ApprovalTask
from oa.approvals.models.flows import NodeKind
from oa.approvals.models.forms import FORM_KIND
from oa.approvals.models.requests import TaskRole, in_hands_of
from oa.approvals.services.submission import withdrawable

LABELS = {
    "approve": lambda: pgettext("approval", "Approve"),
    "reject": lambda: _("Reject"),
    "return": lambda: _("Return"),
    "advise": lambda: _("Give advice"),
    "transfer": lambda: _("Hand over"),
    "delegate": lambda: _("Ask for advice"),
    "add": lambda: _("Add signers"),
    "remove": lambda: _("Remove signer"),
    "copy": lambda: _("Send a copy"),
    "urge": lambda: _("Urge"),
    "withdraw": lambda: _("Withdraw"),
    "cancel": lambda: _("Cancel request"),
    "resubmit": lambda: _("Submit again"),
    "take-back": lambda: _("Take back"),
    "edit": lambda: _("Change fields"),
    "reassign": lambda: _("Reassign"),
}
ON_TASK = ("approve", "reject", "return", "advise", "transfer", "delegate", "add", "remove", "take-back", "edit")
ICONS = {
    "approve": "check", "reject": "x", "return": "corner-up-left", "transfer": "arrow-right-left", "add": "user-plus",
    "delegate": "message-circle-question-mark", "copy": "copy", "urge": "bell", "withdraw": "undo-2", "cancel": "ban",
    "resubmit": "send", "take-back": "undo-2", "advise": "message-square", "remove": "user-minus",
    "edit": "pencil", "reassign": "arrow-right-left",
}  # fmt: skip


@dataclass(frozen=True)
class Deeds:
    """The task in the hands of a person, if any, and the verbs that are possible."""

    task: ApprovalTask | None
    actions: Sequence[Action]

    @property
    def shown(self) -> list[Action]:
        """Verbs with a button of their own."""
        return [action for action in self.actions if not action.menu]

    @property
    def more(self) -> list[Action]:
        """Verbs in the menu."""
        return [action for action in self.actions if action.menu]


def task_in_hand(request: ApprovalRequest, user: Any) -> ApprovalTask | None:
    """The running task of a request that `user` can act on, an own one first."""
    rows = request.tasks.filter(in_hands_of(user), state="running").select_related("node__step", "user", "request")
    found = sorted(rows, key=lambda task: (task.user_id != user.pk, task.pk))
    return found[0] if found else None


def deeds(request: ApprovalRequest, user: Any) -> Deeds:
    """What `user` can do to `request`, the main verb first."""
    task = task_in_hand(request, user) if request.state in ("running", "returned") else None
    made = [_action(verb, task, primary=i == 0) for i, verb in enumerate(_task_verbs(task))] if task else []
    mine = to_take_back(request, user)
    if mine is not None:
        made.append(_action("take-back", mine, primary=False))
    made += [_plain(verb, request, menu=bool(made)) for verb in _request_verbs(request, user)]
    return Deeds(task, made)


def to_take_back(request: ApprovalRequest, user: Any) -> ApprovalTask | None:
    """The last approval of `user` while nobody has acted on a later step (rule X-04)."""
    if request.state != "running":
        return None
    rows = request.tasks.filter(decided_by=user.pk, state="approved", node__state__in=["running", "approved"])
    mine = rows.exclude(role=TaskRole.ADVICE).select_related("node__step").order_by("-pk").first()
    if mine is None or mine.node is None:
        return None
    acted = request.actions.filter(node__stage__gt=mine.node.stage, node__pk__gt=mine.node.pk, by__isnull=False)
    return None if acted.exists() else mine


def editable_fields(request: ApprovalRequest, task: ApprovalTask) -> list[dict[str, Any]]:
    """The fields of a form that the step of a task may change (rule X-06)."""
    step = task.node.step if task.node is not None else None
    names = set(step.editable) if step is not None and request.kind.startswith(FORM_KIND) else set()
    document: Any = document_of(request) if names else None
    return [field for field in document.fields if field["name"] in names] if document is not None else []


def _task_verbs(task: ApprovalTask) -> list[str]:
    if task.role == TaskRole.REVISE:
        return ["resubmit"]
    if task.role == TaskRole.ADVICE:
        return ["advise", "transfer"]
    verbs = ["approve", "return", "transfer", "add", "delegate"]
    if task.node is None or task.node.kind == NodeKind.APPROVE:
        verbs.insert(1, "reject")
    return [*verbs, "edit"] if editable_fields(task.request, task) else verbs


def _action(verb: str, task: ApprovalTask, *, primary: bool) -> Action:
    keys = {"approve": "e", "resubmit": "e", "advise": "e", "reject": "r"}
    handles = verb == "approve" and task.node is not None and task.node.kind == NodeKind.HANDLE
    return Action(
        pgettext("approval", "Done") if handles else LABELS[verb](),
        act_url(task, verb),
        ICONS.get(verb, ""),
        primary=primary,
        danger=verb == "reject",
        post=verb == "take-back",
        dialog=verb != "take-back",
        key=keys.get(verb, ""),
        menu=verb in ("transfer", "add", "delegate", "edit"),
        name=verb,
    )


def _request_verbs(request: ApprovalRequest, user: Any) -> list[str]:
    is_open = request.state in ("running", "returned")
    verbs = ["copy"]
    if is_open and user.pk == request.applicant_id and withdrawable(request):
        verbs.append("withdraw")
    if request.state == "running":
        verbs.append("urge")
    if not is_open or not administers(user, request):
        return verbs
    return [*verbs, "reassign", "cancel"] if reassignable(request, user) else [*verbs, "cancel"]


def reassignable(request: ApprovalRequest, user: Any) -> list[ApprovalTask]:
    """Open tasks of others that the administrator `user` may give to somebody else; of own requests none (X-11)."""
    if user.pk == request.applicant_id:
        return []
    rows = request.tasks.filter(state__in=("running", "waiting", "delegated")).exclude(user=user.pk)
    return list(rows.select_related("user", "node__step").order_by("pk"))


def _plain(verb: str, request: ApprovalRequest, *, menu: bool) -> Action:
    url = reverse("approval-act", args=(request.pk, verb))
    asks = verb != "urge"
    return Action(
        LABELS[verb](), url, ICONS.get(verb, ""), danger=verb == "cancel", post=not asks, dialog=asks,
        menu=menu or verb in ("copy", "reassign", "cancel"), name=verb,
    )  # fmt: skip


def returnable(task: ApprovalTask) -> list[tuple[int, Any]]:
    """Where a task can be returned to: the applicant and the passed stages, by the names of their steps."""
    stages = [(0, _("the applicant: %s") % task.request.applicant)]
    node = task.node
    if node is None:
        return stages
    passed = ApprovalNode.objects.filter(request=task.request_id, state="approved", stage__lt=node.stage)
    names: dict[int, list[str]] = {}
    for row in passed.exclude(kind=NodeKind.CC).select_related("step").order_by("stage", "pk"):
        names.setdefault(row.stage, []).append(str(row))
    return [*stages, *((stage, ", ".join(dict.fromkeys(found))) for stage, found in names.items())]


def perform(
    verb: str, request: ApprovalRequest, task: ApprovalTask | None, given: Mapping[str, Any], *, by: Any, seen: str
) -> ApprovalRequest:
    """Run a verb with what its form gave; `seen` is the hash of the content that the page showed."""
    if verb in ON_TASK and task is None:
        raise BusinessError(_("This is not asked any more."))
    opinion = given.get("opinion", "")
    if task is not None and verb in ON_TASK:
        return _on_task(verb, task, given, by, seen)
    if verb == "copy":
        return services.send_copy(request, given["people"], by=by, text=opinion)
    if verb == "urge":
        return services.urge(request, by=by)
    if verb == "withdraw":
        return services.withdraw(request, by=by, reason=opinion)
    if verb == "reassign":
        return services.transfer(given["task"], given["to"], by=by, text=given["reason"])
    if verb == "cancel":
        return services.cancel(request, by=by, reason=given["reason"])
    return services.resubmit(request, by=by, note=opinion)


def _on_task(verb: str, task: ApprovalTask, given: Mapping[str, Any], by: Any, seen: str) -> ApprovalRequest:
    opinion = given.get("opinion", "")
    if verb == "approve":
        choices = {step.pk: [person.pk for person in given.get(choice_field(step), ())] for step in to_choose(task)}
        return services.approve(task, by=by, text=opinion, content_hash=seen, choices=choices)
    if verb == "reject":
        return services.reject(task, by=by, text=given["reason"])
    if verb == "return":
        return services.send_back(task, by=by, stage=given["stage"], text=given["reason"])
    if verb == "advise":
        return services.give_advice(task, by=by, text=given["advice"])
    if verb == "transfer":
        return services.transfer(task, given["to"], by=by, text=opinion)
    if verb == "delegate":
        return services.delegate(task, given["to"], by=by, text=given["question"])
    if verb == "add":
        return services.add_signers(task, given["people"], by=by, where=given["where"], text=opinion)
    if verb == "edit":
        return services.edit(task, given, by=by)
    if verb == "remove":
        return services.remove_signer(task, by=by, text=opinion)
    return services.take_back(task, by=by)
