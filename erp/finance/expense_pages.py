"""Pages of expense accounts and payments to employees (registered by `resources`)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.utils.translation import gettext_lazy as _

from erp.finance import expenses as expenses  # lends the claims their books
from erp.finance.expense_payments import reverse_expense_payment
from erp.finance.models import ExpenseAccount, ExpensePayment
from kit.pages.columns import Column
from kit.pages.resources import Resource, register


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
