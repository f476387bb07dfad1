"""Stock adjustments: opening stock, gains, losses, counts; draft, post, reverse."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import models, transaction
from django.db.models import Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import STOCK, PostingContext, posting_context
from erp.finance.ledger import Line, entry_of, post_entry, reverse_entry, source_of
from erp.finance.models import PostingRule
from erp.finance.models.accounts import Purpose
from erp.finance.rights import allow_saving, allow_transition
from erp.inventory.ledger import Key, Move, check_date, inventory_account, lock_levels, post_moves, value_moves
from erp.inventory.models import (
    ADJUSTMENT_STATES,
    AdjustmentReason,
    MoveKind,
    Product,
    StockAdjustment,
    StockAdjustmentLine,
    StockLevel,
    StockMove,
)
from erp.inventory.standing import left_behind
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO, round_money
from kit.values.quantities import round_quantity
from oa.records.bulk import bulk_set, lockable, locked
from oa.records.commands import command
from oa.records.numbering import next_number

ADJUSTMENTS = lockable(StockAdjustment.objects.select_related("warehouse"))
LINES = StockAdjustmentLine.objects.select_related("product__group").order_by("position")


@dataclass
class AdjustmentInput:
    """A line as typed: `quantity` signed in the product's unit; `unit_cost` of a gain, None for the average."""

    product: Product
    quantity: Decimal
    unit_cost: Decimal | None = None


@command
def save_adjustment(
    adjustment: StockAdjustment, lines: Sequence[AdjustmentInput], *, by: Any, version: int | None = None
) -> StockAdjustment:
    """Store a draft with its lines, which are replaced. Raises BusinessError."""
    if adjustment.pk:
        current = locked(ADJUSTMENTS, adjustment.pk, version=version)
        if current.state != ADJUSTMENT_STATES.initial:
            raise BusinessError(_("%s is posted and cannot be changed; reverse it.") % current)
        adjustment.version = current.version + 1
        current.lines.all().delete()
    else:
        adjustment.created_by = by
        adjustment.owner_id = adjustment.owner_id or (by.pk if by else None)
        adjustment.department_id = adjustment.department_id or getattr(by, "department_id", None)
    allow_saving(by, adjustment)
    check_inputs(lines)
    adjustment.save()
    StockAdjustmentLine.objects.bulk_create(
        StockAdjustmentLine(
            adjustment=adjustment,
            position=position,
            product=line.product,
            quantity=line.quantity,
            unit_cost=line.unit_cost,
        )
        for position, line in enumerate(lines, start=1)
    )
    return adjustment


def check_inputs(lines: Sequence[AdjustmentInput]) -> None:
    """Refuse what no adjustment may hold, naming every line (0-based rows); one statement at the most."""
    problems = [] if lines else [Problem(_("Enter at least one line."))]
    models.prefetch_related_objects([line.product for line in lines], "unit")
    for row, line in enumerate(lines):
        unit = line.product.unit
        if line.quantity == 0:
            problems.append(Problem(_("The quantity cannot be 0."), "quantity", row))
        elif round_quantity(line.quantity, unit.decimals) != line.quantity:
            problems.append(
                Problem(
                    _("%(unit)s has %(digits)s decimals.") % {"unit": unit, "digits": unit.decimals}, "quantity", row
                )
            )
        if not line.product.stocked:
            problems.append(Problem(_("%s is a service and not kept in stock.") % line.product.code, "product", row))
        if line.unit_cost is not None and line.unit_cost < 0:
            problems.append(Problem(_("The unit cost cannot be negative."), "unit_cost", row))
    if problems:
        raise BusinessError(problems=problems)


@transaction.atomic
def post_adjustment(adjustment: StockAdjustment, *, by: Any, version: int | None = None) -> StockAdjustment:
    """Post a draft: stock in or out, gains at the given cost or the average, losses at the average (V-42)."""
    adjustment = locked(ADJUSTMENTS, adjustment.pk, version=version)
    allow_transition(by, adjustment, "post")
    lines = list(LINES.filter(adjustment=adjustment))
    if not lines:
        raise BusinessError(_("Enter at least one line."))
    context = posting_context(adjustment.date, STOCK)
    levels = lock_levels((line.product_id, adjustment.warehouse_id) for line in lines)
    moves = [_move(context, levels, adjustment, line, row) for row, line in enumerate(lines)]
    check_date(moves, adjustment.date, by=by)
    residues = _value(context, levels, moves, lines)
    bulk_set(lines, ("value",))
    adjustment.value = sum((line.value for line in lines), ZERO)
    adjustment.number = next_number(adjustment.SEQUENCE, adjustment.date)
    ledger = [
        part
        for line, move in zip(lines, moves, strict=True)
        for part in _ledger_lines(context, adjustment, line, move.account_id)
    ]
    _post(context, adjustment, levels, moves, residues, ledger, by)
    adjustment.state, adjustment.posted_at, adjustment.posted_by = "posted", timezone.now(), by
    adjustment.version += 1
    adjustment.save()
    return adjustment


def _move(
    context: PostingContext,
    levels: dict[Key, StockLevel],
    adjustment: StockAdjustment,
    line: StockAdjustmentLine,
    row: int,
) -> Move:
    kind = MoveKind.OPENING if adjustment.reason == AdjustmentReason.OPENING else MoveKind.ADJUSTMENT
    account = inventory_account(context, levels[line.product_id, adjustment.warehouse_id], line.product)
    return Move(line.product, adjustment.warehouse_id, line.quantity, kind, account, line.pk, row=row)


def _value(
    context: PostingContext, levels: dict[Key, StockLevel], moves: Sequence[Move], lines: Sequence[StockAdjustmentLine]
) -> list[Move]:
    """Value the moves and carry it to the lines; returns the residues."""
    for move, line in zip(moves, lines, strict=True):
        if line.quantity > 0:
            cost = _average(levels[move.key], line.product) if line.unit_cost is None else line.unit_cost
            move.value = round_money(line.quantity * cost, context.exponent)
    residues = value_moves(levels, moves, exponent=context.exponent)
    for move, line in zip(moves, lines, strict=True):
        line.value = move.value or ZERO
    return residues


def _average(level: StockLevel, product: Product) -> Decimal:
    """The average cost now; what the product is expected to cost where there is no stock."""
    return level.value / level.on_hand if level.on_hand > 0 else product.cost


def _ledger_lines(
    context: PostingContext, adjustment: StockAdjustment, line: StockAdjustmentLine, account: int
) -> list[Line]:
    """Inventory (`account`) against opening balances, stock gain or stock loss."""
    group = _group(line.product)
    if adjustment.reason == AdjustmentReason.OPENING:
        purpose = Purpose.OPENING
    else:
        purpose = Purpose.ADJUSTMENT_GAIN if line.quantity > 0 else Purpose.ADJUSTMENT_LOSS
    return [
        Line(account, line.value),
        Line(context.account(purpose, group), -line.value, department_id=adjustment.department_id),
    ]


def _post(
    context: PostingContext,
    adjustment: StockAdjustment,
    levels: dict[Key, StockLevel],
    moves: Sequence[Move],
    residues: Sequence[Move],
    ledger: Sequence[Line],
    by: Any,
) -> None:
    """Entry and moves; what stock cannot carry (a gain that covers negative stock) is stock loss (V-02, V-11)."""
    source = source_of(adjustment)
    memo = f"{adjustment.get_reason_display()} {adjustment.number}"
    posted = post_entry(context, source, ledger, by=by, memo=memo)
    post_moves(levels, moves, entry_id=posted[0] if posted else None, source=source, date=adjustment.date, by=by)
    post_residues(context, adjustment, levels, residues, by)


def post_residues(
    context: PostingContext, document: StockAdjustment, levels: dict[Key, StockLevel], residues: Sequence[Move], by: Any
) -> None:
    """Write off (or up) what `value_moves` found that stock cannot carry, by an entry of its own."""
    if not residues:
        return
    lines = []
    for move in residues:
        value = move.value or ZERO
        purpose = Purpose.ADJUSTMENT_GAIN if value > 0 else Purpose.ADJUSTMENT_LOSS
        lines += [
            Line(move.account_id, value),
            Line(context.account(purpose, _group(move.product)), -value, department_id=document.department_id),
        ]
    source = source_of(document)
    posted = post_entry(context, source, lines, by=by, memo=_("Stock value"), purpose="value")
    post_moves(levels, residues, entry_id=posted[0] if posted else None, source=source, date=document.date, by=by)


@transaction.atomic
def reverse_adjustment(
    adjustment: StockAdjustment, *, by: Any, date: dt.date | None = None, version: int | None = None
) -> StockAdjustment:
    """Take a posted adjustment back at the same values by a counter document (rule G-04), last line first.

    What a gain wrote off because it covered negative stock comes back as well.
    """
    original = locked(ADJUSTMENTS, adjustment.pk, version=version)
    allow_transition(by, original, "reverse")
    if original.reversal_of_id:
        raise BusinessError(_("%s is a reversal itself and cannot be reversed.") % original)
    day = date or business_day()
    if day < original.date:
        raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
    lines = list(LINES.filter(adjustment=original))
    counter, drafts = _counter(original, lines, day, by)
    context = posting_context(day, STOCK)
    levels = lock_levels((line.product_id, original.warehouse_id) for line in lines)
    moves, back = _counter_moves(original, drafts)
    check_date(moves, day, by=by)
    residues = value_moves(levels, [*moves, *back], exponent=context.exponent)
    counter.number = next_number(counter.SEQUENCE, day)
    _reverse_entry(levels, original, counter, moves, context, by=by)
    if back:
        _reverse_entry(levels, original, counter, back, context, by=by, purpose="value", as_purpose="value-back")
    post_residues(context, counter, levels, residues, by)
    counter.state, counter.posted_at, counter.posted_by = "posted", timezone.now(), by
    counter.version += 1
    counter.save()
    original.state = "reversed"
    original.version += 1
    original.save(update_fields=["state", "version", "updated_at"])
    return counter


def _counter(
    original: StockAdjustment, lines: Sequence[StockAdjustmentLine], day: dt.date, by: Any
) -> tuple[StockAdjustment, list[StockAdjustmentLine]]:
    """The counter document with opposite quantities and values, stored as a draft."""
    counter = StockAdjustment.objects.create(
        warehouse=original.warehouse,
        reason=original.reason,
        value=-original.value,
        date=day,
        created_by=by,
        owner_id=original.owner_id,
        department_id=original.department_id,
        reversal_of=original,
    )
    drafts = StockAdjustmentLine.objects.bulk_create(
        StockAdjustmentLine(
            adjustment=counter,
            position=line.position,
            product=line.product,
            quantity=-line.quantity,
            unit_cost=line.unit_cost,
            value=-line.value,
        )
        for line in lines
    )
    return counter, drafts


def _reverse_entry(
    levels: dict[Key, StockLevel],
    original: StockAdjustment,
    counter: StockAdjustment,
    moves: Sequence[Move],
    context: PostingContext,
    *,
    by: Any,
    purpose: str = "post",
    as_purpose: str = "post",
) -> None:
    """Post the mirror of an entry of `original` with its moves."""
    entry, source = entry_of(source_of(original), purpose), source_of(counter)
    memo = f"{_('Reversal of')} {original.number}"
    posted = reverse_entry(context, source, entry, by=by, memo=memo, purpose=as_purpose) if entry else None
    post_moves(levels, moves, entry_id=posted[0] if posted else None, source=source, date=counter.date, by=by)


def _counter_moves(original: StockAdjustment, drafts: Sequence[StockAdjustmentLine]) -> tuple[list[Move], list[Move]]:
    """Moves at the original's values on the inventory accounts it used, and those that put back its residues.

    In reverse order: a line that took out what an earlier one had brought gives it back first.
    """
    rows = StockMove.objects.filter(source=original._meta.label_lower, source_id=original.pk)
    found = list(rows.select_related("product__group").order_by("-pk"))
    used = {(row.product_id, row.warehouse_id): (row.kind, row.account_id) for row in found if row.quantity}
    place, moves = original.warehouse_id, []
    lines: dict[int, int] = {}
    for row, draft in reversed(list(enumerate(drafts))):
        kind, account = used[draft.product_id, place]
        moves.append(Move(draft.product, place, draft.quantity, kind, account, draft.pk, draft.value, row=row))
        lines[draft.product_id] = draft.pk
    back = [
        Move(row.product, place, ZERO, row.kind, row.account_id, lines[row.product_id], -row.value)
        for row in found
        if not row.quantity
    ]
    return moves, back


@command
def count_stock(adjustment: StockAdjustment, counted: Mapping[Product, Decimal], *, by: Any) -> StockAdjustment:
    """Draft the differences between `counted` quantities and the book at the end of the adjustment's date.

    Differences are stored, so that movements after that date stay right (rule V-41); products that were not
    counted are left out (rule V-43). Raises BusinessError when everything fits the book.
    """
    book = dict(
        StockMove.objects.filter(warehouse=adjustment.warehouse, product__in=list(counted), date__lte=adjustment.date)
        .order_by()
        .values_list("product")
        .annotate(Sum("quantity"))
    )
    lines = [
        AdjustmentInput(product, quantity - book.get(product.pk, ZERO))
        for product, quantity in counted.items()
        if quantity != book.get(product.pk, ZERO)
    ]
    if not lines:
        raise BusinessError(_("What was counted is what the books say; there is nothing to adjust."))
    return save_adjustment(adjustment, lines, by=by)


def _stock_stays(rules: Sequence[PostingRule]) -> str:
    return left_behind(StockLevel.objects.all(), then=rules)


PostingRule.guards.append(_stock_stays)


def _group(product: Product) -> int | None:
    return product.group.posting_group_id if product.group is not None else None
