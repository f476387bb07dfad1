"""Orders on hold: put there by a person or by the credit check, and released with a reason (rules S-04, S-05)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from erp.finance.rights import allow, allow_transition
from erp.sales.credit import credit_problem, credit_terms, unbilled
from erp.sales.models import SalesOrder, SalesOrderLine
from erp.sales.models.orders import Hold
from erp.sales.services.orders import lines_of, lock_order
from erp.sales.services.reservations import release_lines, reserve_lines
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem


@transaction.atomic
def hold_order(order: SalesOrder, *, by: Any, reason: str = "", version: int | None = None) -> SalesOrder:
    """Put a confirmed order on hold by hand: nothing is shipped and nothing reserved until it is released.

    What is delivered may still be invoiced.
    """
    order = lock_order(order, version)
    allow(by, "erp.close_salesorder", _("Put on hold"), order)
    if order.state != "confirmed" or order.hold:
        raise BusinessError(_("%s is not confirmed, or on hold already.") % order)
    if not reason.strip():
        raise BusinessError(_("Enter the reason."), field="reason")
    release_lines(lines_of(order))
    order.hold, order.hold_reason = Hold.MANUAL, reason.strip()[:300]
    order.version += 1
    order.save()
    return order


@transaction.atomic
def release_hold(
    order: SalesOrder,
    *,
    by: Any,
    reason: str = "",
    amount: Decimal | None = None,
    until: dt.date | None = None,
    version: int | None = None,
) -> SalesOrder:
    """Release an order and reserve stock for it (rule S-05).

    It is released up to `amount` in base currency, its present total if None, and until a day, for good if None.
    Also one that is not on hold, where the credit check would stop its next delivery.
    """
    order = lock_order(order, version)
    allow_transition(by, order, "release")
    lines = lines_of(order)
    if order.hold == Hold.APPROVAL:
        raise BusinessError(_("%s waits for approval; only the approval lets it go on.") % order)
    if not order.hold and not _stopped(order, lines):
        raise BusinessError(_("%s is not on hold.") % order)
    amount = order.base_total if amount is None else amount
    _check_release(order, reason, amount, until)
    order.hold, order.hold_reason = Hold.NONE, reason.strip()[:300]
    order.released_amount, order.released_until, order.released_by = amount, until, by
    reserve_lines(lines)
    order.version += 1
    order.save()
    return order


def _check_release(order: SalesOrder, reason: str, amount: Decimal, until: dt.date | None) -> None:
    """A release has a reason and covers the order as it is today."""
    problems = []
    if not reason.strip():
        problems.append(Problem(_("Enter the reason."), "reason"))
    if amount < order.base_total:
        message = _("The order amounts to %s already; release it up to this or more.")
        problems.append(Problem(message % f"{order.base_total:,.2f}", "amount"))
    if until is not None and until < business_day():
        problems.append(Problem(_("This day is over; choose today or later."), "until"))
    if problems:
        raise BusinessError(problems=problems)


def _stopped(order: SalesOrder, lines: list[SalesOrderLine]) -> bool:
    """Whether the customer's credit is used up by what is on the way already."""
    terms = credit_terms(order.customer)
    if terms is None:
        return False
    problem = credit_problem(terms, unbilled(order, lines), business_day(), what=order, without_order=order.pk)
    return bool(problem)
