"""What sales adds to the customer page, to contracts and to the desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from functools import partial
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.models import OpenItem, Payment
from erp.finance.models.payments import Direction
from erp.inventory.availability import outgoing
from erp.sales import approving, desk
from erp.sales.credit import terms_of
from erp.sales.figures import ageing, customer_figures
from erp.sales.models import Delivery, Invoice, SalesOrder, SalesOrderLine
from erp.sales.models.orders import Hold
from erp.trade.flow import Chain
from erp.trade.open_lines import still_ordered
from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Event, Panel, Waiting, actions, events, figures, panels, waiting
from kit.pages.resources import by_model, registry, url_of
from kit.rules.days import business_day
from oa.approvals.models.requests import OPEN
from oa.approvals.panels import show_on


def documents(customer: Any, user: Any, limit: int) -> Sequence[Event]:
    """Orders, deliveries, invoices and receipts on the customer's timeline."""
    made: list[Event] = []
    sources: tuple[tuple[Any, str, str, str, str], ...] = (
        (SalesOrder, "confirmed_at", _("confirmed order"), "shopping-cart", "info"),
        (Delivery, "posted_at", _("shipped"), "truck", ""),
        (Invoice, "posted_at", _("invoiced"), "receipt", ""),
        (Payment, "posted_at", _("received payment"), "hand-coins", "ok"),
    )
    for model, moment, words, icon, tone in sources:
        if not user.has_perm(f"erp.view_{model._meta.model_name}"):
            continue
        rows = model.objects.visible_to(user).filter(customer=customer, **{f"{moment}__isnull": False})
        joined = [name for name in ("created_by", "posted_by", "currency") if hasattr(model, name)]
        rows = rows.select_related(*joined).order_by("-date", "-id")[:limit]
        made += [_document_event(row, getattr(row, moment), words, icon, tone) for row in rows]
    return made


def _document_event(row: Any, moment: dt.datetime, words: str, icon: str, tone: str) -> Event:
    """A document on the day it counts for; the time is told only if it was entered on that day."""
    if getattr(row, "direction", "") == Direction.REFUND:
        words, tone = _("refunded"), ""
    amount = getattr(row, "total", getattr(row, "amount", None))
    if amount is not None:
        words = f"{words} {row.currency.symbol or row.currency.code} {formats.money(amount)}"
    same_day = timezone.localtime(moment).date() == row.date
    at = moment if same_day else timezone.make_aware(dt.datetime.combine(row.date, dt.time(12)))
    who = str(getattr(row, "posted_by", None) or row.created_by or _("System"))
    return Event(at, who, words, icon, tone, url=url_of(row), link=row.number or "", timed=same_day)


def customer_actions(customer: Any, user: Any) -> Sequence[Action]:
    """Start an order or a receipt from the customer page."""
    made = []
    if user.has_perm("erp.add_salesorder") and customer.active:
        made.append(
            Action(
                _("New order"),
                f"{registry['salesorder'].url('new')}?customer={customer.pk}",
                name="new-order",
                create=True,
            )
        )
    if user.has_perm("erp.add_payment"):
        made.append(
            Action(
                _("New receipt"),
                f"{registry['receipt'].url('new')}?customer={customer.pk}",
                "hand-coins",
                name="new-receipt",
                create=True,
            )
        )
    if user.has_perm("erp.change_customerterms"):
        terms = terms_of(customer)
        resource = registry["customerterms"]
        url = resource.url_for(terms, "edit") if terms else f"{resource.url('new')}?customer={customer.pk}"
        made.append(Action(_("Terms and credit"), url, "scale", menu=True, name="terms"))
    return made


def invoice_actions(invoice: Any, user: Any) -> Sequence[Action]:
    """Receive the money of an open invoice."""
    if invoice.state != "posted" or invoice.open_amount <= 0 or not user.has_perm("erp.add_payment"):
        return []
    item = (
        OpenItem.objects.filter(source="erp.invoice", source_id=invoice.pk, remaining__gt=0)
        .order_by("due_date")
        .first()
    )
    if item is None:
        return []
    url = f"{registry['receipt'].url('new')}?customer={invoice.customer_id}&item={item.pk}"
    made = [Action(_("Receive payment"), url, "hand-coins", primary=True, name="receive")]
    same = {"customer": item.customer_id, "currency": item.currency_id, "account": item.account_id}
    if user.has_perm("erp.add_allocation") and OpenItem.objects.filter(remaining__lt=0, **same).exists():
        settle = by_model[OpenItem].url_for(item, "do", "settle")
        made.append(Action(_("Settle with credit"), settle, "check", dialog=True, name="settle"))
    return made


Chain("salesorder", "delivery", "invoice", "receipt").register()


def approval_action(order: SalesOrder, user: Any) -> Sequence[Action]:
    """Submit a draft, or a change of a confirmed order, that the flow asks for (rule X-08)."""
    if not user.has_perm("erp.change_salesorder"):
        return []
    changed = order.hold == Hold.APPROVAL and not approving.requests_of(order).filter(state__in=OPEN).exists()
    if not changed and (order.state != "draft" or not approving.shown_need(order, user)):
        return []
    url = reverse("approval-submit", args=(approving.KIND, order.pk))
    return [Action(_("Submit for approval"), url, icon="send", primary=True, name="submit")]


figures["crm.customer"].append(customer_figures)
events["crm.customer"].append(documents)
actions["crm.customer"].append(customer_actions)
actions["erp.invoice"].append(invoice_actions)
panels["crm.customer"] += [
    Panel(
        "ageing",
        gettext_lazy("Receivable ageing"),
        "side",
        template="erp/sales/ageing.html",
        context=ageing,
        permission="erp.view_openitem",
        order=10,
    ),
    Panel(
        "orders",
        gettext_lazy("Recent orders"),
        "side",
        "salesorder",
        "customer",
        ("number", "total", "state"),
        permission="erp.view_salesorder",
        order=20,
    ),
    Panel(
        "orders-all",
        gettext_lazy("Orders"),
        "tab",
        "salesorder",
        "customer",
        permission="erp.view_salesorder",
        order=20,
        create=True,
    ),
    Panel(
        "deliveries",
        gettext_lazy("Deliveries"),
        "tab",
        "delivery",
        "customer",
        permission="erp.view_delivery",
        order=22,
    ),
    Panel("invoices", gettext_lazy("Invoices"), "tab", "invoice", "customer", permission="erp.view_invoice", order=24),
    Panel(
        "receipts",
        gettext_lazy("Receipts"),
        "tab",
        "receipt",
        "customer",
        permission="erp.view_payment",
        order=26,
        create=True,
    ),
    Panel(
        "open-items",
        gettext_lazy("Open items"),
        "tab",
        "openitem",
        "customer",
        permission="erp.view_openitem",
        order=28,
    ),
    Panel(
        "prices",
        gettext_lazy("Prices"),
        "tab",
        "customerprice",
        "customer",
        permission="erp.view_customerprice",
        order=60,
        create=True,
    ),
]
panels["crm.contract"].append(
    Panel(
        "orders",
        gettext_lazy("Orders"),
        "side",
        "salesorder",
        "contract",
        ("number", "total", "state"),
        permission="erp.view_salesorder",
    )
)
panels["erp.salesorder"] += [
    Panel(
        "deliveries",
        gettext_lazy("Deliveries"),
        "side",
        "delivery",
        "lines__order_line__order",
        ("number", "date", "state"),
        permission="erp.view_delivery",
        order=10,
        distinct=True,
    ),
    Panel(
        "invoices",
        gettext_lazy("Invoices"),
        "side",
        "invoice",
        "lines__order_line__order",
        ("number", "total", "state"),
        permission="erp.view_invoice",
        order=20,
        distinct=True,
    ),
]
actions["erp.salesorder"].append(approval_action)
show_on("erp.salesorder")
actions["desk"].append(desk.actions)
waiting += [Waiting(desk.late_orders, desk.shipments), Waiting(desk.late_customers, desk.collections)]
panels["desk"] += [
    Panel(
        "figures",
        gettext_lazy("Figures"),
        "top",
        template="erp/sales/desk_figures.html",
        context=desk.figures,
        permission="erp.view_salesorder erp.view_payment erp.view_openitem",
    ),
    Panel(
        "to-ship",
        gettext_lazy("Orders to ship"),
        "main",
        "salesorder",
        "",
        ("number", "customer", "required_date", "base_total", "state"),
        permission="erp.view_salesorder",
        order=20,
        filters=(("state", "confirmed"), ("goods_percent__lt", 100)),
        query="view=confirmed&goods_status=none&goods_status=partial&sort=required_date",
    ),
    Panel(
        "months",
        gettext_lazy("Bookings and receipts"),
        "main",
        template="erp/sales/months.html",
        context=desk.months,
        permission="erp.view_salesorder",
        order=30,
    ),
    Panel(
        "overdue",
        gettext_lazy("Overdue receivables"),
        "side",
        "openitem",
        "",
        ("number", "customer", "due_date", "base_remaining"),
        permission="erp.view_openitem",
        order=30,
        filters=(("remaining__gt", 0), ("due_date__lt", business_day)),
        query="sort=due_date",
    ),
]
outgoing.append(partial(still_ordered, SalesOrderLine))
