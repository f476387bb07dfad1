"""Commands on suppliers."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from erp.finance.models import Supplier
from oa.records.commands import command
from oa.records.numbering import next_number


@command
def save_supplier(supplier: Supplier, *, by: Any) -> Supplier:
    """Store a supplier; a new one gets a code from the sequence."""
    if not supplier.code:
        supplier.code = next_number("supplier", timezone.localdate())
    if not supplier.pk:
        supplier.created_by = by
    supplier.save()
    return supplier
