"""Real workers on the real broker, killed while they send and while they work (I-38, drills F-09 and F-12)."""

from __future__ import annotations

import datetime as dt
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from celery import signature
from django.utils import timezone
from kombu import Connection

from crm.customers.models import Tag
from oa.records import jobs
from oa.records.models import Job
from oa.reporting import outbox
from oa.reporting.models import MailState, OutboxMail
from tests import factories as make
from tests.oa.processes import Broker, kill, sent, wait_for
from tests.oa.worker import transport

pytestmark = [pytest.mark.django_db(transaction=True)]

MAILS = 3


def states(model: Any) -> set[str]:
    return set(model.objects.values_list("state", flat=True))


@pytest.mark.parametrize("moment", ["before", "after"])
def test_killed_workers_neither_lose_nor_double(
    moment: str, worker: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """Three mails and a job, a worker killed in the middle of both, another one that takes up what is left.

    Each mail goes out once, or twice with the same Message-ID where the worker died between sending and noting;
    the job's effect is there exactly once. The killed worker's task comes back from the broker by itself.
    """
    user = make.make_user()
    for number in range(MAILS):
        outbox.store_mail(outbox.OutgoingMail(key=f"k{number}", user=user, subject="Report", text="figures"))
    outbox.kick()
    job = Job.objects.create(kind="test-tags", title="Tags", owner=user)
    jobs.send_job(job.pk)
    first = worker(moment)
    wait_for(lambda: (tmp_path / "in-mail").exists() and (tmp_path / "in-job").exists(), tmp_path)
    kill(first)
    assert states(OutboxMail) == {MailState.PENDING, MailState.SENDING} and states(Job) == {"running"}
    assert not Tag.objects.exists() and len(sent(tmp_path)) == (moment == "after")

    past = timezone.now() - dt.timedelta(seconds=1)  # the leases run out
    OutboxMail.objects.filter(state=MailState.SENDING).update(lease_until=past)
    Job.objects.filter(pk=job.pk).update(lease_until=past)
    second = worker("no")
    wait_for(lambda: states(OutboxMail) == {MailState.SENT}, tmp_path)
    jobs.sweep_jobs()  # what the timer does every minute; the task that comes back does no harm beside it
    wait_for(lambda: states(Job) == {"done"}, tmp_path)
    second.send_signal(signal.SIGTERM)
    assert second.wait(60) == 0

    ids = list(OutboxMail.objects.order_by("pk").values_list("message_id", flat=True))
    assert sorted(sent(tmp_path)) == sorted([*ids, *ids[: moment == "after"]])
    assert sorted(OutboxMail.objects.values_list("attempts", flat=True)) == [1] * (MAILS - 1) + [2]
    job.refresh_from_db()
    assert (job.attempts, job.result, job.done) == (2, {"made": 3}, 3)
    assert sorted(Tag.objects.values_list("code", flat=True)) == ["T0", "T1", "T2"]


def test_a_process_without_memory_ends_and_its_job_is_begun_again(
    worker: Callable[[str], subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """F-09: RLIMIT_AS in the middle of a job: nothing of it stays, the process ends, another one does the job at once.

    Neither the lease has to run out nor the timer to come for it, and the worker itself goes on.
    """
    job = Job.objects.create(kind="test-tags", title="Tags", owner=make.make_user())
    jobs.send_job(job.pk)
    running = worker("hungry")
    wait_for(lambda: states(Job) == {"done"}, tmp_path)
    job.refresh_from_db()
    assert (job.attempts, job.result, Tag.objects.count()) == (2, {"made": 3}, 3)
    starved = int((tmp_path / "hungry").read_text())
    wait_for(lambda: not Path(f"/proc/{starved}").exists(), tmp_path)
    assert running.poll() is None


def test_a_worker_that_loses_the_broker_amid_a_task_connects_again(
    broker: Broker, prefix: str, processes: Callable[..., subprocess.Popen[bytes]], tmp_path: Path
) -> None:
    """F-11: one task under way and room for another when the broker dies: the next task is done by the same worker."""
    author = make.make_user()
    first, second = (Job.objects.create(kind="test-tags", title="Tags", owner=author) for _ in range(2))
    worker = processes(prefix, "job", broker.url)
    send(first, broker, prefix)
    wait_for(lambda: (tmp_path / "in-job").exists(), tmp_path)
    broker.kill()
    time.sleep(1)
    broker.start()
    send(second, broker, prefix)
    wait_for(lambda: set(Job.objects.values_list("state", flat=True)) == {"running"}, tmp_path)
    assert worker.poll() is None


def send(job: Job, broker: Broker, prefix: str) -> None:
    """Hand a job to the workers at another broker than that of the tests."""
    with Connection(broker.url, transport_options=transport(prefix)) as connection:
        signature(jobs.TASK, args=[job.pk]).apply_async(connection=connection)
