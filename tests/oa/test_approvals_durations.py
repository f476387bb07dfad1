"""How long approvals take, by step and by person, and who may know (spec approvals X-13)."""

from __future__ import annotations

import datetime as dt
import io
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from openpyxl import load_workbook

from kit.exchange import reports
from kit.exchange.reports import parse_params
from kit.values.errors import BusinessError
from oa.approvals.models import ApprovalTask
from oa.approvals.services import approve, reject
from oa.organisation.models import User
from oa.reporting.models import ReportSchedule
from oa.reporting.services import save_schedule
from tests import approving as make
from tests import factories
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

NAME = "approval-durations"


def figures(user: Any, **params: str) -> list[dict[str, Any]]:
    report = reports.get(NAME)
    return reports.run(report, parse_params(report, params, user), user).rows


def decided(flow: Any, by: User, applicant: User, hours: float, *, days_ago: int = 0, late: bool | None = None) -> None:
    """A request that `by` decided `hours` after being asked."""
    request = make.request(flow, applicant)
    (reject if late else approve)(make.task(request, by), by=by, text="no")
    end = timezone.now() - dt.timedelta(days=days_ago)
    limit = {} if late is None else {"due_at": end + dt.timedelta(hours=-1 if late else 1)}
    ApprovalTask.objects.filter(request=request, user=by).update(
        started_at=end - dt.timedelta(hours=hours), decided_at=end, **limit
    )


@pytest.fixture
def team() -> dict[str, Any]:
    """A decides three times (1, 2 and 9 hours), b once (4 hours) in a flow of another administrator."""
    boss, a, b, admin = make.people("boss", "ann", "bob", "adam")
    first = make.flow(make.step(1, a, name="Budget"), admin=admin)
    second = make.flow(make.step(1, b, name="Contract"), admin=factories.make_user("eve", "sales"))
    for hours, late in ((1, False), (2, None), (9, True)):
        decided(first, a, boss, hours, late=late)
    decided(second, b, boss, 4, days_ago=60)
    return {"boss": boss, "a": a, "b": b, "admin": admin, "first": first, "second": second}


def test_durations_by_step_and_by_person(team: dict[str, Any]) -> None:
    """X-13: number, average, median, longest and the overdue share of those with a time limit."""
    root = factories.make_user("root")
    budget, contract = figures(root)
    assert (budget["step"], budget["decisions"], contract["step"], contract["decisions"]) == (
        "Budget",
        3,
        "Contract",
        1,
    )
    assert (budget["average"], budget["median"], budget["longest"]) == (D("4.0"), D("2.0"), D("9.0"))
    assert (budget["limited"], budget["late"], budget["overdue"]) == (2, 1, D("50.0"))
    assert contract["overdue"] is None
    people = {row["person"]: row["decisions"] for row in figures(root, group_by="person")}
    assert people == {"Ann": 3, "Bob": 1}
    assert [row["decisions"] for row in figures(root, group_by="flow", flow=team["first"].code)] == [3]


def test_the_period_is_that_of_the_decision(team: dict[str, Any]) -> None:
    """X-13: days of the company, both included."""
    root = factories.make_user("root")
    today = factories.days_ago(0)
    assert [row["step"] for row in figures(root, date_from=str(factories.days_ago(1)))] == ["Budget"]
    assert [row["step"] for row in figures(root, date_to=str(factories.days_ago(30)))] == ["Contract"]
    assert [row["step"] for row in figures(root, date_from=str(today), date_to=str(today))] == ["Budget"]


def test_what_the_clock_or_a_rule_decided_does_not_count(team: dict[str, Any]) -> None:
    """X-13: only verdicts of people; an open task counts when it is decided."""
    root, (boss, c) = factories.make_user("root"), make.people("chief", "cat")
    request = make.request(make.flow(make.step(1, c, hours=1, on_timeout="approve")), boss)
    approve(make.task(request, c), by=None)
    make.request(team["first"], team["boss"])
    assert sum(row["decisions"] for row in figures(root)) == 4


def test_administrators_see_their_flows_only_and_others_nothing(team: dict[str, Any]) -> None:
    """X-13, G-21: the page, its export and its rows; who oversees approvals sees all."""
    assert [row["step"] for row in figures(team["admin"])] == ["Budget"]
    assert client_of(team["admin"]).get(f"/reports/{NAME}/").status_code == 200
    with pytest.raises(BusinessError):
        figures(team["a"])
    for query in ("", "?format=xlsx"):
        assert client_of(team["a"]).get(f"/reports/{NAME}/{query}").status_code == 403
    assert NAME not in client_of(team["a"]).get("/reports/").content.decode()


def test_it_is_a_workbook_and_can_be_scheduled(team: dict[str, Any]) -> None:
    """X-13, S-20: exported with its figures; a schedule takes it from who may open it."""
    client = client_of(factories.make_user("root"))
    answer = client.get(f"/reports/{NAME}/?format=xlsx&group_by=person")
    cells = [cell.value for row in load_workbook(io.BytesIO(answer.content)).active.iter_rows() for cell in row]
    assert {"Ann", "Bob", 3, 9} <= set(cells)
    schedule = save_schedule(ReportSchedule(title="Weekly", report=NAME, frequency="weekly"), by=team["admin"])
    assert schedule.pk
    with pytest.raises(BusinessError):
        save_schedule(ReportSchedule(title="Weekly", report=NAME), by=team["a"])


def test_many_decisions_take_no_more_statements(team: dict[str, Any]) -> None:
    """Done means 4: sums are made by the database."""
    root, counts = factories.make_user("root"), []
    for _turn in range(2):
        with CaptureQueriesContext(connection) as queries:
            figures(root)
        counts.append(len(queries))
        for _n in range(10):
            decided(team["second"], team["b"], team["boss"], 1)
    assert counts[0] == counts[1] <= 2
