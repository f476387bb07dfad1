"""An action on many rows is killed and cancelled in the middle: what is told is what was done (drill F-19, UX 7.11)."""

from __future__ import annotations

import datetime as dt
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crm.customers.models import Customer
from kit.pages import bulk
from kit.pages.bulk import CHUNK
from kit.pages.resources import registry
from oa.organisation.models import User
from oa.records import jobs
from oa.records.models import Job
from tests import factories as make
from tests.oa.processes import PRELUDE, killed

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 4 * CHUNK + 20
IDLE = 10  # every tenth customer is archived already and is skipped

# Does a job and dies at the n-th row, after the tally of the n-th part and before its commit, after that commit, or when
# all is done but the job has not ended.
DYING = (
    PRELUDE
    + """
from django.db import transaction
from kit.pages import bulk
from oa.records import jobs
job, moment, left = int(sys.argv[3]), sys.argv[4], int(sys.argv[5])
def die(): os.kill(os.getpid(), signal.SIGKILL)
def count():
    global left
    left -= 1
    return left == 0
def watch(module, name, then, first=False):
    done = getattr(module, name)
    def watched(*given, **named):
        due = count()
        if due and first: then()
        found = done(*given, **named)
        if due: then()
        return found
    setattr(module, name, watched)
if moment == "row": watch(bulk, "_one", die)
if moment == "kept": watch(jobs.Running, "keep", die)
if moment == "committed": watch(jobs.Running, "keep", lambda: transaction.on_commit(die))
if moment == "end": watch(jobs, "_done", die, first=True)
jobs.run_job(job)
"""
)


@pytest.fixture
def ann(monkeypatch: pytest.MonkeyPatch) -> User:
    """Whose jobs are sent to no worker but what the test starts."""
    monkeypatch.setattr(jobs, "send_job", lambda key: None)
    return make.make_user("ann", name="Ann Ray", language="en")


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def asked(ann: User) -> Job:
    """All customers are to be archived, as the list asks for it."""
    rows = [Customer(code=f"B{n:04}", name=f"Blue {n}", active=n % IDLE != 0) for n in range(ROWS)]
    Customer.objects.bulk_create(rows)
    form = {"action": "archive", "all": "1", "count": str(ROWS), "confirmed": "1"}
    answer = client(ann).post("/crm/customers/bulk/?active=any&q=Blue", form)
    job = Job.objects.get()
    assert answer["Location"] == reverse("job", args=[job.key]) and len(job.params["keys"]) == ROWS
    return job


def assert_truth(job: Job, ann: User, at: int) -> None:
    """The job, its page and the customers say the same: the first `at` rows are done or skipped, no other is touched."""
    job.refresh_from_db()
    page = client(ann).get(reverse("job", args=[job.key])).content.decode()
    keys = job.params["keys"]
    changed = set(Customer.objects.filter(version=2, active=False).values_list("pk", flat=True))
    idle = set(Customer.objects.filter(version=1, active=False).values_list("pk", flat=True))
    assert changed == set(keys[:at]) - idle and not Customer.objects.filter(version__gt=2).exists()
    assert job.done == at and job.result.get("at", 0) == at
    if at:
        done, skipped = len(changed), at - len(changed)
        told = f"{done} done · {skipped} skipped" + (f" · {ROWS - at} left" if at < ROWS else "")
        assert job.result["summary"] == told and told in page and f"{at} / {ROWS}" in page
        assert len(job.result["errors"]) == skipped and "is archived already" in page


def end_lease() -> None:
    Job.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))


@pytest.mark.parametrize(
    ("deaths", "places"),
    [
        ([("row", CHUNK + 23), ("kept", 2)], (CHUNK, 2 * CHUNK)),
        ([("committed", 3), ("end", 1)], (3 * CHUNK, ROWS)),
    ],
)
def test_a_killed_action_goes_on_where_it_was(
    deaths: list[tuple[str, int]], places: tuple[int, int], ann: User, tmp_path: Path
) -> None:
    """F-19: parts of 50 rows are there whole or not at all, the next worker goes on behind them, each row changes once."""
    job = asked(ann)
    for (moment, number), at in zip(deaths, places, strict=True):
        killed(DYING, tmp_path, job.pk, moment, number)
        assert_truth(job, ann, at)
        assert job.state == "running" and jobs.run_job(job.pk) is False, "the lease still holds"
        end_lease()
    assert jobs.run_job(job.pk) is True
    assert_truth(job, ann, ROWS)
    assert (job.state, job.attempts, job.lease_until) == ("done", 3, None)


def at_row(number: int, then: Callable[[], Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Do something when a worker has come to its n-th row."""
    done, rows = bulk._one, iter(range(1, ROWS + 1))

    def counting(*given: Any) -> None:
        done(*given)
        if next(rows) == number:
            then()

    monkeypatch.setattr(bulk, "_one", counting)


def beside(work: Callable[[], Any]) -> None:
    """Do something as another process would, with a connection of its own."""

    def run() -> None:
        work()
        connection.close()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(60)
    assert not thread.is_alive()


@pytest.mark.parametrize(("row", "at"), [(1, 0), (CHUNK, 0), (CHUNK + 1, CHUNK), (3 * CHUNK - 7, 2 * CHUNK)])
def test_a_cancelled_action_keeps_what_it_told(row: int, at: int, ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX 7.11: Cancel on the page of the job: the part at hand is taken back, what was told is done, the rest is as it was."""
    job, browser = asked(ann), client(ann)
    url = reverse("job-cancel", args=[job.key])
    page = browser.get(reverse("job", args=[job.key])).content.decode()
    assert url in page and ">Cancel</button>" in page
    at_row(row, lambda: beside(lambda: browser.post(url)), monkeypatch)
    assert jobs.run_job(job.pk) is True
    assert_truth(job, ann, at)
    assert (job.state, job.attempts) == ("cancelled", 1) and jobs.run_job(job.pk) is False
    assert jobs.sweep_jobs() == 0
    assert "ended already" in browser.post(url, follow=True).content.decode()
    assert_truth(job, ann, at)


def test_an_action_that_is_cancelled_before_it_began_does_nothing(ann: User) -> None:
    """UX 7.11: nothing is touched."""
    job = asked(ann)
    client(ann).post(reverse("job-cancel", args=[job.key]))
    assert jobs.run_job(job.pk) is False
    assert_truth(job, ann, 0)


def test_the_page_of_an_action_is_chinese(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """UX 7.11: 取消, and what was done, skipped and left in the words of who asked."""
    User.objects.filter(pk=ann.pk).update(language="zh-hans")
    job, browser = asked(ann), client(ann)
    url = reverse("job", args=[job.key])
    assert ">取消</button>" in browser.get(url).content.decode()
    at_row(CHUNK + 1, lambda: beside(lambda: browser.post(f"{url}cancel/")), monkeypatch)
    jobs.run_job(job.pk)
    assert "完成 45 条 · 跳过 5 条 · 剩余 170 条" in browser.get(url).content.decode()


def test_an_action_that_kills_three_workers_is_parked(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-19: it is not begun a fourth time, however often the timer looks; what was done before is told."""
    job = asked(ann)

    def die() -> None:
        raise SystemExit  # as if the process were killed

    for place in (2 * CHUNK + 1, 1, 1):  # from where it goes on: always at the same row
        with monkeypatch.context() as deadly:
            at_row(place, die, deadly)
            with pytest.raises(SystemExit):
                jobs.run_job(job.pk)
        assert_truth(job, ann, 2 * CHUNK)
        end_lease()
        jobs.sweep_jobs()
    assert [jobs.sweep_jobs() for _minute in range(3)] == [0, 0, 0] and jobs.run_job(job.pk) is False
    assert_truth(job, ann, 2 * CHUNK)
    assert (job.state, job.attempts) == ("failed", 3) and "stopped 3 times" in job.error


def test_a_worker_that_comes_back_too_late_takes_its_part_back(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers at one action: the second goes on behind what was committed, the first one's part is rolled back."""
    job = asked(ann)

    def stolen() -> None:
        with connection.cursor() as cursor:  # as by the next worker when the lease is over
            cursor.execute("UPDATE oa_job SET attempts = attempts + 1 WHERE id = %s", [job.pk])

    at_row(CHUNK + 9, lambda: beside(stolen), monkeypatch)
    jobs.run_job(job.pk)
    assert_truth(job, ann, CHUNK)
    assert (job.state, job.attempts) == ("running", 2)


def test_others_wait_for_one_part_only(ann: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows of earlier parts are free while the rest is being done; with one transaction they were locked to the end."""
    job = asked(ann)
    first = job.params["keys"][0]

    def edit() -> None:
        with transaction.atomic():
            Customer.objects.select_for_update(nowait=True).get(pk=first)

    at_row(CHUNK + 9, lambda: beside(edit), monkeypatch)
    jobs.run_job(job.pk)
    assert_truth(job, ann, ROWS)
    assert registry["customer"].queryset(ann).filter(active=False).count() == ROWS
