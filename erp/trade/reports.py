"""Turnover of confirmed orders by year, month, partner, product, category, owner or country: both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from django.db import models
from django.db.models import Count, DecimalField, F, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Coalesce, ExtractMonth, ExtractYear, Round
from django.utils.translation import get_language, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from erp.finance.models import Currency
from erp.inventory.models import Product, ProductGroup
from kit.exchange.charts import Series, bar_chart
from kit.exchange.reports import Param, Report, ReportColumn, record_url
from kit.values.quantities import round_quantity
from oa.organisation.models import CompanyProfile

AMOUNT = DecimalField(max_digits=24, decimal_places=2)
PIECES = DecimalField(max_digits=30, decimal_places=12)
ORDERED = ("confirmed", "closed")
BARS = 12  # more bars are not readable
BY_TIME = ("year", "month")
BY_LINE = ("product", "category")  # an order may stand in several of these groups
SHIP = "ship_country"  # another name of the group "country"; its column is called as it was asked for
ALSO = {SHIP: SHIP, "ship country": SHIP}

NOTES = _(
    "Confirmed and completed orders by order date, in base currency by the rate of the order, each line rounded. "
    "Quantities that were closed short still count as ordered. Before discount is price × quantity, with tax "
    "where the prices of the order include it. Quantities are in the product's own unit."
)


class Head(NamedTuple):
    """What a group is called, and how many orders are in it."""

    code: str
    name: str
    documents: int = 0


class OrderReport(Report):
    """Lines of confirmed and completed orders, each amount converted by the order's rate and rounded by itself."""

    notes = NOTES
    orders: ClassVar[type[models.Model]]
    lines: ClassVar[type[models.Model]]
    partner: ClassVar[str]  # the order's column: customer or supplier
    partner_label: ClassVar[Any]
    country: ClassVar[str]  # path from the order to the country

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Both reports have the same parameters, named after their partner."""
        super().__init_subclass__(**kwargs)
        cls.params = (
            Param("date_from", pgettext_lazy("date", "From"), "date"),
            Param("date_to", pgettext_lazy("date", "To"), "date"),
            Param("group_by", _("Group by"), "choice", "month", choices=cls.groups(), also=ALSO, required=True),
        )

    @classmethod
    def groups(cls) -> tuple[tuple[str, Any], ...]:
        """What the report can be grouped by, in the order of the menu."""
        return (
            ("year", _("Year")),
            ("month", _("Month")),
            (cls.partner, cls.partner_label),
            ("product", _("Product")),
            ("category", _("Product group")),
            ("owner", _("Owner")),
            ("country", _("Country")),
        )

    def columns(self, params: dict[str, Any]) -> list[ReportColumn]:
        title = params["group_by"]
        group = _group(params)
        named = group not in {*BY_TIME, "country"}
        label = {"customer": "crm.customer", "supplier": "erp.supplier", "product": "erp.product"}.get(group)
        return [
            ReportColumn(
                title,
                dict(self.groups())[group],
                display=lambda row: row[title] or gettext("(none)"),
                link=(lambda row: record_url(label, row[title])) if label else None,
            ),
            ReportColumn("name", _("Name"), screen=named),
            ReportColumn("documents", _("Orders"), "integer", total=group not in BY_LINE),
            ReportColumn("lines", _("Lines"), "integer", total=True),
            ReportColumn("quantity", _("Quantity"), "quantity", total=True),
            ReportColumn("gross", _("Before discount"), "money", total=True),
            ReportColumn("net", _("Net amount"), "money", total=True),
            ReportColumn("tax", _("Tax"), "money", total=True),
            ReportColumn("total", _("Total incl. tax"), "money", total=True),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        title, group = params["group_by"], _group(params)
        orders = self._orders(params, user)
        sums = list(self._sums(orders, group))
        heads = self._line_heads(group, sums) if group in BY_LINE else self._order_heads(group, orders)
        rows = [
            {
                title: heads[row["key"]].code,
                "name": heads[row["key"]].name,
                "documents": row["documents"] if group in BY_LINE else heads[row["key"]].documents,
                "lines": row["line_count"],
                "quantity": round_quantity(row["pieces"]),
                "gross": row["gross_sum"],
                "net": row["net_sum"],
                "tax": row["tax_sum"],
                "total": row["net_sum"] + row["tax_sum"],
            }
            for row in sums
        ]
        if group in BY_TIME:
            return sorted(rows, key=lambda row: row[title])
        return sorted(rows, key=lambda row: (-row["net"], row[title]))

    def _orders(self, params: dict[str, Any], user: Any) -> QuerySet[Any]:
        manager: Any = self.orders._default_manager
        orders = manager.visible_to(user).filter(state__in=ORDERED).order_by()
        if params["date_from"]:
            orders = orders.filter(date__gte=params["date_from"])
        if params["date_to"]:
            orders = orders.filter(date__lte=params["date_to"])
        return orders

    def _sums(self, orders: QuerySet[Any], group: str) -> QuerySet[Any, dict[str, Any]]:
        """Sums over the lines by key. Orders are counted here only where they can stand in several groups: it costs."""
        rate, quantity, digits = F("order__rate"), F("quantity"), _base_exponent()
        lines = self.lines._default_manager.filter(order__in=orders).order_by().values(key=self._key(group, "order__"))
        lines = lines.annotate(
            line_count=Count("pk"),
            pieces=Sum(quantity * F("factor"), output_field=PIECES),
            gross_sum=Sum(Round(quantity * F("price") * rate, digits, output_field=AMOUNT)),
            net_sum=Sum(Round(F("net") * rate, digits, output_field=AMOUNT)),
            tax_sum=Sum(Round(F("tax") * rate, digits, output_field=AMOUNT)),
        )
        return lines.annotate(documents=Count("order_id", distinct=True)) if group in BY_LINE else lines

    def _key(self, group: str, order: str = "") -> Any:
        """What rows are grouped by: numbers, for speed; `order` leads from the row to its order."""
        if group in BY_TIME:
            year, month = ExtractYear(f"{order}date"), ExtractMonth(f"{order}date")
            return year if group == "year" else year * 100 + month
        paths = {
            self.partner: f"{order}{self.partner}_id",
            "owner": f"{order}owner_id",
            "country": f"{order}{self.country}",
            "product": "product_id",
            "category": "product__group_id",
        }
        return F(paths[group])

    def _order_heads(self, group: str, orders: QuerySet[Any]) -> dict[Any, Head]:
        """Code, name and number of orders of the groups that an order belongs to as a whole."""
        paths = {
            self.partner: (f"{self.partner}__code", f"{self.partner}__name"),
            "owner": ("owner__username", "owner__name"),
        }.get(group, ())
        found = orders.values_list(self._key(group), *paths).annotate(documents=Count("pk"))
        if paths:
            return {key: Head(code or "", name or code or "", count) for key, code, name, count in found}
        if group == "month":
            return {key: Head(text := f"{key // 100}-{key % 100:02}", text, count) for key, count in found}
        return {key: Head(str(key), str(key), count) for key, count in found}

    def _line_heads(self, group: str, sums: Sequence[Mapping[str, Any]]) -> dict[Any, Head]:
        """Code and name of the products, or product groups, that occur."""
        chinese = (get_language() or "").startswith("zh")
        model: Any = Product if group == "product" else ProductGroup
        first = ("name" if chinese else "name_en") if group == "product" else ("name_zh" if chinese else "name")
        found = model.objects.filter(pk__in=[row["key"] for row in sums]).values_list("pk", "code", first, "name")
        return {None: Head("", "")} | {pk: Head(code, name or other) for pk, code, name, other in found}

    def chart(self, rows: Sequence[Mapping[str, Any]], params: dict[str, Any]) -> str:
        group = params["group_by"]
        shown = list(rows[-2 * BARS :] if group in BY_TIME else rows[:BARS])
        labels = [row["name"] or row[group] or gettext("(none)") for row in shown]
        title = f"{self.title}: {gettext('Net amount')}"
        unit = CompanyProfile.current().base_currency
        return bar_chart(labels, [Series("", [row["net"] for row in shown])], title=title, unit=unit)


def _group(params: Mapping[str, Any]) -> str:
    return "country" if params["group_by"] == SHIP else params["group_by"]


def _base_exponent() -> Any:
    """Decimals of the base currency, as a part of the statement."""
    base = CompanyProfile.objects.filter(pk=1).values("base_currency")
    return Coalesce(Subquery(Currency.objects.filter(code=Subquery(base)).values("exponent")[:1]), Value(2))
