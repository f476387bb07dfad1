"""The report “Daily business”: figures, visibility, links, files."""

from __future__ import annotations

import datetime as dt
import io
import json
from decimal import Decimal
from html import unescape
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client

from erp.finance.services import reverse_payment
from erp.sales.services import confirm_order, deliver_order, invoice_order, reverse_invoice
from kit.exchange import reports
from kit.exchange.params import SYSTEM
from kit.exchange.report_paper import to_pdf
from oa.organisation.models import Department, User
from tests import factories as make

pytestmark = pytest.mark.django_db
D = Decimal


def run(day: dt.date, user: Any = SYSTEM) -> reports.ReportResult:
    report = reports.get("daily-business")
    return reports.run(report, reports.parse_params(report, {"date": day.isoformat()}, user), user)


def figures(result: reports.ReportResult) -> dict[str, tuple[Any, ...]]:
    """Counts and amounts by salesperson and department."""
    names = [c.name for c in result.columns[2:]]
    return {f"{row['owner']}/{row['department']}": tuple(row[name] for name in names) for row in result.rows}


@pytest.fixture
def day() -> dt.date:
    return make.days_ago(1)


@pytest.fixture
def team(day: dt.date) -> dict[str, User]:
    """Ann (East) and Bob (South) under Max: Ann sold, shipped, billed and was paid in part; Bob has an order."""
    head = Department.objects.create(code="S", name="Sales", parent=Department.objects.get(code="HQ"))
    east, south = (Department.objects.create(code=code, name=code.title(), parent=head) for code in ("EAST", "SOUTH"))
    people = {
        "ann": make.make_user("ann", "sales", department=east, name="Ann"),
        "bob": make.make_user("bob", "sales", department=south, name="Bob"),
        "max": make.make_user("max", "sales-manager", department=head),
        "acc": make.make_user("acc", "accountant"),
    }
    motor = make.make_product("MOTOR", "100")
    make.stock(motor, 50, date=make.days_ago(9))
    ours = make.make_customer("Mingrui", owner=people["ann"], department=east)
    order = make.confirmed_order(ours, make.line(motor, 10), by=people["ann"], date=day)
    deliver_order(order, {order.lines.get().pk: D(4)}, by=None, date=day)
    invoice_order(order, by=None, date=day)
    make.receive(ours, "200", date=day)
    theirs = make.make_customer("Hengtuo", owner=people["bob"], department=south)
    make.confirmed_order(theirs, make.line(motor, 2), by=people["bob"], date=day)
    make.make_order(theirs, make.line(motor, 7), by=people["bob"], date=day)  # a draft
    make.confirmed_order(theirs, make.line(motor, 1), by=people["bob"], date=make.days_ago(2))  # another day
    return people


ANN = (1, D("1130.00"), 1, D("452.00"), 1, D("452.00"), 1, D("200.00"))
BOB = (1, D("226.00"), 0, D(0), 0, D(0), 0, D(0))


def test_figures_of_the_day_by_salesperson_and_department(team: dict[str, User], day: dt.date) -> None:
    """Drafts and other days do not count; amounts include tax; deliveries are valued at the order's prices."""
    result = run(day)
    assert figures(result) == {"ann/EAST": ANN, "bob/SOUTH": BOB}
    assert result.totals[0] | {None: 0} == {
        "orders": 2, "orders_amount": D("1356.00"), "deliveries": 1, "deliveries_amount": D("452.00"), "invoices": 1,
        "invoices_amount": D("452.00"), "receipts": 1, "receipts_amount": D("200.00"), None: 0,
    }  # fmt: skip
    assert run(make.days_ago(30)).rows == []


def test_everybody_sees_the_own_scope_only(team: dict[str, User], day: dt.date) -> None:
    """Rule G-21: own rows, the manager's departments, all; what one may not see at all stays empty."""
    assert figures(run(day, team["ann"])) == {"ann/EAST": (*ANN[:6], None, None)}
    assert figures(run(day, team["bob"])) == {"bob/SOUTH": (*BOB[:6], None, None)}
    assert figures(run(day, team["max"])) == {"ann/EAST": ANN, "bob/SOUTH": BOB}
    assert figures(run(day, team["acc"])) == {"ann/EAST": ANN, "bob/SOUTH": BOB}
    assert "receipts" not in run(day, team["ann"]).totals[0]
    assert not reports.get("daily-business").allowed(make.make_user("hr1", "hr"))


def test_reversals_cancel_out(team: dict[str, User], day: dt.date) -> None:
    """A document and its reversal on the same day count twice and add up to nothing."""
    customer = make.make_customer("Nova", owner=team["ann"], department=team["ann"].department)
    order = make.confirmed_order(customer, make.line(make.make_service("S", "100", "V6")), by=team["ann"], date=day)
    deliver_order(order, by=None, date=day)
    reverse_invoice(invoice_order(order, by=None, date=day), by=None, date=day)
    reverse_payment(make.receive(customer, "70", date=day), by=None, date=day)
    orders, ordered, deliveries, delivered, invoices, invoiced, receipts, received = figures(run(day))["ann/EAST"]
    assert (invoices, invoiced, receipts, received) == (3, D("452.00"), 3, D("200.00"))
    assert (orders, ordered, deliveries, delivered) == (2, D("1236.00"), 2, D("558.00"))


def test_foreign_currency_counts_in_base_currency(team: dict[str, User], day: dt.date) -> None:
    usd = make.currency("USD", "7.1")
    customer = make.make_customer("Acme", owner=team["bob"], department=team["bob"].department)
    product = make.make_product("X", "10", tax="V0")
    make.stock(product, 5, date=make.days_ago(9))
    order = make.make_order(customer, make.line(product, 3, "33.33"), by=team["bob"], date=day, currency=usd)
    deliver_order(confirm_order(order, by=team["bob"]), by=None, date=day)
    row = figures(run(day))["bob/SOUTH"]
    assert row[:4] == (2, D("226.00") + D("709.93"), 1, D("709.93"))


def test_every_figure_leads_to_the_list_of_its_documents(team: dict[str, User], day: dt.date) -> None:
    """The list behind a figure has exactly as many rows, and their sum."""
    client = Client()
    client.force_login(team["acc"])
    result = run(day, team["acc"])
    checked = 0
    for row in result.rows:
        for column in result.columns[2:]:
            url = column.link(row) if column.link else None
            if url is None:
                assert not row[column.name]
                continue
            page = client.get(url)
            shown = unescape(page.content.decode())
            count = row[column.name.removesuffix("_amount")]
            assert page.status_code == 200 and f"1–{count} / {count}" in shown, (url, count)
            if column.name in ("orders_amount", "invoices_amount", "receipts_amount"):
                assert f"{row[column.name]:,.2f}" in shown, url
            checked += 1
    assert checked == 10


def test_the_page_shows_a_chart_with_links(team: dict[str, User], day: dt.date) -> None:
    client = Client()
    client.force_login(team["max"])
    page = client.get(f"/reports/daily-business/?date={day}").content.decode()
    assert '<svg class="chart"' in page and "Ann Ordered: 1,130" in page and "Bob Ordered: 226" in page
    assert f"/sales/orders/?date_from={day}&amp;date_to={day}&amp;state=confirmed" in page
    client.force_login(team["ann"])
    own = client.get(f"/reports/daily-business/?date={day}").content.decode()
    assert "Bob" not in own and "Ann Ordered" in own and "Ann Received" not in own


def test_files_and_command_line(team: dict[str, User], day: dt.date, capsys: pytest.CaptureFixture[str]) -> None:
    """XLSX, PDF, and `manage.py report` as a person."""
    result = run(day, team["max"])
    assert reports.to_xlsx(result).startswith(b"PK") and to_pdf(result).startswith(b"%PDF")
    out = io.StringIO()
    call_command("report", "daily-business", param=[f"date={day}"], format="json", user="bob", stdout=out)
    rows = json.loads(out.getvalue())["rows"]
    assert [(row["owner"], row["orders_amount"], row["receipts"]) for row in rows] == [("bob", "226.00", None)]


def test_the_number_of_statements_does_not_grow_with_the_rows(
    team: dict[str, User], day: dt.date, django_assert_num_queries: Any
) -> None:
    """One statement for each of the four sources, two for the base currency of deliveries and of the chart."""
    with django_assert_num_queries(8):
        run(day)
    for number in range(3):
        seller = make.make_user(f"s{number}", "sales", department=team["ann"].department)
        customer = make.make_customer(owner=seller, department=seller.department)
        make.confirmed_order(customer, make.line(make.make_service(price="5")), by=seller, date=day)
    with django_assert_num_queries(8):
        assert len(run(day).rows) == 5
