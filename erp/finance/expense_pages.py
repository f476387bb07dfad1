"""Pages of expense accounts and payments to employees (registered by `resources`)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from erp.finance import expenses as expenses  # lends the claims their books
from erp.finance.expense_payments import reverse_expense_payment
from erp.finance.expense_run import RIGHTS
from erp.finance.models import ExpenseAccount, ExpensePayment, JournalEntry
from kit.pages.actions import Action
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.panels import Panel, actions, panels
from kit.pages.resources import Resource, register, url_of


def entries_of(document: Any, user: Any) -> dict[str, Any]:
    """The entries of a claim or payment."""
    rows = JournalEntry.objects.filter(source=document._meta.label_lower, source_id=document.pk).order_by("pk")
    return {"entries": rows.prefetch_related("lines__account", "lines__customer", "lines__supplier")}


@register
class ExpenseAccountResource(Resource):
    model = ExpenseAccount
    path = "finance/expense-accounts"
    group = "finance"
    order = 125
    key = "pk"
    columns = (Column("type", phone="cust"), "department", "account", "tax_account")
    filters = ("type", "department")
    fields = ("type", "department", "account", "tax_account")
    import_key = ("type", "department")


@register
class ExpensePaymentResource(Resource):
    model = ExpensePayment
    path = "finance/expense-payments"
    group = "finance"
    order = 46
    icon = "hand-coins"
    columns = (
        "number",
        "date",
        "flow",
        Column("account", phone="cust"),
        "reference",
        Column("amount", phone="amt", total=True),
        "state",
    )
    filters = ("state", "flow", "account", "date")
    search_fields = ("number", "reference")
    ordering = ("-date", "-id")
    extra_fields = ("date", "flow", "account", "amount", "reference", "reversal_of", "posted_at", "posted_by")
    related = ("account", "reversal_of", "posted_by")
    can_create = can_edit = importable = False
    run: ClassVar[Any] = {"reverse": reverse_expense_payment}


def lines_of(payment: Any, user: Any) -> dict[str, Any]:
    """What a payment is for."""
    rows = (payment.reversal_of or payment).lines.select_related("employee", "claim", "advance")
    return {"rows": [(row, url_of(row.claim or row.advance)) for row in rows]}


def advance_actions(advance: Any, user: Any) -> list[Action]:
    """Giving back what is left."""
    if advance.state != "paid" or advance.owner_id == user.pk or not user.has_perms(RIGHTS):
        return []
    return [Action(_("Give back"), reverse("expense-back", args=(advance.pk,)), icon="undo-2", name="back")]


panels["erp.expensepayment"].append(
    Panel("lines", _("Lines"), "main", template="erp/finance/expense_lines.html", context=lines_of)
)
for label in ("erp.expensepayment", "oa.expenseclaim"):
    panels[label].append(
        Panel(
            "ledger",
            _("Posting"),
            "tab",
            template="erp/finance/postings.html",
            context=entries_of,
            permission="erp.view_journalentry",
            order=80,
        )
    )
actions["oa.advance"].append(advance_actions)
tree.add("finance", Link(_("Payment run of employees"), "expense-run", 45, lambda user: bool(user.has_perms(RIGHTS))))
