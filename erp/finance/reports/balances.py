"""Openings and turnovers of accounts between two days (rule F-10), from the period balances where periods are whole."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Exists, F, OuterRef, Q, Sum
from django.utils.translation import get_language

from erp.finance.models import Account, JournalEntry, JournalLine, Period, PeriodBalance
from kit.rules.days import business_day
from kit.values.dates import add_months
from kit.values.money import ZERO
from oa.organisation.models import CompanyProfile

ACCOUNT = ("account_id", "account__code", "account__name", "account__name_zh")


@dataclass
class Balance:
    """What an account had before the first day (debit positive), and what moved until the last one."""

    code: str
    name: str
    opening: Decimal = ZERO
    debit: Decimal = ZERO
    credit: Decimal = ZERO

    @property
    def closing(self) -> Decimal:
        """Opening plus debits minus credits."""
        return self.opening + self.debit - self.credit


def account_name(name: str, chinese: str) -> str:
    """The name of an account in the language of the reader."""
    return chinese if chinese and (get_language() or "").startswith("zh") else name


def balances(
    start: dt.date, end: dt.date, user: Any, *, account: Account | None = None, recompute: bool = False
) -> dict[int, Balance]:
    """Balances per account key: whole periods from `PeriodBalance`, the rest from lines; at most four statements.

    A period that nothing was posted in after `end` is whole, too: that is asked before and, where it is so, again
    after, since others post meanwhile. `recompute` adds up lines only, in one statement, and must give the same
    (invariant I-14).
    """
    lines = JournalLine.objects.visible_to(user).filter(date__lte=end)
    whole = PeriodBalance.objects.visible_to(user)
    if account is not None:
        lines, whole = lines.filter(within(account)), whole.filter(within(account))
    if recompute:
        return _collect([_of_lines(lines, start)])
    while True:
        until, cut = _edges(start, end)
        parts = [_of_periods(whole, start, until)]
        if cut:
            parts.append(_of_lines(lines.filter(entry__period__in=cut), start))
        found = _collect(parts)
        if until == end or _edges(start, end) == (until, cut):
            return found


def _edges(start: dt.date, end: dt.date) -> tuple[dt.date, list[int]]:
    """The last day up to which periods are whole, and the keys of those that `start` or `end` cut."""
    edge = Q(start__lt=start, end__gte=start) | Q(start__lte=end, end__gt=end)
    later = JournalEntry.objects.filter(date__gt=end, date__lte=OuterRef("end"))
    until, cut = end, []
    for key, first, last, posted in (
        Period.objects.filter(edge).annotate(posted=Exists(later)).values_list("pk", "start", "end", "posted")
    ):
        if first < start or posted:
            cut.append(key)
        else:
            until = last
    return until, cut


def _of_periods(whole: Any, start: dt.date, end: dt.date) -> Any:
    before, later = Q(period__end__lt=start), Q(period__start__gte=start)
    return (
        whole.filter(before | later & Q(period__end__lte=end))
        .values(*ACCOUNT)
        .annotate(
            opening=Sum(F("debit") - F("credit"), filter=before),
            debits=Sum("debit", filter=later),
            credits=Sum("credit", filter=later),
        )
    )


def within(account: Account) -> Q:
    """Rows of `account`, or of all accounts below it when it is a group (five levels, rule F-09)."""
    if not account.is_group:
        return Q(account=account)
    condition, path = Q(), "account__parent"
    for _level in range(5):
        condition |= Q(**{path: account})
        path += "__parent"
    return condition


def _of_lines(lines: Any, start: dt.date) -> Any:
    before, later = Q(date__lt=start), Q(date__gte=start)
    return (
        lines.order_by()
        .values(*ACCOUNT)
        .annotate(
            opening=Sum(F("debit") - F("credit"), filter=before),
            debits=Sum("debit", filter=later),
            credits=Sum("credit", filter=later),
        )
    )


def _collect(parts: Iterable[Any]) -> dict[int, Balance]:
    found: dict[int, Balance] = {}
    for part in parts:
        for row in part:
            name = account_name(row["account__name"], row["account__name_zh"])
            balance = found.setdefault(row["account_id"], Balance(row["account__code"], name))
            balance.opening += row["opening"] or ZERO
            balance.debit += row["debits"] or ZERO
            balance.credit += row["credits"] or ZERO
    return found


def fiscal_year_start(values: dict[str, Any]) -> dt.date:
    """Default of `date_from`: the first day of the fiscal year in which `date_to` lies."""
    day = values.get("date_to") or business_day()
    first = dt.date(day.year, CompanyProfile.current().fiscal_year_start, 1)
    return first if first <= day else add_months(first, -12)


def today(values: dict[str, Any]) -> dt.date:
    """Default of `date_to`: today, or the first day asked for when that is later."""
    return max(business_day(), values.get("date_from") or dt.date.min)
