"""What is in stock, and every movement that made it so (rules V-14 and V-21)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.db.models import F, Q, Sum
from django.utils.text import capfirst
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from erp.inventory.availability import Availability, availability
from erp.inventory.models import MoveKind, Product, StockLevel, StockMove
from erp.inventory.models.stock import ProductKind
from kit.exchange.reports import Param, Report, ReportColumn, record_url, register, report_url
from kit.values.money import ZERO, round_half_up

PLACE = (
    "product__code",
    "product__name",
    "product__name_en",
    "warehouse__code",
    "warehouse__name",
    "warehouse__name_zh",
)


_PRODUCT = ReportColumn(
    "product",
    _("Product"),
    display=lambda row: f"{row['product']} {row['_product']}".strip(),
    link=lambda row: record_url("erp.product", row["product"]),
)


class StockOnHand(Report):
    """Quantity and value per product and warehouse, now or at the end of a past day."""

    name = "stock-on-hand"
    title = _("Stock on hand")
    section = "stock"
    permission = ("erp.view_stocklevel", "erp.view_stockmove")
    description = _("Quantity, value and average cost of each product in each warehouse, as of any day.")
    params = (Param("as_of", _("As of"), "date"),)
    notes = _("As of a day: movements dated until then. Empty: what is in stock now. Values are in base currency.")

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        def card(row: Mapping[str, Any]) -> str:
            return report_url("stock-card", product=row["product"], warehouse=row["warehouse"], date_to=params["as_of"])

        return [
            _PRODUCT,
            ReportColumn("warehouse", _("Warehouse"), display=lambda row: row["_warehouse"]),
            ReportColumn("quantity", _("Quantity"), "quantity", link=card),
            ReportColumn("value", _("Value"), "money", total=True, link=card),
            ReportColumn("average_cost", _("Average cost"), "price"),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        if params["as_of"] is None:
            levels = StockLevel.objects.visible_to(user).exclude(on_hand=0, value=0)
            found = levels.order_by().values(*PLACE, pieces=F("on_hand"), worth=F("value"))
        else:
            moves = StockMove.objects.visible_to(user).filter(date__lte=params["as_of"])
            found = moves.order_by().values(*PLACE).annotate(pieces=Sum("quantity"), worth=Sum("value"))
            found = found.exclude(pieces=0, worth=0)
        rows = [_stock_row(row) for row in found]
        return sorted(rows, key=lambda row: (row["product"], row["warehouse"]))


def _stock_row(row: Mapping[str, Any]) -> dict[str, Any]:
    quantity, value = row["pieces"], row["worth"]
    chinese = (get_language() or "").startswith("zh")
    return {
        "product": row["product__code"],
        "warehouse": row["warehouse__code"],
        "quantity": quantity,
        "value": value,
        "average_cost": round_half_up(value / quantity, 6) if quantity else None,
        "_product": row["product__name"] if chinese else row["product__name_en"] or row["product__name"],
        "_warehouse": (chinese and row["warehouse__name_zh"]) or row["warehouse__name"],
    }


class StockCard(Report):
    """The movements of a product in the order they were posted, with what was left after each (rule V-21)."""

    name = "stock-card"
    title = _("Stock card")
    section = "stock"
    permission = "erp.view_stockmove"
    description = _("Every movement of a product, with quantity and value after it.")
    params = (
        Param("product", _("Product"), "model", model="erp.product", required=True),
        Param("warehouse", _("Warehouse"), "model", model="erp.warehouse"),
        Param("date_from", pgettext_lazy("date", "From"), "date"),
        Param("date_to", pgettext_lazy("date", "To"), "date"),
    )
    notes = _(
        "In the order of posting. Without a warehouse, quantity and value after a movement are those of all warehouses."
    )

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        return [
            ReportColumn("date", _("Date"), "date"),
            ReportColumn("number", _("Document"), link=lambda row: record_url(row["_source"], row["number"])),
            ReportColumn("kind", _("Kind"), display=lambda row: capfirst(MoveKind(row["kind"]).label)),
            ReportColumn("quantity", _("Quantity"), "quantity", total=True),
            ReportColumn("value", _("Value"), "money", total=True),
            ReportColumn("quantity_after", _("Quantity after"), "quantity"),
            ReportColumn("value_after", _("Value after"), "money"),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        moves = StockMove.objects.visible_to(user).filter(product=params["product"]).order_by("id")
        inside = Q(pk__isnull=False)
        if params["date_from"]:
            inside &= Q(date__gte=params["date_from"])
        if params["date_to"]:
            inside &= Q(date__lte=params["date_to"])
        fields = ("date", "number", "kind", "quantity", "value", "quantity_after", "value_after")
        if params["warehouse"]:
            moves = moves.filter(inside, warehouse=params["warehouse"])
            return list(moves.values(*fields, _source=F("source")))
        return _running(moves.annotate(listed=inside).values(*fields, "listed", _source=F("source")))


def _running(moves: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Quantity and value over all warehouses after each movement; those outside the dates only count."""
    quantity, value = ZERO, Decimal("0.00")
    rows = []
    for move in moves:
        quantity, value = quantity + move["quantity"], value + move["value"]
        if move.pop("listed"):
            rows.append(move | {"quantity_after": quantity, "value_after": value})
    return rows


class StockForecast(Report):
    """What is on hand of each product, what is still to come and to go by confirmed orders, and what that leaves."""

    name = "stock-forecast"
    title = _("Stock forecast")
    section = "stock"
    permission = "erp.view_stocklevel"
    description = _("What is on hand, reserved, to come and to go, and what is left of each product then.")
    params = (Param("group", _("Product group"), "model", model="erp.productgroup"),)
    notes = _("All warehouses. To come, to go: open in confirmed orders. Forecast = on hand + to come − to go.")

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        return [
            _PRODUCT,
            ReportColumn("unit", _("Unit")),
            ReportColumn("on_hand", _("On hand"), "quantity"),
            ReportColumn("reserved", _("Reserved"), "quantity"),
            ReportColumn("available", _("Available"), "quantity"),
            ReportColumn("incoming", _("To come"), "quantity"),
            ReportColumn("outgoing", _("To go"), "quantity"),
            ReportColumn("forecast", _("Forecast"), "quantity"),
            ReportColumn("minimum", _("Minimum stock"), "quantity"),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        products = (
            Product.objects.visible_to(user).filter(kind=ProductKind.GOODS).select_related("unit").order_by("code")
        )
        if params["group"]:
            products = products.filter(group=params["group"])
        found = list(products.select_related("unit"))
        stock = availability(product.pk for product in found)
        return [
            _forecast_row(product, stock[product.pk])
            for product in found
            if product.active or stock[product.pk] != Availability()
        ]


def _forecast_row(product: Product, stock: Availability) -> dict[str, Any]:
    names = ("on_hand", "reserved", "available", "incoming", "outgoing", "forecast")
    return {
        "product": product.code,
        "_product": product.label,
        "unit": str(product.unit),
        **{name: getattr(stock, name) for name in names},
        "minimum": product.minimum,
    }


register(StockOnHand())
register(StockForecast())
register(StockCard())
