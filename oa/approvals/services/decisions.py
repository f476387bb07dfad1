"""Verdicts: approve, reject, return, advise; taking a verdict back; editing while deciding."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.access import Hand, hand_on
from oa.approvals.choosing import choose
from oa.approvals.engine import Run, advance, back_to, cancel_tasks, new_task, open_run, settle, start_tasks
from oa.approvals.messages import answered, tell_asked
from oa.approvals.models import ApprovalNode, ApprovalRequest, ApprovalTask
from oa.approvals.models.flows import NodeKind, Resubmit
from oa.approvals.models.log import Act
from oa.approvals.models.requests import TaskRole
from oa.approvals.services.hands import release
from oa.approvals.services.submission import take_over
from oa.approvals.signing import signature_for
from oa.organisation.models import User
from oa.records.bulk import locked


@transaction.atomic
def approve(
    task: ApprovalTask,
    *,
    by: User | None,
    text: str = "",
    content_hash: str = "",
    choices: Mapping[int, Iterable[int]] | None = None,
) -> ApprovalRequest:
    """Approve, or say that a step without a verdict is handled; the last one lets the document take effect (X-07).

    `content_hash`: what the person saw; somebody who looked at something older is told to look again (rule X-08).
    `choices`: step key -> keys of the people who are to decide at a next step that leaves this to who approves before.
    """
    run = open_run(task.request_id, by)
    hand = _to_decide(run, task, by)
    if content_hash and content_hash != run.request.content_hash:
        raise BusinessError(_("%s was changed meanwhile. Look at it again before you decide.") % run.request.title)
    if by is not None:
        choose(run, hand.task.node, choices or {})
    handles = hand.task.node is not None and hand.task.node.kind == NodeKind.HANDLE
    return _decide(run, hand, Act.HANDLE if handles else Act.APPROVE, "approved", text)


@transaction.atomic
def reject(task: ApprovalTask, *, by: User | None, text: str) -> ApprovalRequest:
    """Reject, with a reason; whether that decides the step depends on how many must approve (rule X-02)."""
    run = open_run(task.request_id, by)
    hand = _to_decide(run, task, by)
    if hand.task.node is not None and hand.task.node.kind == NodeKind.HANDLE:
        raise BusinessError(_("This step has no verdict. Return it instead."))
    _need(text)
    return _decide(run, hand, Act.REJECT, "rejected", text)


@transaction.atomic
def give_advice(task: ApprovalTask, *, by: User, text: str) -> ApprovalRequest:
    """Answer a colleague who asked before deciding; the decision goes back to them (rule X-04)."""
    run = open_run(task.request_id, by)
    hand = hand_on(run, task.pk, by)
    if hand.task.role != TaskRole.ADVICE:
        raise BusinessError(_("You are asked to decide, not for advice."))
    _need(text)
    _say(run, hand, Act.ADVISE, text)
    _close(run, hand, "approved")
    asking = next(t for t in run.tasks[hand.task.node_id or 0] if t.pk == hand.task.source_id)
    if asking.state == "delegated":
        start_tasks(run, [asking])
    return run.request


@transaction.atomic
def send_back(task: ApprovalTask, *, by: User, stage: int, text: str) -> ApprovalRequest:
    """Return to an earlier stage, 0 being the applicant; everybody asked there gets a fresh task (rule X-03)."""
    run = open_run(task.request_id, by)
    hand = _to_decide(run, task, by)
    node = hand.task.node
    if stage and (node is None or stage not in stages_before(run, node)):
        raise BusinessError(_("It can be returned to an earlier step or to the applicant."), field="stage")
    _need(text)
    _say(run, hand, Act.RETURN, text, data={"stage": stage})
    _close(run, hand, "returned")
    back_to(run, stage, again=run.request.flow_version.resubmit == Resubmit.AGAIN, mine=node)
    run.request.version += 1
    run.request.save()
    advance(run)
    return run.request


def stages_before(run: Run, node: ApprovalNode) -> list[int]:
    """The stages a node can be returned to: those before it that somebody has passed."""
    return sorted({n.stage for n in run.nodes if n.stage < node.stage and n.state == "approved" and n.kind != "cc"})


@transaction.atomic
def take_back(task: ApprovalTask, *, by: User) -> ApprovalRequest:
    """Take my approval back while the next ones have not acted: the step is open again for all of it (rule X-04)."""
    run = open_run(task.request_id, by)
    mine = next((t for t in run.tasks[task.node_id or 0] if t.pk == task.pk), None)
    node = run.node(task.node_id)
    if mine is None or node is None or mine.state != "approved" or by.pk not in (mine.user_id, mine.decided_by_id):
        raise BusinessError(_("There is no approval of yours to take back."))
    if run.request.state != "running" or node.state not in ("running", "approved"):
        raise BusinessError(_("It is %s; an approval cannot be taken back any more.") % run.request.get_state_display())
    later = [n for n in run.nodes if n.pk > node.pk and n.stage > node.stage]
    if node.state == "approved" and not _untouched(run, later):
        raise BusinessError(_("The next step was acted on already."))
    for following in later:
        if following.state == "running":
            following.state, following.decided_at = "cancelled", run.now
            following.save(update_fields=["state", "decided_at"])
            cancel_tasks(run, run.tasks[following.pk])
    run.log(Act.TAKE_BACK, by=by, task=mine, node=node)
    _reopen(run, node, mine)
    return run.request


def _untouched(run: Run, later: list[ApprovalNode]) -> bool:
    acted = run.request.actions.filter(node__in=[n.pk for n in later], by__isnull=False).exists()
    return not acted and all(n.state == "running" or n.kind == NodeKind.CC for n in later)


def _reopen(run: Run, node: ApprovalNode, mine: ApprovalTask) -> None:
    """Fresh tasks for me and for those who did not need to decide because I had."""
    again = [mine]
    if node.state == "approved":
        again += [t for t in run.tasks[node.pk] if t.state == "cancelled" and t.decided_at == node.decided_at]
        node.state, node.decided_at = "running", None
        node.save(update_fields=["state", "decided_at"])
    mine.state = "cancelled"
    mine.save(update_fields=["state"])
    fresh = [
        new_task(run, node, old.user, old.slot, "running" if old is mine or node.how != "sequence" else "waiting",
                 role=old.role, source=old)
        for old in again
    ]  # fmt: skip
    ApprovalTask.objects.bulk_create(fresh)
    run.tasks[node.pk] += fresh
    tell_asked(run, [t for t in fresh if t.state == "running" and t.user_id != mine.user_id])


@transaction.atomic
def edit(task: ApprovalTask, values: Mapping[str, Any], *, by: User) -> ApprovalRequest:
    """Change the fields this step may change; conditions are evaluated again afterwards (rules X-01, X-06)."""
    run = open_run(task.request_id, by)
    hand = _to_decide(run, task, by)
    step = hand.task.node.step if hand.task.node is not None else None
    allowed = set(step.editable) if step is not None else set()
    if run.approvable.edit is None or not set(values) <= allowed:
        raise BusinessError(_("These fields cannot be changed at this step."))
    model: Any = run.approvable.model
    run.document = locked(model._default_manager.all(), run.request.object_id)
    before = dict(run.request.content)
    run.approvable.edit(run.document, values, by)
    take_over(run)
    run.request.save()
    changed = sorted(key for key, value in run.request.content.items() if before.get(key) != value)
    run.log(Act.EDIT, data={"fields": changed, "before": {key: before.get(key) for key in changed}},
            **{**hand.named, "task": None})  # fmt: skip
    return run.request


# ---- what they share ----


def _to_decide(run: Run, task: ApprovalTask, by: User | None) -> Hand:
    hand = hand_on(run, task.pk, by)
    if hand.task.role in (TaskRole.ADVICE, TaskRole.REVISE):
        raise BusinessError(_("You are not asked to decide here."))
    return hand


def _need(text: str) -> None:
    if not text.strip():
        raise BusinessError(_("Enter a reason."), field="text")


def _say(run: Run, hand: Hand, act: Act, text: str, **more: Any) -> None:
    """Write a verdict into the history, with the signature of whoever gives it."""
    run.log(act, text=text, signature=signature_for(hand), **hand.named, **more)


def _decide(run: Run, hand: Hand, act: Act, state: str, text: str) -> ApprovalRequest:
    _say(run, hand, act, text)
    _close(run, hand, state)
    node = hand.task.node
    if node is not None and node.state == "running":
        if state == "approved":
            release(run, node.pk)
        settle(run, node)
    advance(run)
    return run.request


def _close(run: Run, hand: Hand, state: str) -> None:
    """The task is done; the verdict is in the history already, where the database has checked it (I-27)."""
    task = hand.task
    task.state, task.decided_at, task.decided_by = state, run.now, hand.by
    task.save(update_fields=["state", "decided_at", "decided_by"])
    answered(run, [task])
