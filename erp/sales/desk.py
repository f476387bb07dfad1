"""What sales puts on the desk: figures of the month, what to ship, what to collect."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django.core.cache import cache
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext, pgettext

from crm.customers.models import Customer
from erp.finance.currencies import base_symbol, base_symbol_column
from erp.finance.models import OpenItem, Payment
from erp.finance.models.payments import Direction
from erp.sales.models import SalesOrder
from kit.exchange.charts import Series, bar_chart
from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Figure, Task
from kit.pages.resources import by_model, registry
from kit.rules.days import business_day
from kit.values.money import ZERO

BOOKED = ("confirmed", "closed")
SOON = 3  # days before the due date from which an order is to be shipped
MONTHS = 6  # of the chart
KEPT = 3600  # seconds for which the chart remembers the months that are over
OLDEST = 2_000  # overdue items among which the customers to call are looked for
OVERDUE = gettext_lazy("Collection")


def actions(user: Any, _user: Any) -> Sequence[Action]:
    """The document that sales people start most often."""
    if not user.has_perm("erp.add_salesorder"):
        return []
    return [Action(_("New order"), registry["salesorder"].url("new"), "plus", primary=True, key="c", name="new-order")]


def figures(user: Any, _user: Any) -> dict[str, Sequence[Figure]]:
    """Booked and received this month, overdue, to ship: as far as the person may see them."""
    today, symbol = business_day(), base_symbol()
    made = []
    if user.has_perm("erp.view_salesorder"):
        rows = SalesOrder.objects.visible_to(user).filter(state__in=BOOKED)
        url = f"{registry['salesorder'].url()}?date_from={today:%Y-%m}-01&date_to={today}"
        made.append(_month(_("Booked this month"), rows, "base_total", url, today, symbol))
    if user.has_perm("erp.view_payment"):
        rows = Payment.objects.visible_to(user).filter(direction=Direction.RECEIVE, state__in=("posted", "reversed"))
        url = f"{registry['receipt'].url()}?date_from={today:%Y-%m}-01&date_to={today}"
        made.append(_month(_("Received this month"), rows, "base_amount", url, today, symbol))
    if user.has_perm("erp.view_openitem"):
        made.append(_overdue(user, today, symbol))
    if user.has_perm("erp.view_salesorder"):
        made.append(_to_ship(user, today))
    return {"figures": made}


def _month(label: str, rows: Any, column: str, url: str, today: dt.date, symbol: str) -> Figure:
    """The sum of this month so far, against the same days of the month before."""
    first = today.replace(day=1)
    before = (first - dt.timedelta(days=1)).replace(day=1)
    same_day = min(today - first, first - before - dt.timedelta(days=1)) + before
    sums = rows.filter(date__gte=before, date__lte=today).aggregate(
        now=Sum(column, filter=Q(date__gte=first)),
        last=Sum(column, filter=Q(date__lte=same_day)),
        n=Count("pk", filter=Q(date__gte=first)),
    )
    now, last = sums["now"] or ZERO, sums["last"] or ZERO
    trend, good, note = "", None, ngettext("%s document", "%s documents", sums["n"]) % sums["n"]
    if last:
        change = (now - last) * 100 / last
        trend, good, note = (
            f"{'↑' if change >= 0 else '↓'} {formats.percent(abs(change))}",
            change >= 0,
            _("vs last month"),
        )
    return Figure(label, formats.money(now, 0), url, note, symbol, trend=trend, good=good)


def _overdue(user: Any, today: dt.date, symbol: str) -> Figure:
    late = _overdue_items(user).aggregate(total=Sum("base_remaining"), n=Count("customer", distinct=True))
    url = f"{registry['openitem'].url()}?view=open&due_date_to={today - dt.timedelta(days=1)}"
    note = ngettext("%s customer", "%s customers", late["n"]) % late["n"] if late["n"] else _("nothing overdue")
    return Figure(
        _("Overdue receivables"),
        formats.money(late["total"] or ZERO, 0),
        url,
        note,
        symbol,
        tone="neg" if late["n"] else "",
    )


def open_orders(user: Any) -> Any:
    """Confirmed orders with something left to deliver."""
    return SalesOrder.objects.visible_to(user).filter(state="confirmed", goods_percent__lt=100)


def _to_ship(user: Any, today: dt.date) -> Figure:
    sums = open_orders(user).aggregate(n=Count("pk"), late=Count("pk", filter=Q(required_date__lt=today)))
    url = f"{registry['salesorder'].url()}?view=confirmed&goods_status=none&goods_status=partial"
    note = _("%s of them late") % sums["late"] if sums["late"] else _("none of them late")
    return Figure(_("Orders to ship"), str(sums["n"]), url, note)


def late_orders(user: Any) -> Sequence[QuerySet[SalesOrder]]:
    """Orders whose due date is near or past and that are not delivered."""
    if not (user.has_perm("erp.view_salesorder") and user.has_perm("erp.add_delivery")):
        return []
    return [open_orders(user).filter(required_date__lte=business_day() + dt.timedelta(days=SOON))]


def shipments(user: Any, limit: int) -> Sequence[Task]:
    """Orders to ship soon, as tasks."""
    resource = by_model[SalesOrder]
    return [
        Task(
            _("To ship"),
            "warn",
            f"{row.number} · {row.customer}",
            resource.url_for(row),
            _("%(total)s · %(share)s delivered")
            % {
                "total": f"{row.symbol} {formats.money(row.base_total)}",
                "share": formats.percent(row.goods_percent.quantize(Decimal(1))),
            },
            row.required_date,
            _("Open"),
        )
        for rows in late_orders(user)
        for row in rows.select_related("customer")
        .annotate(symbol=base_symbol_column())
        .order_by("required_date", "pk")[:limit]
    ]


def _overdue_items(user: Any) -> QuerySet[OpenItem]:
    rows = OpenItem.objects.visible_to(user).filter(remaining__gt=0, customer__isnull=False)
    return rows.filter(due_date__lt=business_day())


def late_customers(user: Any) -> Sequence[QuerySet[Customer]]:
    """Customers with overdue invoices, among the oldest invoices."""
    if not user.has_perm("erp.view_openitem"):
        return []
    late = _overdue_items(user).order_by("due_date", "pk").values("customer")[:OLDEST]
    return [Customer.objects.filter(pk__in=late)]


def collections(user: Any, limit: int) -> Sequence[Task]:
    """Customers with overdue invoices, the oldest first, among the oldest invoices; two statements."""
    rows = _overdue_items(user)
    late = rows.order_by("due_date", "pk").values_list("customer", flat=True)[:OLDEST]
    longest = list(dict.fromkeys(late))[:limit]
    found = (
        rows.filter(customer__in=longest)
        .values("customer", "customer__code", name=F("customer__name"), short=F("customer__short_name"))
        .annotate(n=Count("pk"), total=Sum("base_remaining"), oldest=Min("due_date"), symbol=base_symbol_column())
        .order_by("oldest", "customer")
    )
    items, customers = registry["openitem"].url(), by_model[Customer]
    return [
        Task(
            OVERDUE,
            "bad",
            f"{row['short'] or row['name']}: "
            + ngettext("%s invoice overdue", "%s invoices overdue", row["n"]) % row["n"],
            customers.url("record", row["customer__code"]),
            _("Overdue %s") % f"{row['symbol']} {formats.money(row['total'])}",
            row["oldest"],
            _("Open items"),
            f"{items}?customer={row['customer']}&customer_text={row['customer__code']}",
        )
        for row in found
    ]


def months(user: Any, _user: Any) -> dict[str, Any]:
    """Bookings and receipts of the last months as bars; two statements, four where the past is not remembered."""
    today = business_day()
    firsts = [
        dt.date(year, month + 1, 1)
        for year, month in (divmod(today.year * 12 + today.month - 1 - back, 12) for back in reversed(range(MONTHS)))
    ]
    orders = SalesOrder.objects.visible_to(user).filter(state__in=BOOKED)
    receipts = Payment.objects.visible_to(user).filter(direction=Direction.RECEIVE, state__in=("posted", "reversed"))
    booked = _by_month(orders, "base_total", firsts, user)
    received = _by_month(receipts, "base_amount", firsts, user) if user.has_perm("erp.view_payment") else None
    series = [Series(_("Booked"), booked)] + (
        [Series(pgettext("money", "Received"), received)] if received is not None else []
    )
    title = _("Bookings and receipts")
    svg = bar_chart(
        [f"{first:%Y-%m}" for first in firsts],
        series,
        title=title,
        unit=base_symbol(),
        height=190,
        width=520,
        partial=True,
    )
    return {"chart": mark_safe(svg)}  # nosec B308 B703  # noqa: S308  our own SVG, escaped there


def _by_month(rows: Any, column: str, firsts: Sequence[dt.date], user: Any) -> list[Decimal]:
    """Sums of the months that begin on `firsts`: the last one as it is now, those before as they were lately."""
    reach = f"{user.data_scope(rows.model)}:{'.'.join(map(str, sorted(user.own_department_ids)))}"
    name = f"desk:{column}:{user.pk}:{reach}:{firsts[-1]}"
    past = cache.get(name)
    if past is None:
        past = _sums(rows.filter(date__gte=firsts[0], date__lt=firsts[-1]), column)
        cache.set(name, past, KEPT)
    found = past | _sums(rows.filter(date__gte=firsts[-1]), column)
    return [found.get(first, ZERO) for first in firsts]


def _sums(rows: Any, column: str) -> dict[dt.date, Decimal]:
    months = rows.annotate(first=TruncMonth("date")).order_by().values_list("first")
    return dict(months.annotate(total=Sum(column)))
