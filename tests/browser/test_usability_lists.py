"""Usability scripts at lists, within their limits of clicks and keys (UX 11)."""

from __future__ import annotations

import io
import re
from decimal import Decimal as D
from typing import Any

import pytest
from openpyxl import load_workbook
from playwright.sync_api import expect

from crm.customers.models import Customer
from erp.sales.models import SalesOrder
from kit.values.dates import days_of
from oa.organisation.models import Department, User
from oa.records.models import ListChoice, ListView
from tests import factories as make
from tests.browser.counting import hands

COLUMNS = ["customer", "required_date", "state", "goods_percent", "base_total"]  # what Ann looked at so far


@pytest.fixture
def ann(transactional_db: None) -> User:
    """Ann of East; orders of East and West, due this week and later; 30 customers."""
    east, west = (Department.objects.create(code=name.upper(), name=name) for name in ("East", "West"))
    ann = make.make_user("ann", name="Ann", language="en", department=east)
    make.make_user("liman", name="李曼")
    Customer.objects.bulk_create(Customer(code=f"C-{n:03}", name=f"Customer {n}", owner=ann) for n in range(30))
    product, customer = make.make_product("LM-400", "1000", tax=None), Customer.objects.get(code="C-001")
    monday, sunday = days_of("week", make.today())
    later = days_of("next-week", make.today())[1]
    for department, due in [(east, monday), (east, sunday), (west, sunday), (east, later)] * 3:
        make.confirmed_order(customer, make.line(product, 1), by=ann, department=department, required_date=due)
    ListChoice.objects.create(user=ann, page="salesorder", columns=COLUMNS)
    return ann


def select(hand: Any, name: str, label: str) -> None:
    """A choice of a select box: a click that opens it and one on the choice, which no test can do by mouse."""
    hand.click(f"select[name='{name}']")
    hand.page.locator(f"select[name='{name}']").select_option(label=label)
    hand.count_click(label)


def numbers(page: Any) -> list[str]:
    return page.locator("#list tbody td.c-no a").all_inner_texts()


def test_walking_along_a_filtered_list(open_page: Any, ann: User) -> None:
    """UX 11, script 11: open the third order (its row was clicked), the next four, return to the same row: 6 keys."""
    page = open_page(user=ann)
    page.goto("/sales/orders/?view=confirmed")
    orders = numbers(page)
    with hands(page, clicks=1, keys=6) as hand:
        hand.click(page.locator("#list tbody tr").nth(2).locator("td").nth(3))
        hand.press("Enter")
        page.wait_for_url(f"**/sales/orders/{orders[2]}/?*")
        for number in orders[3:7]:
            hand.press("]")
            page.wait_for_url(f"**/sales/orders/{number}/?*")
        hand.press("u")
        page.wait_for_url("**/sales/orders/?*view=confirmed*#r-*")
    assert numbers(page) == orders
    assert page.locator("#list tbody tr.cur td.c-no").all_inner_texts() == [orders[6]]
    expect(page.locator("#list tbody tr.cur")).to_be_in_viewport()


def test_customers_get_another_owner_and_back(open_page: Any, ann: User) -> None:
    """UX 11, script 10: the owner of 25 customers becomes 李曼; then undo: at most 6 clicks."""
    page = open_page(user=ann)
    page.goto("/crm/customers/")
    with hands(page, clicks=6) as hand:
        hand.click("[data-check-all]")
        hand.click("[data-bulk] button[value=owner]")
        page.wait_for_url("**/bulk/*")
        hand.click("[name=owner_text]")
        hand.type("李曼")
        hand.click(".ac .o >> text=李曼")
        hand.click("main [data-primary]")
        expect(page.locator("#toasts")).to_contain_text("25 done")
        assert Customer.objects.filter(owner__name="李曼").count() == 25
        hand.click("#toasts form button")
        expect(page.locator("#toasts")).to_contain_text("Taken back")
    assert Customer.objects.filter(owner=ann).count() == 30


def test_a_view_is_made_shared_and_exported(open_page: Any, ann: User) -> None:
    """UX 11, scripts 8 and 9: orders due this week, not delivered, of East, with their owner, as a view of the team in
    at most 14 clicks; exactly that list as a workbook in at most 2, whose total is that of the list."""
    page = open_page(user=ann)
    page.goto("/sales/orders/")
    with hands(page, clicks=14) as hand:
        hand.click(".fbar summary.add >> text=Filter")
        select(hand, "required_date_period", "This week")
        hand.click("[name=goods_status][value=none]")
        hand.click("[name=goods_status][value=partial]")
        hand.click("[name=department_text]")
        hand.type("East")
        hand.click(".ac .o >> text=East")
        hand.click(".filters .menu-foot button")
        expect(page.locator(".fbar .chip b")).to_have_count(3)
        hand.click("[data-name=list-columns]")
        hand.click("#dialog [name=column][value=owner]")
        hand.click("#dialog footer .pri")
        page.wait_for_url("**/sales/orders/?*")
        hand.click("[data-name=keep-view]")
        expect(page.locator("#dialog [name=name]")).to_be_focused()
        hand.type("Due this week, East")
        hand.click("#dialog label >> text=My department")
        hand.click("#dialog footer .pri")
        page.wait_for_url("**saved=*")
    view = ListView.objects.get()
    assert (view.share, view.department, "owner" in view.columns) == ("department", ann.department, True)
    assert "period=week" in view.query, "it stays this week, whichever week that is"
    kept = SalesOrder.objects.filter(department__name="East", required_date__range=days_of("week", make.today()))
    assert sorted(numbers(page)) == sorted(kept.values_list("number", flat=True)) and kept.count() == 6
    assert "Ann" in page.locator("#list tbody tr").first.inner_text()

    with hands(page, clicks=2) as hand, page.expect_download() as file:
        hand.click("[data-name=export]")
    rows = list(load_workbook(io.BytesIO(file.value.path().read_bytes())).active.values)
    [top] = [place for place, row in enumerate(rows) if row[0] == "number"]
    titles = [heading.lower() for heading in page.locator("#list thead th").all_inner_texts()]
    assert [str(title).lower() for title in rows[top]] == titles[1:], "after the boxes"
    assert [row[0] for row in rows[top + 1 :]] == numbers(page)
    place = titles.index("total incl. tax")
    total = page.locator("#list tfoot tr").last.locator("td, th").nth(place).inner_text()
    assert sum(D(row[place - 1]) for row in rows[top + 1 :]) == D(re.sub(r"[^\d.]", "", total)) == D(6000)


def test_a_view_lent_by_a_colleague_shows_this_week(open_page: Any, ann: User) -> None:
    """UX 6.2.1, 6.2.3: a view with a period by name lists what that period means on the day it is opened.

    A click on the chip leads to its filter."""
    kept = {"share": "department", "department": ann.department, "columns": []}
    view = ListView.objects.create(
        owner=ann, page="salesorder", name="Late", query="required_date_period=next-week", **kept
    )
    page = open_page(user=make.make_user("bob", language="en", department=ann.department))
    page.goto("/sales/orders/")
    page.locator(".tabs a >> text=Late").click()
    page.wait_for_url(f"**saved={view.pk}*")
    expect(page.locator(".fbar .chip b")).to_have_text("next week")
    assert len(numbers(page)) == 3
    page.locator(".fbar .chip b button").click()
    expect(page.locator(".filters [name=required_date_period]")).to_be_focused()
    page.locator(".filters [name=required_date_period]").select_option("week")
    page.locator(".filters .menu-foot button").click()
    expect(page.locator(".fbar .chip b")).to_have_text("this week")


@pytest.mark.parametrize("width", [1440, 390])
def test_a_filter_is_turned_round_and_joined_with_another(open_page: Any, ann: User, width: int) -> None:
    """UX 6.2.3: operator and value in one menu; a chip says both, and leads back to the value, not to the operator."""
    Customer.objects.filter(code__in=("C-001", "C-002")).update(grade="A", region="East")
    Customer.objects.filter(code__in=("C-003", "C-004")).update(grade="B", region="East")
    page = open_page(user=ann, width=width)
    page.goto("/crm/customers/")
    page.locator("summary[data-key=f]").click()
    grade, region = (page.locator(f"[data-filter={name}]") for name in ("grade", "region"))
    grade.locator("input[value=A]").check()
    grade.locator(".ops select").select_option(label="is not")
    region.locator(".ops select").select_option(label="is not empty")
    assert page.watch.wide() <= 0
    page.locator(".filters .bt.pri").click()
    chips = page.locator(".fbar .chip:not(.add)")
    expect(chips).to_have_text([re.compile(r"Grade is not\s*A"), re.compile(r"Region\s*is not empty")])
    expect(page.locator("#list tbody tr")).to_have_count(2)  # C-003 and C-004

    chips.first.locator("button").click()
    expect(grade.locator("input[value=A]")).to_be_focused()
    for field in (grade, region):
        field.locator("[name=any]").check()
    page.keyboard.press("Enter")
    expect(page.locator("#list tbody tr")).to_have_count(25)  # whoever is not A, or has a region
    expect(page.locator(".fbar")).to_contain_text(re.compile(r"A\s*or\s*Region"))
    assert page.watch.wide() <= 0
