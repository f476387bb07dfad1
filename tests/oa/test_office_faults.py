"""What the clock does in the office survives SIGKILL of worker and broker: nothing lost, nothing doubled (F-09, F-11).

Real beat, worker and broker. Deadlines of approvals, reminders, recurring and deferred tasks, reviews of documents,
announcements and mails are all due at once; the worker dies in the middle of them, then the broker.
"""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from django_celery_beat.models import IntervalSchedule, PeriodicTask

import oa.records.tasks  # noqa: F401 - so that eager tasks are found by name
from oa.announcements.models import Announcement, AnnouncementEdition, AnnouncementReceipt
from oa.announcements.services import publish
from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask, FormRequest
from oa.approvals.timeouts import handle_overdue
from oa.documents import tasks as library_tasks
from oa.documents.models import LibraryDocument
from oa.organisation.models import Department, User
from oa.records.models import Notification
from oa.reporting import outbox
from oa.reporting.models import MailState, OutboxMail
from oa.tasks.models import Reminder, Task, TaskSeries
from oa.tasks.services.series import save_series
from tests import approving
from tests import factories as make
from tests.invariants import assert_books
from tests.oa import library
from tests.oa.announcing import written
from tests.oa.office import make_task
from tests.oa.processes import PRELUDE, Broker, kill, killed, sent, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

EACH, NEWS, READERS, FEW, MAILS, DIGESTS = 10, 10, 200, 5, 10, 10
RULES = ("approve", "chain", "reject", "remind")
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def due() -> SimpleNamespace:
    """Forty approvals out of time, forty reminders, ten announcements for two hundred people, and more."""
    d = SimpleNamespace(boss=make.make_user("boss"))
    d.author, d.asked, d.chief = approving.people("author", "asked", "chief")
    d.guest = approving.person("guest")
    _approvals(d)
    _tasks(d)
    _documents(d)
    _news(d)
    for number in range(MAILS):
        outbox.store_mail(outbox.OutgoingMail(key=f"k{number}", user=d.author, subject="Report", text="figures"))
    Notification.objects.all().delete()  # told so far; what is told from here on is the clock's
    _digests(d)
    second, _made = IntervalSchedule.objects.get_or_create(every=1, period=IntervalSchedule.SECONDS)
    wanted = PeriodicTask.objects.exclude(name__in=("oa-check-books", "oa-forget-old-keys", "oa-empty-bins"))
    assert wanted.update(interval=second, crontab=None) >= 7
    return d


def _approvals(d: SimpleNamespace) -> None:
    d.requests = {}
    for rule in RULES:
        steps = [approving.step(1, d.asked, hours=8, on_timeout="approve" if rule == "chain" else rule)]
        steps += [approving.step(2, d.chief)] if rule == "chain" else []
        flow = approving.flow(*steps, admin=d.boss)
        d.requests[rule] = [approving.request(flow, d.author, amount="5") for _ in range(EACH)]
        for request in d.requests[rule]:
            approving.late(request, 9)


def _tasks(d: SimpleNamespace) -> None:
    tomorrow = timezone.localtime() + dt.timedelta(days=1)
    d.tasks = [
        make_task(d.author, title=f"Count {n}", due_on=tomorrow.date(), due_at=tomorrow.time(), reminders="2d 1h")
        for n in range(4 * EACH)
    ]
    for task in d.tasks:
        task.participants.add(d.guest)
    Task.objects.update(remind_at=timezone.now() - HOUR)  # the moment "2d" has passed while nobody worked
    d.series = [
        save_series(TaskSeries(title=f"Water {n}", every="day", starts_on=make.today(), owner=d.author), by=d.author)
        for n in range(FEW)
    ]
    d.deferred = [make_task(d.author, title=f"Later {n}") for n in range(FEW)]
    keys = [task.pk for task in d.deferred]
    Task.objects.filter(pk__in=keys).update(state="deferred", deferred_until=make.today())


def _documents(d: SimpleNamespace) -> None:
    place = library.folder("Rules")
    library.let(place, d.author, "manage")
    d.documents = [library.document(place, f"rule {n}.txt", by=d.author) for n in range(2 * EACH)]
    LibraryDocument.objects.update(review_on=make.today())


def _news(d: SimpleNamespace) -> None:
    crowd = Department.objects.create(code="CROWD", name="Crowd")
    made = User.objects.bulk_create(
        User(username=f"r{n}", name=f"Reader {n}", email=f"r{n}@example.com", department=crowd, is_superuser=True)
        for n in range(READERS)
    )
    d.readers = {user.pk for user in made}
    later = timezone.now() + HOUR
    d.news = [
        publish(written(d.boss, f"News {n}", to_departments=[crowd], starts_at=later), by=d.boss) for n in range(NEWS)
    ]
    Announcement.objects.update(starts_at=timezone.now() - HOUR)


def _digests(d: SimpleNamespace) -> None:
    """People whose daily mail is due, each with two messages; nobody else wants mails."""
    User.objects.update(notice_mails="none")
    d.daily = User.objects.bulk_create(
        User(username=f"d{n}", name=f"Daily {n}", email=f"d{n}@example.com", notice_mails="digest")
        for n in range(DIGESTS)
    )
    Notification.objects.bulk_create(
        Notification(user=user, text=f"Waits {n}", mail_due=timezone.now() - HOUR) for user in d.daily for n in range(2)
    )


def decided() -> int:
    """Approvals that the clock has handled."""
    return ApprovalAction.objects.filter(act__in=("approve", "reject"), by=None).count() + reminded().count()


def reminded() -> Any:
    return ApprovalAction.objects.filter(data__note="reminded")


def done() -> bool:
    """Whether everything that is due has happened, at least once."""
    return (
        decided() >= 4 * EACH
        and Reminder.objects.count() >= 8 * EACH
        and Task.objects.filter(series__isnull=False).count() >= FEW
        and not Task.objects.filter(state="deferred").exists()
        and not LibraryDocument.objects.filter(review_told=None).exists()
        and not Announcement.objects.exclude(state="published").exists()
        and not Notification.objects.exclude(mail_due=None).exists()
        and not OutboxMail.objects.exclude(state=MailState.SENT).exists()
    )


def told(text: str) -> Counter[tuple[int, int | None]]:
    """(person, record) of the messages that begin with `text`."""
    return Counter(Notification.objects.filter(text__startswith=text).values_list("user", "object_id"))


def once_for(people: list[int], records: list[Any]) -> Counter[tuple[int, int | None]]:
    """Each of the people once for each of the records."""
    return Counter((person, record.pk) for person in people for record in records)


def assert_approvals_once(d: SimpleNamespace) -> None:
    """One verdict or reminder a request, one effect, everybody told once."""
    acts = Counter(ApprovalAction.objects.filter(by=None).values_list("request", "act", "data__note"))
    assert set(acts.values()) == {1}
    found = {
        rule: set(ApprovalRequest.objects.filter(pk__in=[row.pk for row in rows]).values_list("state", flat=True))
        for rule, rows in d.requests.items()
    }
    assert found == {"approve": {"approved"}, "chain": {"running"}, "reject": {"rejected"}, "remind": {"running"}}
    for rule, state in (("approve", "approved"), ("reject", "draft")):
        forms = FormRequest.objects.filter(pk__in=[row.object_id for row in d.requests[rule]])
        assert set(forms.values_list("state", flat=True)) == {state}
        assert told({"approve": "Approved", "reject": "Rejected"}[rule]) == once_for([d.author.pk], d.requests[rule])
    second = ApprovalTask.objects.filter(user=d.chief, state="running")
    assert Counter(second.values_list("request", flat=True)) == Counter(row.pk for row in d.requests["chain"])
    assert told("Author asks for your approval") == once_for([d.chief.pk], d.requests["chain"])
    assert told("Still waiting") == once_for([d.asked.pk], d.requests["remind"])
    waiting = ApprovalTask.objects.filter(request__in=d.requests["remind"])
    assert set(waiting.values_list("reminders", flat=True)) == {1}


def assert_tasks_once(d: SimpleNamespace) -> None:
    """Each moment reminds each person once, each day of a series makes one task, each deferred one is back."""
    people = [d.author.pk, d.guest.pk]
    assert told("Reminder") == once_for(people, d.tasks)
    assert Counter(Reminder.objects.values_list("user", "object_id")) == once_for(people, d.tasks)
    made = list(Task.objects.filter(series__isnull=False).order_by("series"))
    assert [task.series_id for task in made] == [series.pk for series in d.series]
    assert told("A recurring task is due") == once_for([d.author.pk], made)
    assert set(Task.objects.filter(title__startswith="Later").values_list("state", flat=True)) == {"open"}
    assert told("Review ") == once_for([d.author.pk], d.documents)


def assert_news_once(d: SimpleNamespace) -> None:
    """Published once, with a receipt and a message for each of the audience."""
    people = sorted(d.readers)
    receipts = AnnouncementReceipt.objects.values_list("user", "record")
    assert Counter(receipts) == once_for(people, d.news) == told("New: News")
    assert Counter(AnnouncementEdition.objects.values_list("announcement", flat=True)) == Counter(
        row.pk for row in d.news
    )
    assert set(Announcement.objects.values_list("recipients", "state")) == {(READERS, "published")}


def assert_mails_once(d: SimpleNamespace, folder: Path, kills: int) -> None:
    """None is missing, one daily mail each; what went out twice has the same Message-ID, at most once a kill."""
    daily = OutboxMail.objects.filter(user__in=d.daily)
    assert Counter(daily.values_list("user", flat=True)) == Counter(user.pk for user in d.daily)
    went, wanted = Counter(sent(folder)), set(OutboxMail.objects.values_list("message_id", flat=True))
    assert set(went) == wanted and len(wanted) == MAILS + DIGESTS
    assert went.total() <= MAILS + DIGESTS + kills


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "emptied"])
def test_everything_that_is_due_happens_exactly_once(
    kept: bool, due: SimpleNamespace, processes: Callable[..., subprocess.Popen[bytes]], broker: Broker, tmp_path: Path
) -> None:
    """The worker dies at its first work; the next one loses the broker, which comes back with its file or empty.

    Nobody lends a hand: beat goes on, tasks in flight come back, jobs and mails are taken up when leases run out.
    """
    slow, beat = ("office-", "office", broker.url), processes("office-", "beat", broker.url)
    first = processes(*slow)
    wait_for(lambda: decided() >= 3 and (tmp_path / "in-oa.tasks.services.reminders.tell").exists(), tmp_path)
    kill(first)
    assert not done()
    second = processes(*slow)
    wait_for(lambda: Announcement.objects.filter(state="published").exists(), tmp_path)
    broker.kill()
    assert Announcement.objects.filter(state="scheduled").exists() and not done()
    if not kept:
        broker.empty()
    time.sleep(1)
    broker.start()
    wait_for(done, tmp_path)
    time.sleep(3)  # the clock goes on, and what was in flight comes back: nothing of it has an effect any more
    assert second.poll() is None and beat.poll() is None
    kill(second)
    assert_approvals_once(due)
    assert_tasks_once(due)
    assert_news_once(due)
    assert_mails_once(due, tmp_path, kills=2)
    assert_books()


# The sender dies at its fourth message. As a control its messages are committed beside the rows that say they were
# told: what the one transaction is for.
DIES_AT_THE_FOURTH = (
    PRELUDE
    + """
from oa.documents import reminders
from django.db import connections
calls = 0
telling = reminders.notify
def notify(people, text, *, record):
    global calls
    calls += 1
    if sys.argv[3] == "apart":
        mine, connections["default"] = connections["default"], other
    telling(people, text, record=record)
    if sys.argv[3] == "apart":
        connections["default"] = mine
    if calls == 4:
        os.kill(os.getpid(), signal.SIGKILL)
other = connections.create_connection("default")
reminders.notify = notify
reminders.remind_owners()
"""
)


@pytest.mark.parametrize("how", ["whole", "apart"])
def test_doubles_are_seen_where_message_and_mark_are_not_one_transaction(how: str, tmp_path: Path) -> None:
    """Negative control: the same count that finds each message once finds four of six doubled."""
    d = SimpleNamespace(author=approving.person("author"))
    place = library.folder("Rules")
    library.let(place, d.author, "manage")
    d.documents = [library.document(place, f"rule {n}.txt", by=d.author) for n in range(6)]
    LibraryDocument.objects.update(review_on=make.today())
    killed(DIES_AT_THE_FOURTH, tmp_path, how)
    assert library_tasks.remind() == 6 and library_tasks.remind() == 0
    twice = told("Review ") - once_for([d.author.pk], d.documents)
    assert twice == once_for([d.author.pk], d.documents[:4] if how == "apart" else [])


def test_a_request_that_somebody_has_in_hand_is_not_put_off() -> None:
    """Its lock ends the wait of the clock; a minute later it has its turn, not an hour later."""
    author, asked = approving.people("author", "asked")
    request = approving.request(approving.flow(approving.step(1, asked, hours=8, on_timeout="approve")), author)
    approving.late(request, 9)
    held, released = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            ApprovalRequest.objects.select_for_update().get(pk=request.pk)
            held.set()
            released.wait(60)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(60)
    with connection.cursor() as cursor:
        cursor.execute("SET lock_timeout = '100ms'")
    assert handle_overdue() == 0
    released.set()
    holder.join()
    assert handle_overdue() == 1
    request.refresh_from_db()
    assert request.state == "approved"


def test_more_reviews_than_fit_in_a_batch_are_told_the_same_morning(monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer comes once a day: what it leaves would wait until tomorrow."""
    author = approving.person("author")
    place = library.folder("Rules")
    library.let(place, author, "manage")
    documents = [library.document(place, f"rule {n}.txt", by=author) for n in range(5)]
    LibraryDocument.objects.update(review_on=make.today())
    monkeypatch.setattr("oa.documents.reminders.BATCH", 2)
    assert library_tasks.remind() == 5 and told("Review ") == once_for([author.pk], documents)
