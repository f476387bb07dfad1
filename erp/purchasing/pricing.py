"""Price finding of purchases (rule P-04): the last price of the supplier, then the product's expected cost."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from erp.inventory.models import Product
from erp.purchasing.models import PurchaseOrder, PurchaseOrderLine
from kit.values.money import ONE, round_half_up

PRICE_DIGITS = 6
HUNDRED = Decimal(100)


def last_prices(
    supplier_id: int, products: Iterable[int], currency_id: int, rate: Decimal, *, includes_tax: bool
) -> dict[int, Decimal]:
    """Price per own unit of each product, discount taken, in the latest order to a supplier (one statement).

    Samples at price 0 do not count. Prices in another currency are converted, `rate` being base currency per
    unit of `currency_id`.
    """
    rows = PurchaseOrderLine.objects.filter(
        product__in=set(products),
        price__gt=0,
        order__supplier=supplier_id,
        order__state__in=("confirmed", "closed"),
        order__prices_include_tax=includes_tax,
    )
    latest = rows.order_by("product_id", "-order__date", "-order_id", "-position").distinct("product_id")
    found = {}
    for product, price, discount, factor, currency, other_rate in latest.values_list(
        "product_id", "price", "discount", "factor", "order__currency_id", "order__rate"
    ):
        own = price * (HUNDRED - discount) / HUNDRED / factor
        found[product] = own if currency == currency_id else own * other_rate / rate
    return found


def find_price(product: Product, factor: Decimal, last: Mapping[int, Decimal], rate: Decimal) -> Decimal:
    """The price of a line unit (`factor` of the product's own) in a currency worth `rate` in base currency."""
    price = last.get(product.pk)
    if price is None:
        price = product.cost if rate == ONE else product.cost / rate
    return round_half_up(price * factor, PRICE_DIGITS)


def order_prices(order: PurchaseOrder, products: Iterable[int]) -> dict[int, Decimal]:
    """`last_prices` for the lines of `order`."""
    return last_prices(
        order.supplier_id, products, order.currency_id, order.rate, includes_tax=order.prices_include_tax
    )
