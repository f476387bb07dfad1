"""What sales adds to the customer page, to contracts and to the desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from erp.finance.models import OpenItem, Payment
from erp.finance.models.payments import Direction
from erp.sales import desk
from erp.sales.credit import credit_terms, exposure, terms_of
from erp.sales.models import Delivery, Invoice, SalesOrder
from erp.trade.flow import Chain
from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Event, Figure, Panel, actions, events, figures, panels, tasks
from kit.pages.resources import by_model, registry, url_of
from kit.rules.days import business_day
from kit.values.money import ZERO

BUCKETS: tuple[tuple[int, Any, str], ...] = (
    (0, gettext_lazy("Not due"), "s1"),
    (30, gettext_lazy("1–30 days late"), "s4l"),
    (60, gettext_lazy("31–60 days late"), "s4"),
    (90, gettext_lazy("61–90 days late"), "sxl"),
    (10**6, gettext_lazy("over 90 days late"), "sx"),
)
GAP = Decimal("1.5")  # between the parts of the bar


def ageing(customer: Any, user: Any) -> dict[str, Any]:
    """Receivables of a customer by days late, in base currency; one statement."""
    today = business_day()
    items = OpenItem.objects.filter(customer=customer).exclude(remaining=0).values_list("due_date", "base_remaining")
    sums = [ZERO] * len(BUCKETS)
    for due, amount in items:
        late = max((today - due).days, 0)
        sums[next(i for i, (limit, _label, _tone) in enumerate(BUCKETS) if late <= limit)] += amount
    whole = sum((s for s in sums if s > 0), ZERO)
    rows: list[dict[str, Any]] = []
    x = Decimal(0)
    for (_limit, label, tone), amount in zip(BUCKETS, sums, strict=True):
        width = (amount * 300 / whole).quantize(Decimal("0.1")) if whole and amount > 0 else ZERO
        rows.append(
            {
                "label": label,
                "tone": tone,
                "amount": amount,
                "x": f"{x:f}",
                "width": f"{max(width - GAP, ZERO):f}",
                "late": tone != "s1",
            }
        )
        x += width
    shown = [row for row in rows if row["amount"] or not row["late"]]
    url = f"{registry['openitem'].url()}?view=open&customer={customer.pk}&customer_text={customer.code}"
    return {"rows": shown, "bars": [row for row in shown if row["amount"] > 0], "url": url}


def customer_figures(customer: Any, user: Any) -> Sequence[Figure]:
    """Sales this year, receivable with credit, overdue, open orders; amounts need the finance right."""
    today = business_day()
    made = []
    if user.has_perm("erp.view_salesorder"):
        made.append(_sales_figure(customer, user, today))
    if user.has_perm("erp.view_openitem"):
        made += _credit_figures(customer, today)
    elif user.has_perm("erp.view_customerterms"):
        made.append(_traffic_light(customer))
    if user.has_perm("erp.view_salesorder"):
        rows = SalesOrder.objects.visible_to(user).filter(customer=customer, state="confirmed")
        open_orders = rows.aggregate(n=Count("pk"), total=Sum("base_total"))
        url = f"{registry['salesorder'].url()}?view=confirmed&customer={customer.pk}&customer_text={customer.code}"
        made.append(
            Figure(
                _("Open orders"),
                formats.money(open_orders["total"] or ZERO, 0),
                url,
                ngettext("%s order", "%s orders", open_orders["n"]) % open_orders["n"],
                "¥",
            )
        )
    return made


def _sales_figure(customer: Any, user: Any, today: dt.date) -> Figure:
    this = Q(date__year=today.year)
    day = (today.month, today.day)
    last = Q(date__year=today.year - 1) & (Q(date__month__lt=day[0]) | Q(date__month=day[0], date__day__lte=day[1]))
    rows = SalesOrder.objects.visible_to(user).filter(customer=customer, state__in=("confirmed", "closed"))
    sums = rows.filter(date__year__gte=today.year - 1).aggregate(
        now=Sum("base_total", filter=this), before=Sum("base_total", filter=last), n=Count("pk", filter=this)
    )
    now, before = sums["now"] or ZERO, sums["before"] or ZERO
    note, trend, good = ngettext("%s order", "%s orders", sums["n"]) % sums["n"], "", None
    if before:
        change = (now - before) * 100 / before
        trend, good = f"{'↑' if change >= 0 else '↓'} {formats.percent(abs(change))}", change >= 0
        note = _("vs last year · %s") % note
    chosen = f"customer={customer.pk}&customer_text={customer.code}&date_from={today.year}-01-01"
    url = f"{registry['salesorder'].url()}?{chosen}"
    return Figure(_("Sales this year"), formats.money(now, 0), url, note, "¥", trend=trend, good=good)


def _credit_used(customer: Any) -> tuple[str, Decimal | None]:
    """How much of the credit limit is used, in words and in percent; that of the group where one is shared (S-03)."""
    terms, own = credit_terms(customer), terms_of(customer)
    limit = terms.credit_limit if terms else None
    note, meter = _("no limit"), None
    if terms is not None and limit is not None:
        used = exposure(customer.pk).total(with_orders=terms.count_orders)
        share = used * 100 / limit if limit else Decimal(100 if used else 0)
        meter = min(max(share, ZERO), Decimal(100)).quantize(Decimal(1))
        note = _("Limit %(limit)s · %(share)s used") % {
            "limit": formats.money(limit, 0),
            "share": formats.percent(share),
        }
    if own is not None and own.credit_of is not None:
        note = _("%(note)s · shared with %(head)s") % {"note": note, "head": own.credit_of}
    return note, meter


def _credit_figures(customer: Any, today: dt.date) -> list[Figure]:
    note, meter = _credit_used(customer)
    late = Q(remaining__gt=0, due_date__lt=today)
    items = (
        OpenItem.objects.filter(customer=customer)
        .exclude(remaining=0)
        .aggregate(
            all=Sum("base_remaining", default=ZERO),
            n=Count("pk", filter=late),
            overdue=Sum("base_remaining", filter=late, default=ZERO),
            oldest=Min("due_date", filter=late),
        )
    )
    url = f"{reverse('openitem-list')}?customer={customer.pk}&customer_text={customer.code}"
    overdue = items["overdue"]
    oldest = (today - items["oldest"]).days if items["oldest"] else 0
    return [
        Figure(_("Receivable"), formats.money(items["all"], 0), url, note, "¥", meter=meter),
        Figure(
            _("Of which overdue"),
            formats.money(overdue, 0),
            url,
            _("%(n)s invoices · oldest %(days)s days") % {"n": items["n"], "days": oldest}
            if overdue
            else _("nothing overdue"),
            "¥",
            tone="neg" if overdue else "",
        ),
    ]


def _traffic_light(customer: Any) -> Figure:
    """Credit for people without finance rights: a word, no figures (UX 6.13)."""
    terms = credit_terms(customer)
    limit = terms.credit_limit if terms else None
    if limit is None:
        return Figure(_("Credit"), _("no limit"))
    left = limit - exposure(customer.pk).total()
    if left <= 0:
        return Figure(_("Credit"), _("used up"), tone="neg")
    return Figure(_("Credit"), _("nearly used up") if left < limit / 5 else _("free"))


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
figures["desk"].append(desk.figures)
actions["desk"].append(desk.actions)
tasks += [desk.shipments, desk.collections]
panels["desk"] += [
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
