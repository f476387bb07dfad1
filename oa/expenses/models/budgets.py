"""What a department may spend in a year (rule E-03)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from kit.rules.fields import MoneyField
from kit.rules.history import tracked
from oa.expenses.models.types import ExpenseType
from oa.organisation.models import Department
from oa.records.models import Record


class Over(models.TextChoices):
    WARN = "warn", _("warn")
    REFUSE = "refuse", _("refuse")


@tracked()
class ExpenseBudget(Record):
    """A department's budget of a year for one type of expense, or for those types that have none of their own.

    What is used up is never stored: it is added up from the lines of claims while the row is locked.
    """

    department = models.ForeignKey(Department, models.PROTECT, related_name="+", verbose_name=_("department"))
    type = models.ForeignKey(
        ExpenseType, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("expense type"),
        help_text=_("Empty: all types that have no budget of their own."),
    )  # fmt: skip
    year = models.PositiveSmallIntegerField(_("year"))
    amount = MoneyField(_("budget"))
    over = models.CharField(_("beyond the budget"), max_length=6, choices=Over, default=Over.WARN)

    class Meta:
        verbose_name = _("expense budget")
        verbose_name_plural = _("expense budgets")
        ordering = ["-year", "department", "type", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["department", "type", "year"],
                nulls_distinct=False,
                name="expense_budget_once",
                violation_error_message=_("There is such a budget already."),
            ),
            models.CheckConstraint(
                condition=models.Q(amount__gte=0, year__gte=2000, year__lte=2200),
                name="expense_budget_amount",
                violation_error_message=_("A budget has a year and is not negative."),
            ),
        ]

    def __str__(self) -> str:
        return " · ".join(str(part) for part in (self.department, self.type, self.year) if part)
