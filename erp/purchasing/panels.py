"""What purchasing adds to the pages of suppliers, orders and bills, and to the desk."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any

from django.db.models import Count, QuerySet, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from erp.finance.currencies import base_symbol, base_symbol_column
from erp.finance.models import OpenItem
from erp.inventory.availability import incoming
from erp.purchasing.models import PurchaseOrder, PurchaseOrderLine
from erp.trade.flow import Chain
from erp.trade.open_lines import still_ordered
from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Figure, Panel, Task, Waiting, actions, figures, panels, waiting
from kit.pages.resources import registry
from kit.rules.days import business_day
from kit.values.money import ZERO


def supplier_figures(supplier: Any, user: Any) -> Sequence[Figure]:
    """Purchases this year, payable, overdue."""
    made = []
    today, symbol = business_day(), base_symbol()
    if user.has_perm("erp.view_purchaseorder"):
        rows = PurchaseOrder.objects.visible_to(user).filter(
            supplier=supplier, state__in=("confirmed", "closed"), date__year=today.year
        )
        sums = rows.aggregate(n=Count("pk"), total=Sum("base_total"))
        url = f"{registry['purchaseorder'].url()}?supplier={supplier.pk}&supplier_text={supplier.code}"
        made.append(
            Figure(
                _("Purchases this year"),
                formats.money(sums["total"] or ZERO),
                url,
                ngettext("%s order", "%s orders", sums["n"]) % sums["n"],
                symbol,
            )
        )
    if user.has_perm("erp.view_openitem"):
        items = OpenItem.objects.filter(supplier=supplier).exclude(remaining=0)
        owed = -(items.aggregate(total=Sum("base_remaining"))["total"] or ZERO)
        late = -(
            items.filter(due_date__lt=today, remaining__lt=0).aggregate(total=Sum("base_remaining"))["total"] or ZERO
        )
        url = f"{registry['openitem'].url()}?view=open&supplier={supplier.pk}&supplier_text={supplier.code}"
        made += [
            Figure(_("Payable"), formats.money(owed), url, "", symbol),
            Figure(_("Of which overdue"), formats.money(late), url, "", symbol, tone="neg" if late else ""),
        ]
    return made


def bill_actions(bill: Any, user: Any) -> Sequence[Action]:
    """Pay an open bill."""
    if bill.state != "posted" or bill.open_amount <= 0 or not user.has_perm("erp.add_payment"):
        return []
    item = OpenItem.objects.filter(source="erp.bill", source_id=bill.pk, remaining__lt=0).order_by("due_date").first()
    if item is None:
        return []
    url = f"{registry['payment'].url('new')}?supplier={bill.supplier_id}&item={item.pk}"
    return [Action(_("Pay bill"), url, "hand-coins", primary=True, name="pay")]


def _late(user: Any) -> Sequence[QuerySet[PurchaseOrder]]:
    if not (user.has_perm("erp.view_purchaseorder") and user.has_perm("erp.add_goodsreceipt")):
        return []
    rows = PurchaseOrder.objects.visible_to(user).filter(state="confirmed", goods_percent__lt=100)
    return [rows.filter(required_date__lte=business_day())]


def late_receipts(user: Any, limit: int) -> Sequence[Task]:
    """Purchase orders whose goods should have come."""
    resource = registry["purchaseorder"]
    return [
        Task(
            _("To receive"),
            "viol",
            f"{row.number} · {row.supplier}",
            resource.url_for(row),
            _("%(total)s · %(share)s received")
            % {
                "total": f"{row.symbol} {formats.money(row.base_total)}",
                "share": formats.percent(row.goods_percent.quantize(Decimal(1))),
            },
            row.required_date,
            _("Open"),
        )
        for rows in _late(user)
        for row in rows.select_related("supplier")
        .annotate(symbol=base_symbol_column())
        .order_by("required_date", "pk")[:limit]
    ]


Chain("purchaseorder", "goodsreceipt", "bill", "payment").register()
figures["erp.supplier"].append(supplier_figures)
actions["erp.bill"].append(bill_actions)
panels["erp.supplier"] += [
    Panel(
        "orders",
        gettext_lazy("Purchase orders"),
        "tab",
        "purchaseorder",
        "supplier",
        permission="erp.view_purchaseorder",
        order=10,
        create=True,
    ),
    Panel(
        "receipts",
        gettext_lazy("Goods receipts"),
        "tab",
        "goodsreceipt",
        "supplier",
        permission="erp.view_goodsreceipt",
        order=20,
    ),
    Panel("bills", gettext_lazy("Bills"), "tab", "bill", "supplier", permission="erp.view_bill", order=30),
    Panel("payments", gettext_lazy("Payments"), "tab", "payment", "supplier", permission="erp.view_payment", order=40),
    Panel("products", gettext_lazy("Products"), "tab", "product", "supplier", permission="erp.view_product", order=50),
]
panels["erp.purchaseorder"] += [
    Panel(
        "receipts",
        gettext_lazy("Goods receipts"),
        "side",
        "goodsreceipt",
        "lines__order_line__order",
        ("number", "date", "state"),
        permission="erp.view_goodsreceipt",
        order=10,
        distinct=True,
    ),
    Panel(
        "bills",
        gettext_lazy("Bills"),
        "side",
        "bill",
        "lines__order_line__order",
        ("number", "total", "state"),
        permission="erp.view_bill",
        order=20,
        distinct=True,
    ),
]
waiting.append(Waiting(_late, late_receipts))
panels["desk"].append(
    Panel(
        "to-receive",
        gettext_lazy("Goods to receive"),
        "side",
        "purchaseorder",
        "",
        ("number", "supplier", "required_date", "base_total"),
        permission="erp.view_purchaseorder",
        order=40,
        filters=(("state", "confirmed"), ("goods_percent__lt", 100)),
        query="view=confirmed&goods_status=none&goods_status=partial&sort=required_date",
    )
)
incoming.append(partial(still_ordered, PurchaseOrderLine))
