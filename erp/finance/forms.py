"""Forms of finance that differ from the kit's."""

from __future__ import annotations

from typing import Any

from erp.finance.currencies import rate_on
from erp.finance.models.payments import OF_CUSTOMERS, Direction
from kit.pages.forms import KitForm
from kit.rules.days import business_day
from kit.values.errors import BusinessError


class PaymentForm(KitForm):
    """A receipt, payment or refund; the page decides the direction, and the partner is required."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        direction = Direction(self.resource.default_filters["direction"])
        self.instance.direction = direction
        self.fields["customer" if direction in OF_CUSTOMERS else "supplier"].required = True


def rate_of(document: Any, currency: Any) -> dict[str, Any]:
    """The exchange rate of a document's day; nothing where none is kept, so that the person types it."""
    if currency is None:
        return {}
    try:
        return {"rate": rate_on(currency, document.date or business_day())}
    except BusinessError:
        return {}


def of_currency(document: Any, name: str) -> dict[str, Any]:
    """The rate, after the currency or the day (`name`) has changed."""
    chosen = document.currency if document.currency_id else None
    return rate_of(document, chosen) if name in ("currency", "date") else {}
