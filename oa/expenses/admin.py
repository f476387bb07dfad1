"""Back office of expenses: settings are edited, claims and advances only read."""

from __future__ import annotations

from django.contrib import admin

from kit.pages.admin import ReadOnlyAdmin, RecordAdmin
from oa.expenses.models import Advance, ExpenseBudget, ExpenseClaim, ExpenseType


@admin.register(ExpenseType)
class ExpenseTypeAdmin(RecordAdmin):
    """Types of expenses."""

    list_display = ["code", "name", "name_zh", "needs_invoice", "per_diem", "standard", "active"]
    list_filter = ["active", "needs_invoice", "per_diem"]
    search_fields = ["code", "name", "name_zh"]


@admin.register(ExpenseBudget)
class ExpenseBudgetAdmin(RecordAdmin):
    """Budgets by department and year."""

    list_display = ["department", "type", "year", "amount", "over"]
    list_filter = ["year", "over"]
    list_select_related = ["department", "type"]


@admin.register(ExpenseClaim)
class ExpenseClaimAdmin(ReadOnlyAdmin):
    """Expense claims."""

    list_display = ["number", "title", "owner", "date", "total", "allowed", "state"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    search_fields = ["number", "title"]
    date_hierarchy = "date"


@admin.register(Advance)
class AdvanceAdmin(ReadOnlyAdmin):
    """Advances."""

    list_display = ["number", "title", "owner", "date", "amount", "due_on", "state"]
    list_filter = ["state"]
    list_select_related = ["owner"]
    search_fields = ["number", "title"]
