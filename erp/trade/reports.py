"""Turnover of confirmed orders by year, month, partner, product, category, owner or country: both directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.db import models
from django.db.models import CharField, Count, DecimalField, F, QuerySet, Subquery, Sum, Value
from django.db.models.functions import Cast, Coalesce, ExtractYear, Left, Round
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext as _t
from django.utils.translation import gettext_lazy as _

from erp.finance.models import Currency
from kit.exchange.charts import Series, bar_chart
from kit.exchange.reports import Param, Report, ReportColumn, record_url
from kit.values.quantities import round_quantity
from oa.organisation.models import CompanyProfile

AMOUNT = DecimalField(max_digits=24, decimal_places=2)
PIECES = DecimalField(max_digits=30, decimal_places=12)
ORDERED = ("confirmed", "closed")
BARS = 12  # more bars are not readable
BY_TIME = ("year", "month")

NOTES = _(
    "Confirmed and completed orders by order date, in base currency by the rate of the order, each line rounded. "
    "Quantities that were closed short still count as ordered. Before discount is price × quantity, with tax "
    "where the prices of the order include it. Quantities are in the product's own unit."
)


class OrderReport(Report):
    """Lines of confirmed and completed orders, each amount converted by the order's rate and rounded by itself."""

    notes = NOTES
    orders: ClassVar[type[models.Model]]
    lines: ClassVar[type[models.Model]]
    partner: ClassVar[str]  # the order's column: customer or supplier
    partner_label: ClassVar[Any]
    country: ClassVar[str]  # path from the line to the country

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Both reports have the same parameters, named after their partner."""
        super().__init_subclass__(**kwargs)
        cls.params = (
            Param("date_from", pgettext_lazy("date", "From"), "date"),
            Param("date_to", pgettext_lazy("date", "To"), "date"),
            Param("group_by", _("Group by"), "choice", "month", choices=cls.groups(), required=True),
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
        group = params["group_by"]
        once = group not in {"product", "category"}  # every order stands in one group only, so orders may be added
        named = group not in {*BY_TIME, "country"}
        label = {"customer": "crm.customer", "supplier": "erp.supplier", "product": "erp.product"}.get(group)
        return [
            ReportColumn(
                group,
                dict(self.groups())[group],
                display=lambda row: row[group] or _t("(none)"),
                link=(lambda row: record_url(label, row[group])) if label else None,
            ),
            ReportColumn("name", _("Name"), screen=named),
            ReportColumn("documents", _("Orders"), "integer", total=once),
            ReportColumn("lines", _("Lines"), "integer", total=True),
            ReportColumn("quantity", _("Quantity"), "quantity", total=True),
            ReportColumn("gross", _("Before discount"), "money", total=True),
            ReportColumn("net", _("Net amount"), "money", total=True),
            ReportColumn("tax", _("Tax"), "money", total=True),
            ReportColumn("total", _("Total incl. tax"), "money", total=True),
        ]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        group, digits = params["group_by"], _base_exponent()
        rate, quantity = F("order__rate"), F("quantity")
        found = (
            self._lines(params, user)
            .order_by()
            .values(**self._keys(group))
            .annotate(
                documents=Count("order_id", distinct=True),
                line_count=Count("pk"),
                pieces=Sum(quantity * F("factor"), output_field=PIECES),
                gross_sum=Sum(Round(quantity * F("price") * rate, digits, output_field=AMOUNT)),
                net_sum=Sum(Round(F("net") * rate, digits, output_field=AMOUNT)),
                tax_sum=Sum(Round(F("tax") * rate, digits, output_field=AMOUNT)),
            )
        )
        rows = [
            {
                group: str(row["key"] or ""),
                "name": row["label"] or row["other"] or str(row["key"] or ""),
                "documents": row["documents"],
                "lines": row["line_count"],
                "quantity": round_quantity(row["pieces"]),
                "gross": row["gross_sum"],
                "net": row["net_sum"],
                "tax": row["tax_sum"],
                "total": row["net_sum"] + row["tax_sum"],
            }
            for row in found
        ]
        if group in BY_TIME:
            return sorted(rows, key=lambda row: row[group])
        return sorted(rows, key=lambda row: (-row["net"], row[group]))

    def _lines(self, params: dict[str, Any], user: Any) -> QuerySet[Any]:
        orders = self.orders._default_manager.visible_to(user).filter(state__in=ORDERED)  # type: ignore[attr-defined]
        if params["date_from"]:
            orders = orders.filter(date__gte=params["date_from"])
        if params["date_to"]:
            orders = orders.filter(date__lte=params["date_to"])
        return self.lines._default_manager.filter(order__in=orders.order_by())

    def _keys(self, group: str) -> dict[str, Any]:
        """Key and name of a group; `other` is the name where `label` is empty."""
        chinese = (get_language() or "").startswith("zh")
        nothing = Value("", output_field=CharField())
        month = Left(Cast("order__date", CharField()), 7)  # ISO dates: 2026-11-23 -> 2026-11
        plain = {"year": ExtractYear("order__date"), "month": month, "country": F(self.country)}
        if group in plain:
            return {"key": plain[group], "label": nothing, "other": nothing}
        path, key, name, other = {
            "product": ("product", "code", "name" if chinese else "name_en", "name"),
            "category": ("product__group", "code", "name_zh" if chinese else "name", "name"),
            "owner": ("order__owner", "username", "name", "username"),
        }.get(group, (f"order__{self.partner}", "code", "name", "name"))
        return {
            "key": F(f"{path}__{key}"),
            "label": Coalesce(F(f"{path}__{name}"), nothing),
            "other": Coalesce(F(f"{path}__{other}"), nothing),
        }

    def chart(self, rows: Sequence[Mapping[str, Any]], params: dict[str, Any]) -> str:
        group = params["group_by"]
        shown = list(rows[-2 * BARS :] if group in BY_TIME else rows[:BARS])
        labels = [row["name"] or row[group] or _t("(none)") for row in shown]
        title = f"{self.title}: {_t('Net amount')}"
        unit = CompanyProfile.current().base_currency
        return bar_chart(labels, [Series("", [row["net"] for row in shown])], title=title, unit=unit)


def _base_exponent() -> int:
    """Decimals of the base currency."""
    base = CompanyProfile.objects.filter(pk=1).values("base_currency")
    found = Currency.objects.filter(code=Subquery(base)).values_list("exponent", flat=True).first()
    return 2 if found is None else found
