"""Charts of accounts that come with Sanhe, and how one of them is loaded.

A chart is a CSV file in this folder. Its column `use` says what documents post to an account: purposes of
posting rules (`revenue`, or `revenue:SERVICE` for one product posting group) and the tax accounts
(`output-tax`, `input-tax`, `simplified-tax`).
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models.deletion import ProtectedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.models import Account, JournalEntry, PostingGroup, PostingRule, TaxCode
from erp.finance.models.accounts import Purpose
from kit.values.errors import BusinessError
from oa.organisation.models import CompanyProfile

CHARTS = {
    "small-enterprise": gettext_lazy("Small enterprises (China)"),
    "asbe": gettext_lazy("Business enterprises (China)"),
    "generic": gettext_lazy("International"),
}
GOODS, SERVICE = "GOODS", "SERVICE"  # product posting groups every chart may tell apart

# Tax codes: code, rate, English and Chinese name, use of the account that takes output tax.
TAXES = (
    ("V13", "0.13", "VAT 13 %", "增值税 13%", "output-tax"),
    ("V9", "0.09", "VAT 9 %", "增值税 9%", "output-tax"),
    ("V6", "0.06", "VAT 6 %", "增值税 6%", "output-tax"),
    ("V3", "0.03", "VAT 3 %, simplified", "增值税 3%（简易计税）", "simplified-tax"),
    ("V0", "0", "VAT 0 %", "增值税 0%", "output-tax"),
)


def rows_of(name: str) -> list[dict[str, str]]:
    """The rows of chart `name`, parents before children."""
    with (Path(__file__).parent / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@transaction.atomic
def load_chart(name: str, *, by: Any = None) -> int:
    """Replace accounts, posting rules and tax accounts by chart `name`; returns the number of accounts.

    Refused as soon as an entry is posted (rule F-09), and while drafts use accounts that the chart lacks.
    """
    if name not in CHARTS:
        raise BusinessError(_("There is no chart of accounts “%s”.") % name, field="chart")
    if JournalEntry.objects.exists():
        raise BusinessError(_("Entries are posted already; the chart of accounts cannot be replaced any more."))
    rows = rows_of(name)
    _clear({row["code"] for row in rows})
    accounts = _write_accounts(rows, by)
    used = {use: accounts[row["code"]] for row in rows for use in row["use"].split()}
    _write_rules(used, by)
    _write_taxes(used, by)
    CompanyProfile.objects.filter(pk=1).exclude(chart=name).update(chart=name)
    return len(rows)


def _clear(kept: set[str]) -> None:
    """Take away the posting rules, and the accounts that are not in the new chart."""
    PostingRule.objects.all().delete()
    TaxCode.objects.update(output_account=None, input_account=None)
    Account.objects.exclude(parent=None).update(parent=None)
    try:
        Account.objects.exclude(code__in=kept).delete()
    except ProtectedError as error:
        names = ", ".join(sorted({str(row) for row in error.protected_objects})[:5])
        raise BusinessError(_("Drafts use accounts of the present chart: %s. Delete them first.") % names) from error


def _write_accounts(rows: Iterable[Mapping[str, str]], by: Any) -> dict[str, Account]:
    """Make or change the accounts, one statement per level of the tree; returns them by code."""
    written: dict[str, Account] = {}
    for level in _levels(rows):
        batch = [
            Account(
                code=row["code"],
                name=row["name"],
                name_zh=row["name_zh"],
                type=row["type"],
                normal_side=row["normal_side"],
                is_group=bool(row["group"]),
                control=row["control"],
                is_cash=bool(row["cash"]),
                parent=written[row["parent"]] if row["parent"] else None,
                created_by=by,
            )
            for row in level
        ]
        columns = ["name", "name_zh", "type", "normal_side", "is_group", "control", "is_cash", "parent", "active"]
        Account.objects.bulk_create(batch, update_conflicts=True, unique_fields=["code"], update_fields=columns)
        written |= {account.code: account for account in batch}
    return written


def _levels(rows: Iterable[Mapping[str, str]]) -> Iterator[list[Mapping[str, str]]]:
    """Rows by depth in the tree."""
    depth: dict[str, int] = {}
    levels: dict[int, list[Mapping[str, str]]] = {}
    for row in rows:
        depth[row["code"]] = depth[row["parent"]] + 1 if row["parent"] else 0
        levels.setdefault(depth[row["code"]], []).append(row)
    yield from (levels[number] for number in sorted(levels))


def _write_rules(used: Mapping[str, Account], by: Any) -> None:
    """One rule per purpose without group, and those that a chart has for one product group (rule F-08)."""
    groups = {
        code: PostingGroup.objects.get_or_create(code=code, defaults={"name": name, "name_zh": name_zh})[0]
        for code, name, name_zh in ((GOODS, "Goods", "商品"), (SERVICE, "Services", "服务"))
    }
    purposes = {str(purpose) for purpose in Purpose}
    rules = []
    for use, account in used.items():
        purpose, _colon, group = use.partition(":")
        if purpose in purposes:
            rules.append(
                PostingRule(
                    purpose=purpose, product_group=groups[group] if group else None, account=account, created_by=by
                )
            )
    PostingRule.objects.bulk_create(rules)


def _write_taxes(used: Mapping[str, Account], by: Any) -> None:
    """Give the shipped tax codes their accounts, making those that are missing; others get the usual ones."""
    codes = [
        TaxCode(
            code=code,
            rate=Decimal(rate),
            name=name,
            name_zh=name_zh,
            output_account=used[output],
            input_account=used["input-tax"],
            created_by=by,
        )
        for code, rate, name, name_zh, output in TAXES
    ]
    TaxCode.objects.bulk_create(
        codes, update_conflicts=True, unique_fields=["code"], update_fields=["output_account", "input_account"]
    )
    rest = TaxCode.objects.exclude(code__in=[code.code for code in codes])
    rest.update(output_account=used["output-tax"], input_account=used["input-tax"])
