"""Which inventory account stock stands on, and which one rules and groups lead to (rules F-08, V-14)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db.models import Min, Q, QuerySet
from django.utils.translation import gettext as _

from erp.finance.models import Account, PostingRule
from erp.finance.models.accounts import Purpose
from kit.rules.days import business_day

SAME: Any = object()


def left_behind(levels: QuerySet[Any], group: int | None = SAME, *, then: Sequence[PostingRule] | None = None) -> str:
    """Why stock of `levels` cannot get the posting group `group`, or the posting rules `then`.

    Empty where nothing would stay behind on its account: there is no stock, the account is the same from today
    on, or it is the one that the stock stands on. Goods that come in at the same moment stay where they begin,
    because movements follow the stock (`erp.inventory.ledger.inventory_account`).
    """
    stock = levels.exclude(Q(on_hand=0) & Q(value=0)).exclude(account=None)
    standing = stock.values("product__group__posting_group", "account").order_by().annotate(code=Min("product__code"))
    rows = list(standing.values_list("code", "product__group__posting_group", "account"))
    rules = list(PostingRule.objects.all()) if rows else []
    then = rules if then is None else then
    for code, before, account in rows:
        after = before if group is SAME else group
        for day in _days([*rules, *then]):
            will = _account(then, after, day)
            if will not in (account, _account(rules, before, day)):
                return _(
                    "%(product)s is in stock on account %(account)s. Take the stock out with a stock adjustment "
                    "first, change this, then take it in again."
                ) % {"product": code, "account": Account.objects.get(pk=account)}
    return ""


def _days(rules: Sequence[PostingRule]) -> list[dt.date]:
    """Today, and the days to come on which another rule begins to hold."""
    today, one = business_day(), dt.timedelta(days=1)
    turns = {rule.valid_from for rule in rules} | {rule.valid_to + one for rule in rules if rule.valid_to}
    return sorted({today, *(day for day in turns if day and day > today)})


def _account(rules: Sequence[PostingRule], group: int | None, day: dt.date) -> int | None:
    """As `PostingContext.account` finds it: the rule of the group before the general one, the latest first."""
    first, last = dt.date.min, dt.date.max
    fitting = [
        rule
        for rule in rules
        if rule.purpose == Purpose.INVENTORY
        and rule.partner_group_id is None
        and rule.product_group_id in (group, None)
        and (rule.valid_from or first) <= day <= (rule.valid_to or last)
    ]
    best = max(fitting, key=lambda r: (r.product_group_id is not None, r.valid_from or first), default=None)
    return None if best is None else best.account_id
