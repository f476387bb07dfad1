"""Commands on suppliers."""

from __future__ import annotations

from typing import Any

from erp.finance.models import Supplier
from kit.rules.days import business_day
from oa.records.commands import command
from oa.records.numbering import next_number


@command
def save_supplier(supplier: Supplier, *, by: Any) -> Supplier:
    """Store a supplier; a new one gets a code from the sequence."""
    if not supplier.code:
        supplier.code = next_number("supplier", business_day())
    if not supplier.pk:
        supplier.created_by = by
    supplier.save()
    return supplier
