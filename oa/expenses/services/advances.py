"""Advances: asked for, approved, paid out, given back in cash (rule E-02). Claims offset them when they are booked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import round_money
from oa.expenses import accounting
from oa.expenses.models import Advance, AdvanceMove
from oa.expenses.models.advances import MoveKind
from oa.expenses.models.shared import DRAFTS
from oa.expenses.rights import allow, allow_transition, never_own, only_own
from oa.expenses.services.approval import ADVANCE_KIND, decided_by_right, needs_reason, tell_manager, without_flow
from oa.expenses.services.posting import derive_states, lock_advances, open_amounts, undo
from oa.records.bulk import bulk_set, locked
from oa.records.notifications import notify
from oa.records.numbering import next_number

ADVANCES = Advance.objects.select_related("owner", "department")


def save_advance(advance: Advance, *, by: Any) -> Advance:
    """Store a draft or returned request (the form has locked a stored one)."""
    if advance.pk:
        stored = ADVANCES.get(pk=advance.pk)
        allow(by, "oa.change_advance", _("change %s") % advance._meta.verbose_name, stored)
        only_own(by, stored)
        if stored.state not in DRAFTS:
            raise BusinessError(_("%s is submitted and cannot be changed any more.") % stored)
    else:
        allow(by, "oa.add_advance", _("create %s") % advance._meta.verbose_name, advance)
        advance.created_by = by
    advance.owner = advance.owner or by
    only_own(by, advance)
    if advance.owner is None:
        raise BusinessError(_("An advance belongs to a person."))
    exponent = accounting.currencies().get(accounting.base_code(), 2)
    if advance.amount is None or advance.amount <= 0:
        raise BusinessError(_("The amount must be more than 0."), field="amount")
    if round_money(advance.amount, exponent) != advance.amount:
        raise BusinessError(_("%s has fewer decimals.") % accounting.base_code(), field="amount")
    advance.department_id = advance.department_id or advance.owner.department_id
    advance.save()
    return advance


@transaction.atomic
def submit_advance(advance: Advance, *, by: Any) -> Advance:
    """Submit without a flow."""
    advance = locked(ADVANCES, advance.pk)
    allow_transition(by, advance, "submit")
    only_own(by, advance)
    without_flow(ADVANCE_KIND)
    lock(advance)
    tell_manager(advance, gettext_lazy("A request for an advance waits for your approval."))
    return advance


def lock(advance: Advance) -> Advance:
    """The request gets its number and stays as it is (the row is locked)."""
    advance.state = advance.STATES.check("lock", advance).target
    advance.number = advance.number or next_number(advance.SEQUENCE, advance.date)
    return _saved(advance, reason="")


def unlock(advance: Advance, reason: str = "") -> Advance:
    """Give a request back to its person."""
    advance.state = advance.STATES.check("unlock", advance).target
    return _saved(advance, reason=reason[:300])


def approved(advance: Advance, by: Any) -> Advance:
    """The advance may be paid out."""
    advance.state = advance.STATES.check("approve", advance).target
    approver = by.pk if by is not None and by.pk != advance.owner_id else None
    _saved(advance, approved_by_id=approver)
    notify([advance.owner], gettext_lazy("Your advance is approved."), record=advance)
    return advance


def _saved(advance: Advance, **columns: Any) -> Advance:
    for name, value in columns.items():
        setattr(advance, name, value)
    advance.version += 1
    advance.save()
    return advance


@transaction.atomic
def approve_advance(advance: Advance, *, by: Any) -> Advance:
    """Approve by right, where no flow decides."""
    advance = locked(ADVANCES, advance.pk)
    allow_transition(by, advance, "approve")
    decided_by_right(by, advance)
    return approved(advance, by)


@transaction.atomic
def reject_advance(advance: Advance, *, by: Any, reason: str) -> Advance:
    """Give it back with a reason."""
    advance = locked(ADVANCES, advance.pk)
    allow_transition(by, advance, "reject")
    decided_by_right(by, advance)
    needs_reason(reason)
    unlock(advance, reason)
    notify([advance.owner], gettext_lazy("Your request for an advance was returned."), record=advance)
    return advance


@transaction.atomic
def cancel_advance(advance: Advance, *, by: Any) -> Advance:
    """The person drops a request that is not paid out."""
    advance = locked(ADVANCES, advance.pk)
    allow_transition(by, advance, "cancel")
    only_own(by, advance)
    advance.state = "cancelled"
    return _saved(advance)


def pay_advance(keys: Sequence[int], *, number: str, day: dt.date, by: Any) -> list[AdvanceMove]:
    """Note that approved advances were paid out, for the document `number` that books it, in its transaction."""
    advances = lock_advances(keys)
    for key in keys:
        advance = advances.get(key)
        if advance is None or advance.state != "approved":
            raise BusinessError(_("%s is not approved or paid already.") % (advance or key))
        never_own(by, advance)
        if day < advance.date:
            raise BusinessError(_("%s was asked for after that day.") % advance, field="date")
        advance.state = "paid"
        advance.version += 1
    rows = AdvanceMove.objects.bulk_create(
        AdvanceMove(
            advance=advance, kind=MoveKind.PAID, date=day, amount=advance.amount, number=number, created_by=by
        )
        for advance in advances.values()
    )  # fmt: skip
    bulk_set(advances.values(), ["state", "version"])
    return rows


def return_advance(amounts: Mapping[int, Decimal], *, number: str, day: dt.date, by: Any) -> list[AdvanceMove]:
    """Note that people gave back what they did not spend, for the document that books it, in its transaction."""
    advances = lock_advances(list(amounts))
    left = open_amounts(list(advances))
    out = AdvanceMove.objects.filter(advance__in=advances, kind=MoveKind.PAID, reversed_by=None)
    paid_on = dict(out.values_list("advance", "date"))
    for key, amount in amounts.items():
        advance = advances.get(key)
        if advance is None or amount <= 0 or amount > left[key]:
            raise BusinessError(
                _("Of %(advance)s only %(open)s is open.") % {"advance": advance or key, "open": left.get(key, 0)},
                field="amount",
            )
        if day < paid_on[key]:
            raise BusinessError(_("%s was paid out after that day.") % advance, field="date")
        never_own(by, advance)
    rows = AdvanceMove.objects.bulk_create(
        AdvanceMove(advance_id=key, kind=MoveKind.RETURNED, date=day, amount=-amount, number=number, created_by=by)
        for key, amount in sorted(amounts.items())
    )
    derive_states(advances)
    return rows


def undo_move(rows: Sequence[AdvanceMove], *, number: str, day: dt.date | None = None, by: Any) -> None:
    """Take back what was paid out or returned; refused where claims have used the money since."""
    advances = lock_advances([row.advance_id for row in rows])
    left = open_amounts(list(advances))
    for row in rows:
        if row.amount > 0 and left[row.advance_id] < row.amount:
            raise BusinessError(_("%s was offset or returned since; take that back first.") % advances[row.advance_id])
    undo(rows, day or business_day(), number, by)
    gone = [advances[row.advance_id] for row in rows if row.kind == MoveKind.PAID]
    for advance in gone:
        advance.state = advance.STATES.check("unpay", advance).target
        advance.version += 1
    if gone:
        bulk_set(gone, ["state", "version"])
    derive_states(advances)
