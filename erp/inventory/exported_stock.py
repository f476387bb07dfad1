"""Opening stock and stock movements into files, as `imported_stock` reads them back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Max, QuerySet, Sum
from django.utils.translation import gettext as _

from erp.inventory.models import AdjustmentReason, StockAdjustment, StockAdjustmentLine, StockMove
from kit.exchange import exporting
from kit.exchange.importing import Column
from kit.values.errors import BusinessError
from kit.values.money import round_half_up

COST_DIGITS = 6  # decimals of a unit cost
FETCHED = 2000  # rows at a time
Out = tuple[list[exporting.Column], Iterable[Sequence[Any]]]
PLACE = {"product": "product__code", "warehouse": "adjustment__warehouse__code"}


def standing_lines(user: Any = None) -> QuerySet[StockAdjustmentLine]:
    """Lines of posted adjustments that were not taken back, of those `user` may see (None: all)."""
    adjustments: Any = StockAdjustment.objects
    found = adjustments.all() if user is None else adjustments.visible_to(user)
    return StockAdjustmentLine.objects.filter(adjustment__in=found.filter(state="posted", reversal_of=None))


def unit_cost(value: Decimal, quantity: Decimal) -> Decimal:
    """What one piece costs, as far as files write it."""
    return round_half_up(value / quantity, COST_DIGITS)


def same_cost(cost: Decimal, quantity: Decimal, value: Decimal) -> bool:
    """Whether `cost` is that of `quantity` pieces worth `value`: it gives this value, or comes of it."""
    return round_half_up(quantity * cost, 2) == value or unit_cost(value, quantity) == cost


# ---- opening stock ----


def opening_stock(columns: Sequence[Column], filters: Mapping[str, str], user: Any) -> Out:
    """`manage.py export opening-stock`: what was entered; with `as_of` what was in stock at the end of that day."""
    given = dict(filters)
    day = _day(columns, given.pop("as_of", ""))
    if day is None:
        return _heads(columns), _entered(_places(standing_lines(user), given, PLACE, "as_of"))
    paths = {"product": "product__code", "warehouse": "warehouse__code"}
    moves = StockMove.objects.visible_to(user).filter(date__lte=day)
    return _heads(columns), _on_hand(_places(moves, given, paths, "as_of"), day)


def _entered(lines: QuerySet[Any]) -> Iterator[list[Any]]:
    rows = lines.filter(adjustment__reason=AdjustmentReason.OPENING).order_by()
    sums = rows.values_list("product__code", "adjustment__warehouse__code", "adjustment__date").annotate(
        Sum("quantity"), Sum("value"), Count("pk"), Max("unit_cost")
    )
    ordered = sums.order_by("adjustment__date", "adjustment__warehouse__code", "product__code")
    for product, warehouse, day, quantity, value, count, cost in ordered.iterator(chunk_size=FETCHED):
        if quantity > 0:
            alone = cost if count == 1 else None
            yield [product, warehouse, quantity, unit_cost(value, quantity) if alone is None else alone, day]


def _on_hand(moves: QuerySet[Any], day: Any) -> Iterator[list[Any]]:
    sums = moves.order_by("warehouse__code", "product__code").values_list("product__code", "warehouse__code")
    for product, warehouse, quantity, value in sums.annotate(Sum("quantity"), Sum("value")).iterator(FETCHED):
        if quantity > 0:
            yield [product, warehouse, quantity, unit_cost(value, quantity), day]


# ---- movements ----


def stock_moves(columns: Sequence[Column], filters: Mapping[str, str], user: Any) -> Out:
    """`manage.py export stock-moves`: lines of adjustments other than opening stock, with their documents.

    What orders moved is no movement of its own: it comes with the orders.
    """
    given = dict(filters)
    lines = standing_lines(user).exclude(adjustment__reason=AdjustmentReason.OPENING)
    for name, condition in (("date_from", "adjustment__date__gte"), ("date_to", "adjustment__date__lte")):
        if name in given:
            lines = lines.filter(**{condition: _day(columns, given.pop(name))})
    return _heads(columns), _moved(_places(lines, given, PLACE, "date_from", "date_to"))


def _moved(lines: QuerySet[Any]) -> Iterator[list[Any]]:
    ordered = lines.select_related("product", "adjustment__warehouse").order_by("adjustment__date", "adjustment", "pk")
    for line in ordered.iterator(chunk_size=FETCHED):
        document = line.adjustment
        cost = None
        if line.quantity > 0:
            cost = unit_cost(line.value, line.quantity) if line.unit_cost is None else line.unit_cost
        yield [document.date, line.product.code, document.warehouse.code, line.quantity, cost, document.number]


# ---- both ----


def _heads(columns: Sequence[Column]) -> list[exporting.Column]:
    return [exporting.Column(c.name, c.label, "text" if c.kind == "record" else c.kind) for c in columns]


def _day(columns: Sequence[Column], text: str) -> Any:
    parse: Callable[[str], Any] = next(column for column in columns if column.name == "date").parse
    try:
        return parse(text)
    except ValueError as error:
        raise BusinessError(str(error)) from None


def _places(rows: QuerySet[Any], given: dict[str, str], paths: Mapping[str, str], *others: str) -> QuerySet[Any]:
    """`rows` narrowed by product and warehouse; a name that is no filter is refused."""
    for name, text in given.items():
        if name not in paths:
            raise BusinessError(
                _("There is no filter “%(name)s”; there are: %(names)s.")
                % {"name": name, "names": ", ".join((*paths, *others))}
            )
        rows = rows.filter(**{paths[name]: text})
    return rows
