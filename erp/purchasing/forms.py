"""What the forms of purchasing fill in when a supplier is chosen."""

from __future__ import annotations

from typing import Any

from erp.trade import heads


def supplier_head(document: Any, name: str) -> dict[str, Any]:
    """Head fields of an order or bill that follow from its supplier, currency or day."""
    if name != "supplier" or not document.supplier_id:
        return heads.of_currency(document, name)
    return heads.of_terms(document, document.supplier)
