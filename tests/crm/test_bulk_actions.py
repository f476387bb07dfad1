"""Many rows of a list at once, and taking it back (UX 6.2.7, 6.2.8, 7.5; rules G-21, C-15)."""

from __future__ import annotations

import html
import io
import re
import uuid
from typing import Any

import openpyxl
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from crm.customers.models import Customer
from erp.sales.models import SalesOrder
from kit.pages.bulk import CHUNK, MOST, actions_of, run_rows
from kit.pages.resources import registry
from oa.organisation.models import User
from oa.records.jobs import run_job
from oa.records.models import Job, Notification
from tests import factories as make

pytestmark = pytest.mark.django_db

URL = "/crm/customers/bulk/"


@pytest.fixture
def ann() -> User:
    return make.make_user("ann", name="Ann Ray", language="en")


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def some(count: int, owner: User | None = None) -> list[int]:
    rows = [Customer(code=f"B{n:04}", name=f"Blue {n}", owner=owner, city="Wuxi") for n in range(count)]
    return [row.pk for row in Customer.objects.bulk_create(rows)]


def send(browser: Client, query: str = "", **data: Any) -> Any:
    return browser.post(f"{URL}{query}", {"submit_id": str(uuid.uuid4()), **data}, follow=True)


def undo_in(page: str) -> str:
    return html.unescape(re.search(r'action="([^"]*undo=[^"]*)"', page)[1])  # type: ignore[index]


def test_the_list_offers_boxes_and_what_may_be_done(ann: User) -> None:
    """UX 6.2.7: a box for each row, one for the page, all of the filter by their number; actions by right."""
    some(30)
    page = client(ann).get("/crm/customers/?q=Blue").content.decode()
    assert page.count('name="ids"') == 25 and "data-check-all" in page and "Select all 30" in page
    assert 'action="/crm/customers/bulk/?q=Blue"' in page and 'data-total="30"' in page
    assert re.findall(r'name="action" value="(\w+)"', page) == ["owner", "archive", "activate"]
    reader = client(make.make_user("eve", "auditor")).get("/crm/customers/").content.decode()
    assert 'name="action"' not in reader and "Export selection" in reader
    orders = client(ann).get("/sales/orders/")
    assert orders.status_code == 200 and "Export selection" not in orders.content.decode(), "nothing to select"


def test_archiving_asks_nothing_and_is_taken_back(ann: User) -> None:
    """UX 7.5: harmless and reversible: no question, a toast with Undo, which asks for the rights again."""
    keys, browser = some(3), client(ann)
    page = send(browser, "?q=Blue", action="archive", ids=keys).content.decode()
    assert "Archive: 3 done" in page and Customer.objects.filter(active=False).count() == 3
    undo = undo_in(page)
    assert undo.startswith(f"{URL}?q=Blue&undo=")
    other = client(make.make_user("bob"))
    assert other.post(undo).status_code == 403, "somebody else's"
    assert browser.post(undo.replace("undo=", "undo=x")).status_code == 404
    Customer.objects.filter(pk=keys[0]).update(active=True)  # meanwhile by somebody else
    page = browser.post(undo, follow=True).content.decode()
    assert "Taken back: 2 done · 1 skipped" in page and not Customer.objects.filter(active=False).exists()
    assert set(Customer.objects.filter(pk__in=keys[1:]).values_list("version", flat=True)) == {3}


def test_a_record_is_archived_from_its_page(ann: User) -> None:
    """UX 7.5: the menu of a record archives and activates it, and leads back to its page."""
    customer, browser = make.make_customer("Mingrui", code="C-1"), client(ann)
    page = browser.get("/crm/customers/C-1/").content.decode()
    url = html.unescape(re.search(r'action="([^"]*action=archive[^"]*)"', page)[1])  # type: ignore[index]
    assert browser.get(url).status_code == 302 and Customer.objects.get().active, "a link changes nothing"
    answer = browser.post(url, {"submit_id": str(uuid.uuid4())}, follow=True)
    assert answer.redirect_chain[-1][0] == "/crm/customers/C-1/" and not Customer.objects.get().active
    page = answer.content.decode()
    assert "action=activate" in page
    assert browser.post(undo_in(page), follow=True).redirect_chain[-1][0] == "/crm/customers/C-1/"
    customer.refresh_from_db()
    assert customer.active


def test_owners_change_and_change_back(ann: User) -> None:
    """UX script 10: reassign 25 customers, then undo: each gets its own former owner."""
    carol, dave = (make.make_user(name, name=name.title()) for name in ("carol", "dave"))
    keys, browser = some(13, carol) + [c.pk for c in (make.make_customer(f"D{n}", owner=dave) for n in range(12))], None
    browser = client(ann)
    page = send(browser, action="owner", ids=keys).content.decode()
    assert "Change owner (25)" in page and 'name="owner_text"' in page
    page = send(browser, action="owner", ids=keys, confirmed="1").content.decode()
    assert "This field is required" in page and not Customer.objects.filter(owner=ann).exists()
    page = send(browser, action="owner", ids=keys, confirmed="1", owner=ann.pk, owner_text="ann").content.decode()
    assert "Change owner: 25 done" in page and Customer.objects.filter(owner=ann).count() == 25
    browser.post(undo_in(page))
    owners = Customer.objects.values_list("owner__username", flat=True).order_by("pk")
    assert list(owners) == ["carol"] * 13 + ["dave"] * 12


def test_nobody_gives_away_beyond_reach_or_touches_what_is_out_of_sight() -> None:
    """Rules G-21, C-15: rows out of sight are skipped as if they were not there; owners stay within reach."""
    from oa.organisation.models import Department

    south, north = (Department.objects.create(code=code, name=code) for code in ("S", "N"))
    sales = make.make_user("sam", "sales", department=south)
    far = make.make_user("far", "sales", department=north)
    [own] = some(1, sales)
    foreign = make.make_customer("Foreign", owner=far)
    page = send(client(sales), action="archive", ids=[own, foreign.pk]).content.decode()
    assert "1 done · 1 skipped" in page and "not yours to see" in page and "Foreign" not in page
    foreign.refresh_from_db()
    assert foreign.active
    action = next(one for one in actions_of(registry["customer"], sales) if one.name == "owner")
    outcome = run_rows(registry["customer"], action, [own], sales, {"owner": far})
    assert not outcome.done and "part of the company" in outcome.skipped[0][2]


@pytest.mark.django_db(transaction=True)  # progress is told by a connection of its own
def test_all_of_the_filter_with_its_count(ann: User) -> None:
    """UX 6.2.7: the filter is sent with its count; where it differs at execution, the confirm page says so."""
    some(60)
    make.make_customer("Red")
    browser = client(ann)
    page = send(browser, "?q=Blue", action="archive", all="1", count="59").content.decode()
    assert "59 were selected, now there are 60." in page and 'name="count" value="60"' in page
    assert not Customer.objects.filter(active=False).exists()
    page = send(browser, "?q=Blue", action="archive", all="1", count="59", confirmed="1").content.decode()
    assert "now there are 60" in page, "confirmed for another number"
    page = send(browser, "?q=Blue", action="archive", all="1", count="60").content.decode()
    assert "60 rows" in page, "more than 20 rows ask"
    send(browser, "?q=Blue", action="archive", all="1", count="60", confirmed="1")
    job = Job.objects.get()
    assert (job.kind, job.title, len(job.params["keys"])) == ("bulk", "Archive · Customers (60)", 60)
    assert job.error == ""
    assert (job.state, job.result["summary"], job.done, job.total) == ("done", "60 done", 60, 60)
    assert Customer.objects.filter(active=False).count() == 60 and Customer.objects.get(name="Red").active
    page = browser.get(f"/jobs/{job.key}/").content.decode()
    assert "60 done" in page and 'href="/crm/customers/?q=Blue"' in page


def test_a_job_has_the_rights_of_the_moment(ann: User) -> None:
    """Rule G-21: who lost the right meanwhile changes nothing."""
    keys = some(CHUNK + 1)
    send(client(ann), action="archive", ids=keys, confirmed="1", count=str(len(keys)))
    User.objects.filter(pk=ann.pk).update(is_superuser=False)
    ann.groups.clear()
    job = Job.objects.get()
    run_job(job.pk)
    job.refresh_from_db()
    assert job.state == "failed" and not Customer.objects.filter(active=False).exists()


def test_confirming_orders_tells_why_some_were_skipped(ann: User) -> None:
    """UX 6.2.8: each row by the state table and its own service; the reasons stand on the result page."""
    customer = make.make_customer("Mingrui", code="C-1")
    lines = make.line(make.make_service("S", tax=None))
    draft = make.make_order(customer, lines, currency=make.currency())
    done = make.confirmed_order(customer, lines, currency=make.currency())
    empty = make.make_order(customer, lines, currency=make.currency())
    empty.lines.all().delete()
    browser, keys = client(ann), [draft.pk, done.pk, empty.pk]
    url = "/sales/orders/bulk/"
    page = browser.post(url, {"action": "confirm", "ids": keys}).content.decode()
    assert "3 rows" in page and 'name="confirmed"' in page
    form = {"action": "confirm", "ids": keys, "confirmed": "1", "submit_id": str(uuid.uuid4())}
    page = browser.post(url, form).content.decode()
    assert "1 done · 2 skipped" in page and str(done) in page
    assert dict(SalesOrder.objects.values_list("pk", "state"))[draft.pk] == "confirmed"
    again = browser.post(url, form, follow=True).content.decode()
    assert "1 done · 2 skipped" in again, "the same form has one effect"
    assert SalesOrder.objects.get(pk=empty.pk).state == "draft"


def test_the_selection_is_exported(ann: User) -> None:
    """UX 6.2.10: the chosen rows with the columns of the list."""
    keys = some(5)
    answer = client(ann).post("/crm/customers/export/?q=Blue", {"ids": keys[:2]})
    sheet = openpyxl.load_workbook(io.BytesIO(answer.content)).active
    codes = [cell.value for row in sheet.iter_rows() for cell in row if str(cell.value).startswith("B0")]
    assert sorted(codes) == ["B0000", "B0001"]


def test_limits_and_cost(ann: User) -> None:
    """UX 6.2.8: reading costs one statement for 50 rows, each row what its command costs, and no more."""
    resource = registry["customer"]
    action = next(one for one in actions_of(resource, ann) if one.name == "archive")

    def cost(count: int) -> int:
        keys = [make.make_customer(f"C{count}-{n}").pk for n in range(count)]
        with CaptureQueriesContext(connection) as queries:
            outcome = run_rows(resource, action, keys, ann, {})
        assert len(outcome.done) == count
        return len(queries)

    cost(1)
    two, twenty = cost(2), cost(20)
    each = (twenty - two) / 18
    assert each == 6, "a savepoint here, the lock, a savepoint of the command, the update, and two releases"
    some(MOST + 1)
    answer = send(client(ann), "?q=Blue", action="archive", all="1", count=str(MOST + 1), confirmed="1")
    assert "At most 10,000 rows at once." in answer.content.decode()
    assert client(make.make_user("eve", "auditor")).post(URL, {"action": "archive", "ids": 1}).status_code == 403


def test_reading_is_taken_back(ann: User) -> None:
    """UX 7.5: mark read asks nothing and has an Undo, for these notifications of one's own only."""
    Notification.objects.bulk_create(Notification(user=ann, text=f"N{n}") for n in range(2))
    browser = client(ann)
    page = browser.post("/notifications/", follow=True).content.decode()
    url = html.unescape(re.search(r'action="([^"]*unread=[^"]*)"', page)[1])  # type: ignore[index]
    assert not Notification.objects.filter(read_at=None).exists()
    client(make.make_user("bob")).post(url)
    assert not Notification.objects.filter(read_at=None).exists()
    browser.post(url)
    assert Notification.objects.filter(read_at=None).count() == 2
