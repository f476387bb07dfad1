"""Requests: one run of a flow over one document, its nodes (a step that was entered) and their tasks."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.fields import MoneyField
from kit.rules.permissions import VisibleQuerySet
from kit.rules.search import search_column
from kit.rules.states import State, StateTable, Transition
from oa.approvals.models.flows import FlowStep, FlowVersion, How, NodeKind
from oa.records.models.base import Record


def _internal(name: str, sources: tuple[str, ...], target: str, label: Any) -> Transition:
    return Transition(name, sources, target, label, internal=True)


REQUEST_STATES = StateTable(
    states=(
        State("running", _("in approval"), "viol"),
        State("returned", _("returned to the applicant"), "warn", step=False),
        State("approved", _("approved"), "ok"),
        State("rejected", _("rejected"), "bad", step=False),
        State("withdrawn", _("withdrawn"), "mute", step=False),
        State("cancelled", pgettext_lazy("approval", "cancelled"), "mute", step=False),
    ),
    transitions=(
        _internal("approve", ("running",), "approved", _("Approve")),
        _internal("reject", ("running",), "rejected", _("Reject")),
        _internal("return", ("running",), "returned", _("Return")),
        _internal("resubmit", ("returned",), "running", _("Submit again")),
        _internal("withdraw", ("running", "returned"), "withdrawn", _("Withdraw")),
        _internal("cancel", ("running", "returned"), "cancelled", _("Cancel")),
    ),
)
OPEN = ("running", "returned")

NODE_STATES = StateTable(
    states=(
        State("running", _("in progress"), "info"),
        State("approved", _("approved"), "ok"),
        State("rejected", _("rejected"), "bad"),
        State("returned", _("returned"), "warn"),
        State("void", _("to be decided again"), "mute"),
        State("cancelled", pgettext_lazy("approval", "cancelled"), "mute"),
    ),
    transitions=(
        _internal("approve", ("running",), "approved", _("Approve")),
        _internal("reject", ("running",), "rejected", _("Reject")),
        _internal("return", ("running",), "returned", _("Return")),
        _internal("void", ("approved",), "void", _("Decide again")),
        _internal("reopen", ("approved",), "running", _("Take back")),
        _internal("cancel", ("running",), "cancelled", _("Cancel")),
    ),
)

TASK_STATES = StateTable(
    states=(
        State("waiting", _("waiting"), "mute"),
        State("running", _("to decide"), "viol"),
        State("delegated", _("waiting for advice"), "info"),
        State("approved", _("approved"), "ok"),
        State("rejected", _("rejected"), "bad"),
        State("returned", _("returned"), "warn"),
        State("cancelled", _("decided without"), "mute"),
        State("skipped", _("skipped"), "mute"),
        State("transferred", _("transferred"), "mute"),
    ),
    transitions=(
        _internal("start", ("waiting", "delegated"), "running", _("Start")),
        _internal("wait", ("running",), "waiting", _("Wait")),
        _internal("delegate", ("running",), "delegated", _("Delegate")),
        _internal("approve", ("running",), "approved", _("Approve")),
        _internal("reject", ("running",), "rejected", _("Reject")),
        _internal("return", ("running",), "returned", _("Return")),
        _internal("transfer", ("running", "waiting", "delegated"), "transferred", _("Transfer")),
        _internal("skip", ("running", "waiting"), "skipped", _("Skip")),
        _internal("cancel", ("running", "waiting", "delegated", "approved"), "cancelled", _("Cancel")),
    ),
)
DECIDED = ("approved", "rejected", "returned")


class RequestQuerySet(VisibleQuerySet):
    """A request is seen by its applicant, by who was or is asked or got a copy, and by who oversees approvals."""

    def visible_to(self, user: Any) -> Self:
        """Requests `user` may see."""
        if user.data_scope(self.model) is None:
            return self.none()
        if user.is_superuser or user.has_perm("oa.manage_approvalrequest"):
            return self
        return self.concerning(user)

    def concerning(self, user: Any) -> Self:
        """Requests `user` has to do with, so that their contents are theirs to read."""
        first, *others = involving(user)
        return self.filter(pk__in=first.union(*others, all=True))


def involving(user: Any, column: str = "pk", **narrowed: Any) -> list[Any]:
    """The values of `column` of the requests that `user` has to do with, also in place of an absent colleague.

    One set for each reason, found by an index of its own: one condition of them all would look at every request.
    """
    from oa.approvals.models.log import ApprovalCopy

    requests = ApprovalRequest.objects.filter(**narrowed).order_by()
    own = requests.filter(applicant=user.pk), requests.filter(flow_version__flow__admin=user.pk)
    on_requests = {f"request__{name}": value for name, value in narrowed.items()}
    asked = ApprovalTask.objects.filter(in_hands_of(user), **on_requests)
    told = ApprovalCopy.objects.filter(user=user.pk, **on_requests)
    made = [rows.values_list(column, flat=True) for rows in own]
    return made + [rows.order_by().values_list(f"request__{column}", flat=True) for rows in (asked, told)]


def running_for(user: Any, kind: str, **narrowed: Any) -> QuerySet[Any, Any]:
    """Keys of the documents of `kind` in approval that `user` has to do with, as a part of other statements."""
    first, *others = involving(user, "object_id", kind=kind, state="running", **narrowed)
    return first.union(*others, all=True)


def open_documents(kind: str) -> QuerySet[ApprovalRequest, Any]:
    """Keys of the documents of `kind` that an open run is about."""
    return ApprovalRequest.objects.filter(kind=kind, state__in=OPEN).values("object_id")


def in_hands_of(user: Any) -> Q:
    """The condition that a task is one of `user`'s own or of somebody `user` stands in for today (rule X-05)."""
    condition = Q(user=user.pk)
    for absent, kinds in _stands_in_for(user):
        theirs = Q(user=absent) & ~Q(request__applicant=user.pk)
        condition |= theirs & Q(request__kind__in=kinds) if kinds else theirs
    return condition


def _stands_in_for(user: Any) -> list[tuple[int, list[str]]]:
    """(absent person, kinds) of today; read once for the person of a request, like the rights (one statement)."""
    from kit.rules.days import business_day
    from oa.approvals.models.proxies import Proxy

    found: list[tuple[int, list[str]]] | None = user.__dict__.get("stands_in_for")
    if found is None:
        rows = Proxy.objects.filter(proxy=user.pk).on(business_day()).order_by()
        found = user.__dict__["stands_in_for"] = list(rows.values_list("principal_id", "kinds"))
    return found


class ApprovalRequest(Record):
    """One run of a flow over a document. A document has at most one that is open.

    `facts` are the values that conditions read, `content` all that is decided about; their hashes tell what was
    approved (rules X-08, I-28). `choices` are the approvers the applicant chose, step key -> user keys.
    """

    STATES = REQUEST_STATES

    kind = models.CharField(_("kind"), max_length=100, editable=False)
    flow_version = models.ForeignKey(
        FlowVersion, models.PROTECT, related_name="requests", editable=False, verbose_name=_("flow")
    )
    content_type = models.ForeignKey(ContentType, models.PROTECT, related_name="+", editable=False)
    object_id = models.BigIntegerField(editable=False)
    title = models.CharField(_("title"), max_length=300, editable=False)
    amount = MoneyField(_("amount"), null=True, editable=False)  # in base currency
    applicant = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("applicant")
    )
    department = models.ForeignKey(
        "oa.Department",
        models.PROTECT,
        null=True,
        related_name="+",
        editable=False,
        verbose_name=_("applicant's department"),
    )
    state = models.CharField(
        _("state"), max_length=9, choices=REQUEST_STATES.choices, default="running", editable=False
    )
    urgent = models.BooleanField(_("urgent"), default=False, editable=False)
    facts = models.JSONField(default=dict, editable=False)
    facts_hash = models.CharField(max_length=64, editable=False)
    content = models.JSONField(default=dict, editable=False)
    content_hash = models.CharField(max_length=64, editable=False)
    choices = models.JSONField(default=dict, editable=False)
    submitted_at = models.DateTimeField(_("submitted at"), default=timezone.now, editable=False)
    decided_at = models.DateTimeField(_("decided at"), null=True, editable=False)
    urged_at = models.DateTimeField(null=True, editable=False)
    reason = models.CharField(_("reason"), max_length=500, blank=True, editable=False)  # of the end
    search = search_column("title")

    objects = RequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval request")
        verbose_name_plural = _("approval requests")
        ordering = ["-submitted_at", "-id"]
        permissions = [("manage_approvalrequest", "Can oversee and administer approval requests")]
        constraints = [
            models.UniqueConstraint(
                fields=["content_type", "object_id"],
                condition=Q(state__in=OPEN),
                name="request_one_open",
                violation_error_message=_("This is in approval already."),
            ),
            models.CheckConstraint(
                condition=Q(state__in=OPEN, decided_at=None) | (~Q(state__in=OPEN) & Q(decided_at__isnull=False)),
                name="request_decided",
            ),
        ]
        indexes = [
            models.Index(fields=["applicant", "-submitted_at", "-id"], name="request_applicant"),
            models.Index(fields=["content_type", "object_id", "-id"], name="request_document"),
            models.Index(fields=["-submitted_at", "-id"], name="request_open", condition=Q(state__in=OPEN)),
            models.Index(fields=["-submitted_at", "-id"], name="request_submitted"),
            GinIndex(fields=["search"], name="request_search"),
        ]
        triggers = [REQUEST_STATES.trigger()]

    def __str__(self) -> str:
        return self.title


class ApprovalNode(models.Model):
    """A step that was entered. A step that is run again gets a new node; `void` ones do not count any more.

    `facts_hash` is of the facts that were approved: a node counts as passed only while they are the present ones.
    `why` are the comparisons that made the step necessary, `note` a machine word for what the engine itself decided.
    """

    STATES = NODE_STATES

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="nodes")
    step = models.ForeignKey(FlowStep, models.PROTECT, null=True, related_name="+")  # None: the last resort of X-11
    stage = models.PositiveIntegerField()
    kind = models.CharField(max_length=7, choices=NodeKind)
    how = models.CharField(max_length=8, choices=How)
    needed = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=9, choices=NODE_STATES.choices, default="running")
    note = models.CharField(max_length=20, blank=True)
    why = models.JSONField(default=list)
    facts_hash = models.CharField(max_length=64)
    entered_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval node")
        verbose_name_plural = _("approval nodes")
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "step"],
                condition=Q(state="running"),
                nulls_distinct=False,
                name="node_one_running",
            )
        ]
        indexes = [models.Index(fields=["request", "id"], name="node_request")]
        triggers = [NODE_STATES.trigger()]

    def __str__(self) -> str:
        return str(self.step or _("administrator"))


class TaskRole(models.TextChoices):
    SIGN = "sign", _("decides")
    ADDED = "added", _("added to sign")
    ADVICE = "advice", _("gives advice")
    REVISE = "revise", _("revises")


class ApprovalTask(models.Model):
    """What one person is asked. Tasks of one `slot` count as one voice of the node (see `outcome`)."""

    STATES = TASK_STATES

    request = models.ForeignKey(ApprovalRequest, models.CASCADE, related_name="tasks")
    node = models.ForeignKey(ApprovalNode, models.CASCADE, null=True, related_name="tasks")  # None: to revise
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    slot = models.PositiveSmallIntegerField(default=0)
    role = models.CharField(max_length=6, choices=TaskRole, default=TaskRole.SIGN)
    state = models.CharField(max_length=11, choices=TASK_STATES.choices, default="running")
    after = models.ForeignKey("self", models.SET_NULL, null=True, related_name="followers")  # starts when that is done
    source = models.ForeignKey("self", models.SET_NULL, null=True, related_name="made")  # who added or handed over
    started_at = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey(  # the person who stood in for `user`, or `user`
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    due_at = models.DateTimeField(_("due"), null=True)
    reminders = models.PositiveSmallIntegerField(default=0)
    remind_at = models.DateTimeField(null=True)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("approval task")
        verbose_name_plural = _("approval tasks")
        default_permissions = ()
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["node", "user"],
                condition=Q(state__in=["waiting", "running", "delegated"]),
                name="task_one_open",
                violation_error_message=_("This person is asked at this step already."),
            )
        ]
        indexes = [
            models.Index(fields=["user", "due_at", "id"], name="task_inbox", condition=Q(state="running")),
            models.Index(
                Coalesce("decided_by", "user"),
                F("decided_at").desc(),
                F("id").desc(),
                name="task_done",
                condition=Q(state__in=DECIDED),
            ),
            models.Index(fields=["user", "request"], name="task_user"),
            models.Index(fields=["remind_at"], name="task_remind", condition=Q(state="running")),
        ]
        triggers = [TASK_STATES.trigger()]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.user}"


def decided_by_flow(kind: str, waiting: str, next_state: str) -> list[pgtrigger.Trigger]:
    """Guards of a document that a flow approves: `waiting` becomes `next_state` by an approved run and nothing else
    (rule X-07), and what a run is about is not deleted beneath it."""
    last = f"SELECT r.state FROM oa_approvalrequest r WHERE r.kind = '{kind}' AND r.object_id = OLD.id"
    return [
        pgtrigger.Trigger(
            name="by_flow_only",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=pgtrigger.Q(old__state=waiting, new__state=next_state),
            func=f"""
                IF ({last} ORDER BY r.id DESC LIMIT 1) IS DISTINCT FROM 'approved' THEN
                    RAISE EXCEPTION 'The approval has not come to its end.' USING ERRCODE = '23001';
                END IF;
                RETURN NEW;
            """,
        ),
        pgtrigger.Trigger(
            name="kept_in_approval",
            when=pgtrigger.Before,
            operation=pgtrigger.Delete,
            func=f"""
                IF EXISTS ({last} AND r.state IN ('running', 'returned')) THEN
                    RAISE EXCEPTION 'What is in approval is not deleted.' USING ERRCODE = '23001';
                END IF;
                RETURN OLD;
            """,
        ),
    ]
