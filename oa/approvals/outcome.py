"""When a step of an approval is decided: pure rules over its slots (rules X-02, X-04).

Every person a step asks holds a *slot*. A colleague who was added to sign stands in the slot of who added them: the
slot is approved when everybody in it approved, rejected as soon as one rejected. Advice given by a delegate does not
count. The step counts slots.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_CEILING, Decimal

ANY, ALL, RATIO, SEQUENCE = "any", "all", "ratio", "sequence"
APPROVED, REJECTED, PENDING = "approved", "rejected", "pending"

OPEN = frozenset({"waiting", "running", "delegated"})
SETTLED = frozenset({"approved", "skipped", "rejected"})


def required(how: str, slots: int, ratio: Decimal | None = None) -> int:
    """How many of `slots` must approve: one, all, or `ratio` percent of them, rounded up and at least one."""
    if how == ANY:
        return min(1, slots)
    if how == RATIO:
        share = (Decimal(slots) * (ratio if ratio is not None else 100) / 100).to_integral_value(ROUND_CEILING)
        return min(slots, max(1, int(share))) if slots else 0
    return slots


def slot_result(states: Iterable[str]) -> str:
    """What a slot says, from the states of the tasks in it that count; who is skipped approves by rule."""
    counted = [state for state in states if state in OPEN or state in SETTLED]
    if "rejected" in counted:
        return REJECTED
    return APPROVED if counted and not OPEN.intersection(counted) else PENDING


def step_result(results: Iterable[str], needed: int) -> str:
    """Approved when `needed` slots approved, rejected when that cannot happen any more, else pending (X-02)."""
    results = list(results)
    approved = results.count(APPROVED)
    if approved >= needed:
        return APPROVED
    return REJECTED if approved + results.count(PENDING) < needed else PENDING
