"""Leave through the approval engine (rules H-01, X-06 to X-08), and who sees it (rule H-04)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from oa.approvals.models import ApprovalRequest
from oa.approvals.services import approve, reject, send_back, submit, withdraw
from oa.leave.calendar import leave_between
from oa.leave.models import CalendarDay, LeaveEntry, LeaveRequest, LeaveType, WorkCalendar
from oa.leave.panels import to_decide
from oa.leave.services import requests
from oa.leave.services.calendars import save_calendar_part
from oa.leave.services.requests import CANCEL, KIND
from oa.organisation.models import Department
from tests import approving
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.leaving import approved, balance, draft, grant, leave_type, monday, stopped, submitted
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db
DAY = dt.timedelta(days=1)
LONG = [[{"field": "days", "op": ">", "value": "2"}]]


@pytest.fixture
def office(db: Any) -> dict[str, Any]:
    """Ann asks; Mia decides, the chief above two days; Bob sits beside Ann, Carl elsewhere."""
    team, far = (Department.objects.create(code=code, name=code) for code in ("TEAM", "FAR"))
    made: dict[str, Any] = {name: make.make_user(name, "sales", department=team) for name in ("ann", "bob", "mia")}
    made["chief"] = make.make_user("chief", "sales")
    made["carl"] = make.make_user("carl", "sales", department=far)
    made["type"] = leave_type("SECRETKIND")
    LeaveType.objects.filter(pk=made["type"].pk).update(name="Secret kind")
    made["type"].refresh_from_db()
    grant(made["ann"], made["type"], 5)
    return made


@pytest.fixture
def flow(office: dict[str, Any]) -> Any:
    return approving.flow(
        approving.step(1, office["mia"]), approving.step(2, office["chief"], conditions=LONG), kind=KIND
    )


def asked(office: dict[str, Any], days: int = 1, **columns: Any) -> tuple[LeaveRequest, ApprovalRequest]:
    row = draft(office["ann"], office["type"], monday(), monday() + (days - 1) * DAY, **columns)
    found = submit(row, kind=KIND, by=office["ann"])
    row.refresh_from_db()
    return row, found


def decide(found: ApprovalRequest, user: Any) -> None:
    approve(approving.task(found, user), by=user)


def test_the_flow_decides_by_the_number_of_days(office: dict[str, Any], flow: Any) -> None:
    """H-01, X-01: one day by Mia, three days by the chief as well; the last verdict takes the days."""
    row, found = asked(office)
    assert (row.state, found.facts["days"], found.facts["paid"]) == ("approving", "1", "yes")
    decide(found, office["mia"])
    row.refresh_from_db()
    assert row.state == "approved" and balance(office["ann"], office["type"]) == 4
    row = draft(office["ann"], office["type"], monday() + 7 * DAY, monday() + 9 * DAY)
    found = submit(row, kind=KIND, by=office["ann"])
    decide(found, office["mia"])
    assert approving.asked(found) == {office["chief"]} and balance(office["ann"], office["type"]) == 4
    decide(found, office["chief"])
    assert balance(office["ann"], office["type"]) == 1
    assert_books()


def test_with_a_flow_in_force_there_is_no_way_around_it(office: dict[str, Any], flow: Any) -> None:
    """X-10: neither submitting nor deciding beside it, not even by human resources."""
    row, _found = asked(office)
    hr = make.make_user("hr", "hr")
    for command in (requests.approve_leave, requests.withdraw_leave):
        with stopped("decided in its approval"):
            command(row, by=hr)
    with stopped("approval flow"):
        requests.submit_leave(draft(office["ann"], office["type"], monday(5)), by=office["ann"])


def test_rejected_and_withdrawn_leave_is_a_draft_again(office: dict[str, Any], flow: Any) -> None:
    """H-01: nothing is booked, and the time can be asked for again."""
    row, found = asked(office)
    reject(approving.task(found, office["mia"]), by=office["mia"], text="no")
    row.refresh_from_db()
    assert row.state == "draft"
    found = submit(row, kind=KIND, by=office["ann"])
    withdraw(found, by=office["ann"])
    found = submit(LeaveRequest.objects.get(pk=row.pk), kind=KIND, by=office["ann"])
    send_back(approving.task(found, office["mia"]), by=office["mia"], stage=0, text="when?")
    withdraw(found, by=office["ann"])
    row.refresh_from_db()
    assert row.state == "draft" and not LeaveEntry.objects.filter(request=row).exists()


def test_a_cancellation_has_a_flow_of_its_own(office: dict[str, Any]) -> None:
    """H-01: approved leave is cancelled by approval again; until then it stands."""
    approving.flow(approving.step(1, office["mia"]), kind=CANCEL)
    row = approved(office["ann"], office["type"], monday())
    with stopped("approval flow"):
        requests.ask_cancel(row, "x", by=office["ann"])
    found = submit(row, kind=CANCEL, by=office["ann"])
    reject(approving.task(found, office["mia"]), by=office["mia"], text="no")
    row.refresh_from_db()
    assert row.state == "approved"
    decide(submit(row, kind=CANCEL, by=office["ann"]), office["mia"])
    row.refresh_from_db()
    assert row.state == "cancelled" and balance(office["ann"], office["type"]) == 5
    assert_books()


def test_the_balance_is_tested_again_when_it_is_approved(office: dict[str, Any], flow: Any) -> None:
    """X-07: the verdict is taken back with the reason when the days are gone meanwhile."""
    row, found = asked(office, 2)
    LeaveEntry.objects.create(person=office["ann"], type=office["type"], kind="payout", units=-4)
    with stopped("does not suffice"):
        decide(found, office["mia"])
    row.refresh_from_db()
    assert row.state == "approving" and approving.asked(found) == {office["mia"]}


def test_a_request_that_was_recounted_is_not_approved_unseen(office: dict[str, Any], flow: Any) -> None:
    """H-02: the calendar changed while it was decided about, so it is returned and submitted again."""
    row, found = asked(office, 2)
    standard = WorkCalendar.objects.get(standard=True)
    save_calendar_part(CalendarDay(calendar=standard, date=monday()), by=None)
    row.refresh_from_db()
    assert row.units == 1
    with stopped("changed during the approval"):
        decide(found, office["mia"])
    send_back(approving.task(found, office["mia"]), by=office["mia"], stage=0, text="again")
    row.refresh_from_db()
    assert row.state == "draft"


# ---- who sees what ----


def test_type_and_reason_are_seen_by_who_has_to_do_with_it_only(office: dict[str, Any], flow: Any) -> None:
    """H-04: the person, approvers, human resources; a colleague gets the same answer as for no request."""
    row, found = asked(office, reason="surgery")
    url = f"/leave/requests/{row.url_key}/"
    hr = make.make_user("hr", "hr")
    for user in (office["ann"], office["mia"], hr):
        page = client_of(user).get(url)
        assert page.status_code == 200 and b"surgery" in page.content, user
    for user in (office["bob"], office["carl"], office["chief"]):
        client = client_of(user)
        assert client.get(url).status_code == client.get("/leave/requests/LV-none/").status_code == 404, user
        for other in (
            "/leave/requests/",
            "/leave/ledger/",
            "/leave/",
            "/reports/leave-balances/",
            f"/search/?q={row.number[-4:]}",
        ):
            body = client.get(other).content
            assert b"surgery" not in body and row.number.encode() not in body, (user, other)
    decide(found, office["mia"])
    assert client_of(office["mia"]).get(url).status_code == 200


def test_who_oversees_approvals_sees_their_course_and_not_the_reasons(office: dict[str, Any], flow: Any) -> None:
    """H-04, X-13: page, paper and list of requests; what the leave is for stays with who has to do with it."""
    row, found = asked(office, reason="surgery")
    right = Permission.objects.get(codename="manage_approvalrequest")
    Group.objects.get(role__code="warehouse").permissions.add(right)
    overseer = client_of(make.make_user("over", "warehouse"))
    assert overseer.get(f"/leave/requests/{row.url_key}/").status_code == 404
    page = overseer.get(f"/approvals/requests/{found.pk}/")
    assert page.status_code == 200 and b"Mia" in page.content and b"/print/" not in page.content
    assert b"surgery" not in page.content and b"not yours to read" in page.content
    assert overseer.get(f"/approvals/requests/{found.pk}/print/").status_code == 404
    assert b"surgery" not in overseer.get(f"/todo/?tab=all&open={found.pk}").content
    mia = client_of(office["mia"])
    assert mia.get(f"/approvals/requests/{found.pk}/print/").status_code == 200
    assert b"surgery" in mia.get(f"/approvals/requests/{found.pk}/").content


def test_colleagues_see_that_somebody_is_away_and_not_why(office: dict[str, Any]) -> None:
    """H-04: the calendar of the department says "Away"; others see nothing."""
    approved(office["ann"], office["type"], monday(), reason="surgery")
    start = dt.datetime.combine(monday() - DAY, dt.time(), dt.UTC)

    def seen(user: Any) -> list[tuple[str, str, bool]]:
        found = leave_between(user, [office["ann"].pk], start, start + 5 * DAY)
        return [(entry.title, entry.url, entry.busy) for entry in found]

    assert [title for title, _url, _busy in seen(office["ann"])] == ["Secret kind"]
    assert seen(office["bob"]) == [("Away", "", True)] and seen(office["carl"]) == []
    page = client_of(office["bob"]).get(f"/calendar/?view=month&who=team&date={monday()}").content.decode()
    assert "Away" in page and "Secret" not in page and "surgery" not in page
    home = client_of(office["bob"]).get("/leave/").content.decode()
    if monday() <= make.today() + 14 * DAY:
        assert "Ann" in home
    assert "Secret kind" not in home.partition("<aside")[0]


# ---- pages ----


def test_asking_for_leave_on_the_page(office: dict[str, Any]) -> None:
    """UX 6.22: what it costs before it is stored, without a script by a button and with one as a fragment."""
    client = client_of(office["ann"])
    assert client.get("/leave/requests/new/").status_code == 200
    given = {
        "type": office["type"].pk, "first_day": str(monday()), "first_part": "am", "last_day": str(monday() + DAY),
        "last_part": "am", "reason": "<b>{% now %}</b>", "substitute_text": "",
    }  # fmt: skip
    answer = client.post("/leave/preview/", given)
    page = answer.content.decode()
    assert answer.status_code == 200 and "1.5 days" in page and "3.5 days" in page and "<form" in page
    part = client.post("/leave/preview/", given, headers={"HX-Request": "true", "HX-Target": "leave-preview"})
    assert "3.5 days" in part.content.decode() and "<form" not in part.content.decode()
    assert "load" in page.partition("hx-trigger")[2][:20]
    assert "load" not in part.content.decode().partition("hx-trigger")[2][:20]  # else it would ask for ever
    assert not LeaveRequest.objects.exists()
    assert client.post("/leave/requests/new/", {**given, "submit_id": ""}).status_code == 302
    row = LeaveRequest.objects.get()
    assert (row.person, row.units) == (office["ann"], D("1.5"))
    assert client.post(f"/leave/requests/d-{row.pk}/do/submit/").status_code == 302
    row.refresh_from_db()
    assert row.state == "approving"
    home = client.get("/leave/").content.decode()
    assert "Secret kind" in home and "5 days" in home


def test_nobody_asks_for_others_by_a_crafted_form(office: dict[str, Any]) -> None:
    """S-06: a person in the form counts only for who manages leave."""
    given = {
        "type": office["type"].pk, "first_day": str(monday()), "first_part": "am", "last_day": str(monday()),
        "last_part": "pm", "person": office["ann"].pk, "person_text": "ann",
    }  # fmt: skip
    client_of(office["bob"]).post("/leave/requests/new/", given)
    assert LeaveRequest.objects.get().person == office["bob"]
    page = client_of(office["bob"]).post("/leave/preview/", given).content.decode()
    assert "Balance before" in page and "5 days" not in page
    client_of(make.make_user("hr", "hr")).post("/leave/requests/new/", given)
    assert LeaveRequest.objects.filter(person=office["ann"]).count() == 1


def test_human_resources_sees_and_changes_balances(office: dict[str, Any]) -> None:
    """H-01: the report with everybody, the page of a grant with its reason; others see their own."""
    client = client_of(make.make_user("hr", "hr"))
    submitted(office["ann"], office["type"], monday())
    row = {"person": office["ann"].pk, "person_text": "ann Ann", "type": office["type"].pk, "kind": "grant"}
    row |= {"date": str(make.today()), "units": "2"}
    assert client.post("/leave/ledger/new/", row).status_code == 422
    assert client.post("/leave/ledger/new/", {**row, "reason": "extra"}).status_code == 302
    assert balance(office["ann"], office["type"]) == 7
    assert "Ann" in client.get("/reports/leave-balances/").content.decode()
    own = client_of(office["bob"]).get("/reports/leave-balances/").content.decode()
    assert "Secret kind" not in own
    assert client_of(office["bob"]).get("/leave/ledger/new/").status_code == 403


def test_a_summary_tells_the_approver_what_is_left(office: dict[str, Any], flow: Any) -> None:
    """X-09: type, time, days and the balance afterwards on the page of the request."""
    _row, found = asked(office, 2)
    page = client_of(office["mia"]).get(f"/approvals/requests/{found.pk}/").content.decode()
    assert "Secret kind" in page and "2 days" in page and "3 days" in page
    assert found.content_type == ContentType.objects.get_for_model(LeaveRequest)


def test_a_manager_sees_and_decides_about_their_people(office: dict[str, Any]) -> None:
    """H-04: named managers, heads, and above a head the next one; on the desk, in as many statements for many."""
    top = Department.objects.create(code="TOP", name="Top", head=office["chief"])
    Department.objects.filter(code="TEAM").update(parent=top, head=office["mia"])
    free = leave_type(limited=False)
    led = submitted(office["ann"], free, monday())
    head = submitted(office["mia"], free, monday())
    office["bob"].manager = office["carl"]
    office["bob"].save()
    named = submitted(office["bob"], free, monday())
    for user, rows in ((office["mia"], {led, head}), (office["chief"], {head}), (office["carl"], {named})):
        user = type(user).objects.get(pk=user.pk)
        assert set(LeaveRequest.objects.visible_to(user)) == rows, user
        assert {task.title for task in to_decide(user, 20)} == {str(r.person) for r in rows if r.person_id != user.pk}
    to_decide(office["mia"], 20)  # reads her rights
    with CaptureQueriesContext(connection) as few:
        to_decide(office["mia"], 20)
    for n in range(5):
        submitted(make.make_user(f"m{n}", "sales", department=office["ann"].department), free, monday())
    with CaptureQueriesContext(connection) as many:
        assert len(to_decide(office["mia"], 20)) == 6
    assert len(many) == len(few)
    assert requests.approve_leave(head, by=office["chief"]).state == "approved"
