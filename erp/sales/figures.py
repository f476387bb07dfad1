"""The money of a customer on its page: ageing, sales, what is open, credit (UX 6.13)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.db.models import Count, Min, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from erp.finance.currencies import base_symbol
from erp.finance.models import OpenItem
from erp.sales.credit import credit_terms, exposure, terms_of
from erp.sales.models import SalesOrder
from kit.pages import formats
from kit.pages.panels import Figure
from kit.pages.resources import registry
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
    return {"rows": shown, "bars": [row for row in shown if row["amount"] > 0], "url": _open_items(customer)}


def _open_items(customer: Any) -> str:
    return f"{registry['openitem'].url()}?view=open&customer={customer.pk}&customer_text={customer.code}"


def customer_figures(customer: Any, user: Any) -> Sequence[Figure]:
    """Sales this year, receivable with credit, overdue, open orders; amounts need the finance right."""
    today, symbol = business_day(), base_symbol()
    made = []
    sales = _sales_figures(customer, user, today, symbol) if user.has_perm("erp.view_salesorder") else []
    made += sales[:1]
    if user.has_perm("erp.view_openitem"):
        made += _credit_figures(customer, today, symbol)
    elif user.has_perm("erp.view_customerterms"):
        made.append(_traffic_light(customer))
    return made + sales[1:]


def _sales_figures(customer: Any, user: Any, today: dt.date, symbol: str) -> list[Figure]:
    """Sales of this year against the same days of the last one, and what is still open, in one statement."""
    this = Q(date__year=today.year)
    day, still = (today.month, today.day), Q(state="confirmed")
    last = Q(date__year=today.year - 1) & (Q(date__month__lt=day[0]) | Q(date__month=day[0], date__day__lte=day[1]))
    rows = SalesOrder.objects.visible_to(user).filter(customer=customer, state__in=("confirmed", "closed"))
    sums = rows.filter(still | Q(date__year__gte=today.year - 1)).aggregate(
        now=Sum("base_total", filter=this),
        before=Sum("base_total", filter=last),
        n=Count("pk", filter=this),
        open=Sum("base_total", filter=still),
        open_n=Count("pk", filter=still),
    )
    now, before = sums["now"] or ZERO, sums["before"] or ZERO
    note, trend, good = ngettext("%s order", "%s orders", sums["n"]) % sums["n"], "", None
    if before:
        change = (now - before) * 100 / before
        trend, good = f"{'↑' if change >= 0 else '↓'} {formats.percent(abs(change))}", change >= 0
        note = _("vs last year · %s") % note
    chosen = f"customer={customer.pk}&customer_text={customer.code}&date_from={today.year}-01-01"
    orders = registry["salesorder"].url()
    count = ngettext("%s order", "%s orders", sums["open_n"]) % sums["open_n"]
    waiting = f"{orders}?view=confirmed&customer={customer.pk}&customer_text={customer.code}"
    return [
        Figure(_("Sales this year"), formats.money(now, 0), f"{orders}?{chosen}", note, symbol, trend=trend, good=good),
        Figure(_("Open orders"), formats.money(sums["open"] or ZERO, 0), waiting, count, symbol),
    ]


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


def _credit_figures(customer: Any, today: dt.date, symbol: str) -> list[Figure]:
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
    url = _open_items(customer)
    overdue = items["overdue"]
    oldest = (today - items["oldest"]).days if items["oldest"] else 0
    return [
        Figure(_("Receivable"), formats.money(items["all"], 0), url, note, symbol, meter=meter),
        Figure(
            _("Of which overdue"),
            formats.money(overdue, 0),
            url,
            ngettext("%(n)s invoice · oldest %(days)s days", "%(n)s invoices · oldest %(days)s days", items["n"])
            % {"n": items["n"], "days": oldest}
            if overdue
            else _("nothing overdue"),
            symbol,
            tone="neg" if overdue else "",
        ),
    ]


def _traffic_light(customer: Any) -> Figure:
    """Credit for people without finance rights: a word, no figures (UX 6.13)."""
    terms = credit_terms(customer)
    if terms is None or terms.credit_limit is None:
        return Figure(_("Credit"), _("no limit"))
    limit = terms.credit_limit
    left = limit - exposure(customer.pk).total(with_orders=terms.count_orders)
    if left <= 0:
        return Figure(_("Credit"), _("used up"), tone="neg")
    return Figure(_("Credit"), _("nearly used up") if left < limit / 5 else _("free"))
