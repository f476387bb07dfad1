"""The claim sheet 费用报销单: lines, what finance left, advances, the sum in capitals, and who signs (rule E-04)."""

from __future__ import annotations

from typing import Any

from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from erp.trade.prints import column, facts, in_language, paper, terms
from kit.exchange.printing import Print, register
from kit.pages.formats import iso_date, money, trimmed
from kit.values.capitals import amount_in_words
from oa.expenses import accounting


def claim_sheet(claim: Any) -> dict[str, Any]:
    """What the person signs and finance files with the receipts; amounts as allowed, each in base currency."""
    code = accounting.base_code()
    digits = accounting.currencies().get(code, 2)
    lines = list(claim.lines.select_related("type").order_by("position"))
    rest = claim.allowed - claim.offset
    return paper(
        claim,
        _("Expense claim"),
        facts=facts(
            (_("Number"), claim.number),
            (_("Date"), claim.date),
            (_("Person"), claim.owner),
            (_("Department"), claim.department),
            (_("Subject"), claim.title),
            (_("Booked on"), claim.posted_on),
        ),
        columns=[
            column("#", 8),
            column(_("Date"), 22, "left"),
            column(_("Type"), 30, "left"),
            column(_("Description"), "1fr", "left"),
            column(_("Invoice number"), 34, "left"),
            column(_("Amount"), 26),
            column(f"{_('Allowed')} ({code})", 26),
        ],
        rows=[
            {"cells": _cells(number, line, digits), "amount": f"{line.allowed_base:f}"}
            for number, line in enumerate(lines, 1)
        ],
        totals=_totals(claim, code, digits),
        words={"label": _("Amount in words"), "text": amount_in_words(rest, code, get_language() or "en", digits)},
        subtotal_label=_("Page subtotal"),
        terms=terms((_("Note"), claim.note)),
        signatures=_signatures(claim),
    )


def _totals(claim: Any, code: str, digits: int) -> list[dict[str, Any]]:
    """Claimed, what finance left where that is less, what advances take, and the rest."""
    sums = [(_("Claimed"), claim.total)]
    if claim.allowed != claim.total:
        sums.append((_("Allowed"), claim.allowed))
    if claim.offset:
        sums.append((_("Offset by advances"), -claim.offset))
    made = [{"label": label, "value": money(value, digits), "strong": False} for label, value in sums]
    rest = money(claim.allowed - claim.offset, digits)
    return [*made, {"label": f"{_('To be paid')} {code}", "value": rest, "strong": True}]


def _signatures(claim: Any) -> list[dict[str, str]]:
    people = (
        (_("Claimant"), claim.owner),
        (_("Approved by"), claim.approved_by),
        (_("Audited by"), claim.audited_by),
        (_("Cashier"), ""),
    )
    return [{"label": label, "name": str(name or "")} for label, name in people]


def _cells(number: int, line: Any, digits: int) -> list[str]:
    amount = f"{line.currency} {trimmed(line.amount, 2)}"
    return [
        str(number), iso_date(line.date), str(line.type), line.description, line.invoice, amount,
        money(line.allowed_base, digits),
    ]  # fmt: skip


register(Print("claim-sheet", "oa.expenseclaim", gettext_lazy("Claim sheet"), in_language(claim_sheet)))
