"""Credit exposure and its check (rules S-03, S-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from erp.sales.models import CustomerTerms, SalesOrder, SalesOrderLine
from erp.sales.models.orders import Hold
from erp.sales.models.terms import Block, CreditAction
from erp.trade.progress import moved_over, order_left_to_bill
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.money import ZERO, round_money

# Open items net of credits, what was delivered and not invoiced, what is confirmed and not delivered; tax
# included, in base currency; of all companies that share one limit.
_EXPOSURE = """
WITH head AS (
  SELECT coalesce((SELECT credit_of_id FROM erp_customerterms WHERE customer_id = %(customer)s), %(customer)s) AS id
), members AS (
  SELECT array_agg(id) AS ids FROM (
    SELECT id FROM head UNION SELECT t.customer_id FROM erp_customerterms t JOIN head ON head.id = t.credit_of_id
  ) m
), items AS (
  SELECT coalesce(sum(base_remaining), 0) AS receivable, min(due_date) FILTER (WHERE remaining > 0) AS oldest_due,
         coalesce(sum(base_remaining) FILTER (WHERE remaining > 0 AND due_date < %(today)s), 0) AS overdue
    FROM erp_openitem WHERE customer_id = ANY((SELECT ids FROM members)::bigint[]) AND remaining <> 0
), orders AS (
  SELECT coalesce(sum(v.base * greatest(v.moved - v.billed, 0)), 0) AS to_invoice,
         coalesce(sum(v.base * greatest(v.ordered - greatest(v.moved, v.billed), 0)), 0) AS to_deliver
    FROM (
      SELECT (l.net + l.tax) / l.quantity * o.rate AS base, l.quantity - l.cancelled AS ordered,
             l.moved - l.returned_replace - l.returned_credit AS moved, l.billed - l.credited AS billed
        FROM erp_salesorder o JOIN erp_salesorderline l ON l.order_id = o.id
       WHERE o.customer_id = ANY((SELECT ids FROM members)::bigint[]) AND o.state = 'confirmed' AND o.id <> %(order)s
    ) v
)
SELECT receivable, to_invoice, to_deliver, oldest_due, overdue FROM items, orders
"""


@dataclass(frozen=True)
class Exposure:
    """What a customer and all who share its limit owe or are going to owe, in base currency (rule S-03).

    `oldest_due` is the due date of the oldest open invoice, `overdue` what is open of all that are late.
    """

    receivable: Decimal
    to_invoice: Decimal
    to_deliver: Decimal
    oldest_due: dt.date | None
    overdue: Decimal

    def total(self, *, with_orders: bool = True) -> Decimal:
        """Receivables, deliveries not invoiced and, if they count, confirmed orders not delivered."""
        return self.receivable + self.to_invoice + (self.to_deliver if with_orders else ZERO)


def exposure(customer_id: int, *, without_order: int | None = None, today: dt.date | None = None) -> Exposure:
    """Exposure of a customer with all who share its limit, in one statement; `without_order` is left out."""
    values: dict[str, Any] = {"customer": customer_id, "order": without_order or 0, "today": today or business_day()}
    with connection.cursor() as cursor:
        cursor.execute(_EXPOSURE, values)
        receivable, to_invoice, to_deliver, oldest, overdue = cursor.fetchone()
    cent = Decimal("0.01")
    return Exposure(receivable, Decimal(to_invoice).quantize(cent), Decimal(to_deliver).quantize(cent), oldest, overdue)


# Which blocks forbid what (rule G-24). What was delivered is invoiced unless everything is blocked.
ORDERING = (Block.ORDERS, Block.ALL)
DELIVERING = (Block.DELIVERIES, Block.ORDERS, Block.ALL)
INVOICING = (Block.ALL,)


def check_blocked(terms: CustomerTerms | None, blocks: tuple[Block, ...] = ORDERING) -> None:
    """Refuse what a blocked customer may not have: orders, deliveries or invoices (rules G-24, D-03)."""
    if terms is not None and terms.blocked in blocks:
        raise BusinessError(
            _("%(customer)s is blocked for %(what)s. Ask accounting to lift the block.")
            % {"customer": terms.customer, "what": Block(terms.blocked).label}
        )


def unbilled(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> Decimal:
    """What `order` will still bring in invoices, tax included, in base currency; all of it for a new order."""
    if not any(line.billed or line.cancelled or line.moved for line in lines):
        return order.base_total
    parts = (
        (line.net + line.tax) / line.quantity * order_left_to_bill(line) * order.rate for line in lines if line.quantity
    )
    return round_money(sum(parts, ZERO))


def delivered(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> Decimal:
    """What of `order` is delivered and not invoiced, as `unbilled`."""
    parts = ((line.net + line.tax) / line.quantity * max(line.moved - line.billed, ZERO) for line in lines)
    return round_money(sum(parts, ZERO) * order.rate)


def beyond(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> Decimal:
    """What of `order` was delivered beyond it, as `unbilled`; its own total does not tell that."""
    parts = ((line.net + line.tax) / line.quantity * max(moved_over(line), ZERO) for line in lines)
    return round_money(sum(parts, ZERO) * order.rate)


def counted(order: SalesOrder, lines: Sequence[SalesOrderLine]) -> Decimal:
    """What `order` counts in its customer's exposure (rule S-03)."""
    terms = credit_terms(order.customer)
    return unbilled(order, lines) if terms is None or terms.count_orders else delivered(order, lines)


def credit_problem(
    terms: CustomerTerms,
    amount: Decimal,
    today: dt.date,
    *,
    what: Any,
    without_order: int | None = None,
    lock: bool = True,
) -> str:
    """Why `amount` more exceeds the customer's credit, in words that name `what` asks for it; empty if it does not.

    `terms` are those of the head company where a limit is shared. `without_order` is an order that `amount` stands
    for, so that it is not counted twice. Holds the terms, so that two orders cannot both use the last of the
    limit; no `lock` is needed where the exposure does not grow.
    """
    limits = (terms.credit_limit, terms.overdue_days, terms.overdue_amount)
    if terms.credit_action == CreditAction.IGNORE or limits == (None, None, None):
        return ""
    if lock:
        CustomerTerms.objects.select_for_update().values_list("pk").get(pk=terms.pk)
    state = exposure(terms.customer_id, without_order=without_order, today=today)
    if problem := _overdue_problem(terms, state, today):
        return problem
    if terms.credit_limit is None:
        return ""
    over = state.total(with_orders=terms.count_orders) + amount - terms.credit_limit
    if over <= 0:
        return ""
    return _("%(what)s exceeds the credit limit of %(customer)s by %(amount)s.") % {
        "what": what,
        "customer": terms.customer,
        "amount": f"{over:,.2f}",
    }


def _overdue_problem(terms: CustomerTerms, state: Exposure, today: dt.date) -> str:
    """What is overdue for too long, or too much whatever the days (rule S-04)."""
    late = (today - state.oldest_due).days if state.oldest_due else 0
    if terms.overdue_days is not None and late > terms.overdue_days:
        return ngettext(
            "%(customer)s has an invoice overdue for %(days)s day.",
            "%(customer)s has an invoice overdue for %(days)s days.",
            late,
        ) % {"customer": terms.customer, "days": late}
    if terms.overdue_amount is not None and state.overdue > terms.overdue_amount:
        return _("%(customer)s has %(amount)s overdue; %(limit)s are allowed.") % {
            "customer": terms.customer,
            "amount": f"{state.overdue:,.2f}",
            "limit": f"{terms.overdue_amount:,.2f}",
        }
    return ""


def apply_credit_check(order: SalesOrder, lines: Sequence[SalesOrderLine], today: dt.date) -> str:
    """Check the customer's credit for `order`: refuse, put the order on hold, or return a warning (S-04)."""
    terms = credit_terms(order.customer)
    if terms is None or _released(order, today):
        return ""
    problem = credit_problem(terms, unbilled(order, lines), today, what=_("This order"), without_order=order.pk)
    if not problem:
        return ""
    if terms.credit_action == CreditAction.REFUSE:
        raise BusinessError(problem + " " + _("Save the order as a draft, or ask accounting to raise the limit."))
    if terms.credit_action == CreditAction.HOLD and order.hold != Hold.MANUAL:
        order.hold, order.hold_reason = Hold.CREDIT, problem[:300]
    return problem


def check_delivery_credit(
    order: SalesOrder, lines: Sequence[SalesOrderLine], today: dt.date, *, besides: Decimal = ZERO
) -> str:
    """Check the credit again before goods leave (S-04): a warning, or a refusal until the order is released.

    `lines` are all lines of `order` with what leaves now; `besides` is what the same delivery brings of other orders.
    """
    terms, over = credit_terms(order.customer), beyond(order, lines)
    if terms is None or _released(order, today, over):
        return ""
    amount = counted(order, lines) + besides
    grows = not terms.count_orders or bool(over)
    problem = credit_problem(terms, amount, today, what=order, without_order=order.pk, lock=grows)
    if problem and terms.credit_action != CreditAction.WARN:
        raise BusinessError(
            problem + " " + _("Have %s released before it is shipped, or ask accounting to raise the limit.") % order
        )
    return problem


def check_invoice_credit(customer: Any, amount: Decimal, today: dt.date) -> str:
    """Check the credit for `amount` invoiced without an order (S-04, direct invoice): a warning, or a refusal."""
    terms = credit_terms(customer)
    if terms is None:
        return ""
    problem = credit_problem(terms, amount, today, what=_("This invoice"))
    if problem and terms.credit_action != CreditAction.WARN:
        raise BusinessError(problem + " " + _("Ask accounting to raise the limit."))
    return problem


def _released(order: SalesOrder, today: dt.date, over: Decimal = ZERO) -> bool:
    """Whether a release covers the order as it is now: up to its amount and until its day (rule S-05)."""
    if order.released_amount is None or order.base_total + over > order.released_amount:
        return False
    return order.released_until is None or today <= order.released_until


def terms_of(customer: Any) -> CustomerTerms | None:
    """The terms of a customer, if any (joined by `select_related("customer__terms")` at no cost)."""
    return getattr(customer, "terms", None)


def credit_terms(customer: Any) -> CustomerTerms | None:
    """The terms by which the credit of a customer is checked: its head company's where it shares a limit (S-03).

    Joined by `select_related("customer__terms__credit_of__terms")` at no cost.
    """
    terms = terms_of(customer)
    return terms if terms is None or terms.credit_of is None else terms_of(terms.credit_of)
