"""Who may do what to a request right now: the one place that pages and commands ask."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.approvals.engine import Run
from oa.approvals.models import ApprovalRequest, ApprovalTask, Proxy
from oa.approvals.models.flows import OnRepeat
from oa.organisation.models import User


@dataclass(frozen=True)
class Hand:
    """Whose task a person acts on: their own (`proxy` None), or in place of somebody absent."""

    task: ApprovalTask
    by: User | None
    proxy: Proxy | None = None

    @property
    def named(self) -> dict[str, Any]:
        """The columns of the history."""
        behalf = self.proxy.principal_id if self.proxy is not None else None
        return {"by": self.by, "proxy": self.proxy, "behalf_id": behalf, "task": self.task, "node": self.task.node}


def administers(user: Any, request: ApprovalRequest) -> bool:
    """Whether a person may cancel and reassign: the flow's administrator and whoever oversees approvals."""
    return bool(user.pk == request.flow_version.flow.admin_id or user.has_perm("oa.manage_approvalrequest"))


def hand_on(run: Run, key: int, by: User | None) -> Hand:
    """The running task `key` in the hands of `by`, the system for None.

    Raises BusinessError, in words, when it is decided already or not for this person to decide (rules X-05, X-11).
    """
    task = next((t for tasks in run.tasks.values() for t in tasks if t.pk == key), None)
    if task is None:
        raise BusinessError(_("This is not asked any more."))
    _still_asked(run, task)
    if by is None:
        return Hand(task, None)
    proxy = None
    if task.user_id != by.pk:
        proxy = proxy_between(run, task, by)
        if proxy is None:
            raise BusinessError(_("This is for %s to decide.") % task.user)
    if task.role != "revise":
        _not_twice(run, task, by, proxy)
    return Hand(task, by, proxy)


def _still_asked(run: Run, task: ApprovalTask) -> None:
    if run.request.state not in ("running", "returned") or task.state != "running":
        states = {
            "approved": _("You have approved this already."),
            "rejected": _("You have rejected this already."),
            "waiting": _("It is not your turn yet."),
            "delegated": _("You asked for advice, which has not come yet."),
        }
        said = states.get(task.state, _("This was decided meanwhile: %s.") % run.request.get_state_display())
        raise BusinessError(said)


def proxy_between(run: Run, task: ApprovalTask, by: User) -> Proxy | None:
    """The proxy under which `by` may act on a task of somebody else today."""
    if by.pk == run.request.applicant_id:
        return None
    rows = Proxy.objects.filter(principal=task.user_id, proxy=by.pk).on(business_day())
    return next((row for row in rows if not row.kinds or run.request.kind in row.kinds), None)


def _not_twice(run: Run, task: ApprovalTask, by: User, proxy: Proxy | None) -> None:
    """One person has one voice at a step, and none at a second one unless the flow allows it (rule X-11)."""
    for node in run.nodes:
        mine = [
            t
            for t in run.tasks[node.pk]
            if t.pk != task.pk
            and t.state == "approved"
            and t.role != "advice"
            and by.pk in (t.user_id, t.decided_by_id)
        ]
        if not mine:
            continue
        if node.pk == task.node_id:
            raise BusinessError(_("You have decided at this step already."))
        other = run.request.flow_version.on_repeat == OnRepeat.OTHER
        if proxy is not None and other and node.state == "approved" and node.facts_hash == run.request.facts_hash:
            raise BusinessError(_("You have approved an earlier step; somebody else must decide here."))


def suited(run: Run, task: ApprovalTask, user: User) -> None:
    """Refuse a person to whom a task may not go: inactive, the applicant, or asked at this step already."""
    if not user.is_active:
        raise BusinessError(_("%s does not work here any more.") % user, field="to")
    if user.pk == run.request.applicant_id:
        raise BusinessError(_("The applicant cannot decide."), field="to")
    node_tasks = run.tasks[task.node_id or 0]
    if any(t.user_id == user.pk and t.state in ("waiting", "running", "delegated") for t in node_tasks):
        raise BusinessError(_("%s is asked at this step already.") % user, field="to")
    if any(user.pk in (t.user_id, t.decided_by_id) and t.state in ("approved", "rejected") for t in node_tasks):
        raise BusinessError(_("%s has decided at this step already.") % user, field="to")


def not_decided_before(run: Run, task: ApprovalTask, user: User) -> None:
    """Refuse to hand a decision to somebody who approved an earlier step, where the flow wants another (rule X-11)."""
    if run.request.flow_version.on_repeat != OnRepeat.OTHER:
        return
    for node in run.nodes:
        if node.pk == task.node_id or node.state != "approved" or node.facts_hash != run.request.facts_hash:
            continue
        if any(user.pk in (t.user_id, t.decided_by_id) and t.state == "approved" for t in run.tasks[node.pk]):
            raise BusinessError(_("%s has approved an earlier step; choose somebody else.") % user, field="to")
