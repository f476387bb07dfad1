"""Claims and advances in approval: what approvers decide about, and what approval means (X-06 to X-08)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.values.money import ZERO
from oa.approvals.conditions import FLAG, NUMBER, RECORD, Fact
from oa.approvals.contents import departments_up
from oa.approvals.registry import Approvable, approvables
from oa.expenses import accounting
from oa.expenses.models import Advance, ExpenseClaim, ExpenseType
from oa.expenses.services import advances, approval
from oa.expenses.services.approval import ADVANCE_KIND, CLAIM_KIND
from oa.organisation.models import Department
from oa.records.bulk import locked


def facts(claim: ExpenseClaim) -> dict[str, Any]:
    """What conditions may ask of a claim; amounts in base currency."""
    lines = list(claim.lines.all())
    return {
        "amount": format(claim.total, "f"),
        "excess": format(sum((line.excess for line in lines), ZERO), "f"),
        "types": sorted({str(line.type_id) for line in lines}),
        "department": departments_up(claim.department_id),
        "over_budget": "yes" if claim.over_budget else "",
    }


def content(claim: ExpenseClaim) -> dict[str, Any]:
    """All that is claimed; files come with their hashes by themselves."""
    rows = claim.lines.select_related("type", "department").order_by("position")
    columns = (
        "date", "description", "city", "days", "currency", "rate", "amount", "tax", "invoice", "base_amount", "excess",
        "excess_reason",
    )  # fmt: skip
    return {
        "title": claim.title,
        "date": str(claim.date),
        "person": str(claim.owner),
        "department": str(claim.department or ""),
        "about": [claim.content_type_id, claim.object_id],
        "total": str(claim.total),
        "note": claim.note,
        "lines": [
            [line.type.code, str(line.department or ""), *(str(getattr(line, name)) for name in columns)]
            for line in rows
        ],
    }


def summary(claim: ExpenseClaim) -> list[tuple[Any, Any]]:
    """What an approver reads first: the sums, then every line."""
    lines = list(claim.lines.select_related("type").order_by("position"))
    excess = sum((line.excess for line in lines), ZERO)
    made: list[tuple[Any, Any]] = [
        (_("Person"), claim.owner),
        (_("Department"), claim.department or ""),
        (_("Claimed"), f"{accounting.base_code()} {formats.money(claim.total)}"),
        (_("Above the standard"), formats.money(excess) if excess else ""),
        (_("Budget"), _("over budget") if claim.over_budget else ""),
        (_("Note"), claim.note),
    ]
    return made + [(f"{line.date} {line.type}", _line_in_words(line)) for line in lines]


def _line_in_words(line: Any) -> str:
    parts = [f"{line.currency} {formats.money(line.amount)}", line.description, line.invoice]
    if line.excess:
        parts.append(
            _("%(amount)s above the standard: %(reason)s")
            % {"amount": formats.money(line.excess), "reason": line.excess_reason}
        )
    return " · ".join(part for part in parts if part)


def lock_claim(claim: ExpenseClaim) -> None:
    """Submitting checks and numbers the claim; the engine has locked it."""
    approval.lock(claim)


def unlock_claim(claim: ExpenseClaim) -> None:
    """Rejected, returned or withdrawn: it is the person's again."""
    approval.unlock(claim)


def claim_effect(claim: ExpenseClaim, by: Any) -> None:
    """Approval sends the claim to finance."""
    approval.approved(locked(ExpenseClaim.objects.select_related("owner"), claim.pk), by)


def advance_facts(advance: Advance) -> dict[str, Any]:
    """What conditions may ask of an advance; `open` is what the person still holds of others."""
    held: Any = Advance.objects.filter(owner=advance.owner_id, state="paid").with_open()
    return {
        "amount": format(advance.amount, "f"),
        "open": format(sum((row.open_amount for row in held), Decimal(0)), "f"),
        "department": departments_up(advance.department_id),
    }


def advance_content(advance: Advance) -> dict[str, Any]:
    """All that is asked for."""
    return {
        "title": advance.title,
        "person": str(advance.owner),
        "amount": str(advance.amount),
        "due_on": str(advance.due_on or ""),
        "note": advance.note,
    }


def advance_summary(advance: Advance) -> list[tuple[Any, Any]]:
    """What an approver reads first."""
    return [
        (_("Person"), advance.owner),
        (_("Amount"), f"{accounting.base_code()} {formats.money(advance.amount)}"),
        (_("To be settled by"), advance.due_on or ""),
        (_("Still open of other advances"), formats.money(Decimal(advance_facts(advance)["open"]))),
        (_("Note"), advance.note),
    ]


def lock_advance(advance: Advance) -> None:
    """The engine has locked the row."""
    advances.lock(advance)


def unlock_advance(advance: Advance) -> None:
    """It is the person's again."""
    advances.unlock(advance)


def advance_effect(advance: Advance, by: Any) -> None:
    """Approval lets finance pay it out."""
    advances.approved(locked(Advance.objects.select_related("owner"), advance.pk), by)


def _named(model: Any) -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in model.objects.all()]


DEPARTMENT = Fact("department", gettext_lazy("department"), RECORD, lambda: _named(Department), department=True)

approvables.register(
    Approvable(
        kind=CLAIM_KIND,
        label=gettext_lazy("Expense claim"),
        model=ExpenseClaim,
        fields=(
            Fact("amount", gettext_lazy("amount in base currency"), NUMBER),
            Fact("excess", gettext_lazy("above the standard"), NUMBER),
            Fact("types", gettext_lazy("expense type"), RECORD, lambda: _named(ExpenseType)),
            DEPARTMENT,
            Fact("over_budget", gettext_lazy("over budget"), FLAG),
        ),
        facts=facts,
        content=content,
        lock=lock_claim,
        unlock=unlock_claim,
        effect=claim_effect,
        summary=summary,
        title=lambda claim: f"{claim.owner} · {claim}",
        icon="receipt",
    )
)
approvables.register(
    Approvable(
        kind=ADVANCE_KIND,
        label=gettext_lazy("Advance"),
        model=Advance,
        fields=(
            Fact("amount", gettext_lazy("amount in base currency"), NUMBER),
            Fact("open", gettext_lazy("open of other advances"), NUMBER),
            DEPARTMENT,
        ),
        facts=advance_facts,
        content=advance_content,
        lock=lock_advance,
        unlock=unlock_advance,
        effect=advance_effect,
        summary=advance_summary,
        title=lambda advance: f"{advance.owner} · {advance}",
        icon="wallet",
    )
)
