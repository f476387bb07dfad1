"""Booking claims, paying them, taking both back; the books are lent by `accounting` (rules E-02, E-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.db.models import Sum
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ZERO
from oa.expenses import accounting
from oa.expenses.models import Advance, AdvanceMove, ClaimPayment, ExpenseClaim
from oa.expenses.models.advances import MoveKind
from oa.expenses.rights import allow_transition, never_own
from oa.expenses.services.drafts import CLAIMS
from oa.records.bulk import bulk_set, locked


def open_amounts(keys: Sequence[int]) -> dict[int, Decimal]:
    """What is open of advances: the sums of their rows (one statement). Lock the advances first."""
    rows = AdvanceMove.objects.filter(advance__in=keys).order_by().values_list("advance").annotate(Sum("amount"))
    return dict.fromkeys(keys, ZERO) | dict(rows)


def lock_advances(keys: Sequence[int]) -> dict[int, Advance]:
    """Advances locked in key order until the transaction ends."""
    rows = Advance.objects.filter(pk__in=keys).select_related("owner").order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def derive_states(advances: Mapping[int, Advance]) -> None:
    """An advance of which nothing is open is settled, one with an open amount is not (advances are locked)."""
    left = open_amounts(list(advances))
    changed = []
    for key, advance in advances.items():
        wanted = "paid" if left[key] else "settled"
        if advance.state in ("paid", "settled") and advance.state != wanted:
            advance.state = wanted
            advance.version += 1
            changed.append(advance)
    if changed:
        bulk_set(changed, ["state", "version"])


@transaction.atomic
def post_claim(claim: ExpenseClaim, *, by: Any) -> ExpenseClaim:
    """Book an audited claim: its advances give what was planned, the rest is owed to the person (rules E-02, E-04)."""
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "post")
    never_own(by, claim)
    books = accounting.books()
    offsets = list(claim.offsets.order_by("advance_id"))
    advances = lock_advances([row.advance_id for row in offsets])
    left = open_amounts(list(advances))
    for row in offsets:
        if row.amount > left[row.advance_id]:
            raise BusinessError(
                _("Of %(advance)s only %(open)s is open, not %(wanted)s. Return the claim and audit it again.")
                % {"advance": advances[row.advance_id], "open": left[row.advance_id], "wanted": row.amount}
            )
    lines = list(claim.lines.select_related("type", "department").order_by("position"))
    day = books.post(claim, lines, by)
    AdvanceMove.objects.bulk_create(
        AdvanceMove(
            advance_id=row.advance_id, kind=MoveKind.OFFSET, date=day, amount=-row.amount, claim=claim,
            number=claim.number or "", created_by=by,
        )
        for row in offsets
    )  # fmt: skip
    derive_states(advances)
    claim.state, claim.posted_on, claim.posted_by = "posted", day, by
    claim.version += 1
    claim.save()
    if claim.allowed == claim.offset:
        _to(claim, "settle")
    return claim


def _to(claim: ExpenseClaim, name: str) -> None:
    claim.state = claim.STATES.check(name, claim).target
    claim.version += 1
    claim.save(update_fields=["state", "version", "updated_at"])


@transaction.atomic
def reverse_claim(claim: ExpenseClaim, *, by: Any, date: dt.date | None = None) -> ExpenseClaim:
    """Take a booked claim back: its entry in red letters, its advances open again (rules G-04, G-05).

    Refused while money paid on it stands: that payment is reversed first.
    """
    claim = locked(CLAIMS, claim.pk)
    allow_transition(by, claim, "reverse")
    never_own(by, claim)
    day = date or business_day()
    if claim.posted_on is not None and day < claim.posted_on:
        raise BusinessError(_("The reversal cannot be dated before %s.") % claim.posted_on, field="date")
    if paid_on([claim.pk])[claim.pk]:
        raise BusinessError(_("%s is paid. Reverse the payment first.") % claim)
    moves = list(claim.moves.filter(kind=MoveKind.OFFSET, reversed_by=None).order_by("advance_id"))
    advances = lock_advances([row.advance_id for row in moves])
    accounting.books().reverse(claim, day, by)
    undo(moves, day, claim.number or "", by)
    derive_states(advances)
    claim.lines.filter(live=True).update(live=False)
    claim.state = "reversed"
    claim.version += 1
    claim.save()
    return claim


def undo(moves: Sequence[AdvanceMove], day: dt.date, number: str, by: Any) -> None:
    """Rows that take `moves` back."""
    AdvanceMove.objects.bulk_create(
        AdvanceMove(
            advance_id=row.advance_id, kind=MoveKind.UNDONE, date=day, amount=-row.amount, claim_id=row.claim_id,
            number=number, reverses=row, created_by=by,
        )
        for row in moves
    )  # fmt: skip


def paid_on(keys: Sequence[int]) -> dict[int, Decimal]:
    """What was paid on claims (one statement)."""
    rows = ClaimPayment.objects.filter(claim__in=keys).order_by().values_list("claim").annotate(Sum("amount"))
    return dict.fromkeys(keys, ZERO) | dict(rows)


def lock_claims(keys: Sequence[int]) -> dict[int, ExpenseClaim]:
    """Claims locked in key order until the transaction ends."""
    rows = CLAIMS.filter(pk__in=keys).order_by("pk")
    return {row.pk: row for row in rows.select_for_update(of=("self",))}


def pay_claim(amounts: Mapping[int, Decimal], *, number: str, day: dt.date, by: Any) -> list[ClaimPayment]:
    """Note money paid on claims (by key), for the document `number` that books it, in its transaction.

    Refused for claims that are not booked, for what is more than they leave to pay, and for one's own.
    """
    claims = lock_claims(list(amounts))
    before = paid_on(list(claims))
    for key, amount in amounts.items():
        claim = claims.get(key)
        if claim is None or claim.state != "posted":
            raise BusinessError(_("%s is not booked or paid already.") % (claim or key))
        never_own(by, claim)
        if amount <= 0 or amount > claim.allowed - claim.offset - before[key]:
            raise BusinessError(
                _("%(claim)s leaves %(left)s to pay, not %(amount)s.")
                % {"claim": claim, "left": claim.allowed - claim.offset - before[key], "amount": amount}
            )
        if claim.posted_on is not None and day < claim.posted_on:
            raise BusinessError(_("%s was booked after that day.") % claim, field="date")
    rows = ClaimPayment.objects.bulk_create(
        ClaimPayment(claim_id=key, date=day, amount=amount, number=number, created_by=by)
        for key, amount in sorted(amounts.items())
    )
    _follow(claims)
    return rows


def unpay_claim(rows: Sequence[ClaimPayment], *, number: str, day: dt.date, by: Any) -> None:
    """Take payments back; the claims wait for their money again. In the transaction of the reversal."""
    claims = lock_claims([row.claim_id for row in rows])
    ClaimPayment.objects.bulk_create(
        ClaimPayment(
            claim_id=row.claim_id, date=day, amount=-row.amount, number=number, reverses=row, created_by=by
        )
        for row in rows
    )  # fmt: skip
    _follow(claims)


def _follow(claims: Mapping[int, ExpenseClaim]) -> None:
    """A claim with nothing left to pay is paid, another one is not (claims are locked)."""
    paid = paid_on(list(claims))
    changed = []
    for key, claim in claims.items():
        wanted = "paid" if paid[key] == claim.allowed - claim.offset else "posted"
        if claim.state != wanted:
            claim.state = claim.STATES.check("settle" if wanted == "paid" else "reopen", claim).target
            claim.version += 1
            changed.append(claim)
    if changed:
        bulk_set(changed, ["state", "version"])
