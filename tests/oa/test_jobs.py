"""Long work survives lost workers, brokers and connections."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import OperationalError, connections
from django.utils import timezone

from crm.customers.models import Tag
from kit.values.errors import BusinessError
from oa.records import jobs, tasks
from oa.records.changes import history_model
from oa.records.models import Job
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def kinds() -> Iterator[None]:
    """Kinds registered by a test are gone after it."""
    before = dict(jobs.kinds)
    yield
    jobs.kinds.clear()
    jobs.kinds.update(before)


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Keys that were sent to workers; nothing runs by itself."""
    keys: list[int] = []
    monkeypatch.setattr(jobs, "send_job", keys.append)
    return keys


def seen_elsewhere(key: int, column: str) -> Any:
    """A column of a job as another connection sees it."""
    other = connections.create_connection("default")
    try:
        with other.cursor() as cursor:
            cursor.execute(f"SELECT {column} FROM oa_job WHERE id = %s", [key])
            return cursor.fetchone()[0]
    finally:
        other.close()


def test_a_job_is_sent_after_commit_and_done_once(sent: list[int]) -> None:
    """The row comes first; the task carries its key only; a second delivery of the task does nothing."""
    owner = make.make_user()

    @jobs.job_kind("greet")
    def greet(running: jobs.Running) -> dict[str, Any]:
        running.progress(1, 2)
        Tag.objects.create(code=running.job.params["code"], name="made")
        running.progress(2)
        return {"made": 1}

    job = jobs.start_job("greet", "Greeting", {"code": "hello"}, owner)
    assert (sent, job.state, job.owner) == ([job.pk], "waiting", owner)
    assert tasks.run_job(job.pk) is True
    assert tasks.run_job(job.pk) is False
    job.refresh_from_db()
    assert (job.state, job.done, job.total, job.result, job.attempts) == ("done", 2, 2, {"made": 1}, 1)
    assert job.finished_at and job.lease_until is None and Tag.objects.count() == 1
    with pytest.raises(LookupError):
        jobs.start_job("unknown", "?")


def test_a_refusal_is_told_and_a_bug_is_not_shown(sent: list[int]) -> None:
    """BusinessError in its own words; a bug with a number for the administrator. Neither is tried again."""

    @jobs.job_kind("refuse")
    def refuse(running: jobs.Running) -> None:
        raise BusinessError("October 2026 is closed.")

    @jobs.job_kind("crash")
    def crash(running: jobs.Running) -> None:
        raise ZeroDivisionError("secret of the code")

    for kind, message in (("refuse", "October 2026 is closed."), ("crash", "Something failed on our side")):
        job = jobs.start_job(kind, kind)
        jobs.run_job(job.pk)
        job.refresh_from_db()
        assert job.state == "failed" and message in job.error and "secret" not in job.error
        assert jobs.run_job(job.pk) is False


def test_whole_jobs_take_effect_with_their_end_or_not_at_all(sent: list[int]) -> None:
    """Progress is seen before the commit; what a failed job did is rolled back, its file is gone."""
    seen: list[int] = []

    @jobs.job_kind("import", whole=True)
    def work(running: jobs.Running) -> None:
        Tag.objects.create(code="a", name="a")
        running.progress(1, 3, now=True)
        seen.append(seen_elsewhere(running.job.pk, "done"))
        assert seen_elsewhere(running.job.pk, "(SELECT count(*) FROM crm_tag)") == 0
        running.keep_file("errors.csv", ContentFile(b"row 2"))
        if running.attempt == 1:
            raise OperationalError("connection lost")

    job = jobs.start_job("import", "Import")
    with pytest.raises(OperationalError):
        jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, seen, Tag.objects.count(), bool(job.file)) == ("waiting", [1], 0, False)
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, seen, Tag.objects.count()) == ("done", 2, [1, 1], 1)
    assert job.file.read() == b"row 2"


def test_a_dead_workers_job_is_given_to_another_three_times(sent: list[int]) -> None:
    """The lease runs out, the sweeper sends it again; after the third worker it has failed."""

    @jobs.job_kind("die")
    def die(running: jobs.Running) -> None:
        raise SystemExit  # as if the process were killed

    job = jobs.start_job("die", "Dies")
    for attempt in (1, 2, 3):
        with pytest.raises(SystemExit):
            jobs.run_job(job.pk)
        job.refresh_from_db()
        assert (job.state, job.attempts) == ("running", attempt)
        assert jobs.run_job(job.pk) is False, "the lease still holds"
        assert jobs.sweep_jobs() == 0
        Job.objects.update(lease_until=timezone.now() - dt.timedelta(seconds=1))
        sent.clear()
        assert tasks.sweep_jobs() == (1 if attempt < 3 else 0)
        assert sent == ([job.pk] if attempt < 3 else [])
    job.refresh_from_db()
    assert job.state == "failed" and "stopped 3 times" in job.error


def test_a_worker_that_lost_its_job_cannot_finish_it(sent: list[int]) -> None:
    """A worker that was thought dead and comes back finds the job taken: its work is rolled back."""

    @jobs.job_kind("slow", whole=True)
    def slow(running: jobs.Running) -> None:
        Tag.objects.create(code=f"attempt-{running.attempt}", name="x")
        if running.attempt == 1:
            other = connections.create_connection("default")
            with other.cursor() as cursor:
                cursor.execute("UPDATE oa_job SET attempts = 2 WHERE id = %s", [running.job.pk])
            other.close()

    job = jobs.start_job("slow", "Slow")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, Tag.objects.count()) == ("running", 0)


def test_a_cancelled_job_stops_at_its_next_report(sent: list[int]) -> None:
    """Waiting jobs never start, running ones are rolled back; what has ended cannot be cancelled."""
    user = make.make_user()

    @jobs.job_kind("long", whole=True)
    def long_work(running: jobs.Running) -> None:
        Tag.objects.create(code="x", name="x")
        other = connections.create_connection("default")
        with other.cursor() as cursor:
            cursor.execute("UPDATE oa_job SET state = 'cancelled' WHERE id = %s", [running.job.pk])
        other.close()
        running.progress(1, 10, now=True)
        raise AssertionError("must not get here")

    waiting = jobs.cancel_job(jobs.start_job("long", "Never starts"), by=user)
    assert waiting.state == "cancelled" and jobs.run_job(waiting.pk) is False
    job = jobs.start_job("long", "Stops")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, Tag.objects.count()) == ("cancelled", 0)
    with pytest.raises(BusinessError, match="ended already"):
        jobs.cancel_job(job, by=user)


def test_without_a_broker_a_job_waits_for_the_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """The intent is in the database: it survives a Redis that is away."""

    class Down:
        def apply_async(self) -> None:
            raise ConnectionError("no broker")

    @jobs.job_kind("greet")
    def greet(running: jobs.Running) -> None:
        Tag.objects.create(code="hello", name="hello")

    with monkeypatch.context() as down:
        down.setattr(jobs, "signature", lambda name, args: Down())
        job = jobs.start_job("greet", "Greeting")
    assert jobs.sweep_jobs() == 0, "it may still be on its way"
    Job.objects.update(created_at=timezone.now() - dt.timedelta(minutes=2))
    assert jobs.sweep_jobs() == 1  # tasks run at once in tests
    job.refresh_from_db()
    assert job.state == "done" and Tag.objects.exists()


def test_progress_is_written_at_most_twice_a_second(sent: list[int], django_assert_num_queries: Any) -> None:
    """Ten thousand rows do not make ten thousand statements; the end always carries the last number."""

    @jobs.job_kind("count")
    def count(running: jobs.Running) -> None:
        with django_assert_num_queries(1):
            for row in range(1000):
                running.progress(row + 1, 1000)

    job = jobs.start_job("count", "Counts")
    jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.done) == ("done", 1000)


def test_the_history_names_who_started_the_job(sent: list[int]) -> None:
    """G-20: what a worker changes was changed by the person who asked for it."""
    owner, tag = make.make_user(), Tag.objects.create(code="VIP", name="before")

    @jobs.job_kind("rename")
    def rename(running: jobs.Running) -> dict[str, Any]:
        Tag.objects.filter(pk=tag.pk).update(name="after")
        return {}

    assert jobs.run_job(jobs.start_job("rename", "Rename", owner=owner).pk)
    [old] = history_model(Tag).objects.filter(pgh_obj_id=tag.pk).select_related("pgh_context")
    assert (old.name, old.pgh_context.metadata["user"]) == ("before", owner.pk)
