"""The inbox: what waits for a person, what they sent, were told of and decided (rule X-12)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Task, Waiting, waiting
from oa.approvals.models import ApprovalCopy, ApprovalRequest, ApprovalTask
from oa.approvals.models.requests import DECIDED, OPEN, TaskRole, in_hands_of
from oa.approvals.registry import approvables

RELATED = ("request__applicant", "user", "node")
# What the rows of a list show; the content of a request may be long, and there are up to two hundred rows.
OF_REQUEST = (
    "kind", "title", "amount", "state", "urgent", "submitted_at", "content_hash",
    "applicant__username", "applicant__name",
)  # fmt: skip
OF_TASK = (
    "state", "role", "due_at", "user__username", "user__name", "node__kind",
    *(f"request__{name}" for name in OF_REQUEST),
)  # fmt: skip


def waiting_tasks(user: Any) -> QuerySet[ApprovalTask]:
    """Tasks that `user` can decide now, own ones and those of absent colleagues, the most urgent first."""
    rows = ApprovalTask.objects.filter(in_hands_of(user), state="running").select_related(*RELATED)
    return rows.only(*OF_TASK).order_by("due_at", "request__submitted_at", "pk")


def sent_by(user: Any) -> QuerySet[ApprovalRequest]:
    """Requests `user` submitted, the newest first."""
    rows = ApprovalRequest.objects.filter(applicant=user).select_related("applicant").only(*OF_REQUEST)
    return rows.order_by("-submitted_at", "-id")


def copied_to(user: Any) -> QuerySet[ApprovalCopy]:
    """Requests `user` got a copy of, the newest first."""
    shown = (f"request__{name}" for name in OF_REQUEST)
    return ApprovalCopy.objects.filter(user=user).select_related("request__applicant").only(*shown).order_by("-id")


def decided_by(user: Any) -> QuerySet[ApprovalTask]:
    """What `user` decided; tasks that others decided are not among them (rule X-02)."""
    rows = ApprovalTask.objects.alias(decider=Coalesce("decided_by", "user")).filter(decider=user.pk, state__in=DECIDED)
    return rows.exclude(role=TaskRole.REVISE).select_related(*RELATED).only(*OF_TASK).order_by("-decided_at", "-pk")


def act_url(task: ApprovalTask, verb: str) -> str:
    """Address of a deed on a task; approving says which content the page showed (rule X-08)."""
    url = reverse("approval-act", args=(task.request_id, verb)) + f"?task={task.pk}"
    return f"{url}&seen={task.request.content_hash}" if verb == "approve" else url


def request_url(request: ApprovalRequest) -> str:
    """Address of the page of a request."""
    return reverse("approvalrequest-record", args=(request.pk,))


def batchable(task: ApprovalTask) -> bool:
    """Whether a task may be approved together with others: plain verdicts on kinds that are safe for it."""
    plain = task.role in (TaskRole.SIGN, TaskRole.ADDED) and task.node is not None and task.node.kind == "approve"
    return plain and approvables.batch(task.request.kind)


def facts_line(request: ApprovalRequest) -> str:
    """What a row says below its title: amount, applicant, how long it waits."""
    amount = formats.money(request.amount) if request.amount is not None else ""
    waited = waited_for(request)
    return " · ".join(part for part in (amount, _("from %s") % request.applicant, waited) if part)


def waited_for(request: ApprovalRequest) -> str:
    """How long a request has been waiting, in days and hours; empty for what is decided."""
    if request.state not in OPEN:
        return ""
    hours = int((timezone.now() - request.submitted_at).total_seconds() // 3600)
    if hours < 1:
        return ""
    days, hours = divmod(hours, 24)
    text = _("%(days)s d %(hours)s h") % {"days": days, "hours": hours} if days else _("%s h") % hours
    return _("waiting %s") % text


def task_row(task: ApprovalTask, user: Any) -> Task:
    """A task as a row of the queue."""
    words = {
        TaskRole.ADVICE: (_("Advice"), "info"),
        TaskRole.REVISE: (_("Returned"), "warn"),
    }
    kind, tone = words.get(TaskRole(task.role), (_("Approval"), "viol"))
    title = task.request.title
    if task.user_id != user.pk:
        title = _("%(title)s (for %(person)s)") % {"title": title, "person": task.user}
    acts: list[Action] = []
    if batchable(task):
        acts = [
            Action(pgettext("approval", "Approve"), act_url(task, "approve"), post=True, key="e", name="approve"),
            Action(_("Reject"), act_url(task, "reject"), dialog=True, key="r", name="reject"),
        ]
    return Task(
        kind,
        tone,
        f"{_('Urgent')}: {title}" if task.request.urgent else title,
        request_url(task.request),
        facts_line(task.request),
        timezone.localtime(task.due_at).date() if task.due_at is not None else None,
        "" if acts else _("Open"),
        acts=acts,
        batch=f"{task.pk}.{task.request.content_hash}" if acts else "",
    )


def _rows(user: Any) -> Sequence[QuerySet[ApprovalTask]]:
    return [waiting_tasks(user)] if user.has_perm("oa.view_approvalrequest") else []


def queue(user: Any, limit: int) -> Sequence[Task]:
    """Approvals for the desk and the inbox."""
    return [task_row(task, user) for rows in _rows(user) for task in rows[:limit]]


waiting.append(Waiting(_rows, queue))
