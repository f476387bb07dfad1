"""The account through which money goes when nobody says another one."""

from __future__ import annotations

from erp.finance.models import Account


def main_bank() -> Account | None:
    """The second cash account by code: the first is the till, those after it are for other currencies and uses."""
    accounts = Account.objects.filter(is_cash=True, is_group=False, active=True).order_by("code")[:2]
    return list(accounts)[-1] if accounts else None
