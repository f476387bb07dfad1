"""What follows in the head of a priced document from what a person has just chosen there (UX 6.5.7)."""

from __future__ import annotations

from typing import Any

from erp.finance.currencies import base_currency
from erp.finance.forms import of_currency, rate_of

__all__ = ["RECOMPUTE", "of_currency", "of_terms", "rate_of"]

# Besides the partner.
RECOMPUTE = ("currency", "rate", "date", "prices_include_tax", "warehouse", "discount", "discount_amount")


def of_terms(document: Any, terms: Any) -> dict[str, Any]:
    """Payment terms, currency and rate agreed with a partner (`terms`: customer terms, or the supplier)."""
    currency = getattr(terms, "currency", None) or base_currency()
    agreed = {"payment_terms": getattr(terms, "payment_terms", None), "currency": currency}
    return agreed | rate_of(document, currency)
