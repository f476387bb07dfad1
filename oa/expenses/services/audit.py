"""Finance audits an approved claim: it may leave less of a line, and says which advances take what (E-01, E-02)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money
from oa.expenses import accounting
from oa.expenses.amounts import in_base, oldest_first
from oa.expenses.models import Advance, ClaimOffset, ExpenseClaim, ExpenseLine
from oa.expenses.rights import allow, allow_transition, never_own
from oa.expenses.services.approval import needs_reason
from oa.expenses.services.drafts import CLAIMS, total_of
from oa.records.bulk import bulk_set, locked
from oa.records.notifications import notify


@dataclass(frozen=True)
class Cut:
    """What is left of a line in its own currency, of the tax in it, and why."""

    allowed: Decimal
    reason: str = ""
    tax: Decimal | None = None


def open_advances(claim: ExpenseClaim) -> list[Any]:
    """The person's advances that are paid and open, the oldest first, with `open_amount` (one statement)."""
    rows: Any = Advance.objects.filter(owner=claim.owner_id, state="paid").with_open()
    return [row for row in rows.order_by("date", "pk") if row.open_amount > 0]


@transaction.atomic
def audit_claim(
    claim: ExpenseClaim,
    cuts: Mapping[int, Cut] | None = None,
    offsets: Mapping[int, Decimal] | None = None,
    *,
    by: Any,
    version: int | None = None,
) -> ExpenseClaim:
    """Audit: `cuts` by line key, `offsets` by advance key. Without `offsets` the oldest advances take what they can."""
    claim = locked(CLAIMS, claim.pk, version=version)
    claim.STATES.check("audit", claim)
    allow(by, "oa.audit_expenseclaim", _("Audit"), claim)
    never_own(by, claim)
    lines = list(claim.lines.select_related("type").order_by("position"))
    cut = _cut(lines, cuts or {})
    claim.allowed = total_of(lines)
    if not claim.allowed:
        raise BusinessError(_("Nothing is left of the claim; return it instead."))
    claim.offset = _plan(claim, offsets)
    if cut:
        bulk_set(cut, ["allowed", "allowed_tax", "allowed_base", "cut_reason"])
    claim.state, claim.audited_by = "audited", by
    claim.version += 1
    claim.save()
    if cut:
        notify([claim.owner], gettext_lazy("Finance changed amounts of your expense claim."), record=claim)
    return claim


def _cut(lines: Sequence[ExpenseLine], cuts: Mapping[int, Cut]) -> list[ExpenseLine]:
    """Apply the cuts; returns the lines that changed. Nothing is ever raised above what was claimed."""
    known = accounting.currencies()
    exponent = known.get(accounting.base_code(), 2)
    problems, changed = [], []
    for row, line in enumerate(lines):
        cut = cuts.get(line.pk)
        if cut is None:
            continue
        tax = line.tax if cut.tax is None else cut.tax
        tax = tax if cut.allowed == line.amount else min(tax, round_money(line.tax * cut.allowed / line.amount))
        if not ZERO <= cut.allowed <= line.amount:
            problems.append(Problem(_("Between 0 and what was claimed."), "allowed", row))
        elif round_money(cut.allowed, known.get(line.currency, 2)) != cut.allowed:
            problems.append(Problem(_("%s has fewer decimals.") % line.currency, "allowed", row))
        elif not ZERO <= tax <= line.tax:
            problems.append(Problem(_("The tax cannot be more than what was claimed."), "tax", row))
        elif cut.allowed != line.amount and not cut.reason.strip():
            problems.append(Problem(_("Say why it is less."), "reason", row))
        else:
            line.allowed, line.allowed_tax, line.cut_reason = cut.allowed, tax, cut.reason.strip()[:200]
            line.allowed_base = in_base(cut.allowed, line.rate, exponent)
            changed.append(line)
    if problems:
        raise BusinessError(problems=problems)
    return changed


def _plan(claim: ExpenseClaim, offsets: Mapping[int, Decimal] | None) -> Decimal:
    """Store which advances take how much; returns the sum. It is checked again, under a lock, when it is posted."""
    found = {row.pk: row for row in open_advances(claim)}
    if offsets is None:
        offsets = oldest_first(((row.pk, row.open_amount) for row in found.values()), claim.allowed)
    wanted = {key: amount for key, amount in offsets.items() if amount}
    for key, amount in wanted.items():
        advance = found.get(key)
        if advance is None:
            raise BusinessError(_("An advance to be offset is not open any more."), field="offsets")
        if amount < 0 or amount > advance.open_amount:
            raise BusinessError(
                _("Of %(advance)s only %(open)s is open.") % {"advance": advance, "open": advance.open_amount},
                field="offsets",
            )
    total = sum(wanted.values(), ZERO)
    if total > claim.allowed:
        raise BusinessError(_("More is offset than the claim comes to."), field="offsets")
    claim.offsets.all().delete()
    ClaimOffset.objects.bulk_create(
        ClaimOffset(claim=claim, advance_id=key, amount=amount) for key, amount in sorted(wanted.items())
    )
    return total


@transaction.atomic
def return_claim(claim: ExpenseClaim, *, by: Any, reason: str) -> ExpenseClaim:
    """Finance gives an approved or audited claim back; it is submitted and approved anew."""
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "return")
    never_own(by, claim)
    needs_reason(reason)
    claim.offsets.all().delete()
    claim.allowed, claim.offset, claim.reason = claim.total, ZERO, reason[:300]
    claim.approved_by = claim.audited_by = None
    claim.state = "returned"
    claim.version += 1
    claim.save()
    claim.lines.update(
        live=False, allowed=F("amount"), allowed_tax=F("tax"), allowed_base=F("base_amount"), cut_reason=""
    )
    notify([claim.owner], gettext_lazy("Your expense claim was returned."), record=claim)
    return claim
