"""What becomes of approvals when somebody leaves (rules X-05, I-34)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError
from oa.approvals.access import not_decided_before, suited
from oa.approvals.contents import document_of
from oa.approvals.engine import Run, advance, cancel_tasks, open_run, settle, situation
from oa.approvals.models import ApprovalRequest, ApprovalTask, Flow, Proxy
from oa.approvals.models.log import Act
from oa.approvals.people import last_resort
from oa.approvals.registry import approvables
from oa.approvals.services.hands import hand_over, release
from oa.approvals.services.submission import take_over
from oa.organisation.handover import Handover, handovers
from oa.organisation.models import User


def open_tasks(user: User) -> QuerySet[ApprovalTask]:
    """What a person is asked, or will be when a turn comes."""
    return ApprovalTask.objects.filter(user=user, state__in=("running", "waiting", "delegated"))


@transaction.atomic
def hand_over_tasks(user: User, successor: User) -> int:
    """Give the open tasks of `user` to `successor`, or to who may decide where the successor may not.

    Requests are locked in key order. Returns the number of tasks.
    """
    asked = set(open_tasks(user).values_list("request_id", flat=True))
    handed = 0
    for key in sorted(asked | _of_owner(successor)):
        run = open_run(key, None)
        _follow_owner(run)
        theirs = [t for tasks in run.tasks.values() for t in tasks if t.user_id == user.pk]
        for task in [t for t in theirs if t.state in ("running", "waiting", "delegated")]:
            _hand_on(run, task, successor)
            handed += 1
        advance(run)
    return handed


def _of_owner(owner: User) -> set[int]:
    """Running requests whose document belongs to `owner` now: who owns it is among the facts."""
    running = ApprovalRequest.objects.filter(state="running").values_list("pk", "kind", "object_id")
    by_kind: dict[str, dict[int, int]] = {}
    for key, kind, document in running:
        by_kind.setdefault(kind, {})[document] = key
    found: set[int] = set()
    for kind, keys in by_kind.items():
        model: Any = approvables.get(kind).model
        if any(field.name == "owner" for field in model._meta.fields):
            owned = model._default_manager.filter(pk__in=keys, owner=owner).values_list("pk", flat=True)
            found.update(keys[document] for document in owned)
    return found


def _follow_owner(run: Run) -> None:
    """A document that got another owner during its run is decided about as it is now (rule X-08)."""
    if run.request.state != "running":
        return
    before = run.request.content_hash, run.request.facts_hash
    run.document = document_of(run.request)
    take_over(run)
    if (run.request.content_hash, run.request.facts_hash) != before:
        run.request.save()
        run.log(Act.EDIT, text=_("The document has another owner now."))


def _hand_on(run: Run, task: ApprovalTask, successor: User) -> None:
    reason = _("%s has left.") % task.user
    for user in (successor, _other(run, task)):
        if user is not None and (task.role == "revise" or _may_take(run, task, user)):
            hand_over(run, task, user, reason)
            return
    cancel_tasks(run, [task])
    node = run.node(task.node_id)
    if node is not None and node.state == "running":
        slots = {t.slot for t in run.tasks[node.pk] if t.state in ("running", "waiting", "delegated", "approved")}
        node.needed = min(node.needed, max(1, len(slots)))
        node.save(update_fields=["needed"])
        release(run, node.pk)
        settle(run, node)


def _other(run: Run, task: ApprovalTask) -> User | None:
    """Who decides in the last resort at the step of a task."""
    node = run.node(task.node_id)
    return last_resort(situation(run, node.stage)) if node is not None else None


def _may_take(run: Run, task: ApprovalTask, user: User) -> bool:
    try:
        suited(run, task, user)
        not_decided_before(run, task, user)
    except BusinessError:
        return False
    return True


def flows_of(user: User) -> QuerySet[Flow]:
    """The flows a person administers."""
    return Flow.objects.filter(admin=user)


def hand_over_flows(user: User, successor: User) -> int:
    """Another administrator for the flows of `user`; what names the person in a step follows `User.successor`."""
    flows = list(Flow.objects.select_for_update().filter(admin=user).order_by("pk"))
    for flow in flows:
        flow.admin, flow.version = successor, flow.version + 1
        flow.save()
    return len(flows)


def end_proxies(user: User, successor: User | None = None) -> int:
    """A person who has left decides for nobody, and nobody for them."""
    rows = Proxy.objects.filter(revoked_at=None)
    now = timezone.now()
    return rows.filter(proxy=user).update(revoked_at=now) + rows.filter(principal=user).update(revoked_at=now)


handovers += [
    Handover(gettext_lazy("Approvals to decide"), open_tasks, hand_over_tasks),
    Handover(gettext_lazy("Approval flows"), flows_of, hand_over_flows),
    Handover(gettext_lazy("Absence proxies"), lambda user: Proxy.objects.none(), end_proxies),
]
