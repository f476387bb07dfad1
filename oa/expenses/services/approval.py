"""Submitting claims, and approving them without a flow: by a right, and never one's own (rule E-01)."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from oa.approvals.models import ApprovalRequest
from oa.approvals.models.requests import OPEN
from oa.approvals.services.submission import version_in_force
from oa.expenses.budgets import check_budgets
from oa.expenses.models import ExpenseClaim, ExpenseLine
from oa.expenses.rights import allow_transition, never_own, only_own
from oa.expenses.services.drafts import CLAIMS, hold_invoices
from oa.organisation.lines import manager_of
from oa.records.bulk import locked
from oa.records.notifications import notify
from oa.records.numbering import next_number

CLAIM_KIND, ADVANCE_KIND = "oa.expenseclaim", "oa.advance"


@transaction.atomic
def submit_claim(claim: ExpenseClaim, *, by: Any) -> ExpenseClaim:
    """Submit without a flow: the manager is told; with a flow in force only the flow decides."""
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "submit")
    only_own(by, claim)
    without_flow(CLAIM_KIND)
    lock(claim)
    tell_manager(claim, gettext_lazy("An expense claim waits for your approval."))
    return claim


def without_flow(kind: str) -> None:
    """Refuse where a flow is in force."""
    if version_in_force(kind) is not None:
        raise BusinessError(_("An approval flow is in force; use “Submit for approval”."))


def tell_manager(document: Any, text: Any) -> None:
    """Tell the person's manager, if that one may see the document."""
    manager = manager_of(document.owner)
    if manager is not None:
        notify([manager], text, record=document)


def lock(claim: ExpenseClaim) -> ExpenseClaim:
    """A complete claim, within strict budgets, gets its number and stays as it is (the claim is locked)."""
    transition = claim.STATES.check("lock", claim)
    lines = list(claim.lines.select_related("type").order_by("position"))
    _complete(lines)
    hold_invoices(claim, [line.invoice for line in lines])
    claim.over_budget = bool(check_budgets(claim, lines))
    claim.number = claim.number or next_number(claim.SEQUENCE, claim.date)
    claim.state, claim.reason = transition.target, ""
    claim.version += 1
    claim.save()
    return claim


def _complete(lines: list[ExpenseLine]) -> None:
    """What a draft may lack and a submitted claim may not."""
    problems = [] if lines else [Problem(_("Enter at least one expense."))]
    for row, line in enumerate(lines):
        if line.type.needs_invoice and not line.invoice:
            problems.append(Problem(_("%s needs an invoice number.") % line.type, "invoice", row))
        if line.excess > ZERO and not line.excess_reason.strip():
            text = _("%(amount)s above the standard needs a reason.") % {"amount": line.excess}
            problems.append(Problem(text, "excess_reason", row))
    if problems:
        raise BusinessError(problems=problems)


def unlock(claim: ExpenseClaim, reason: str = "") -> ExpenseClaim:
    """Give a claim back to its person: it can be changed, and its invoices are free."""
    claim.state = claim.STATES.check("unlock", claim).target
    claim.lines.filter(live=True).update(live=False)
    claim.reason = reason[:300]
    claim.version += 1
    claim.save()
    return claim


def approved(claim: ExpenseClaim, by: Any) -> ExpenseClaim:
    """The claim is approved and goes to finance."""
    claim.state = claim.STATES.check("approve", claim).target
    claim.approved_by_id = by.pk if by is not None and by.pk != claim.owner_id else None
    claim.version += 1
    claim.save()
    notify([claim.owner], gettext_lazy("Your expense claim is approved."), record=claim)
    return claim


@transaction.atomic
def approve_claim(claim: ExpenseClaim, *, by: Any) -> ExpenseClaim:
    """Approve by right, where no flow decides."""
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "approve")
    decided_by_right(by, claim)
    return approved(claim, by)


@transaction.atomic
def reject_claim(claim: ExpenseClaim, *, by: Any, reason: str) -> ExpenseClaim:
    """Give it back with a reason."""
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "reject")
    decided_by_right(by, claim)
    needs_reason(reason)
    unlock(claim, reason)
    notify([claim.owner], gettext_lazy("Your expense claim was returned."), record=claim)
    return claim


def decided_by_right(by: Any, document: Any) -> None:
    """Never one's own, and not past a run of a flow."""
    never_own(by, document)
    kind = ContentType.objects.get_for_model(document)
    if ApprovalRequest.objects.filter(content_type=kind, object_id=document.pk, state__in=OPEN).exists():
        raise BusinessError(_("This is decided by its approval flow."))


def needs_reason(reason: str) -> None:
    """Refuse a blank reason."""
    if not reason.strip():
        raise BusinessError(_("Enter a reason."), field="reason")
