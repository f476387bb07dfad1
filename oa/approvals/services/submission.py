"""Submitting, submitting again, withdrawing and cancelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals import forecast
from oa.approvals.access import administers, hand_on
from oa.approvals.contents import contents_of, facts_of
from oa.approvals.engine import Run, advance, end, needed, open_run
from oa.approvals.messages import answered, send_copies
from oa.approvals.models import ApprovalRequest, FlowVersion
from oa.approvals.models.flows import Resubmit, Who, WithdrawRule
from oa.approvals.models.log import VERDICTS, Act
from oa.approvals.registry import Approvable, approvables
from oa.organisation.models import User
from oa.records.bulk import bulk_set, locked


def version_in_force(kind: str) -> FlowVersion | None:
    """The version in force of the active flow of a kind, None when nothing has to be approved (one statement)."""
    rows = FlowVersion.objects.select_related("flow__admin", "fallback")
    return rows.filter(flow__kind=kind, flow__active=True, state="published").first()


def needed_for(document: Any, kind: str, by: User | None) -> str:
    """Why `document` takes effect through a flow only, in words (one statement where no flow is in force).

    Empty where no flow is in force, where it asks nobody about this document, and for the system itself.
    """
    version = version_in_force(kind)
    if version is None or by is None:
        return ""
    approvable = approvables.get(kind)
    return forecast.approvals_needed(version, approvable, facts_of(approvable, document, by, by.department_id))


@transaction.atomic
def submit(
    document: Any,
    *,
    kind: str,
    by: User,
    choices: Mapping[int, Iterable[int]] | None = None,
    copies: Iterable[User] = (),
    urgent: bool = False,
    note: str = "",
) -> ApprovalRequest:
    """Start a run for `document` on behalf of `by`: lock it, store what is decided about, ask the first step.

    `choices`: step key -> keys of the people the applicant chooses there (missing ones are refused). Where no step is
    needed the document takes effect at once. Raises BusinessError when no flow is in force, or it is in approval.
    """
    approvable = approvables.get(kind)
    document = locked(type(document)._default_manager.all(), document.pk)
    version = version_in_force(kind)
    if version is None:
        raise BusinessError(_("There is no approval flow in force for this."))
    about = ContentType.objects.get_for_model(document)
    if ApprovalRequest.objects.filter(content_type=about, object_id=document.pk, state__in=("running", "returned")):
        raise BusinessError(_("%s is in approval already.") % document)
    approvable.check(document, by)
    approvable.lock(document)
    request = _request(approvable, document, version, by, urgent=urgent)
    request.choices = {str(step): list(keys) for step, keys in (choices or {}).items()}
    request.save()
    run = open_run(request.pk, by)
    run.document = document
    _check_choices(run)
    run.log(Act.SUBMIT, by=by, text=note)
    send_copies(run.request, copies, run.now)
    advance(run)
    return run.request


def _request(approvable: Approvable, document: Any, version: FlowVersion, by: User, *, urgent: bool) -> ApprovalRequest:
    """A request that is not stored yet, with the content of the document as it stands."""
    found = contents_of(approvable, document, by, by.department_id)
    return ApprovalRequest(
        kind=approvable.kind,
        flow_version=version,
        content_type=ContentType.objects.get_for_model(document),
        object_id=document.pk,
        title=approvable.title(document)[:300],
        amount=found.amount,
        applicant=by,
        created_by=by,
        department_id=by.department_id,
        urgent=urgent,
        facts=found.facts,
        facts_hash=found.facts_hash,
        content=found.content,
        content_hash=found.content_hash,
    )


def _check_choices(run: Run) -> None:
    """Everybody whom the applicant has to choose is chosen, and may decide (rule X-11)."""
    for step in run.steps:
        if step.who != Who.CHOICE or not needed(run, step):
            continue
        keys = run.request.choices.get(str(step.pk), [])
        people = User.objects.filter(pk__in=keys, is_active=True).exclude(pk=run.request.applicant_id)
        if not keys or people.count() != len(set(keys)):
            raise BusinessError(
                _("Choose who decides at “%s”: active colleagues, not yourself.") % step.name,
                field=forecast.choice_field(step),
            )


@transaction.atomic
def resubmit(request: ApprovalRequest, *, by: User, note: str = "") -> ApprovalRequest:
    """Submit a returned document again: where it was returned from, or from the beginning (rule X-03).

    Changed facts let the run begin anew in any case, for nothing was approved for them.
    """
    run = open_run(request.pk, by)
    task = next((t for t in run.tasks[0] if t.state == "running"), None)
    if task is None or run.request.state != "returned":
        raise BusinessError(_("%s is not returned; it cannot be submitted again.") % run.request.title)
    hand = hand_on(run, task.pk, by)
    _read_again(run)
    if run.request.flow_version.resubmit == Resubmit.AGAIN:
        approved = [node for node in run.nodes if node.state == "approved"]
        for node in approved:
            node.state = "void"
        bulk_set(approved, ["state"])
    task.state, task.decided_at, task.decided_by = "approved", run.now, by
    task.save(update_fields=["state", "decided_at", "decided_by"])
    answered(run, [task])
    run.request.state = "running"
    run.request.save()
    run.log(Act.RESUBMIT, text=note, **hand.named)
    advance(run)
    return run.request


def _read_again(run: Run) -> None:
    """Lock the document, and take over what it says now."""
    model: Any = run.approvable.model
    run.document = locked(model._default_manager.all(), run.request.object_id)
    run.approvable.check(run.document, run.by)
    run.approvable.lock(run.document)
    take_over(run)


def take_over(run: Run) -> None:
    """The document changed: its facts and content are those that are decided about from now on (rule X-01)."""
    request = run.request
    found = contents_of(run.approvable, run.document, request.applicant, request.department_id)
    request.facts, request.facts_hash = found.facts, found.facts_hash
    request.content, request.content_hash, request.amount = found.content, found.content_hash, found.amount
    request.title = run.approvable.title(run.document)[:300]
    request.version += 1


@transaction.atomic
def withdraw(request: ApprovalRequest, *, by: User, reason: str = "") -> ApprovalRequest:
    """The applicant takes the request back, while nobody has decided or at any time, as the flow says (rule X-04)."""
    run = open_run(request.pk, by)
    _check_open(run)
    if by.pk != run.request.applicant_id:
        raise BusinessError(_("Only %s can withdraw this.") % run.request.applicant)
    if not withdrawable(run.request):
        raise BusinessError(_("Somebody has decided already; ask for a return instead."))
    run.log(Act.WITHDRAW, by=by, text=reason)
    end(run, "withdrawn", reason)
    return run.request


def withdrawable(request: ApprovalRequest) -> bool:
    """Whether an open request may be withdrawn still: nobody has decided, or the flow allows it at any time."""
    anytime = request.flow_version.withdraw == WithdrawRule.ANYTIME or request.state == "returned"
    return anytime or not request.actions.filter(act__in=VERDICTS, by__isnull=False).exists()


@transaction.atomic
def cancel(request: ApprovalRequest, *, by: User, reason: str) -> ApprovalRequest:
    """The administrator ends a request without a verdict; the reason is kept (rule X-04)."""
    run = open_run(request.pk, by)
    _check_open(run)
    if not administers(by, run.request):
        raise BusinessError(_("Only the administrator of the flow can cancel this."))
    if not reason.strip():
        raise BusinessError(_("Enter a reason."), field="reason")
    run.log(Act.CANCEL, by=by, text=reason)
    end(run, "cancelled", reason)
    return run.request


def _check_open(run: Run) -> None:
    if run.request.state not in ("running", "returned"):
        raise BusinessError(
            _("%(request)s is %(state)s already.")
            % {"request": run.request.title, "state": run.request.get_state_display()}
        )


def approvable_of(request: ApprovalRequest) -> Approvable:
    """The kind of a request."""
    return approvables.get(request.kind)
