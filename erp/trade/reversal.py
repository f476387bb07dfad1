"""Reversal of posted documents (rules G-04 to G-06), the same for sales and purchasing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.ledger import entry_of, post_entry, reverse_entry, source_of
from erp.finance.models import JournalEntry
from erp.finance.openitems import active_allocations, allocate_items, mirror_items
from erp.inventory.ledger import Key, Move, post_moves
from erp.inventory.models import MoveKind, StockLevel, StockMove
from erp.trade.billing import residue_lines
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ZERO


@dataclass(frozen=True)
class Counter:
    """What a counter document of one kind takes over from its original as it is, and what with the opposite sign."""

    kept: tuple[str, ...]
    opposite: tuple[str, ...]
    line_kept: tuple[str, ...]
    line_opposite: tuple[str, ...]

    def of(self, original: Any, lines: Sequence[Any], *, by: Any, date: dt.date | None) -> tuple[Any, list[Any]]:
        """The counter document of `original` and its lines in the order of `lines`, stored as a draft (rule G-04)."""
        day = date or business_day()
        if day < original.date:
            raise BusinessError(_("The reversal cannot be dated before %s.") % original.date, field="date")
        counter = type(original)(date=day, created_by=by, reversal_of=original)
        _copy(original, counter, (*_ALWAYS, *self.kept), self.opposite)
        counter.save()
        parent = type(original)._meta.get_field("lines").field.name
        drafts = []
        for line in lines:
            draft = type(line)(**{parent: counter})
            _copy(line, draft, ("position", "order_line_id", *self.line_kept), ("quantity", *self.line_opposite))
            drafts.append(draft)
        if drafts:
            type(drafts[0])._default_manager.bulk_create(drafts)
        return counter, drafts


_ALWAYS = ("owner_id", "department_id")
PRICED_HEAD = ("currency", "rate", "payment_terms", "tax_method", "prices_include_tax", "discount")
AMOUNTS = ("net", "tax", "total", "base_total", "discount_amount")
LINE_AMOUNTS = ("net", "tax", "discount_share")


def _copy(source: Any, target: Any, kept: Sequence[str], opposite: Sequence[str]) -> None:
    for name in kept:
        setattr(target, name, getattr(source, name))
    for name in opposite:
        setattr(target, name, -getattr(source, name))


def as_the_original(moves: Sequence[Move], original: Any) -> list[Move]:
    """The moves that reverse those of `original`, from `moves` with opposite quantities and values.

    They are on the inventory accounts that the original used, whatever the rules say now. What its entry took
    out of stock besides (the residues of a receipt that covered negative stock) is put back after them, because
    the mirror of that entry does so as well (rule G-04, invariant I-16).
    """
    rows = list(StockMove.objects.filter(source=original._meta.label_lower, source_id=original.pk).order_by("pk"))
    accounts = {(row.product_id, row.warehouse_id): row.account_id for row in rows if row.kind != MoveKind.VALUE}
    by_key = {}
    for move in moves:
        move.account_id = accounts.get(move.key, move.account_id)
        by_key[move.key] = move
    back = []
    for row in rows:
        if row.kind == MoveKind.VALUE:
            like = by_key[row.product_id, row.warehouse_id]
            back.append(Move(like.product, row.warehouse_id, ZERO, row.kind, row.account_id, like.line, -row.value))
    return [*moves, *back]


def finish_reversal(original: Any, counter: Any, by: Any) -> None:
    """Mark the original as reversed and the counter document as posted (two statements)."""
    counter.state, counter.posted_at, counter.posted_by = "posted", timezone.now(), by
    counter.version += 1
    counter.save()
    original.state = "reversed"
    original.version += 1
    original.save(update_fields=["state", "version", "updated_at"])


def refuse_if_settled(document: Any, items: Sequence[Any]) -> None:
    """Name the payments that settle `items` (rule G-06)."""
    own = {item.pk for item in items}
    allocations = active_allocations(own)
    if allocations:
        numbers = {(a.credit_item if a.debit_item_id in own else a.debit_item).number for a in allocations}
        raise BusinessError(
            _("%(document)s is settled by %(numbers)s. Reverse those, or undo the settlement, first.")
            % {"document": document, "numbers": ", ".join(sorted(numbers))}
        )


def reverse_document_entry(
    context: PostingContext, original: Any, counter: Any, *, by: Any, entry: JournalEntry | None = None
) -> int | None:
    """Post the mirror of the entry of `original`; returns its key, None where there is no entry.

    `entry` is that entry where it is loaded already.
    """
    entry = entry or entry_of(source_of(original))
    memo = f"{_('Reversal of')} {original.number}"
    posted = reverse_entry(context, source_of(counter), entry, by=by, memo=memo) if entry else None
    return posted[0] if posted else None


def post_counter_moves(
    context: PostingContext,
    counter: Any,
    levels: dict[Key, StockLevel],
    moves: Sequence[Move],
    residues: Sequence[Move],
    *,
    entry_id: int | None,
    by: Any,
) -> None:
    """Write the valued `moves` of a counter document with its entry.

    What stock cannot carry of the original value (`residues`) goes to the cost of goods sold by an entry of
    its own, because the first one mirrors the original exactly (rules V-02, V-11).
    """
    source = source_of(counter)
    post_moves(levels, moves, entry_id=entry_id, source=source, date=counter.date, by=by)
    lines = residue_lines(context, residues, counter.department_id)
    posted = post_entry(context, source, lines, by=by, memo=_("Stock value"), purpose="value") if lines else None
    post_moves(levels, residues, entry_id=posted[0] if posted else None, source=source, date=counter.date, by=by)


def reverse_with_items(
    context: PostingContext, original: Any, counter: Any, items: Sequence[Any], *, by: Any
) -> int | None:
    """Reverse the entry of `original`, open counter items and settle the two against each other.

    Returns the key of the entry.
    """
    entry_id = reverse_document_entry(context, original, counter, by=by)
    if entry_id is None or not items:
        return entry_id
    allocate_items(context, mirror_items(source_of(counter), entry_id, items, counter.date), by=by)
    return entry_id
