"""What finance adds to the pages of entries, items and accounts."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from erp.finance.models import Allocation, JournalEntry, OpenItem
from erp.finance.models.payments import Direction
from erp.finance.preview import preview
from kit.pages.actions import Action
from kit.pages.panels import Panel, actions, panels
from kit.pages.resources import by_model, registry


def entry_lines(entry: Any, user: Any) -> dict[str, Any]:
    """The lines of a journal entry."""
    return {"lines": entry.lines.select_related("account", "customer", "supplier", "currency")}


def ledger_of(obj: Any, user: Any) -> dict[str, Any]:
    """The entries a document posted, or the preview of what a draft would post."""
    if obj.state == "draft":
        lines, problem = preview(obj, user)
        return {"entries": [], "preview": lines, "problem": problem}
    entries = JournalEntry.objects.filter(source=obj._meta.label_lower, source_id=obj.pk)
    return {"entries": entries.prefetch_related("lines__account", "lines__customer", "lines__supplier")}


def allocations_of(item: Any, user: Any) -> dict[str, Any]:
    """What settled an open item."""
    rows = Allocation.objects.filter(debit_item=item) | Allocation.objects.filter(credit_item=item)
    return {"rows": rows.select_related("debit_item", "credit_item", "entry").order_by("pk")}


def payment_actions(payment: Any, user: Any) -> list[Action]:
    """The open item of a posted payment, where what it left open is settled, and the way to pay it back."""
    if payment.state != "posted" or not user.has_perm("erp.view_openitem"):
        return []
    item = OpenItem.objects.filter(source=payment._meta.label_lower, source_id=payment.pk).first()
    if item is None:
        return []
    made = [Action(_("Open item"), by_model[OpenItem].url_for(item), "scale", name="item")]
    name, partner = REFUNDS.get(payment.direction, ("", ""))
    if name and item.remaining and user.has_perm("erp.add_payment"):
        url = f"{registry[name].url('new')}?{partner}={getattr(payment, partner).pk}&item={item.pk}"
        made.append(Action(_("Refund"), url, "hand-coins", name="refund"))
    return made


# Where what a payment left open is paid back, and the partner of both.
REFUNDS = {Direction.RECEIVE: ("customerrefund", "customer"), Direction.PAY: ("supplierrefund", "supplier")}


actions["erp.payment"].append(payment_actions)
panels["erp.journalentry"].append(
    Panel("lines", gettext_lazy("Lines"), "main", template="erp/finance/entry_lines.html", context=entry_lines)
)
panels["erp.openitem"].append(
    Panel(
        "allocations",
        gettext_lazy("Allocations"),
        "main",
        template="erp/finance/allocations.html",
        context=allocations_of,
    )
)
for label in ("delivery", "invoice", "goodsreceipt", "bill", "payment", "voucher", "stockadjustment"):
    panels[f"erp.{label}"].append(
        Panel(
            "ledger",
            gettext_lazy("Posting"),
            "tab",
            template="erp/finance/postings.html",
            context=ledger_of,
            permission="erp.view_journalentry",
            order=80,
        )
    )
