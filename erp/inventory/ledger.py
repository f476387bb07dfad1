"""The only writer of the stock ledger: moves, levels and reservations.

Levels are locked in key order before anything is computed; a posting is one SQL statement for all moves and
levels, whatever their number.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NoReturn

from django.db import IntegrityError, connection
from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.ledger import Source
from erp.finance.models.accounts import Purpose
from erp.inventory.models import ONE_ACCOUNT, MoveKind, Product, StockLevel, StockMove, Warehouse
from erp.inventory.valuation import Stock, issue_value, residue
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, decimals
from oa.records.bulk import bulk_set

Key = tuple[int, int]  # product, warehouse

_POST = """
WITH moved AS (
    INSERT INTO erp_stockmove (product_id, warehouse_id, kind, date, quantity, value, quantity_after, value_after,
        account_id, entry_id, adjusts_id, source, source_id, source_line, number, posted_at, posted_by_id)
    SELECT product, warehouse, kind, %(date)s, quantity, value, quantity_after, value_after, account, %(entry)s,
        adjusts, %(source)s, %(source_id)s, line, %(number)s, now(), %(by)s
    FROM unnest(%(products)s::bigint[], %(warehouses)s::bigint[], %(kinds)s::text[], %(quantities)s::numeric[],
        %(values)s::numeric[], %(quantities_after)s::numeric[], %(values_after)s::numeric[], %(accounts)s::bigint[],
        %(adjusts)s::bigint[], %(lines)s::bigint[]) WITH ORDINALITY
      AS m(product, warehouse, kind, quantity, value, quantity_after, value_after, account, adjusts, line, position)
    ORDER BY position
)
UPDATE erp_stocklevel l SET on_hand = v.on_hand, reserved = v.reserved, value = v.value, account_id = v.account
  FROM unnest(%(levels)s::bigint[], %(on_hand)s::numeric[], %(reserved)s::numeric[], %(level_values)s::numeric[],
    %(level_accounts)s::bigint[]) AS v(id, on_hand, reserved, value, account) WHERE l.id = v.id
"""
_MISSING = """
INSERT INTO erp_stocklevel (product_id, warehouse_id, on_hand, reserved, value, allow_negative)
SELECT k.product, k.warehouse, 0, 0, 0, w.allow_negative
  FROM unnest(%s::bigint[], %s::bigint[]) AS k(product, warehouse) JOIN erp_warehouse w ON w.id = k.warehouse
 ORDER BY 1, 2 ON CONFLICT (product_id, warehouse_id) DO NOTHING
RETURNING id, product_id, warehouse_id, allow_negative
"""


@dataclass
class Move:
    """A movement to post. `quantity` is signed in the product's unit; `value` None means at the average.

    `release` is what it takes out of the reservations; `row` the 0-based line for messages.
    """

    product: Product
    warehouse_id: int
    quantity: Decimal
    kind: str
    account_id: int
    line: int = 0
    value: Decimal | None = None
    release: Decimal = ZERO
    adjusts_id: int | None = None
    row: int | None = None
    quantity_after: Decimal = ZERO
    value_after: Decimal = ZERO

    @property
    def key(self) -> Key:
        """Product and warehouse."""
        return self.product.pk, self.warehouse_id


def lock_levels(keys: Iterable[Key]) -> dict[Key, StockLevel]:
    """Lock the levels of `keys` in key order, making those that do not exist yet."""
    wanted = sorted(set(keys))
    levels = _locked(wanted)
    if len(levels) < len(wanted):
        levels |= _made([key for key in wanted if key not in levels])
    if len(levels) < len(wanted):  # somebody else made one in the same moment
        levels = _locked(wanted)
    return levels


def _made(missing: Sequence[Key]) -> dict[Key, StockLevel]:
    """Make the levels of `missing`; nobody else sees ours before the transaction ends, so they need no lock."""
    with connection.cursor() as cursor:
        cursor.execute(_MISSING, [[p for p, _w in missing], [w for _p, w in missing]])
        return {
            (product, warehouse): StockLevel(
                pk=pk,
                product_id=product,
                warehouse_id=warehouse,
                on_hand=ZERO,
                reserved=ZERO,
                value=ZERO,
                allow_negative=negative,
            )
            for pk, product, warehouse, negative in cursor.fetchall()
        }


def _locked(keys: Sequence[Key]) -> dict[Key, StockLevel]:
    if not keys:
        return {}
    rows = StockLevel.objects.filter(
        product__in={product for product, _w in keys}, warehouse__in={warehouse for _p, warehouse in keys}
    )
    found = {(row.product_id, row.warehouse_id): row for row in rows.order_by("pk").select_for_update()}
    return {key: found[key] for key in keys if key in found}


def value_moves(levels: dict[Key, StockLevel], moves: Sequence[Move], *, exponent: int = 2) -> list[Move]:
    """Value `moves` one after the other on locked `levels` (changed in memory) and return the residues.

    Issues cost the average of the moment; a given value (receipt, reversal) is taken as it is. What such a
    value leaves behind that stock cannot carry comes back as value moves for the cost of goods sold, to be
    posted after `moves`.
    Raises BusinessError naming every line whose stock does not suffice (rules D-01, V-20).
    """
    problems, residues = [], []
    costs: dict[Key, Decimal] | None = None
    for move in moves:
        level = levels[move.key]
        problem = _shortage(level, move)
        if problem:
            problems.append(problem)
            continue
        before = Stock(level.on_hand, level.value)
        if move.value is None:
            if costs is None and not level.on_hand:
                costs = _last_costs(levels)
            known = level.value / level.on_hand if level.on_hand else (costs or {}).get(move.key)
            fallback = move.product.cost if known is None else known
            move.value = -issue_value(before, -move.quantity, fallback, exponent)
        left = residue(before, move.quantity, move.value, exponent)
        _apply(level, move)
        if left:
            extra = Move(move.product, move.warehouse_id, ZERO, MoveKind.VALUE, move.account_id, move.line, -left)
            _apply(level, extra)
            residues.append(extra)
    if problems:
        raise BusinessError(problems=problems)
    if residues:
        restate(levels, [*moves, *residues])
    return residues


def _last_costs(levels: Iterable[Key]) -> dict[Key, Decimal]:
    """Unit cost of the last movement of each of `levels`: what an issue below an empty stock costs (rule V-20)."""
    moves = StockMove.objects.filter(
        product__in={product for product, _w in levels}, warehouse__in={warehouse for _p, warehouse in levels}
    ).exclude(quantity=0)
    rows = moves.order_by("product_id", "warehouse_id", "-pk").distinct("product_id", "warehouse_id")
    columns = rows.values_list("product_id", "warehouse_id", "quantity", "value")
    return {(product, warehouse): value / quantity for product, warehouse, quantity, value in columns}


def restate(levels: dict[Key, StockLevel], moves: Sequence[Move]) -> None:
    """Set the quantity and value after each of `moves` in the order they are posted in, from the final levels."""
    after = {key: (level.on_hand, level.value) for key, level in levels.items()}
    for move in reversed(moves):
        move.quantity_after, move.value_after = after[move.key]
        after[move.key] = move.quantity_after - move.quantity, move.value_after - (move.value or ZERO)


def _apply(level: StockLevel, move: Move) -> None:
    level.on_hand += move.quantity
    level.value += move.value or ZERO
    level.reserved -= move.release
    move.quantity_after, move.value_after = level.on_hand, level.value


def _shortage(level: StockLevel, move: Move) -> Problem | None:
    """Why `level` does not cover an issue: what others reserved does not count as available."""
    free = level.on_hand - level.reserved + move.release
    if move.quantity >= 0 or level.allow_negative or -move.quantity <= free:
        return None
    return Problem(
        _(
            "Only %(free)s of %(product)s are available; %(wanted)s are needed. "
            "Lower the quantity or receive stock first."
        )
        % {"free": plain(max(free, ZERO)), "product": move.product.code, "wanted": plain(-move.quantity)},
        field="quantity",
        row=move.row,
    )


def plain(value: Decimal) -> str:
    """A decimal without trailing zeros."""
    return f"{value.normalize():f}" if value else "0"


_LOWEST = """
SELECT k.product, k.warehouse,
       least(l.on_hand - coalesce(sum(m.quantity), 0), min(l.on_hand - m.following))
  FROM unnest(%(products)s::bigint[], %(warehouses)s::bigint[]) AS k(product, warehouse)
  JOIN erp_stocklevel l ON l.product_id = k.product AND l.warehouse_id = k.warehouse AND NOT l.allow_negative
  JOIN (SELECT product_id, warehouse_id, quantity,
               sum(quantity) OVER (PARTITION BY product_id, warehouse_id ORDER BY date DESC, id DESC) - quantity
                   AS following
          FROM erp_stockmove
         WHERE product_id = ANY(%(products)s) AND warehouse_id = ANY(%(warehouses)s) AND date > %(date)s) m
    ON m.product_id = k.product AND m.warehouse_id = k.warehouse
 GROUP BY k.product, k.warehouse, l.on_hand
"""


def check_date(moves: Sequence[Move], date: dt.date, *, by: Any) -> None:
    """Refuse back-dating without the right, or where later stock would not have sufficed (rule V-24).

    Call it before `value_moves`, with the levels locked. A movement of today costs no statement.
    """
    if date >= business_day() or not moves:
        return
    if by is not None and not by.has_perm("erp.backdate_stockmove"):
        raise BusinessError(
            _("You may post stock movements of today only. Ask someone who may post earlier dates."), field="date"
        )
    wanted: dict[Key, Decimal] = {}
    for move in moves:
        wanted[move.key] = wanted.get(move.key, ZERO) + move.quantity
    keys = [key for key, quantity in wanted.items() if quantity < 0]
    if not keys:
        return
    with connection.cursor() as cursor:
        cursor.execute(_LOWEST, {"products": [p for p, _w in keys], "warehouses": [w for _p, w in keys], "date": date})
        lowest = {(product, warehouse): quantity for product, warehouse, quantity in cursor.fetchall()}
    problems = [
        Problem(
            _("On %(date)s only %(free)s of %(product)s could have left: the stock was used later.")
            % {"date": date, "free": plain(max(lowest[move.key], ZERO)), "product": move.product.code},
            field="date",
            row=move.row,
        )
        for move in moves
        if move.key in lowest and lowest[move.key] + wanted[move.key] < 0
    ]
    if problems:
        raise BusinessError(problems=problems)


def post_moves(
    levels: dict[Key, StockLevel],
    moves: Sequence[Move],
    *,
    entry_id: int | None,
    source: Source,
    date: dt.date,
    by: Any,
) -> None:
    """Write valued `moves` and the levels they led to, in one statement.

    Raises BusinessError where the stock stands on another inventory account (rule V-14).
    """
    if not moves:
        return
    values = {
        "date": date,
        "entry": entry_id,
        "source": source.label,
        "source_id": source.pk,
        "number": source.number,
        "by": by.pk if by else None,
        **_columns(levels, moves),
    }
    try:
        with connection.cursor() as cursor:
            cursor.execute(_POST, values)
    except IntegrityError as error:
        _explain(error)


def _columns(levels: dict[Key, StockLevel], moves: Sequence[Move]) -> dict[str, list[Any]]:
    """The moves, and the levels they led to with the account of the last one, column by column."""
    for move in moves:
        levels[move.key].account_id = move.account_id
    touched = list({move.key: levels[move.key] for move in moves}.values())
    return {
        "products": [m.product.pk for m in moves],
        "warehouses": [m.warehouse_id for m in moves],
        "kinds": [str(m.kind) for m in moves],
        "quantities": decimals([m.quantity for m in moves]),
        "values": decimals([m.value for m in moves]),
        "quantities_after": decimals([m.quantity_after for m in moves]),
        "values_after": decimals([m.value_after for m in moves]),
        "accounts": [m.account_id for m in moves],
        "adjusts": [m.adjusts_id for m in moves],
        "lines": [m.line for m in moves],
        "levels": [level.pk for level in touched],
        "on_hand": decimals([level.on_hand for level in touched]),
        "reserved": decimals([level.reserved for level in touched]),
        "level_values": decimals([level.value for level in touched]),
        "level_accounts": [level.account_id for level in touched],
    }


def _explain(error: IntegrityError) -> NoReturn:
    """Say in words that the document posts to another account than the stock's; else raise `error` again."""
    found: Any = getattr(error.__cause__, "diag", None)
    if getattr(found, "constraint_name", "") != ONE_ACCOUNT:
        raise error
    raise BusinessError(
        _(
            "%s is in stock on another inventory account than the one that this document was posted to. Take its "
            "stock out with a stock adjustment first."
        )
        % found.message_detail
    ) from error


def inventory_account(context: PostingContext, level: StockLevel, product: Product) -> int:
    """The account of a movement at a locked level: that of the stock there, else what the rules say (rule V-14).

    So the value per account ties at any time; other rules take effect where stock begins anew. `product` has its
    group loaded.
    """
    if level.account_id and (level.on_hand or level.value):
        return level.account_id
    return context.account(Purpose.INVENTORY, product.group.posting_group_id if product.group is not None else None)


def reserve(level: StockLevel, wanted: Decimal) -> Decimal:
    """Reserve up to `wanted` of what is free on a locked level; returns how much (rule S-06)."""
    got = max(min(wanted, level.on_hand - level.reserved), ZERO)
    level.reserved += got
    return got


def save_reservations(levels: Iterable[StockLevel]) -> None:
    """Write the reserved quantities of locked levels."""
    bulk_set(levels, ("reserved",))


def allow_negative(warehouse: Warehouse) -> None:
    """Carry a warehouse's setting over to its levels."""
    StockLevel.objects.filter(warehouse=warehouse).update(allow_negative=warehouse.allow_negative)
