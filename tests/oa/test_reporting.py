"""Scheduled reports: timers in step, runs once, each recipient gets what that person may see (T-04, S-20, I-38)."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, PeriodicTask

import oa.records.tasks  # noqa: F401 - so that eager tasks are found by name
from kit.exchange import reports
from kit.values.errors import BusinessError
from oa.organisation.models import Department, User
from oa.organisation.zones import company_zone
from oa.records.jobs import run_job
from oa.records.models import Job
from oa.reporting import services, tasks
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule
from tests import factories as make

CANARY = "CANARY-7319"


@pytest.fixture
def schedule() -> ReportSchedule:
    """The one that comes with an installation."""
    return ReportSchedule.objects.get()


def reload(user: User) -> User:
    """A person as the next request sees them: permissions are remembered on the object."""
    return User.objects.get(pk=user.pk)


# ---- timers ----


@pytest.mark.django_db
def test_an_installation_mails_the_daily_business_at_seven(schedule: ReportSchedule) -> None:
    """07:00 on the clock of the company, every day, and timers for mails, jobs and the check of the books."""
    assert (schedule.report, schedule.frequency, schedule.at) == ("daily-business", "daily", dt.time(7))
    row = schedule.task.crontab
    assert (row.hour, row.minute, row.day_of_week, str(row.timezone)) == ("7", "0", "*", "Asia/Shanghai")
    assert (schedule.task.task, schedule.task.args) == ("oa.reporting.run_schedule", f"[{schedule.pk}]")
    minutely = PeriodicTask.objects.filter(interval__every=1, interval__period="minutes", enabled=True)
    assert set(minutely.values_list("task", flat=True)) == {
        "oa.reporting.send_mails", "oa.reporting.sweep", "oa.records.sweep_jobs", "oa.announcements.keep_time",
        "oa.approvals.handle_overdue", "oa.documents.keep_asking", "oa.tasks.sweep", "oa.reporting.mail_notifications",
    }  # fmt: skip
    assert PeriodicTask.objects.get(task="oa.reporting.check_books").crontab.hour == "3"


@pytest.mark.django_db
def test_every_timer_names_a_task_that_exists() -> None:
    from celery import current_app

    from config.celery import task_packages

    for package in task_packages():
        __import__(f"{package}.tasks")
    assert set(PeriodicTask.objects.filter(task__startswith="oa.").values_list("task", flat=True)) <= set(
        current_app.tasks
    )


@pytest.mark.django_db
def test_editing_a_schedule_changes_its_timer(schedule: ReportSchedule) -> None:
    by = make.make_user()
    schedule.frequency, schedule.at = "weekly", dt.time(18, 30)
    services.save_schedule(schedule, by=by)
    row = PeriodicTask.objects.get(pk=schedule.task_id).crontab
    assert (row.hour, row.minute, row.day_of_week, row.day_of_month) == ("18", "30", "1", "*")
    schedule.active = False
    services.save_schedule(schedule, by=by)
    assert not PeriodicTask.objects.get(pk=schedule.task_id).enabled
    assert PeriodicTask.objects.filter(task=services.RUN_TASK).count() == 1


@pytest.mark.django_db
def test_a_new_time_zone_of_the_company_moves_all_timers(schedule: ReportSchedule) -> None:
    """07:00 stays 07:00, on another clock; so does the nightly check."""
    make.company(time_zone="Europe/Berlin")
    tasks.sweep()
    zones = PeriodicTask.objects.filter(crontab__isnull=False, task__startswith="oa.").values_list(
        "crontab__timezone", flat=True
    )
    assert {str(zone) for zone in zones} == {"Europe/Berlin"}
    schedule.refresh_from_db()
    assert (schedule.task.crontab.hour, schedule.at) == ("7", dt.time(7))


@pytest.mark.django_db
def test_what_an_administrator_sets_on_the_timer_is_taken_over(schedule: ReportSchedule) -> None:
    task = schedule.task
    task.crontab = CrontabSchedule.objects.create(hour="8", minute="15", day_of_week="1-5", timezone="Asia/Shanghai")
    task.enabled = False
    task.save()
    tasks.sweep()
    schedule.refresh_from_db()
    assert (schedule.frequency, schedule.at, schedule.active) == ("weekdays", dt.time(8, 15), False)


@pytest.mark.django_db
def test_a_deleted_timer_comes_back_and_one_without_schedule_goes(schedule: ReportSchedule) -> None:
    schedule.task.delete()
    tasks.sweep()
    schedule.refresh_from_db()
    assert schedule.task.task == services.RUN_TASK
    schedule.delete()
    tasks.sweep()
    assert not PeriodicTask.objects.filter(task=services.RUN_TASK).exists()


@pytest.mark.django_db
def test_a_schedule_of_a_report_one_may_not_run_is_refused() -> None:
    """Owners cannot give themselves reports by scheduling them (rule G-21)."""
    hr = make.make_user("hr1", "hr")
    with pytest.raises(BusinessError, match="Daily business"):
        services.save_schedule(ReportSchedule(title="x", report="daily-business"), by=hr)
    with pytest.raises(BusinessError, match="no report"):
        services.save_schedule(ReportSchedule(title="x", report="nothing"), by=make.make_user())
    with pytest.raises(BusinessError, match="no parameter"):
        services.save_schedule(
            ReportSchedule(title="x", report="daily-business", params={"datum": "2026-01-01"}), by=make.make_user()
        )
    with pytest.raises(BusinessError, match="not offered"):
        services.save_schedule(ReportSchedule(title="x", report="sales", params={"group_by": "y"}), by=make.make_user())
    assert ReportSchedule.objects.count() == 1


@pytest.mark.django_db
def test_everybody_who_may_run_the_report_may_subscribe(schedule: ReportSchedule) -> None:
    seller, hr = make.make_user("seller", "sales"), make.make_user("hr1", "hr")
    services.subscribe(schedule, by=seller)
    services.subscribe(schedule, by=seller)
    assert list(schedule.subscribers.all()) == [seller]
    with pytest.raises(BusinessError, match="may not open"):
        services.subscribe(schedule, by=hr)
    User.objects.filter(pk=seller.pk).update(email="")
    with pytest.raises(BusinessError, match="mail address"):
        services.subscribe(schedule, by=reload(seller))
    services.unsubscribe(schedule, by=seller)
    assert not schedule.subscriptions.exists()


# ---- what the timer missed ----


@pytest.mark.django_db
def test_a_missed_night_is_caught_up_once_and_for_the_right_day(schedule: ReportSchedule) -> None:
    """Beat was down at 07:00: the sweep begins the run of that morning, for the day before, and not again."""
    morning = dt.datetime(2026, 11, 23, 23, 0, tzinfo=dt.UTC)  # 07:00 on the 24th in Shanghai
    ReportSchedule.objects.update(timed_at=morning - dt.timedelta(days=9))
    assert services.begin_due_runs(morning - dt.timedelta(hours=1)) != []  # the morning before
    assert services.begin_due_runs(morning + dt.timedelta(minutes=1)) == []  # the timer itself comes first
    assert services.begin_due_runs(morning + dt.timedelta(hours=5)) != []
    assert services.begin_due_runs(morning + dt.timedelta(hours=6)) == []
    assert services.begin_run(schedule, now=morning + dt.timedelta(hours=7)) is None
    runs = ReportRun.objects.order_by("starts_on").values_list("starts_on", "ends_on")
    assert list(runs) == [(dt.date(2026, 11, 22),) * 2, (dt.date(2026, 11, 23),) * 2]


@pytest.mark.django_db
def test_what_was_due_before_the_schedule_was_set_is_not_caught_up(schedule: ReportSchedule) -> None:
    now = timezone.now()
    _due, moment = services.last_due("daily", dt.time(7), now, company_zone())
    ReportSchedule.objects.update(timed_at=moment + dt.timedelta(seconds=1))
    assert services.begin_due_runs(now) == []
    ReportSchedule.objects.update(timed_at=moment - dt.timedelta(days=1), active=False)
    assert services.begin_due_runs(moment + dt.timedelta(hours=1)) == []


# ---- runs ----


def trade(seller: User, amount: str) -> None:
    """An order of yesterday of a customer of `seller`."""
    customer = make.make_customer(f"Customer of {seller.username}", owner=seller, department=seller.department)
    product = make.make_product(price=amount, tax="V0")
    make.stock(product, 5, date=make.days_ago(2))
    make.confirmed_order(customer, make.line(product), by=seller, date=make.days_ago(1))


@pytest.fixture
def team() -> dict[str, User]:
    """Two salespeople in two departments under one manager, and what they sold yesterday."""
    top = Department.objects.get(code="HQ")
    head = Department.objects.create(code="S", name="Sales", parent=top)
    east, south = (Department.objects.create(code=code, name=code, parent=head) for code in ("EAST", "SOUTH"))
    people = {
        "ann": make.make_user("ann", "sales", department=east, name="Ann East"),
        "bob": make.make_user("bob", "sales", department=south, name=CANARY),
        "max": make.make_user("max", "sales-manager", department=head, name="Max Head"),
        "root": make.make_user("root", name="Root", department=top),
    }
    trade(people["ann"], "1000")
    trade(people["bob"], "4400")
    ReportSchedule.objects.update(at=dt.time(0))  # yesterday is reported, whatever the time of this test
    return people


def subscribe(schedule: ReportSchedule, *people: User) -> None:
    schedule.subscribers.add(*people)


def mails() -> dict[str, Any]:
    """Mails that went out, by the user name of the recipient; more than one of a person would be told."""
    found = {message.to[0].partition("@")[0]: message for message in mail.outbox}
    assert len(found) == len(mail.outbox)
    return found


def everything_in(message: Any) -> str:
    """All texts of a mail: subject, both bodies, and the cells of the workbook."""
    texts = [message.subject, message.body, *(str(part.content) for part in message.alternatives)]
    for part in message.attachments:
        if isinstance(part, tuple) and part[0].endswith(".xlsx"):
            with zipfile.ZipFile(io.BytesIO(part[1])) as book:
                texts += [book.read(name).decode() for name in book.namelist() if name.endswith(".xml")]
    return "\n".join(texts)


@pytest.mark.django_db(transaction=True)
def test_every_recipient_gets_what_that_person_may_see(schedule: ReportSchedule, team: dict[str, User]) -> None:
    """Rule T-04: four people, one report, four scopes; nobody reads a name or figure of a foreign scope."""
    subscribe(schedule, *team.values())
    assert tasks.run_schedule(schedule.pk)
    got = {name: everything_in(message) for name, message in mails().items()}
    assert set(got) == {"ann", "bob", "max", "root"}
    assert "1,000.00" in got["ann"] and "Ann East" in got["ann"]
    assert CANARY not in got["ann"] and "4,400.00" not in got["ann"] and "5,400.00" not in got["ann"]
    assert CANARY in got["bob"] and "Ann East" not in got["bob"] and "1,000.00" not in got["bob"]
    for name in ("max", "root"):
        assert CANARY in got[name] and "Ann East" in got[name] and "5,400.00" in got[name]
    message = mails()["max"]
    names = [part[0] if isinstance(part, tuple) else part.get_filename() for part in message.attachments]
    assert names == ["daily-business.xlsx", "daily-business.pdf", "daily-business.png"]
    assert next(part[1] for part in message.attachments if part[0] == "daily-business.pdf").startswith(b"%PDF")
    assert 'src="cid:chart"' in message.alternatives[0].content
    yesterday = make.days_ago(1).isoformat()
    assert f"/reports/daily-business/?date={yesterday}" in message.body and yesterday in message.subject


@pytest.mark.django_db(transaction=True)
def test_customers_of_others_are_in_nobody_s_mail(team: dict[str, User]) -> None:
    """The same with a report that names customers, and parameters of the schedule."""
    plan = ReportSchedule(title="By customer", report="sales", params={"group_by": "customer"}, at=dt.time(0))
    services.save_schedule(plan, by=team["root"])
    subscribe(plan, team["ann"], team["root"])
    assert tasks.run_schedule(plan.pk)
    got = {name: everything_in(message) for name, message in mails().items()}
    assert "Customer of ann" in got["ann"] and "Customer of bob" not in got["ann"]
    assert "Customer of ann" in got["root"] and "Customer of bob" in got["root"]


@pytest.mark.django_db(transaction=True)
def test_each_mail_speaks_the_language_of_its_reader(schedule: ReportSchedule, team: dict[str, User]) -> None:
    make.company(name="Huachen Precision", name_zh="华辰精密")
    User.objects.filter(username="max").update(language="zh-hans")
    subscribe(schedule, team["max"], team["root"])
    tasks.run_schedule(schedule.pk)
    chinese, english = mails()["max"], mails()["root"]
    assert "华辰精密" in chinese.subject and 'lang="zh-CN"' in chinese.alternatives[0].content
    assert "Huachen Precision" in english.subject and 'lang="en"' in english.alternatives[0].content
    assert "Daily business" in english.subject and "Salesperson" in english.body


@pytest.mark.django_db(transaction=True)
def test_whoever_lost_the_right_or_left_gets_nothing(
    schedule: ReportSchedule, team: dict[str, User], caplog: pytest.LogCaptureFixture
) -> None:
    """S-20: rights count at the time of sending; the event is logged and shown with the run."""
    subscribe(schedule, *team.values())
    team["ann"].groups.clear()
    User.objects.filter(username="bob").update(is_active=False)
    User.objects.filter(username="max").update(email="")
    tasks.run_schedule(schedule.pk)
    assert set(mails()) == {"root"}
    run = ReportRun.objects.get()
    assert run.mails == 1 and run.log.count("\n") == 2
    for user, reason in (("Ann East", "may not open"), (CANARY, "not active"), ("Max Head", "no mail address")):
        assert any(user in line and reason in line for line in run.log.splitlines()), (user, run.log)
    assert sum("gets nothing" in record.message for record in caplog.records) == 3


@pytest.mark.django_db(transaction=True)
def test_a_moved_person_sees_the_new_scope_from_the_next_run_on(
    schedule: ReportSchedule, team: dict[str, User]
) -> None:
    """The manager becomes an ordinary salesperson: 0 rows of others."""
    subscribe(schedule, team["max"])
    team["max"].groups.set(team["ann"].groups.all())
    tasks.run_schedule(schedule.pk)
    text = everything_in(mails()["max"])
    assert CANARY not in text and "Ann East" not in text and "1,000.00" not in text


@pytest.mark.django_db(transaction=True)
def test_a_doubled_task_makes_one_mail(schedule: ReportSchedule, team: dict[str, User]) -> None:
    """Drill 12 and 13: two beats, a repeated message, a job that runs again."""
    subscribe(schedule, team["ann"], team["root"])
    assert tasks.run_schedule(schedule.pk)
    assert not tasks.run_schedule(schedule.pk)
    assert not run_job(Job.objects.get().pk)
    Job.objects.update(state="waiting", attempts=0)
    assert run_job(Job.objects.get().pk)
    assert tasks.send_mails() == 0
    assert len(mail.outbox) == 2 == OutboxMail.objects.filter(state="sent").count()
    assert ReportRun.objects.get().mails == 2


@pytest.mark.django_db(transaction=True)
def test_nothing_to_report_is_not_mailed_if_so_wished(schedule: ReportSchedule) -> None:
    subscribe(schedule, make.make_user("root"))
    schedule.only_if_not_empty = True
    services.save_schedule(schedule, by=None)
    tasks.run_schedule(schedule.pk)
    assert not mail.outbox and "nothing to report" in ReportRun.objects.get().log
    schedule.only_if_not_empty = False
    services.save_schedule(schedule, by=None)
    services.send_now(schedule, by=make.make_user())
    assert len(mail.outbox) == 1 and "No data" in mail.outbox[0].body


@pytest.mark.django_db(transaction=True)
def test_sending_now_mails_again_what_the_timer_sent(schedule: ReportSchedule, team: dict[str, User]) -> None:
    subscribe(schedule, team["root"])
    tasks.run_schedule(schedule.pk)
    services.send_now(schedule, by=team["root"])
    assert len(mail.outbox) == 2
    assert len({message.extra_headers["Message-ID"] for message in mail.outbox}) == 2
    schedule.subscribers.clear()
    with pytest.raises(BusinessError, match="Nobody"):
        services.send_now(schedule, by=team["root"])


class Fragile(reports.Report):
    """A report with a bug that shows for one reader only."""

    name, title, section = "fragile", "Fragile", "sales"

    @staticmethod
    def permission(user: Any) -> bool:
        return True

    def columns(self, params: dict[str, Any]) -> list[reports.ReportColumn]:
        return [reports.ReportColumn("n", "n", "integer", total=True)]

    def rows(self, params: dict[str, Any], user: Any) -> list[dict[str, Any]]:
        return [{"n": 1 // len(getattr(user, "first_name", ""))}]


@pytest.mark.django_db(transaction=True)
def test_the_trouble_of_one_recipient_stops_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug fails the job and names the person, all others get their mail; a time zone that is gone is no trouble."""
    monkeypatch.setitem(reports._reports, "fragile", Fragile())
    plan = services.save_schedule(ReportSchedule(title="Fragile", report="fragile"), by=make.make_user())
    subscribe(plan, make.make_user("ann", name="Ann"), make.make_user("bob", first_name="B", time_zone="Mars/Olympus"))
    tasks.run_schedule(plan.pk)
    assert set(mails()) == {"bob"}
    run = ReportRun.objects.get()
    assert run.log == "Ann: the report could not be made" and run.mails == 1
    assert run.job is not None and (run.job.state, run.job.error) == (
        "failed",
        "1 mail of “Fragile” could not be made.",
    )


@pytest.mark.django_db(transaction=True)
def test_an_inactive_schedule_does_not_run(schedule: ReportSchedule) -> None:
    subscribe(schedule, make.make_user("root"))
    ReportSchedule.objects.update(active=False)
    assert not tasks.run_schedule(schedule.pk)
    assert not tasks.run_schedule(schedule.pk + 1)
    assert not mail.outbox and not ReportRun.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_files_and_totals_of_a_mail_are_those_of_the_page(
    schedule: ReportSchedule, team: dict[str, User], client: Any
) -> None:
    """The mail links to a page with the same figures."""
    subscribe(schedule, team["max"])
    tasks.run_schedule(schedule.pk)
    client.force_login(team["max"])
    page = client.get(f"/reports/daily-business/?date={make.days_ago(1)}").content.decode()
    for figure in ("1,000.00", "4,400.00", "5,400.00"):
        assert figure in page and figure in mail.outbox[0].body
