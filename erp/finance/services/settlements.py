"""Settling open items with each other by hand, and undoing it (rules A-02, A-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from erp.finance.context import BANK, posting_context
from erp.finance.ledger import Source
from erp.finance.models import Allocation, OpenItem
from erp.finance.models.openitems import ItemKind
from erp.finance.openitems import active_allocations, allocate_items, lock_items, lock_open, tell_settled, unallocate
from erp.finance.rights import allow
from kit.rules.days import business_day
from kit.values.errors import BusinessError

Keys = tuple[int, int, Decimal]  # debit item, credit item, amount


@transaction.atomic
def allocate_open_items(pairs: Sequence[Keys], *, by: Any, date: dt.date | None = None) -> None:
    """Settle open items by hand: (debit item, credit item, amount) by key, such as an advance with an invoice."""
    if not pairs:
        raise BusinessError(_("Choose what to settle."))
    items = lock_items(pk for debit, credit, _amount in pairs for pk in (debit, credit))
    allow(by, "erp.add_allocation", _("settle open items"), *items.values())
    context = posting_context(date or business_day(), BANK)
    latest = max(item.date for item in items.values())
    if context.date < latest:
        raise BusinessError(_("The date cannot be before %s.") % latest, field="date")
    allocate_items(context, [(items[debit], items[credit], amount) for debit, credit, amount in pairs], by=by)
    tell_settled(items.values())


@transaction.atomic
def settle_item(item: OpenItem, *, by: Any, date: dt.date | None = None) -> OpenItem:
    """Settle an item with open ones of the other side: one of exactly its amount, else the oldest due first (A-04).

    Only items of the same partner, currency and control account that are not dated after `date`.
    """
    allow(by, "erp.add_allocation", _("settle open items"), item)
    day = date or business_day()
    same = {"customer": item.customer_id, "supplier": item.supplier_id}
    rows = OpenItem.objects.filter(currency=item.currency_id, account=item.account_id, **same)
    items = lock_open(rows.exclude(remaining=0))
    own = items.get(item.pk)
    if own is None:
        raise BusinessError(_("%s is settled already.") % item)
    pairs = _proposal(own, [other for other in items.values() if other.date <= day])
    if not pairs:
        raise BusinessError(_("There is nothing open of the same partner that could settle %s.") % item)
    allocate_open_items(pairs, by=by, date=day)
    item.refresh_from_db()
    return item


def _proposal(own: OpenItem, items: Sequence[OpenItem]) -> list[Keys]:
    """What of `items` settles `own`, and how much of each."""
    others = sorted((i for i in items if i.remaining * own.remaining < 0), key=lambda i: (i.due_date, i.pk))
    exact = [i for i in others if i.remaining == -own.remaining][:1]
    left, pairs = abs(own.remaining), []
    for other in exact or others:
        part = min(left, abs(other.remaining))
        if part:
            debit, credit = (own, other) if own.remaining > 0 else (other, own)
            pairs.append((debit.pk, credit.pk, part))
        left -= part
    return pairs


@transaction.atomic
def undo_settlements(item: OpenItem, *, by: Any, date: dt.date | None = None) -> OpenItem:
    """Undo everything that settled an item, so that both sides are open again; its payments stay (rule A-02).

    What was settled in the same step and shares its exchange result is undone with it, because that result is
    one entry. What a reversal settled stays.
    """
    allow(by, "erp.delete_allocation", _("undo settlements"), item)
    found = _to_undo(item)
    items = lock_items({item.pk, *(pk for a in found for pk in (a.debit_item_id, a.credit_item_id))})
    if [a.pk for a in _to_undo(item)] != [a.pk for a in found]:
        raise BusinessError(_("%s was changed by somebody else meanwhile.") % item)
    if not found:
        raise BusinessError(_("Nothing of %s is settled that could be undone.") % item)
    day, latest = date or business_day(), max(a.date for a in found)
    if day < latest:
        raise BusinessError(_("The date cannot be before %s.") % latest, field="date")
    context = posting_context(day, BANK)
    unallocate(context, Source(item.source, item.source_id, item.number), found, items, by=by)
    tell_settled(items.values())
    item.refresh_from_db()
    return item


def _to_undo(item: OpenItem) -> list[Allocation]:
    """The settlements of `item` with those that share an exchange entry, reversals left out; in key order."""
    own = active_allocations([item.pk])
    entries = {a.entry_id for a in own if a.entry_id}
    shared = Allocation.objects.filter(entry__in=entries, reverses=None, reversed_by=None) if entries else []
    found = {a.pk: a for a in [*own, *shared]}
    items = OpenItem.objects.in_bulk({pk for a in found.values() for pk in (a.debit_item_id, a.credit_item_id)})
    return [
        found[pk]
        for pk in sorted(found)
        if ItemKind.REVERSAL not in (items[found[pk].debit_item_id].kind, items[found[pk].credit_item_id].kind)
    ]
