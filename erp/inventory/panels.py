"""What inventory adds to the product page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.currencies import base_symbol
from erp.inventory.availability import availability
from erp.inventory.models import StockLevel
from kit.pages import formats
from kit.pages.panels import Figure, Panel, figures, panels
from kit.pages.resources import registry
from kit.values.money import ZERO


def product_figures(product: Any, user: Any) -> Sequence[Figure]:
    """On hand, reserved, available and forecast; the value needs the finance right."""
    if not product.stocked or not user.has_perm("erp.view_stocklevel"):
        return []
    stock = availability([product.pk])[product.pk]
    url = f"{registry['stocklevel'].url()}?product={product.pk}&product_text={product.code}"
    unit = str(product.unit)
    made = [
        Figure(_("On hand"), formats.trimmed(stock.on_hand), url, unit),
        Figure(_("Reserved"), formats.trimmed(stock.reserved), url, unit),
        Figure(
            _("Available"),
            formats.trimmed(stock.available),
            url,
            unit,
            tone="neg" if stock.available <= 0 else "",
        ),
        Figure(
            _("Forecast"),
            formats.trimmed(stock.forecast),
            "/reports/stock-forecast/",
            _("%(incoming)s to come, %(outgoing)s to go")
            % {"incoming": formats.trimmed(stock.incoming), "outgoing": formats.trimmed(stock.outgoing)},
            tone="neg" if stock.forecast < 0 else "",
        ),
    ]
    if user.has_perm("erp.view_journalentry"):
        value = StockLevel.objects.filter(product=product).aggregate(value=Sum("value"))["value"] or ZERO
        average = value / stock.on_hand if stock.on_hand else ZERO
        made.append(
            Figure(
                _("Value"),
                formats.money(value),
                f"/reports/stock-card/?product={product.code}",
                _("average cost %s") % formats.money(average),
                base_symbol(),
            )
        )
    return made


figures["erp.product"].append(product_figures)
panels["erp.product"] += [
    Panel(
        "levels",
        gettext_lazy("Stock"),
        "side",
        "stocklevel",
        "product",
        ("warehouse", "on_hand"),
        permission="erp.view_stocklevel",
        order=10,
    ),
    Panel("moves", gettext_lazy("Movements"), "tab", "stockmove", "product", permission="erp.view_stockmove", order=20),
    Panel(
        "prices",
        gettext_lazy("Customer prices"),
        "tab",
        "customerprice",
        "product",
        permission="erp.view_customerprice",
        order=30,
    ),
    Panel(
        "units",
        gettext_lazy("Other units"),
        "tab",
        "productunit",
        "product",
        permission="erp.view_productunit",
        order=40,
        create=True,
    ),
]
