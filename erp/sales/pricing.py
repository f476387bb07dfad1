"""Price finding (rule S-01): customer-item price, then item price, then what a person typed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q

from erp.inventory.models import Product
from erp.sales.models import CustomerPrice
from kit.values.money import ONE, round_half_up

PRICE_DIGITS = 6


@dataclass(frozen=True)
class Found:
    """A price per unit of the line and the rule it came from."""

    price: Decimal
    rule: str


def customer_prices(customer_id: int, products: Iterable[int], currency_id: int, date: dt.date) -> list[CustomerPrice]:
    """Prices agreed with a customer that are valid on `date`, in one statement."""
    valid = Q(valid_from=None) | Q(valid_from__lte=date)
    valid &= Q(valid_to=None) | Q(valid_to__gte=date)
    rows = CustomerPrice.objects.filter(valid, customer=customer_id, currency=currency_id, product__in=set(products))
    return list(rows)


def find_price(
    product: Product, quantity: Decimal, factor: Decimal, agreed: Iterable[CustomerPrice], rate: Decimal
) -> Found:
    """The price of `quantity` line units of `product`, each `factor` of the product's own unit.

    Break quantities are tested in the product's unit; the item price is in base currency and converted by
    `rate` (base per unit of document currency).
    """
    base_quantity = quantity * factor
    fitting = [p for p in agreed if p.product_id == product.pk and p.minimum <= base_quantity]
    if fitting:
        best = max(fitting, key=lambda p: (p.minimum, -p.price))
        return Found(round_half_up(best.price * factor, PRICE_DIGITS), "customer")
    price = product.price * factor
    return Found(round_half_up(price if rate == ONE else price / rate, PRICE_DIGITS), "item")


def price_rule(given: Any, found: Found) -> str:
    """Which rule a line's price came from, given what the person typed."""
    return found.rule if given is None or given == found.price else "manual"
