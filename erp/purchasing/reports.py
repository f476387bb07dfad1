"""Purchases by anything: what was ordered from suppliers."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from erp.purchasing.models import PurchaseOrder, PurchaseOrderLine
from erp.trade.reports import OrderReport
from kit.exchange.reports import register


class Purchases(OrderReport):
    """Turnover of purchase orders."""

    name = "purchases"
    title = _("Purchases")
    section = "purchasing"
    permission = ("erp.view_purchaseorder", "erp.view_purchaseorderline")
    description = _("Ordered quantities and amounts by period, supplier, product, product group, owner or country.")
    orders = PurchaseOrder
    lines = PurchaseOrderLine
    partner = "supplier"
    partner_label = _("Supplier")
    country = "supplier__country"


register(Purchases())
