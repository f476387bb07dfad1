"""What is ordered and has not moved yet, by product."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from django.db.models import F, Index, Q, Sum

from erp.trade.models import OrderLine

# As `Progress.open`: ord - can - dlv + rr is left.
OPEN = Q(quantity__gt=F("cancelled") + F("moved") - F("returned_replace"))


def open_index(name: str) -> Index:
    """The few lines of a table that something is left of, by product."""
    return Index(fields=["product"], condition=OPEN, name=name)


def still_ordered(model: type[OrderLine], products: Iterable[int]) -> Mapping[int, Decimal]:
    """Open quantities of `products` (keys) in confirmed orders, in the products' own units; one statement."""
    left = (F("quantity") - F("cancelled") - F("moved") + F("returned_replace")) * F("factor")
    lines = model._default_manager.filter(OPEN, product__in=list(products), order__state="confirmed")
    return dict(lines.order_by().values_list("product").annotate(left=Sum(left)))
