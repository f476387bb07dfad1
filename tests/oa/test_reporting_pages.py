"""Pages of schedules and mails: who may subscribe, edit, send and read."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client

from oa.reporting import outbox
from oa.reporting.models import OutboxMail, ReportSchedule
from oa.reporting.outbox import MailFile, OutgoingMail, store_mail
from tests import factories as make

pytestmark = pytest.mark.django_db
FORM = {"title": "Sales by customer", "report": "sales", "frequency": "weekly", "at": "08:30", "options": "group_by=customer",
        "active": "on"}  # fmt: skip


def logged_in(*roles: str, **columns: Any) -> Client:
    client = Client()
    client.user = make.make_user("", *roles, **columns)  # type: ignore[attr-defined]
    client.force_login(client.user)  # type: ignore[attr-defined]
    return client


@pytest.fixture
def schedule() -> ReportSchedule:
    return ReportSchedule.objects.get()


def test_an_administrator_makes_a_schedule_with_subscribers() -> None:
    """From a report's page: the report, its parameters and oneself are filled in."""
    client, colleague = logged_in("administrator"), make.make_user("ann", "sales")
    page = client.get("/office/schedules/new/?report=sales&group_by=customer&date_from=2026-01-01").content.decode()
    assert 'value="sales" selected' in page and ">\ngroup_by=customer</textarea>" in page
    response = client.post("/office/schedules/new/", {**FORM, "subscribers": [colleague.pk]})
    made = ReportSchedule.objects.get(report="sales")
    assert response.status_code == 302 and response.url == f"/office/schedules/{made.pk}/"
    assert (made.params, made.at, made.owner) == ({"group_by": "customer"}, dt.time(8, 30), client.user)  # type: ignore[attr-defined]
    assert list(made.subscribers.all()) == [colleague] and made.task.crontab.day_of_week == "1"
    shown = client.get(response.url).content.decode()
    assert "Sales by customer" in shown and "group_by=customer" in shown and "ann" in shown.lower()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"report": "nothing"}, "valid choice"),
        ({"options": "group_by"}, "name=value"),
        ({"options": "group_by=moon"}, "not offered"),
        ({"options": "moon=1"}, "no parameter"),
        ({"at": "25:00"}, "valid time"),
    ],
)
def test_wrong_input_is_told_at_the_form_and_stores_nothing(changes: dict[str, str], told: str) -> None:
    response = logged_in("administrator").post("/office/schedules/new/", {**FORM, **changes})
    assert response.status_code == 422 and told in response.content.decode()
    assert ReportSchedule.objects.count() == 1


def test_editing_keeps_the_timer_in_step(schedule: ReportSchedule) -> None:
    client = logged_in("administrator")
    client.post(f"/office/schedules/{schedule.pk}/edit/", {
        "title": "Morning", "report": "daily-business", "frequency": "weekdays", "at": "06:45", "active": "on", "options": "",
        "version": schedule.version,
    })  # fmt: skip
    schedule.refresh_from_db()
    assert (schedule.title, schedule.version, schedule.params) == ("Morning", 2, {})
    assert (schedule.task.crontab.hour, schedule.task.crontab.day_of_week) == ("6", "1-5")


def test_people_subscribe_themselves_and_cannot_change_the_schedule(schedule: ReportSchedule) -> None:
    client = logged_in("sales")
    page = client.get(f"/office/schedules/{schedule.pk}/").content.decode()
    assert "/do/subscribe/" in page and "/do/unsubscribe/" not in page and "/do/send/" not in page
    client.post(f"/office/schedules/{schedule.pk}/do/subscribe/")
    assert list(schedule.subscribers.all()) == [client.user]  # type: ignore[attr-defined]
    page = client.get(f"/office/schedules/{schedule.pk}/").content.decode()
    assert "/do/unsubscribe/" in page and "/do/subscribe/" not in page
    client.post(f"/office/schedules/{schedule.pk}/do/unsubscribe/")
    assert not schedule.subscriptions.exists()
    assert client.get(f"/office/schedules/{schedule.pk}/edit/").status_code == 403
    assert client.post(f"/office/schedules/{schedule.pk}/do/send/").status_code == 403
    assert client.get("/office/schedules/new/").status_code == 403


def test_schedules_of_reports_one_may_not_run_do_not_exist_for_one(schedule: ReportSchedule) -> None:
    client = logged_in("hr")
    assert client.get(f"/office/schedules/{schedule.pk}/").status_code == 404
    assert f"/office/schedules/{schedule.pk}/" not in client.get("/office/schedules/").content.decode()


def test_the_page_tells_the_last_and_the_next_run(schedule: ReportSchedule) -> None:
    from oa.reporting.services import begin_run

    begin_run(schedule)
    page = logged_in("administrator").get(f"/office/schedules/{schedule.pk}/").content.decode()
    assert "Last run" in page and "Next run" in page and "07:00" in page and make.days_ago(1).isoformat() in page


def test_mails_are_read_by_administrators_and_auditors_only() -> None:
    """Text and files on the page and in the back office; for others they do not exist."""
    store_mail(
        OutgoingMail("k", make.make_user(), "Figures of May", "Net 4,711.00", files=[MailFile("a.xlsx", b"PKxyz")])
    )
    row = OutboxMail.objects.get()
    outbox.send_mails()
    for client in (logged_in("administrator", is_staff=True), logged_in("auditor", is_staff=True)):
        assert "Figures of May" in client.get("/office/mails/").content.decode()
        page = client.get(f"/office/mails/{row.pk}/").content.decode()
        assert "Net 4,711.00" in page and f"/office/mails/{row.key}/files/0/" in page
        file = client.get(f"/office/mails/{row.key}/files/0/")
        assert file.content == b"PKxyz" and file["Content-Disposition"].startswith("attachment")
        assert client.get(f"/office/mails/{row.key}/files/1/").status_code == 404
        assert "Net 4,711.00" in client.get(f"/backoffice/oa/outboxmail/{row.pk}/change/").content.decode()
    stranger = logged_in("sales-manager")
    assert stranger.get("/office/mails/").status_code == 403
    assert stranger.get(f"/office/mails/{row.key}/files/0/").status_code == 404


def test_the_back_office_edits_schedules_through_the_service(schedule: ReportSchedule) -> None:
    client, ann = logged_in("administrator", is_staff=True), make.make_user("ann", "sales")
    url = f"/backoffice/oa/reportschedule/{schedule.pk}/change/"
    lines = {"subscriptions-TOTAL_FORMS": 1, "subscriptions-INITIAL_FORMS": 0, "subscriptions-0-user": ann.pk,
             "subscriptions-0-schedule": schedule.pk}  # fmt: skip
    head = {
        "title": "Evening",
        "report": "daily-business",
        "params": "{}",
        "frequency": "daily",
        "at": "19:00",
        "active": "on",
    }
    assert client.post(url, {**head, **lines}).status_code == 302
    schedule.refresh_from_db()
    assert (schedule.task.crontab.hour, list(schedule.subscribers.all())) == ("19", [ann])
    wrong = client.post(url, {**head, **lines, "params": '{"moon": "1"}'})
    assert wrong.status_code == 200 and "no parameter" in wrong.content.decode()
