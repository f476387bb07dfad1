"""Reserving stock for order lines, and giving it back (rule S-06)."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import ROUND_DOWN, Decimal

from erp.inventory.ledger import lock_levels, reserve, save_reservations
from erp.sales.models import SalesOrderLine
from erp.trade.progress import to_move
from kit.values.money import ONE, ZERO
from kit.values.quantities import QUANTITY_DIGITS
from oa.records.bulk import bulk_set

QUANTUM = ONE.scaleb(-QUANTITY_DIGITS)


def reserve_lines(lines: Sequence[SalesOrderLine]) -> None:
    """Reserve what is free for the open quantities of `lines` (two statements and the lock)."""
    open_lines = [line for line in lines if line.product.stocked and to_move(line) > 0]
    if not open_lines:
        return
    levels = lock_levels((line.product_id, line.warehouse_id) for line in open_lines)
    changed = []
    for line in open_lines:
        wanted = _needed(line) - line.reserved
        got = reserve(levels[line.product_id, line.warehouse_id], wanted)
        if got:
            line.reserved += got
            changed.append(line)
    if changed:
        save_reservations(levels.values())
        bulk_set(changed, ("reserved",))


def _needed(line: SalesOrderLine) -> Decimal:
    """What is still to deliver in the product's own unit, never more than that."""
    return (to_move(line) * line.factor).quantize(QUANTUM, rounding=ROUND_DOWN)


def release_lines(lines: Sequence[SalesOrderLine]) -> None:
    """Give back all reservations of `lines`."""
    held = [line for line in lines if line.reserved]
    if not held:
        return
    levels = lock_levels((line.product_id, line.warehouse_id) for line in held)
    for line in held:
        levels[line.product_id, line.warehouse_id].reserved -= line.reserved
        line.reserved = ZERO
    save_reservations(levels.values())
    bulk_set(held, ("reserved",))
