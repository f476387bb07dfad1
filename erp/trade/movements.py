"""Drafts of deliveries and goods receipts: lines that take from order lines, and quantities that a person changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Max
from django.utils.translation import gettext as _

from erp.trade.lines import check_quantities
from erp.trade.models import MOVED
from kit.values.errors import BusinessError
from oa.records.bulk import bulk_set


def new_lines(draft: Any, taken: Iterable[tuple[Any, Decimal]], *, after: int = 0) -> list[Any]:
    """Lines of a draft that take quantities from order lines, not stored, in the positions behind `after` (G-10)."""
    relation = type(draft)._meta.get_field("lines")
    lines = []
    for position, (order_line, quantity) in enumerate(taken, start=after + 1):
        line = relation.related_model(position=position, order_line=order_line, quantity=quantity)
        setattr(line, relation.field.name, draft)
        for name in MOVED:
            setattr(line, name, getattr(order_line, name))
        lines.append(line)
    return lines


def store_draft(draft: Any, lines: Sequence[Any]) -> None:
    """Store a new draft with its lines."""
    draft.save()
    type(draft)._meta.get_field("lines").related_model._default_manager.bulk_create(lines)


def append_lines(draft: Any, taken: Sequence[tuple[Any, Decimal]]) -> None:
    """Store further lines of a locked draft; an allowance to exceed its orders ends, as with every change."""
    last = draft.lines.aggregate(last=Max("position"))["last"] or 0
    draft.version, draft.excess_allowed_by = draft.version + 1, None
    store_draft(draft, new_lines(draft, taken, after=last))


def store_quantities(draft: Any, current: Any, quantities: Mapping[int, Decimal]) -> None:
    """Store head fields of `draft` and its quantities by line key; lines at 0 are dropped. `current` is locked."""
    lines = list(current.lines.select_related("unit"))
    check_quantities(lines, quantities)
    for line in lines:
        line.quantity = quantities.get(line.pk, line.quantity)
    kept = [line for line in lines if line.quantity]
    if not kept:
        raise BusinessError(_("Enter at least one line."))
    if len(kept) < len(lines):
        current.lines.filter(pk__in=[line.pk for line in lines if not line.quantity]).delete()
    bulk_set(kept, ("quantity",))
    draft.version, draft.excess_allowed_by = current.version + 1, None
    draft.save()
