"""What claims and advances show besides themselves, and what waits for whom."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Panel, Task, Waiting, actions, panels, waiting
from kit.pages.resources import by_model
from oa.approvals.panels import show_on
from oa.approvals.services.submission import version_in_force
from oa.expenses import accounting
from oa.expenses.approving import ADVANCE_KIND, CLAIM_KIND
from oa.expenses.models import Advance, ExpenseClaim
from oa.expenses.models.shared import DRAFTS
from oa.records import attachments


def claim_actions(claim: ExpenseClaim, user: Any) -> Sequence[Action]:
    """Submitting through a flow, adding a receipt, auditing."""
    resource = by_model[ExpenseClaim]
    made = []
    if resource.editable(claim, user):
        url = f"{reverse('expense-receipt')}?claim={claim.pk}"
        made.append(Action(_("Add receipt"), url, icon="camera", name="receipt"))
        made += _through_flow(claim, CLAIM_KIND)
    if claim.state == "approved" and claim.owner_id != user.pk and user.has_perm("oa.audit_expenseclaim"):
        url = reverse("expense-audit", args=(claim.pk,))
        made.append(Action(_("Audit"), url, icon="clipboard-check", primary=True, name="audit"))
    return made


def advance_actions(advance: Advance, user: Any) -> Sequence[Action]:
    """Submitting through a flow."""
    return _through_flow(advance, ADVANCE_KIND) if by_model[Advance].editable(advance, user) else []


def _through_flow(document: Any, kind: str) -> list[Action]:
    if document.state not in DRAFTS or version_in_force(kind) is None:
        return []
    url = reverse("approval-submit", args=(kind, document.pk))
    return [Action(_("Submit for approval"), url, icon="send", primary=True, name="submit-flow")]


def audited_lines(claim: ExpenseClaim, user: Any) -> dict[str, Any]:
    """What was claimed beside what finance left, the advances, the money, and the receipts of every line."""
    rows = claim.lines.select_related("type").prefetch_related("receipts__attachment").order_by("position")
    lines = [
        (line, [(f.attachment.name, reverse("attachment", args=(f.attachment.key,))) for f in line.receipts.all()])
        for line in rows
    ]
    return {
        "lines": lines,
        "cut": any(line.allowed != line.amount for line, _files in lines),
        "offsets": claim.offsets.select_related("advance"),
        "payments": claim.payments.all(),
        "ready": accounting.ready(),
    }


def moves_of(advance: Advance, user: Any) -> dict[str, Any]:
    """What was paid out, offset and returned; claims of the same person."""
    return {"moves": advance.moves.select_related("claim")}


# What waits in which state for whom, and the kind of flow that decides it where there is one.
DECISIONS: tuple[tuple[Any, str, str, str], ...] = (
    (ExpenseClaim, "oa.approve_expenseclaim", "approving", CLAIM_KIND),
    (Advance, "oa.approve_advance", "approving", ADVANCE_KIND),
    (ExpenseClaim, "oa.audit_expenseclaim", "approved", ""),
)


def _of(user: Any, model: Any, right: str, state: str) -> QuerySet[Any]:
    rows = by_model[model].queryset(user) if user.has_perm(right) else model._default_manager.none()
    return rows.filter(state=state).exclude(owner=user)


def _undecided(user: Any) -> Sequence[QuerySet[Any]]:
    return [_of(user, model, right, state) for model, right, state, _kind in DECISIONS if user.has_perm(right)]


def to_decide(user: Any, limit: int) -> list[Task]:
    """Claims and advances that wait for a person who approves by right, and for finance."""
    found: list[Task] = []
    for model, right, state, kind in DECISIONS:
        rows = list(_of(user, model, right, state).select_related("owner").order_by("date", "pk")[:limit])
        if not rows or (kind and version_in_force(kind)):
            continue
        resource, word = by_model[model], _("Approve") if kind else _("Audit")
        for row in rows:
            amount = row.total if model is ExpenseClaim else row.amount
            facts = f"{row.owner} · {formats.money(amount)}"
            found.append(Task(resource.title, "info", str(row), resource.url_for(row), facts, row.date, word))
    return found


def no_more_files(claim: ExpenseClaim, by: Any) -> bool:
    """Files belong to what is approved: its person adds them before, finance when it is audited."""
    if claim.state in DRAFTS:
        return claim.owner_id != by.pk
    return claim.state != "approved" or not by.has_perm("oa.audit_expenseclaim")


panels["oa.expenseclaim"].append(
    Panel("audit", gettext_lazy("Receipts and audit"), "main", template="oa/expenses/audited.html",
          context=audited_lines, order=20)
)  # fmt: skip
panels["oa.advance"].append(
    Panel("moves", gettext_lazy("Offsets"), "main", template="oa/expenses/moves.html", context=moves_of, order=20)
)
show_on("oa.expenseclaim")
show_on("oa.advance")
actions["oa.expenseclaim"].append(claim_actions)
actions["oa.advance"].append(advance_actions)
attachments.closed_to["oa.expenseclaim"] = no_more_files
waiting.append(Waiting(_undecided, to_decide, exact=False))
