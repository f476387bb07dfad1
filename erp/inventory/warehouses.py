"""Commands on warehouses."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from erp.inventory.ledger import allow_negative
from erp.inventory.models import Warehouse


@transaction.atomic
def save_warehouse(warehouse: Warehouse, *, by: Any) -> Warehouse:
    """Store a warehouse; its setting for negative stock holds for its levels at once."""
    if not warehouse.pk:
        warehouse.created_by = by
    warehouse.save()
    allow_negative(warehouse)
    return warehouse
