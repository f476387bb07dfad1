"""What there is of products and what will be: on hand, reserved, still to come and still to go.

Sections above say what is ordered: they add to `incoming` and `outgoing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from django.db.models import Sum

from erp.inventory.models import StockLevel
from kit.values.money import ZERO

Ordered = Callable[[Iterable[int]], Mapping[int, Decimal]]  # quantities of products (keys), in their own units
incoming: list[Ordered] = []
outgoing: list[Ordered] = []


@dataclass(frozen=True)
class Availability:
    """Quantities of one product over all warehouses, in its own unit."""

    on_hand: Decimal = ZERO
    reserved: Decimal = ZERO
    incoming: Decimal = ZERO
    outgoing: Decimal = ZERO

    @property
    def available(self) -> Decimal:
        """What nobody reserved."""
        return self.on_hand - self.reserved

    @property
    def forecast(self) -> Decimal:
        """What is left when all that is ordered came and went."""
        return self.on_hand + self.incoming - self.outgoing


def availability(products: Iterable[int]) -> dict[int, Availability]:
    """The availability of each of `products` (keys); as many statements for one as for all."""
    keys = list(products)
    levels = StockLevel.objects.filter(product__in=keys).order_by().values_list("product")
    stock = {key: (held, kept) for key, held, kept in levels.annotate(Sum("on_hand"), Sum("reserved"))}
    coming, going = (_added(sources, keys) for sources in (incoming, outgoing))
    return {
        key: Availability(*stock.get(key, (ZERO, ZERO)), coming.get(key, ZERO), going.get(key, ZERO)) for key in keys
    }


def _added(sources: Iterable[Ordered], keys: list[int]) -> dict[int, Decimal]:
    found: dict[int, Decimal] = {}
    for source in sources:
        for key, quantity in source(keys).items():
            found[key] = found.get(key, ZERO) + quantity
    return found
