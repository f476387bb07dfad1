"""What departments have used of their budgets (rule E-03): added up from lines while the budget is locked."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db.models import Q, Sum
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from kit.pages import formats
from kit.values.errors import BusinessError, Problem
from kit.values.money import ZERO
from oa.expenses.models import ExpenseBudget, ExpenseClaim, ExpenseLine
from oa.expenses.models.budgets import Over
from oa.expenses.models.claims import SUBMITTED

STAGES = {"claimed": ("approving",), "approved": ("approved", "audited"), "posted": ("posted", "paid")}
Place = tuple[int, int, int]  # department, type, year


@dataclass(frozen=True)
class Use:
    """A budget, what others use of it, and what this claim would add."""

    budget: ExpenseBudget
    used: Decimal
    added: Decimal

    @property
    def over(self) -> Decimal:
        """How much too much, 0 where it fits."""
        return max(ZERO, self.used + self.added - self.budget.amount)

    def in_words(self) -> str:
        """What would be too much."""
        return _("The budget %(budget)s of %(amount)s is exceeded by %(over)s.") % {
            "budget": self.budget,
            "amount": formats.money(self.budget.amount),
            "over": formats.money(self.over),
        }


def spent_by_place() -> Any:
    """Lines of submitted claims by department, type and year."""
    rows = ExpenseLine.objects.filter(claim__state__in=SUBMITTED).order_by()
    return rows.annotate(place=Coalesce("department_id", "claim__department_id"))


def check_budgets(claim: ExpenseClaim, lines: Iterable[ExpenseLine]) -> list[Use]:
    """Lock the budgets that `lines` touch and refuse what a strict one does not hold; returns those exceeded.

    Three statements. Two claims at once wait for each other at the row of the budget.
    """
    wanted: dict[Place, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        department = line.department_id or claim.department_id
        if department is not None:
            wanted[department, line.type_id, line.date.year] += line.allowed_base
    if not wanted:
        return []
    departments, years = {p[0] for p in wanted}, {p[2] for p in wanted}
    rows = ExpenseBudget.objects.filter(department__in=departments, year__in=years)
    budgets = list(rows.select_related("department", "type").order_by("pk").select_for_update(of=("self",)))
    if not budgets:
        return []
    uses = _uses(claim, budgets, wanted)
    refused = [use for use in uses if use.over and use.budget.over == Over.REFUSE]
    if refused:
        raise BusinessError(problems=[Problem(use.in_words()) for use in refused])
    return [use for use in uses if use.over]


def _uses(claim: ExpenseClaim, budgets: list[ExpenseBudget], wanted: dict[Place, Decimal]) -> list[Use]:
    by_place = {(b.department_id, b.type_id, b.year): b for b in budgets}

    def budget_of(place: Place) -> ExpenseBudget | None:
        department, _kind, year = place
        return by_place.get(place) or by_place.get((department, None, year))

    added: dict[int, Decimal] = defaultdict(lambda: ZERO)
    used: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for place, amount in wanted.items():
        if (budget := budget_of(place)) is not None:
            added[budget.pk] += amount
    rows = spent_by_place().exclude(claim=claim.pk).filter(
        place__in={b.department_id for b in budgets}, date__year__in={b.year for b in budgets}
    )  # fmt: skip
    for department, kind, year, amount in rows.values_list("place", "type_id", "date__year").annotate(
        Sum("allowed_base")
    ):
        if (budget := budget_of((department, kind, year))) is not None:
            used[budget.pk] += amount
    return [Use(budget, used[budget.pk], added[budget.pk]) for budget in budgets if budget.pk in added]


def stages_of(budget: ExpenseBudget) -> dict[str, Decimal]:
    """What of a budget is claimed, approved and posted (one statement)."""
    rows = spent_by_place().filter(place=budget.department_id, date__year=budget.year)
    if budget.type_id is not None:
        rows = rows.filter(type=budget.type_id)
    else:
        others = ExpenseBudget.objects.filter(department=budget.department_id, year=budget.year)
        rows = rows.exclude(type__in=others.exclude(type=None).values("type"))
    sums = {
        name: Coalesce(Sum("allowed_base", filter=Q(claim__state__in=states)), ZERO) for name, states in STAGES.items()
    }
    found: dict[str, Decimal] = rows.aggregate(**sums)
    return found
