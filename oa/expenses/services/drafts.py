"""Writing claims: saving a draft with its lines, adding a receipt from a phone, dropping a returned claim."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from oa.expenses.models import ExpenseClaim, ExpenseLine, ReceiptFile
from oa.expenses.models.shared import DRAFTS
from oa.expenses.rights import allow, allow_transition, only_own
from oa.expenses.services.lines import LineInput, filled, rows_from, taken_invoices
from oa.records.attachments import store_attachments
from oa.records.bulk import bulk_set, locked
from oa.records.commands import command

CLAIMS = ExpenseClaim.objects.select_related("owner", "department")
COLUMNS = (
    "position", "type", "date", "description", "city", "days", "department", "currency", "rate", "amount", "tax",
    "invoice", "base_amount", "excess", "excess_reason", "allowed", "allowed_tax", "allowed_base", "cut_reason", "live",
)  # fmt: skip


@command
def save_claim(claim: ExpenseClaim, lines: Sequence[LineInput], *, by: Any, version: int | None = None) -> ExpenseClaim:
    """Store a draft or returned claim with its lines; stored lines stay the rows they are, with their receipts."""
    if claim.pk:
        current = locked(CLAIMS, claim.pk, version=version)
        allow(by, "oa.change_expenseclaim", _("change %s") % claim._meta.verbose_name, current)
        only_own(by, current)
        if current.state not in DRAFTS:
            raise BusinessError(_("%s is submitted and cannot be changed any more.") % current)
        claim.state, claim.number, claim.version = current.state, current.number, current.version + 1
    else:
        allow(by, "oa.add_expenseclaim", _("create %s") % claim._meta.verbose_name, claim)
        claim.created_by = by
    claim.owner = claim.owner or by
    only_own(by, claim)
    if claim.owner is None:
        raise BusinessError(_("A claim belongs to a person."))
    if claim.date > business_day():
        raise BusinessError(_("The date cannot lie in the future."), field="date")
    claim.department_id = claim.department_id or claim.owner.department_id
    rows = _checked_rows(claim, lines)
    claim.total = claim.allowed = sum((row.base_amount for row in rows), ZERO)
    claim.offset = ZERO
    claim.save()
    _store(claim, rows)
    return claim


def _checked_rows(claim: ExpenseClaim, lines: Sequence[LineInput]) -> list[ExpenseLine]:
    complete, problems = filled(lines, claim.owner)
    problems += taken_invoices(claim, [line.invoice for line in complete])
    if not lines:
        problems.append(Problem(_("Enter at least one line.")))
    if problems:
        raise BusinessError(problems=problems)
    return rows_from(claim, complete, claim.owner)


def _store(claim: ExpenseClaim, rows: Sequence[ExpenseLine]) -> None:
    """Change, add and remove lines in as many statements for many as for few."""
    known = set(claim.lines.values_list("pk", flat=True))
    kept = [row for row in rows if row.pk in known]
    new = [row for row in rows if row.pk not in known]
    for row in new:
        row.pk = None
    gone = known - {row.pk for row in kept}
    if gone:
        claim.lines.filter(pk__in=gone).delete()
    try:
        with transaction.atomic():
            claim.lines.filter(live=True).update(live=False)  # numbers may change places
            bulk_set(kept, COLUMNS)
            ExpenseLine.objects.bulk_create(new)
    except IntegrityError as error:
        raise _in_words(error, claim, [row.invoice for row in rows]) from error


def _in_words(error: IntegrityError, claim: ExpenseClaim, numbers: Sequence[str]) -> BusinessError:
    """Somebody else claimed the invoice at the same moment."""
    name = getattr(getattr(error.__cause__, "diag", None), "constraint_name", "")
    if name != "expense_invoice_once":
        raise error
    problems = taken_invoices(claim, numbers)
    return BusinessError(problems=problems or [Problem(_("This invoice is in another claim already."))])


def hold_invoices(claim: ExpenseClaim, numbers: Sequence[str]) -> None:
    """The lines of a claim that is submitted (again) hold their invoices; refused when others took them meanwhile."""
    problems = taken_invoices(claim, numbers)
    if problems:
        raise BusinessError(problems=problems)
    try:
        with transaction.atomic():
            claim.lines.filter(live=False).update(live=True)
    except IntegrityError as error:
        raise _in_words(error, claim, numbers) from error


@transaction.atomic
def add_receipt(
    claim: ExpenseClaim, line: LineInput, files: Sequence[Any] = (), *, by: Any, title: str = ""
) -> ExpenseClaim:
    """Add one expense with the pictures of its receipt to a draft; an unsaved claim is made on the way."""
    if claim.pk:
        claim = locked(CLAIMS, claim.pk)
    claim.title = claim.title or title or str(line.type)
    stored = list(claim.lines.select_related("type", "department").order_by("position")) if claim.pk else []
    claim = save_claim(claim, [*(input_of(row) for row in stored), line], by=by)
    added = claim.lines.order_by("-position").first()
    assert added is not None
    attach_receipts(added, files, by=by)
    return claim


def attach_receipts(line: ExpenseLine, files: Sequence[Any], *, by: Any) -> None:
    """Files of the claim that are the receipt of one of its lines."""
    stored = store_attachments(line.claim, files, by=by)
    ReceiptFile.objects.bulk_create(ReceiptFile(line=line, attachment=row) for row in stored)


def input_of(line: ExpenseLine) -> LineInput:
    """A stored line as if it were typed again; its rate stays."""
    names = ("date", "description", "city", "days", "currency", "rate", "tax", "invoice", "excess_reason", "amount")
    return LineInput(
        type=line.type, department=line.department, pk=line.pk, **{name: getattr(line, name) for name in names}
    )


@transaction.atomic
def cancel_claim(claim: ExpenseClaim, *, by: Any) -> ExpenseClaim:
    """The person drops a returned claim; its number stays, its invoices are free."""
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "cancel")
    only_own(by, claim)
    claim.lines.filter(live=True).update(live=False)
    claim.state = "cancelled"
    claim.version += 1
    claim.save()
    return claim


def total_of(lines: Sequence[ExpenseLine]) -> Decimal:
    """What finance left of the lines."""
    return sum((line.allowed_base for line in lines), ZERO)
