"""What inventory adds to the product page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.currencies import base_symbol
from erp.inventory.models import StockLevel
from kit.pages import formats
from kit.pages.panels import Figure, Panel, figures, panels
from kit.pages.resources import registry
from kit.values.money import ZERO


def product_figures(product: Any, user: Any) -> Sequence[Figure]:
    """On hand, reserved and available; the value needs the finance right."""
    if not product.stocked or not user.has_perm("erp.view_stocklevel"):
        return []
    sums = StockLevel.objects.filter(product=product).aggregate(
        on_hand=Sum("on_hand"), reserved=Sum("reserved"), value=Sum("value")
    )
    on_hand, reserved, value = (sums[name] or ZERO for name in ("on_hand", "reserved", "value"))
    url = f"{registry['stocklevel'].url()}?product={product.pk}&product_text={product.code}"
    unit = str(product.unit)
    made = [
        Figure(_("On hand"), formats.trimmed(on_hand), url, unit),
        Figure(_("Reserved"), formats.trimmed(reserved), url, unit),
        Figure(
            _("Available"),
            formats.trimmed(on_hand - reserved),
            url,
            unit,
            tone="neg" if on_hand - reserved <= 0 else "",
        ),
    ]
    if user.has_perm("erp.view_journalentry"):
        average = value / on_hand if on_hand else ZERO
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
