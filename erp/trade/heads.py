"""What follows in the head of a priced document from what a person has just chosen there (UX 6.5.7)."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from erp.finance.currencies import base_currency, rate_on
from kit.values.errors import BusinessError

RECOMPUTE = ("currency", "rate", "date", "prices_include_tax", "warehouse")  # besides the partner


def rate_of(document: Any, currency: Any) -> dict[str, Any]:
    """The exchange rate of a document's day; nothing where none is kept, so that the person types it."""
    if currency is None:
        return {}
    try:
        return {"rate": rate_on(currency, document.date or timezone.localdate())}
    except BusinessError:
        return {}


def of_currency(document: Any, name: str) -> dict[str, Any]:
    """The rate, after the currency or the day has changed."""
    chosen = document.currency if document.currency_id else None
    return rate_of(document, chosen) if name in ("currency", "date") else {}


def of_terms(document: Any, terms: Any) -> dict[str, Any]:
    """Payment terms, currency and rate agreed with a partner (`terms`: customer terms, or the supplier)."""
    currency = getattr(terms, "currency", None) or base_currency()
    agreed = {"payment_terms": getattr(terms, "payment_terms", None), "currency": currency}
    return agreed | rate_of(document, currency)
