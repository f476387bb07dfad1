"""Sales by anything: what customers ordered."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from erp.sales.models import SalesOrder, SalesOrderLine
from erp.trade.reports import OrderReport
from kit.exchange.reports import register


class Sales(OrderReport):
    """Turnover of sales orders."""

    name = "sales"
    title = _("Sales")
    section = "sales"
    permission = ("erp.view_salesorder", "erp.view_salesorderline")
    description = _("Ordered quantities and amounts by period, customer, product, product group, owner or country.")
    orders = SalesOrder
    lines = SalesOrderLine
    partner = "customer"
    partner_label = _("Customer")
    country = "ship_country"


register(Sales())
