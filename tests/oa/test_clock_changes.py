"""F-22: nights in which the clocks change, and clocks that are put back: what is due by the clock happens once."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connections
from django.utils import timezone
from django_celery_beat.models import PeriodicTask, PeriodicTasks
from django_celery_beat.schedulers import DatabaseScheduler

from config import beat, clock
from config.celery import app
from oa.organisation.models import User
from oa.organisation.zones import learn_zone
from oa.records.models import Notification
from oa.records.notifications import notify
from oa.reporting import notices, services, tasks
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule
from oa.tasks import tasks as timers
from oa.tasks.models import Reminder, Task, TaskSeries
from oa.tasks.services.series import save_series
from tests import factories as make
from tests.clocks import moved_database
from tests.oa.entering import enter, is_in
from tests.oa.office import make_task

pytestmark = pytest.mark.django_db

BERLIN = ZoneInfo("Europe/Berlin")
HALF_PAST_TWO = dt.time(2, 30)  # not there in one night of spring, there twice in one of autumn
STEP = dt.timedelta(minutes=30)
NIGHTS = {"missing": dt.date(2027, 3, 28), "doubled": dt.date(2027, 10, 31)}


@pytest.fixture
def set_to() -> Iterator[Callable[[dt.datetime], None]]:
    """The database's clock, and with it everybody's, goes on from the moment that it is set to."""
    with moved_database() as set_to:
        yield set_to


def berlin() -> None:
    """The company is one whose clocks change."""
    make.company(time_zone="Europe/Berlin")
    learn_zone("Europe/Berlin")


def entries() -> dict[str, Any]:
    """The timers that have a time of day, as beat holds them."""
    rows = PeriodicTask.objects.exclude(crontab=None).filter(enabled=True)
    return {row.name: beat.Entry(row, app=app) for row in rows}


@pytest.mark.parametrize("night", NIGHTS)
def test_nights_in_which_the_clocks_change(night: str, set_to: Callable[[dt.datetime], None]) -> None:
    """Reports, reminders, series, daily mails and nightly timers at half past two: once in each of three nights."""
    day = NIGHTS[night]
    first = dt.datetime.combine(day - dt.timedelta(days=1), dt.time(0, 0), BERLIN).astimezone(dt.UTC)
    set_to(first - dt.timedelta(hours=6))
    berlin()
    boss = make.make_user("boss", notice_mails="digest", digest_at=HALF_PAST_TWO, time_zone="Europe/Berlin")
    ReportSchedule.objects.all().delete()
    schedule = services.save_schedule(
        ReportSchedule(title="Early", report="daily-business", frequency="daily", at=HALF_PAST_TWO), by=boss
    )
    days = [day + dt.timedelta(days=step) for step in (-1, 0, 1)]
    due = [make_task(boss, title=f"{on}", due_on=on, due_at=HALF_PAST_TWO, reminders="0m 1h") for on in days]
    save_series(TaskSeries(title="Water", every="day", starts_on=days[0], owner=boss), by=boss)
    services.keep_in_step()
    Notification.objects.all().delete()
    fired = walk(set_to, first, boss, schedule)
    assert fired and set(fired.values()) == {1}, fired
    assert {on for _name, on in fired} == set(days)
    assert {name for name, on in fired if on == day} == set(entries()), "each timer in the night of the change, too"
    runs = ReportRun.objects.filter(schedule=schedule).order_by("ends_on").values_list("ends_on", flat=True)
    assert list(runs) == [on - dt.timedelta(days=1) for on in days]
    told = Counter(Reminder.objects.filter(object_id__in=[task.pk for task in due]).values_list("object_id", flat=True))
    assert told == {task.pk: 2 for task in due}, "an hour before and at the moment"
    assert list(Task.objects.exclude(series=None).order_by("due_on").values_list("due_on", flat=True)) == days
    assert OutboxMail.objects.filter(user=boss, dedupe__startswith="notices:").count() == 3


def walk(set_to: Any, now: dt.datetime, boss: User, schedule: ReportSchedule) -> Counter[tuple[str, dt.date]]:
    """Everything that the clock does, in steps of half an hour through three nights: which timer fired on which day."""
    fired: Counter[tuple[str, dt.date]] = Counter()
    held = entries()
    last = now.astimezone(BERLIN).date() + dt.timedelta(days=2)
    while (local := (now := now + STEP).astimezone(BERLIN)).date() <= last:
        if local.hour > 7:
            continue
        set_to(now)
        for name, entry in held.items():
            if entry.is_due().is_due:
                held[name] = next(entry)
                fired[name, local.date()] += 1
                if name == schedule.task.name:
                    tasks.run_schedule(schedule.pk)
        if local.hour == 1 and local.minute == 0:
            notify([boss], f"of {local.date()}")
        tasks.sweep()
        timers.sweep()
        notices.mail_notifications()
    return fired


@pytest.mark.parametrize(("scheduler", "goes_on"), [(beat.Scheduler, True), (DatabaseScheduler, False)])
def test_timers_go_on_when_the_clock_is_put_back(
    scheduler: Any, goes_on: bool, set_to: Callable[[dt.datetime], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An hour back: what is done every minute is done within two; Celery's own scheduler, as a control, waits."""
    PeriodicTask.objects.exclude(name="oa-send-mails").update(enabled=False)
    PeriodicTasks.update_changed()
    monkeypatch.setattr(scheduler, "sync", lambda self: None)  # it closes the connection, and with it this test's clock
    monkeypatch.setattr("django_celery_beat.schedulers.close_old_connections", lambda: None)
    monkeypatch.setattr("django_celery_beat.schedulers.ModelEntry._default_now", lambda entry: app_now())
    monkeypatch.setattr(app, "now", app_now)
    running = scheduler(app=app, lazy=True)
    running.sync = lambda: None
    sent: list[dt.datetime] = []
    monkeypatch.setattr(running, "apply_async", lambda entry, **how: sent.append(timezone.now()))
    start = timezone.now() + dt.timedelta(days=1)
    for minutes in (0, 1, 2):
        set_to(start + dt.timedelta(minutes=minutes, seconds=1))
        ticks(running)
    before = len(sent)
    assert before >= 2
    for minutes in (-60, -59, -58):
        set_to(start + dt.timedelta(minutes=minutes, seconds=1))
        ticks(running)
    assert (len(sent) - before >= 2) is goes_on


def app_now() -> dt.datetime:
    """The machine's clock, for Celery's own scheduler, which asks it: it was put back as well."""
    return timezone.now().astimezone(app.timezone)


def ticks(running: Any) -> None:
    """Several turns of the scheduler at one moment."""
    for _turn in range(4):
        running.tick()


def test_a_person_is_let_in_on_a_leap_day(set_to: Callable[[dt.datetime], None]) -> None:
    """29 February 2040, beyond the seconds of 32 bits: log in, stay in, and be out when the session is over."""
    set_to(dt.datetime(2040, 2, 29, 12, tzinfo=dt.UTC))
    ann = make.make_user("ann", "sales")
    browser = enter(ann)
    set_to(dt.datetime(2040, 2, 29, 12, 20, tzinfo=dt.UTC))
    assert is_in(browser)
    set_to(dt.datetime(2040, 2, 29, 13, 0, tzinfo=dt.UTC))
    assert not is_in(browser)


def test_a_replica_does_not_tell_the_time(set_to: Callable[[dt.datetime], None]) -> None:
    """A new connection to the database is asked for the time; a replica, whose clock is another, does not count."""
    leap = dt.datetime(2040, 2, 29, 12, tzinfo=dt.UTC)
    set_to(leap)
    other = connections.create_connection("default")  # whose clock is not moved
    other.ensure_connection()
    assert timezone.now().year != 2040
    set_to(leap)
    other.alias = "replica"
    clock.ask(other)
    assert timezone.now().year == 2040
    other.close()
