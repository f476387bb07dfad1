"""What tests read from the ledgers."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

from erp.finance.models import JournalEntry, JournalLine, PostingRule, TaxCode
from erp.inventory.models import Product
from erp.sales.services import deliver_order, invoice_order
from oa.organisation.models import User
from tests import factories as make


def balance(purpose: str) -> D:
    """What the ledger holds on the accounts that posting rules use for a purpose."""
    accounts = PostingRule.objects.filter(purpose=purpose).values("account")
    return sum((x.debit - x.credit for x in JournalLine.objects.filter(account__in=accounts)), D(0))


def input_tax() -> D:
    """What the ledger holds on the input tax accounts."""
    accounts = TaxCode.objects.values("input_account")
    return sum((x.debit - x.credit for x in JournalLine.objects.filter(account__in=accounts)), D(0))


def entry_of(document: Any, purpose: str = "post") -> dict[str, D]:
    """Debit (positive) and credit by account code of the entry that a document posted."""
    [entry] = JournalEntry.objects.filter(source=document._meta.label_lower, source_id=document.pk, purpose=purpose)
    sums: dict[str, D] = {}
    for line in entry.lines.select_related("account"):
        sums[line.account.code] = sums.get(line.account.code, D(0)) + line.debit - line.credit
    return sums


def code(purpose: str, group: str | None = None) -> str:
    """The account that a rule leads to."""
    rules = PostingRule.objects.filter(purpose=purpose, product_group__code=group, partner_group=None)
    return rules.get().account.code


def sell(product: Product, quantity: int, by: User) -> None:
    """Sell and deliver."""
    customer = make.make_customer("Mingrui Precision")
    order = make.confirmed_order(customer, make.line(product, quantity), by=by)
    deliver_order(order, by=by)
    invoice_order(order, by=by)
