"""The engine: which step comes next, when one is decided, and what the end means (rules X-01 to X-11).

There is one idea: a step counts as *passed* while it has an approved node whose facts are the present ones. Advancing
enters the first stage with a step that is needed and not passed; with none left, the document takes effect. Returning
voids nodes, a change of facts makes all earlier approvals void by itself, so that a ladder of amounts cannot be
climbed around (rule X-10).
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.approvals import messages, outcome
from oa.approvals.conditions import holds, reasons
from oa.approvals.contents import contents_of, document_of
from oa.approvals.models import ApprovalAction, ApprovalNode, ApprovalRequest, ApprovalTask, FlowStep
from oa.approvals.models.flows import How, NodeKind, OnReject
from oa.approvals.models.log import Act
from oa.approvals.models.requests import TaskRole
from oa.approvals.people import REPEATED, Asked, Situation, asked, drawn, last_resort, reviser
from oa.approvals.registry import Approvable, approvables
from oa.organisation.models import User
from oa.records.bulk import bulk_set, locked

LAST_RESORT = "only-applicant"  # the note of the node that the engine adds itself (rule X-11)
COUNTED = (TaskRole.SIGN, TaskRole.ADDED)


@dataclass
class Run:
    """A request in the hands of one command: locked, with its nodes and tasks in memory."""

    request: ApprovalRequest
    approvable: Approvable
    steps: list[FlowStep]
    nodes: list[ApprovalNode]
    tasks: dict[int, list[ApprovalTask]]  # by node
    by: User | None
    now: dt.datetime = field(default_factory=timezone.now)
    document: Any = None

    def node(self, key: int | None) -> ApprovalNode | None:
        """The node with a key."""
        return next((node for node in self.nodes if node.pk == key), None)

    def running(self) -> list[ApprovalNode]:
        """Nodes in progress."""
        return [node for node in self.nodes if node.state == "running"]

    def passed(self, step: FlowStep | None) -> bool:
        """Whether a step is approved for the present facts."""
        key = step.pk if step is not None else None
        return any(
            node.step_id == key and node.state == "approved" and node.facts_hash == self.request.facts_hash
            for node in self.nodes
        )

    def log(self, act: Act, *, text: str = "", by: Any = None, **more: Any) -> ApprovalAction:
        """Write down what happened."""
        return ApprovalAction.objects.create(
            request=self.request,
            act=act,
            by=by,
            text=text,
            facts_hash=self.request.facts_hash,
            content_hash=self.request.content_hash,
            day=business_day(),
            at=self.now,
            **more,
        )


def open_run(key: int, by: User | None) -> Run:
    """Lock a request and read its run: the first thing every command does (a constant number of statements)."""
    rows = ApprovalRequest.objects.select_related("flow_version__flow__admin", "flow_version__fallback", "applicant")
    request = locked(rows, key)
    steps = list(request.flow_version.steps.order_by("stage", "pk").prefetch_related("named__user"))
    by_key = {step.pk: step for step in steps}
    nodes = list(request.nodes.order_by("pk"))
    for node in nodes:
        node.step = by_key.get(node.step_id) if node.step_id else None
    tasks: dict[int, list[ApprovalTask]] = defaultdict(list)
    by_node = {node.pk: node for node in nodes}
    for task in request.tasks.select_related("user").order_by("pk"):
        task.request, task.node = request, by_node.get(task.node_id) if task.node_id else None
        tasks[task.node_id or 0].append(task)
    return Run(request, approvables.get(request.kind), steps, nodes, tasks, by)


# ---- going on ----


def advance(run: Run) -> None:
    """Enter the next stage, and the one after it as long as the rules decide by themselves; end when none is left."""
    for _turn in range(2 * len(run.steps) + 2):
        if run.running() or run.request.state != "running":
            return
        stage = _next_stage(run)
        if stage is None:
            if not _needs_somebody_else(run):
                finish(run)
                return
            _enter_last_resort(run)
            continue
        _enter(run, stage)
        for node in run.running():
            settle(run, node)
    raise BusinessError(_("The flow returns to itself without anybody deciding. Ask its administrator."))


def needed(run: Run, step: FlowStep) -> bool:
    """Whether the conditions of a step hold for the present facts."""
    return holds(step.conditions, run.request.facts, run.approvable.known)


def _next_stage(run: Run) -> list[FlowStep] | None:
    """The steps that are to be entered now: those of the first stage with one that is needed and not passed."""
    todo = [step for step in run.steps if needed(run, step) and not run.passed(step)]
    return [step for step in todo if step.stage == todo[0].stage] if todo else None


def situation(run: Run, stage: int) -> Situation:
    """What the who-rules of `stage` look at."""
    earlier: dict[int, None] = {}
    last, before = 0, set[int]()
    for node in run.nodes:
        if node.state != "approved" or node.stage >= stage or node.facts_hash != run.request.facts_hash:
            continue
        deciders = _deciders(run, node)
        if node.kind == NodeKind.APPROVE and deciders:
            earlier.update(dict.fromkeys(deciders))
            before = before | set(deciders) if node.stage == last else set(deciders)
            last = node.stage
    request = run.request
    return Situation(
        request.flow_version,
        run.approvable,
        request.applicant,
        request.department_id,
        request.facts,
        request.choices,
        tuple(earlier),
        frozenset(before),
    )


def _deciders(run: Run, node: ApprovalNode) -> list[int]:
    """Who approved at a node, stand-ins after whom they stood in for."""
    approved = [t for t in run.tasks[node.pk] if t.state == "approved" and t.role in COUNTED]
    keys = [key for task in approved for key in (task.user_id, task.decided_by_id) if key is not None]
    return list(dict.fromkeys(keys))


def _enter(run: Run, stage: list[FlowStep]) -> None:
    here = situation(run, stage[0].stage)
    for step in stage:
        _void_earlier(run, step)
        found = asked(step, here)
        if step.how == How.RANDOM and step.kind != NodeKind.CC:
            found = drawn(found)
        why = reasons(step.conditions, run.request.facts, run.approvable.known)
        if step.kind == NodeKind.CC:
            node = _add_node(run, step, 0, found, why)
            messages.send_copies(run.request, found.people, run.now)
            _decide_node(run, node, "approved")
        elif found.verdict:
            node = _add_node(run, step, 0, found, why)
            run.log(Act.SYSTEM, node=node, data={"note": found.note})
            _decide_node(run, node, "approved" if found.verdict == "approve" else "rejected")
            if node.state == "rejected":
                return  # the request is decided or on its way back: nobody else of this stage is asked
        else:
            if not found.people:
                raise BusinessError(_("Nobody can decide at “%s”. Ask your administrator.") % step.name)
            node = _add_node(run, step, len(found.people), found, why)
            add_tasks(run, node, found)
            for user in [user for user in found.people if user.pk in found.passed]:
                run.log(Act.SYSTEM, node=node, target=user, data={"note": REPEATED})


def _void_earlier(run: Run, step: FlowStep) -> None:
    """Approvals of this step for other facts do not count any more."""
    old = [node for node in run.nodes if node.step_id == step.pk and node.state == "approved"]
    for node in old:
        node.state = "void"
    bulk_set(old, ["state"])


def _add_node(run: Run, step: FlowStep | None, people: int, found: Asked, why: list[Any]) -> ApprovalNode:
    how = step.how if step is not None else How.ANY
    if step is not None and step.who == "chain":
        how = How.SEQUENCE
    node = ApprovalNode.objects.create(
        request=run.request,
        step=step,
        stage=step.stage if step is not None else max([s.stage for s in run.steps], default=0) + 1,
        kind=step.kind if step is not None else NodeKind.APPROVE,
        how=how,
        needed=outcome.required(how, people, step.ratio if step is not None else None),
        note=found.note if step is not None else LAST_RESORT,
        why=why,
        facts_hash=run.request.facts_hash,
        entered_at=run.now,
    )
    run.nodes.append(node)
    return node


def add_tasks(run: Run, node: ApprovalNode, found: Asked) -> None:
    """Ask the people of a node, one after the other in a sequence; who passes by rule is not asked."""
    tasks: list[ApprovalTask] = []
    for slot, user in enumerate(found.people):
        skipped = user.pk in found.passed
        first = node.how != How.SEQUENCE or all(task.state == "skipped" for task in tasks)
        state = "skipped" if skipped else "running" if first else "waiting"
        task = new_task(run, node, user, slot, state)
        tasks.append(task)
    ApprovalTask.objects.bulk_create(tasks)
    run.tasks[node.pk] += tasks
    messages.tell_asked(run, [task for task in tasks if task.state == "running"])


def new_task(run: Run, node: ApprovalNode | None, user: User, slot: int, state: str, **more: Any) -> ApprovalTask:
    """A task, not stored yet; the clock of a step runs from the moment it can be done."""
    task = ApprovalTask(request=run.request, node=node, user=user, slot=slot, state=state, **more)
    if state == "running":
        _start_clock(run, task)
    return task


def _start_clock(run: Run, task: ApprovalTask) -> None:
    task.started_at = run.now
    node = run.node(task.node_id)
    hours = node.step.hours if node is not None and node.step is not None else None
    if hours:
        task.due_at = task.remind_at = run.now + dt.timedelta(hours=hours)


def start_tasks(run: Run, tasks: Iterable[ApprovalTask]) -> None:
    """Tasks that waited can be done now."""
    started = list(tasks)
    for task in started:
        task.state = "running"
        _start_clock(run, task)
    bulk_set(started, ["state", "started_at", "due_at", "remind_at"])
    messages.tell_asked(run, started)


# ---- decided ----


def settle(run: Run, node: ApprovalNode) -> None:
    """Decide a node as soon as its outcome is certain (rule X-02), else let the next of a sequence begin."""
    slots: dict[int, list[ApprovalTask]] = defaultdict(list)
    for task in run.tasks[node.pk]:
        if task.role in COUNTED:
            slots[task.slot].append(task)
    results = {slot: outcome.slot_result(task.state for task in tasks) for slot, tasks in sorted(slots.items())}
    for slot, said in results.items():
        if said == outcome.REJECTED:
            cancel_tasks(run, slots[slot])  # nobody else in it can change that
    result = outcome.step_result(results.values(), node.needed)
    if result != outcome.PENDING:
        _decide_node(run, node, result)
        return
    if node.how == How.SEQUENCE:
        turn = slots[next(slot for slot, said in results.items() if said == outcome.PENDING)]
        if all(task.state == "waiting" for task in turn if task.state in outcome.OPEN):
            start_tasks(run, [task for task in turn if task.state == "waiting" and task.after_id is None])


def _decide_node(run: Run, node: ApprovalNode, state: str) -> None:
    """Others who were asked need not decide any more (rule X-02); a rejected node ends or returns the request."""
    node.state, node.decided_at, node.facts_hash = state, run.now, run.request.facts_hash
    node.save(update_fields=["state", "decided_at", "facts_hash"])
    cancel_tasks(run, run.tasks[node.pk])
    if state == "rejected":
        _rejected(run, node)


def cancel_tasks(run: Run, tasks: Iterable[ApprovalTask]) -> None:
    """Nobody is asked by these any more."""
    undecided = [task for task in tasks if task.state in outcome.OPEN]
    for task in undecided:
        task.state, task.decided_at = "cancelled", run.now
    bulk_set(undecided, ["state", "decided_at"])
    messages.answered(run, undecided)


def _rejected(run: Run, node: ApprovalNode) -> None:
    step = node.step
    rule = step.on_reject if step is not None else OnReject.END
    if rule == OnReject.END:
        end(run, "rejected")
        return
    back_to(run, (step.reject_to or 0) if step is not None and rule == OnReject.STAGE else 0, again=True)


def stop_nodes(run: Run, mine: ApprovalNode | None = None) -> None:
    """All nodes in progress end without a verdict; `mine` is the one that returned the request."""
    for node in run.running():
        node.state = "returned" if node is mine else "cancelled"
        node.decided_at = run.now
        node.save(update_fields=["state", "decided_at"])
        cancel_tasks(run, run.tasks[node.pk])


def back_to(run: Run, stage: int, *, again: bool, mine: ApprovalNode | None = None) -> None:
    """Go back to `stage`, 0 being the applicant (rule X-03).

    The nodes of that stage are void, so that all its people get fresh tasks; with `again` those of later stages, too.
    """
    stop_nodes(run, mine)
    old = [
        node
        for node in run.nodes
        if node.state == "approved" and (node.stage >= stage if again else node.stage == stage)
    ]
    for node in old:
        node.state = "void"
    bulk_set(old, ["state"])
    if stage > 0:
        return
    run.request.state = "returned"
    run.request.save(update_fields=["state", "updated_at"])
    run.approvable.unlock(_document(run))
    task = new_task(run, None, reviser(situation(run, 0)), 0, "running", role=TaskRole.REVISE)
    task.save()
    run.tasks[0].append(task)
    messages.tell_returned(run, task.user)


# ---- the end ----


def _document(run: Run) -> Any:
    if run.document is None:
        run.document = document_of(run.request)
    return run.document


def _needs_somebody_else(run: Run) -> bool:
    """Rule X-11: whether people decided, and all of them are the applicant."""
    if run.passed(None):
        return False
    decided = [
        node
        for node in run.nodes
        if node.kind == NodeKind.APPROVE and node.state == "approved" and node.facts_hash == run.request.facts_hash
    ]
    deciders = {key for node in decided for key in _deciders(run, node)}
    self_passed = any(node.note == "self-skip" for node in decided)
    return deciders == {run.request.applicant_id} or (not deciders and self_passed)


def _enter_last_resort(run: Run) -> None:
    user = last_resort(situation(run, max(step.stage for step in run.steps) + 1))
    if user is None:
        raise BusinessError(_("Nobody but the applicant can decide. Ask your administrator."))
    found = Asked([user], note=LAST_RESORT)
    add_tasks(run, _add_node(run, None, 1, found, []), found)


def finish(run: Run) -> None:
    """All that is needed is approved: take effect once, in this transaction (rules X-07, I-28)."""
    request = run.request
    document = _document(run)
    now = contents_of(run.approvable, document, request.applicant, request.department_id)
    if now.content_hash != request.content_hash or now.facts_hash != request.facts_hash:
        raise BusinessError(
            _("%s was changed during the approval. Return it to the applicant, who submits it again.") % request.title
        )
    end(run, "approved")
    run.approvable.effect(document, run.by)
    run.log(Act.EFFECT)


def end(run: Run, state: str, reason: str = "") -> None:
    """Close the request; unless it is approved the document is given back to its owner (rule X-06)."""
    request = run.request
    stop_nodes(run)
    cancel_tasks(run, run.tasks[0])
    request.state, request.decided_at, request.reason = state, run.now, reason[:500]
    request.version += 1
    request.save(update_fields=["state", "decided_at", "reason", "version", "updated_at"])
    if state != "approved":
        run.approvable.unlock(_document(run))
    messages.tell_end(run)
