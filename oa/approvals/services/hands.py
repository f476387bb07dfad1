"""Who decides changes: transfer, advice, added and removed signers; copies, urging (rule X-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.access import administers, hand_on, not_decided_before, suited
from oa.approvals.engine import Run, advance, new_task, open_run, settle, start_tasks
from oa.approvals.messages import answered, send_copies, tell_asked, tell_late, tell_relieved
from oa.approvals.models import ApprovalRequest, ApprovalTask
from oa.approvals.models.log import Act
from oa.approvals.models.requests import TaskRole
from oa.organisation.models import User

BEFORE, PARALLEL, AFTER = "before", "parallel", "after"
URGE_EVERY = dt.timedelta(hours=4)
MOST_SIGNERS = 20


@transaction.atomic
def transfer(task: ApprovalTask, to: User, *, by: User | None, text: str = "") -> ApprovalRequest:
    """Another person decides instead: by who is asked, by the flow's administrator, or by the system (rule X-05)."""
    run = open_run(task.request_id, by)
    mine = _task(run, task)
    theirs = by is not None and mine.user_id != by.pk and administers(by, run.request)
    if by is not None and theirs:
        _may_reassign(run, by, text)
    elif by is not None:
        hand_on(run, task.pk, by)
    if mine.state not in ("running", "waiting", "delegated"):
        raise BusinessError(_("This was decided meanwhile: %s.") % run.request.get_state_display())
    if mine.role != TaskRole.REVISE:
        suited(run, mine, to)
    if mine.role in (TaskRole.SIGN, TaskRole.ADDED):
        not_decided_before(run, mine, to)
    hand_over(run, mine, to, text)
    if theirs:
        tell_relieved(run, mine, to)
    return run.request


def _may_reassign(run: Run, by: User, text: str) -> None:
    """The administrator gives somebody's task to another, with a reason, but none of an own request (rule X-11)."""
    if by.pk == run.request.applicant_id:
        raise BusinessError(_("This is your own request; somebody else must reassign it."))
    if not text.strip():
        raise BusinessError(_("Enter a reason."), field="reason")


def hand_over(run: Run, task: ApprovalTask, to: User, text: str) -> None:
    """Put a fresh task of `to` in the place of `task`, which may be waiting still."""
    state = "waiting" if task.state == "waiting" else "running"
    followers = [t for t in run.tasks[task.node_id or 0] if t.after_id == task.pk]
    run.log(Act.TRANSFER, by=run.by, text=text, task=task, node=task.node, target=to)
    task.state, task.decided_at = "transferred", run.now
    task.save(update_fields=["state", "decided_at"])
    answered(run, [task])
    source = task if task.role == TaskRole.SIGN else task.source  # who added or asked stays known
    made = new_task(run, task.node, to, task.slot, state, role=task.role, after=task.after, source=source)
    made.save()
    for follower in followers:
        follower.after = made
        follower.save(update_fields=["after"])
    run.tasks[task.node_id or 0].append(made)
    if state == "running":
        tell_asked(run, [made])


@transaction.atomic
def delegate(task: ApprovalTask, to: User, *, by: User, text: str) -> ApprovalRequest:
    """Ask a colleague for advice; the decision comes back to me."""
    run = open_run(task.request_id, by)
    hand = hand_on(run, task.pk, by)
    if hand.task.role not in (TaskRole.SIGN, TaskRole.ADDED):
        raise BusinessError(_("Only who decides can ask for advice."))
    suited(run, hand.task, to)
    if not text.strip():
        raise BusinessError(_("Tell what you want to know."), field="text")
    run.log(Act.DELEGATE, text=text, target=to, **hand.named)
    hand.task.state = "delegated"
    hand.task.save(update_fields=["state"])
    made = new_task(run, hand.task.node, to, hand.task.slot, "running", role=TaskRole.ADVICE, source=hand.task)
    made.save()
    run.tasks[hand.task.node_id or 0].append(made)
    tell_asked(run, [made])
    return run.request


@transaction.atomic
def add_signers(
    task: ApprovalTask, people: Iterable[User], *, by: User, where: str = PARALLEL, text: str = ""
) -> ApprovalRequest:
    """Colleagues who must approve, too: before me (I decide after them), beside me, or after me."""
    run = open_run(task.request_id, by)
    hand = hand_on(run, task.pk, by)
    mine, chosen = hand.task, list({user.pk: user for user in people}.values())
    if mine.role not in (TaskRole.SIGN, TaskRole.ADDED) or where not in (BEFORE, PARALLEL, AFTER):
        raise BusinessError(_("Only who decides can add signers."))
    if not chosen or len(chosen) > MOST_SIGNERS:
        raise BusinessError(_("Choose between 1 and %s colleagues.") % MOST_SIGNERS, field="people")
    for user in chosen:
        suited(run, mine, user)
    state = "waiting" if where == AFTER else "running"
    after = mine if where == AFTER else None
    made = [
        new_task(run, mine.node, user, mine.slot, state, role=TaskRole.ADDED, source=mine, after=after)
        for user in chosen
    ]
    ApprovalTask.objects.bulk_create(made)
    run.tasks[mine.node_id or 0] += made
    for user in chosen:
        run.log(Act.ADD, text=text, target=user, data={"where": where}, **hand.named)
    if where == BEFORE:
        mine.state, mine.after = "waiting", made[-1]
        mine.save(update_fields=["state", "after"])
    tell_asked(run, [t for t in made if t.state == "running"])
    return run.request


@transaction.atomic
def remove_signer(task: ApprovalTask, *, by: User, text: str = "") -> ApprovalRequest:
    """Take a signer out again who has not decided: by who added them, or the administrator."""
    run = open_run(task.request_id, by)
    added = _task(run, task)
    adder = next((t for t in run.tasks[added.node_id or 0] if t.pk == added.source_id), None)
    if added.role != TaskRole.ADDED or added.state not in ("running", "waiting", "delegated"):
        raise BusinessError(_("Only an added signer who has not decided can be removed."))
    if not administers(by, run.request) and (adder is None or adder.user_id != by.pk):
        raise BusinessError(_("Only who added a signer can remove them."))
    run.log(Act.REMOVE, by=by, text=text, task=added, node=added.node, target=added.user)
    node_tasks = run.tasks[added.node_id or 0]
    gone = [added, *(t for t in node_tasks if t.source_id == added.pk and t.state in ("running", "waiting"))]
    for one in gone:
        one.state, one.decided_at = "cancelled", run.now
        one.save(update_fields=["state", "decided_at"])
    release(run, added.node_id or 0)
    node = run.node(added.node_id)
    if node is not None and node.state == "running":
        settle(run, node)
    advance(run)
    return run.request


def release(run: Run, node_key: int) -> None:
    """Start what waited for somebody who need not decide any more."""
    tasks = run.tasks[node_key]
    by_key = {t.pk: t for t in tasks}
    free = [
        t for t in tasks if t.state == "waiting" and t.after_id in by_key and _is_done(by_key[t.after_id], t, tasks)
    ]
    start_tasks(run, free)


def _is_done(last: ApprovalTask, waiting: ApprovalTask, tasks: list[ApprovalTask]) -> bool:
    """Whether all signers that were added before `waiting` are through."""
    before = [t for t in tasks if t.source_id == waiting.pk and t.role == TaskRole.ADDED] or [last]
    return all(t.state not in ("running", "waiting", "delegated") for t in before)


@transaction.atomic
def send_copy(request: ApprovalRequest, people: Iterable[User], *, by: User, text: str = "") -> ApprovalRequest:
    """Let colleagues see the request, for information."""
    run = open_run(request.pk, by)
    chosen = [user for user in people if user.is_active]
    if not chosen:
        raise BusinessError(_("Choose at least one colleague."), field="people")
    for user in send_copies(run.request, chosen, run.now):
        run.log(Act.CC, by=by, text=text, target=user)
    return run.request


@transaction.atomic
def urge(request: ApprovalRequest, *, by: User) -> ApprovalRequest:
    """Remind those who have not decided, at most once in four hours."""
    run = open_run(request.pk, by)
    if run.request.state != "running":
        raise BusinessError(_("Nobody is asked at the moment."))
    last = run.request.urged_at
    if last is not None and run.now - last < URGE_EVERY:
        left = URGE_EVERY - (run.now - last)
        raise BusinessError(_("They were urged a short while ago. Try again in %s minutes.") % (left.seconds // 60 + 1))
    waiting: list[Any] = [t.user for tasks in run.tasks.values() for t in tasks if t.state == "running"]
    run.request.urged_at = run.now
    run.request.save(update_fields=["urged_at"])
    run.log(Act.URGE, by=by)
    tell_late(run.request, waiting, urged_by=by)
    return run.request


def _task(run: Run, task: ApprovalTask) -> ApprovalTask:
    found = next((t for tasks in run.tasks.values() for t in tasks if t.pk == task.pk), None)
    if found is None:
        raise BusinessError(_("This is not asked any more."))
    return found
