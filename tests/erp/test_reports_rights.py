"""Who may open which report, and which rows it shows (rules G-21, T-04, S-03, S-04)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.management import CommandError, call_command
from django.utils import timezone, translation

from kit.exchange import reports
from kit.exchange.reports import SYSTEM, all_for, parse_params, run, to_csv, to_json, to_xlsx
from kit.values.errors import BusinessError
from oa.organisation.models import User
from tests.erp.books import Books

pytestmark = pytest.mark.django_db

TODAY = timezone.localdate()
EVERY = {
    "trial-balance",
    "general-ledger",
    "aged-receivables",
    "aged-payables",
    "stock-on-hand",
    "stock-card",
    "sales",
    "purchases",
}


def user(role: str, name: str = "") -> User:
    found = User.objects.create_user(name or role, password="x")
    found.groups.add(Group.objects.get(role__code=role))
    return User.objects.get(pk=found.pk)


def shown(name: str, who: Any, **params: str) -> list[dict[str, Any]]:
    found = reports.get(name)
    return run(found, parse_params(found, params, who), who).rows


@pytest.mark.parametrize(
    ("role", "names"),
    [
        ("accountant", EVERY),
        ("auditor", EVERY),
        ("sales", {"sales", "aged-receivables"}),
        ("sales-manager", {"sales", "aged-receivables"}),
        ("warehouse", {"stock-on-hand", "stock-card", "purchases", "sales"}),
        ("purchasing", {"stock-on-hand", "stock-card", "purchases", "sales"}),
        ("hr", set()),
    ],
)
def test_roles_see_their_reports(role: str, names: set[str]) -> None:
    """G-21: cost of stock and the books stay with those who work with them; what is not offered is refused."""
    who = user(role)
    assert {report.name for report in all_for(who)} & EVERY == names
    for name in EVERY - names:
        with pytest.raises(BusinessError):
            run(reports.get(name), {}, who)
    assert {report.name for report in all_for(SYSTEM)} >= EVERY


def test_nobody_sees_a_report_without_rights() -> None:
    """G-21: an inactive person and one without a role get nothing."""
    plain = User.objects.create_user("plain", password="x")
    assert all_for(plain) == []
    with pytest.raises(BusinessError):
        run(reports.get("sales"), {}, plain)


def test_sales_show_own_customers_only() -> None:
    """S-04: turnover and debts of foreign customers appear in no row, total, file or picture."""
    books = Books()
    seller = user("sales", "seller")
    books.hengtuo.owner = seller
    books.hengtuo.save()
    books.buy(TODAY, (books.motor, "50", "10"))
    for customer in (books.hengtuo, books.acme):
        order = books.sell(customer, TODAY, (books.motor, "2", "100"))
        books.deliver(order, TODAY)
        books.invoice(order, TODAY)
    assert [row["customer"] for row in shown("sales", seller, group_by="customer")] == ["HT"]
    assert [row["partner"] for row in shown("aged-receivables", seller)] == ["HT"]
    assert [row["partner"] for row in shown("aged-receivables", SYSTEM)] == ["ACME", "HT"]
    found = reports.get("sales")
    result = run(found, parse_params(found, {"group_by": "customer"}, seller), seller)
    assert result.totals[0]["net"] == 200
    for data in (to_csv(result), to_json(result), result.chart.encode()):
        assert b"ACME" not in data
        assert b"Acme" not in data


def test_a_foreign_record_is_no_parameter() -> None:
    """S-03: a record that the reader may not see is unknown, by code, by key and handed over."""
    books = Books()
    hr = user("hr")
    found = reports.get("stock-card")
    for text in ("SV-750W", f"#{books.motor.pk}"):
        with pytest.raises(BusinessError, match="no product"):
            parse_params(found, {"product": text}, hr)
        assert parse_params(found, {"product": text}, SYSTEM)["product"] == books.motor
    with pytest.raises(BusinessError):
        run(found, {"product": books.motor, "warehouse": None, "date_from": None, "date_to": None}, hr)


def test_command_line_runs_as_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """T-04: --user applies that person's rights."""
    books = Books()
    user("sales", "seller")
    books.sell(books.acme, TODAY, (books.motor, "2", "100"))
    call_command("report", "sales", "--user", "seller")
    assert len(capsys.readouterr().out.splitlines()) == 1
    call_command("report", "sales", "--user", "boss")
    assert len(capsys.readouterr().out.splitlines()) == 2
    with pytest.raises(CommandError, match="may not"):
        call_command("report", "trial-balance", "--user", "seller")


def test_parameters_come_back_as_they_went() -> None:
    """UX 6.7: parameters are a query string; the page, a preset and a schedule read the same."""
    books = Books()
    found = reports.get("stock-card")
    params = parse_params(found, {"product": "SV-750W", "warehouse": "MAIN", "date_to": "2026-01-31"})
    query = reports.query_of(found, params)
    assert query == {"product": "SV-750W", "warehouse": "MAIN", "date_to": "2026-01-31"}
    assert parse_params(found, query) == params
    assert params["warehouse"] == books.warehouse
    with translation.override("zh-hans"):
        assert "伺服电机" in reports.params_text(found, params)


def test_every_problem_of_the_parameters_is_named() -> None:
    """UX 7.4: one problem for each field."""
    with pytest.raises(BusinessError) as error:
        parse_params(reports.get("sales"), {"date_from": "x", "date_to": "2026-13-01", "group_by": "colour"})
    assert [problem.field for problem in error.value] == ["date_from", "date_to", "group_by"]


def test_names_that_look_like_formulas_stay_text() -> None:
    """S-12: a customer's name in a report is protected in CSV and a string in XLSX."""
    books = Books()
    evil = books.customer("=EVIL", '=HYPERLINK("x")')
    books.sell(evil, TODAY - dt.timedelta(days=1), (books.motor, "1", "1"))
    found = reports.get("sales")
    result = run(found, parse_params(found, {"group_by": "customer"}), SYSTEM)
    assert b'"\'=HYPERLINK(""x"")"' in to_csv(result)
    assert b"'=EVIL," in to_csv(result)
    assert to_xlsx(result).startswith(b"PK")
