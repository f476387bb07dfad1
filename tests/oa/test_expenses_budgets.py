"""Budgets of departments (rule E-03)."""

from __future__ import annotations

from decimal import Decimal

import pytest

from kit.values.errors import BusinessError
from oa.expenses import services
from oa.expenses.budgets import stages_of
from oa.expenses.models import ExpenseBudget
from oa.organisation.models import Department
from tests import factories as make
from tests.oa import spending as spend

pytestmark = pytest.mark.django_db


def budget(amount: int, over: str = "refuse", of: object = None) -> ExpenseBudget:
    return ExpenseBudget.objects.create(
        department=Department.objects.get(code="HQ"), type=of, year=make.today().year, amount=amount, over=over
    )


def test_a_strict_budget_refuses_and_says_how_much() -> None:
    """E-03: what others claimed counts; what was returned does not."""
    budget(250)
    first = spend.submitted(spend.person(), spend.line(200))
    with pytest.raises(BusinessError, match=r"is exceeded by 10\.00"):
        spend.submitted(spend.person(), spend.line(60))
    services.reject_claim(first, by=None, reason="x")
    assert spend.submitted(spend.person(), spend.line(60)).over_budget is False


def test_a_soft_budget_warns_and_flows_know() -> None:
    """E-03: the claim goes on, marked; the fact is there for flows."""
    from oa.expenses.approving import facts

    budget(50, "warn")
    claim = spend.submitted(spend.person(), spend.line(60))
    assert claim.over_budget and facts(claim)["over_budget"] == "yes"


def test_a_budget_of_a_type_comes_before_the_general_one() -> None:
    """E-03: each line counts in one budget only; other years and departments in none of them."""
    hotel = spend.kind("BH")
    special, general = budget(100, of=hotel), budget(30)
    spend.submitted(spend.person(), spend.line(100, hotel), spend.line(30))
    for wrong in (spend.line(1, hotel), spend.line(1)):
        with pytest.raises(BusinessError, match="is exceeded"):
            spend.submitted(spend.person(), wrong)
    other = Department.objects.create(code="OTHER", name="Other")
    assert spend.submitted(spend.person(), spend.line(500, hotel, department=other)).state == "approving"
    assert stages_of(special) == {"claimed": 100, "approved": 0, "posted": 0}
    assert stages_of(general)["claimed"] == Decimal(30)


def test_stages_of_a_budget() -> None:
    """E-03: claimed, approved and booked; what finance cut is free again."""
    row = budget(1000)
    spend.submitted(spend.person(), spend.line(1))
    spend.approved(spend.person(), spend.line(20))
    spend.posted(spend.person(), spend.line(300))
    cut = spend.approved(spend.person(), spend.line(500))
    cuts = {cut.lines.get().pk: services.audit.Cut(Decimal(400), "x")}
    services.audit_claim(cut, cuts, by=None)
    assert stages_of(row) == {"claimed": Decimal(1), "approved": Decimal(420), "posted": Decimal(300)}
