"""What the clock does in the office survives SIGKILL of worker and broker: nothing lost, nothing doubled (F-09, F-11).

Real beat, worker and broker. Deadlines of approvals, reminders, recurring and deferred tasks, reviews of documents,
announcements and mails are all due at once; the worker dies in the middle of them, then the broker.
"""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.db import connection, transaction

import oa.records.tasks  # noqa: F401 - so that eager tasks are found by name
from oa.announcements.models import Announcement
from oa.approvals.models import ApprovalRequest
from oa.approvals.timeouts import handle_overdue
from oa.documents import tasks as library_tasks
from oa.documents.models import LibraryDocument
from oa.records.models import Notification
from tests import approving
from tests import factories as make
from tests.invariants import assert_books
from tests.oa import library
from tests.oa.duties import (
    Duties,
    assert_approvals_once,
    assert_mails_once,
    assert_news_once,
    assert_tasks_once,
    decided,
    done,
    every_second,
    once_for,
    told,
)
from tests.oa.processes import PRELUDE, Broker, kill, killed, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

EACH, NEWS, READERS, FEW, MAILS, DIGESTS = 10, 10, 200, 5, 10, 10


@pytest.fixture
def due() -> Duties:
    """Forty approvals out of time, forty reminders, ten announcements for two hundred people, and more."""
    d = Duties(READERS)
    d.add_approvals(EACH)
    d.add_tasks(4 * EACH, FEW)
    d.add_documents(2 * EACH)
    d.add_news(NEWS)
    d.add_mails(MAILS)
    Notification.objects.all().delete()  # told so far; what is told from here on is the clock's
    d.add_digests(DIGESTS)
    every_second()
    return d


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "emptied"])
def test_everything_that_is_due_happens_exactly_once(
    kept: bool, due: Duties, processes: Callable[..., subprocess.Popen[bytes]], broker: Broker, tmp_path: Path
) -> None:
    """The worker dies at its first work; the next one loses the broker, which comes back with its file or empty.

    Nobody lends a hand: beat goes on, tasks in flight come back, jobs and mails are taken up when leases run out.
    """
    slow, beat = ("office-", "office", broker.url), processes("office-", "beat", broker.url)
    first = processes(*slow)
    wait_for(lambda: decided() >= 3 and (tmp_path / "in-oa.tasks.services.reminders.tell").exists(), tmp_path)
    kill(first)
    assert not done(due)
    second = processes(*slow)
    wait_for(lambda: Announcement.objects.filter(state="published").exists(), tmp_path)
    broker.kill()
    assert Announcement.objects.filter(state="scheduled").exists() and not done(due)
    if not kept:
        broker.empty()
    time.sleep(1)
    broker.start()
    wait_for(lambda: done(due), tmp_path)
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
    author, place = approving.person("author"), library.folder("Rules")
    library.let(place, author, "manage")
    documents = [library.document(place, f"rule {n}.txt", by=author) for n in range(6)]
    LibraryDocument.objects.update(review_on=make.today())
    killed(DIES_AT_THE_FOURTH, tmp_path, how)
    assert library_tasks.remind() == 6 and library_tasks.remind() == 0
    twice = told("Review ") - once_for([author.pk], documents)
    assert twice == once_for([author.pk], documents[:4] if how == "apart" else [])


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
