"""The only writer of open items and allocations (rules A-01 to A-06)."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from erp.finance.context import PostingContext
from erp.finance.ledger import Line, Source, post_entry, reverse_entry
from erp.finance.models import Allocation, JournalEntry, OpenItem
from erp.finance.models.accounts import Purpose
from erp.finance.models.openitems import ItemKind
from kit.values.errors import BusinessError
from kit.values.money import ZERO, decimals, round_money

# Documents that want to know when what they opened is settled: source label -> command(document keys).
on_settled: dict[str, Callable[[set[int]], None]] = {}
# Locks the documents behind items, in the order of registration, before the items themselves are locked: what
# `on_settled` writes must be locked first, or a payment and an invoice of one order wait for each other.
lock_documents: dict[str, Callable[[set[int]], None]] = {}

EXCHANGE = "exchange"  # purpose of entries that post exchange results

# (debit item, credit item, amount in their currency)
Pair = tuple[OpenItem, OpenItem, Decimal]

_SETTLE = """
WITH settled AS (
    INSERT INTO erp_allocation (debit_item_id, credit_item_id, date, amount, debit_base, credit_base, entry_id,
        reverses_id, created_at, created_by_id)
    SELECT debit, credit, %(date)s, amount, debit_base, credit_base, entry, reverses, now(), %(by)s
      FROM unnest(%(debits)s::bigint[], %(credits)s::bigint[], %(amounts)s::numeric[], %(debit_bases)s::numeric[],
          %(credit_bases)s::numeric[], %(entries)s::bigint[], %(reverses)s::bigint[]) WITH ORDINALITY
        AS a(debit, credit, amount, debit_base, credit_base, entry, reverses, position)
     ORDER BY position
)
UPDATE erp_openitem i SET remaining = v.remaining, base_remaining = v.base_remaining
  FROM unnest(%(items)s::bigint[], %(remaining)s::numeric[], %(base_remaining)s::numeric[])
    AS v(id, remaining, base_remaining) WHERE i.id = v.id
"""


@dataclass(frozen=True)
class Due:
    """One amount due: date, signed amount in document currency and in base currency."""

    date: dt.date
    amount: Decimal
    base: Decimal


def new_item(
    source: Source,
    entry_id: int,
    account_id: int,
    due: Due,
    *,
    kind: str,
    date: dt.date,
    currency_id: int,
    customer_id: int | None = None,
    supplier_id: int | None = None,
    owner_id: int | None = None,
    department_id: int | None = None,
) -> OpenItem:
    """An open item that is not stored yet. Positive amounts are owed to us."""
    return OpenItem(
        kind=kind,
        account_id=account_id,
        customer_id=customer_id,
        supplier_id=supplier_id,
        entry_id=entry_id,
        source=source.label,
        source_id=source.pk,
        number=source.number,
        date=date,
        due_date=due.date,
        currency_id=currency_id,
        amount=due.amount,
        base_amount=due.base,
        remaining=due.amount,
        base_remaining=due.base,
        owner_id=owner_id,
        department_id=department_id,
    )


def open_items(source: Source, entry_id: int, account_id: int, dues: Sequence[Due], **columns: Any) -> list[OpenItem]:
    """Open one item per amount due, in one statement; `columns` as in `new_item`."""
    return store_items(new_item(source, entry_id, account_id, due, **columns) for due in dues)


def store_items(items: Iterable[OpenItem]) -> list[OpenItem]:
    """Store new items in one statement."""
    return OpenItem.objects.bulk_create(items)


def mirror_items(source: Source, entry_id: int, items: Sequence[OpenItem], date: dt.date) -> list[Pair]:
    """Open the opposite of each of `items` for a reversal; returns the pairs that settle each other."""
    mirrors = store_items(
        new_item(
            source,
            entry_id,
            item.account_id,
            Due(date, -item.amount, -item.base_amount),
            kind=ItemKind.REVERSAL,
            date=date,
            currency_id=item.currency_id,
            customer_id=item.customer_id,
            supplier_id=item.supplier_id,
            owner_id=item.owner_id,
            department_id=item.department_id,
        )
        for item in items
    )
    return [
        (item, mirror, item.amount) if item.amount > 0 else (mirror, item, mirror.amount)
        for item, mirror in zip(items, mirrors, strict=True)
    ]


def lock_items(keys: Iterable[int]) -> dict[int, OpenItem]:
    """Lock open items in key order until the transaction ends, the documents they come from before them."""
    return lock_open(OpenItem.objects.filter(pk__in=set(keys)))


def lock_open(queryset: QuerySet[OpenItem]) -> dict[int, OpenItem]:
    """Lock the items of `queryset` in key order, the documents they come from before them."""
    found = list(queryset.order_by("pk").values_list("pk", "source", "source_id"))
    for label, lock in lock_documents.items():
        documents = {source_id for _pk, source, source_id in found if source == label}
        if documents:
            lock(documents)
    rows = OpenItem.objects.filter(pk__in=[pk for pk, _source, _source_id in found])
    return {item.pk: item for item in rows.order_by("pk").select_for_update()}


def items_of(source: Source) -> list[OpenItem]:
    """The items a document opened, locked in key order."""
    rows = OpenItem.objects.filter(source=source.label, source_id=source.pk)
    return list(rows.order_by("pk").select_for_update())


def allocate_items(context: PostingContext, pairs: Sequence[Pair], *, by: Any) -> list[Allocation]:
    """Settle (debit item, credit item, amount) pairs of locked items; posts the realised exchange result.

    The result of all pairs of one payment goes into one entry of that payment (rule A-06), so that reversing
    the payment reverses the entry. Raises BusinessError when a pair does not fit or takes more than is left.
    """
    rows: list[Allocation] = []
    groups: dict[int, list[Allocation]] = defaultdict(list)
    for debit, credit, amount in pairs:
        _check_pair(debit, credit, amount)
        row = Allocation(
            debit_item=debit,
            credit_item=credit,
            date=context.date,
            amount=amount,
            debit_base=_take(debit, amount, context.exponent),
            credit_base=-_take(credit, -amount, context.exponent),
        )
        rows.append(row)
        groups[_payment_item(row).pk].append(row)
    for group in groups.values():
        _post_exchange(context, group, by)
    _store(context.date, rows, [item for row in rows for item in (row.debit_item, row.credit_item)], by)
    return rows


def _payment_item(row: Allocation) -> OpenItem:
    """The side of an allocation that a later reversal may take back: the payment, else the credit."""
    is_payment = row.debit_item.kind in (ItemKind.PAYMENT, ItemKind.RECEIPT)
    return row.debit_item if is_payment else row.credit_item


def _post_exchange(context: PostingContext, rows: Sequence[Allocation], by: Any) -> None:
    """One entry for the exchange results of `rows`, which share a payment item; none without a result."""
    lines = [line for row in rows for line in _exchange_lines(context, row)]
    if not lines:
        return
    item = _payment_item(rows[0])
    source = Source(item.source, item.source_id, item.number)
    posted = JournalEntry.objects.filter(source=source.label, source_id=source.pk, purpose__startswith=EXCHANGE)
    entry = post_entry(
        context, source, lines, by=by, purpose=f"{EXCHANGE}-{posted.count() + 1}", memo=_("Exchange result")
    )
    for row in rows:
        row.entry_id = entry[0] if entry and row.debit_base != row.credit_base else None


def _store(date: dt.date, rows: Sequence[Allocation], touched: Iterable[OpenItem], by: Any) -> None:
    """Write allocations and what is left of the items, in one statement."""
    items = {item.pk: item for item in touched}
    values = {
        "date": date,
        "by": by.pk if by else None,
        "debits": [row.debit_item_id for row in rows],
        "credits": [row.credit_item_id for row in rows],
        "amounts": decimals([row.amount for row in rows]),
        "debit_bases": decimals([row.debit_base for row in rows]),
        "credit_bases": decimals([row.credit_base for row in rows]),
        "entries": [row.entry_id for row in rows],
        "reverses": [row.reverses_id for row in rows],
        "items": list(items),
        "remaining": decimals([item.remaining for item in items.values()]),
        "base_remaining": decimals([item.base_remaining for item in items.values()]),
    }
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, values)


def unallocate(
    context: PostingContext,
    source: Source,
    allocations: Sequence[Allocation],
    items: Mapping[int, OpenItem],
    *,
    by: Any,
) -> None:
    """Undo all allocations of a payment by counter rows and reverse their exchange entries (rule A-02).

    `items` are the locked items of both sides; they are open again afterwards.
    """
    entries = {a.entry_id: a.entry for a in allocations if a.entry is not None}
    reversed_by = {
        pk: reverse_entry(context, source, entry, by=by, purpose=f"undo-{pk}", memo=_("Exchange result"))
        for pk, entry in entries.items()
    }
    rows = []
    for given in allocations:
        posted = reversed_by.get(given.entry_id)
        rows.append(
            Allocation(
                debit_item_id=given.debit_item_id,
                credit_item_id=given.credit_item_id,
                amount=-given.amount,
                debit_base=-given.debit_base,
                credit_base=-given.credit_base,
                reverses=given,
                entry_id=posted[0] if posted else None,
            )
        )
        debit, credit = items[given.debit_item_id], items[given.credit_item_id]
        debit.remaining, debit.base_remaining = debit.remaining + given.amount, debit.base_remaining + given.debit_base
        credit.remaining -= given.amount
        credit.base_remaining -= given.credit_base
    if rows:
        _store(context.date, rows, [items[pk] for a in allocations for pk in (a.debit_item_id, a.credit_item_id)], by)


def active_allocations(keys: Iterable[int]) -> list[Allocation]:
    """Allocations of the items `keys` that were not undone."""
    keys = list(keys)
    rows = Allocation.objects.filter(reverses=None, reversed_by=None).select_related("entry")
    found = rows.filter(debit_item__in=keys) | rows.filter(credit_item__in=keys)
    return list(found.order_by("pk"))


def tell_settled(items: Iterable[OpenItem]) -> None:
    """Let the documents behind `items` derive what depends on their payment."""
    keys: dict[str, set[int]] = defaultdict(set)
    for item in items:
        keys[item.source].add(item.source_id)
    for label, ids in sorted(keys.items()):
        if label in on_settled:
            on_settled[label](ids)


def _check_pair(debit: OpenItem, credit: OpenItem, amount: Decimal) -> None:
    if (debit.customer_id, debit.supplier_id) != (credit.customer_id, credit.supplier_id):
        raise BusinessError(_("%(a)s and %(b)s belong to different partners.") % {"a": debit, "b": credit})
    if debit.currency_id != credit.currency_id or debit.account_id != credit.account_id:
        raise BusinessError(
            _("%(a)s and %(b)s differ in currency or account and cannot settle each other.") % {"a": debit, "b": credit}
        )
    if amount <= 0 or amount > debit.remaining or -amount < credit.remaining:
        raise BusinessError(
            _("%(amount)s is more than is open: %(a)s %(left)s, %(b)s %(right)s.")
            % {"amount": amount, "a": debit, "left": debit.remaining, "b": credit, "right": -credit.remaining}
        )


def _take(item: OpenItem, amount: Decimal, exponent: int) -> Decimal:
    """Take a signed `amount` from `item`; returns its share in base currency, the last part takes the rest."""
    left = item.remaining - amount
    base = item.base_remaining if left == 0 else round_money(item.base_amount * amount / item.amount, exponent)
    if abs(base) > abs(item.base_remaining):
        base = item.base_remaining
    item.remaining, item.base_remaining = left, item.base_remaining - base
    return base


def _exchange_lines(context: PostingContext, row: Allocation) -> list[Line]:
    """Loss (positive) or gain on the control account and on the exchange result account."""
    debit, difference = row.debit_item, row.debit_base - row.credit_base
    if difference == 0:
        return []
    purpose = Purpose.EXCHANGE_LOSS if difference > 0 else Purpose.EXCHANGE_GAIN
    partner: dict[str, Any] = {"customer_id": debit.customer_id, "supplier_id": debit.supplier_id}
    control = Line(
        debit.account_id, -difference, currency_id=debit.currency_id, currency_amount=ZERO, memo=debit.number, **partner
    )
    return [control, Line(context.account(purpose), difference, memo=debit.number)]
