"""Real workers on the real broker, killed while they send and while they work (I-38, drills F-09 and F-12)."""

from __future__ import annotations

import datetime as dt
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from kombu import pools

from config.celery import app
from crm.customers.models import Tag
from oa.records import jobs
from oa.records.models import Job
from oa.reporting import outbox
from oa.reporting.models import MailState, OutboxMail
from tests import factories as make
from tests.oa.worker import transport

pytestmark = [pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).parents[2]
MAILS = 3
PATIENCE = 120  # seconds on a busy machine; a quiet one needs a few


@pytest.fixture
def prefix() -> Iterator[str]:
    """The broker for this test alone: tasks really go there, under keys that nobody else has."""
    name = f"test-{uuid.uuid4().hex}-"
    before = (app.conf.task_always_eager, app.conf.broker_transport_options)
    app.conf.task_always_eager, app.conf.broker_transport_options = False, transport(name)
    forget_connections()
    yield name
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        for key in client.scan_iter(f"{name}*"):
            client.delete(key)
    app.conf.task_always_eager, app.conf.broker_transport_options = before
    forget_connections()


def forget_connections() -> None:
    """The next task opens a connection with the present options."""
    pools.reset()
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def worker(prefix: str, tmp_path: Path) -> Iterator[Callable[[str], subprocess.Popen[bytes]]]:
    """Starts workers in process groups of their own; what is left of them is ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(slow: str) -> subprocess.Popen[bytes]:
        name = str(connection.settings_dict["NAME"])
        with (tmp_path / f"log{len(started)}").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.oa.worker", name, str(tmp_path), prefix, slow], cwd=ROOT,
                env={**os.environ, "SANHE_LOG_LEVEL": "CRITICAL"}, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            kill(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for the worker and its children at once: nothing of them can tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def wait_for(condition: Callable[[], bool], folder: Path) -> None:
    """Until `condition` holds; a worker's own words where it never does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        said = "\n".join(log.read_text()[-2000:] for log in sorted(folder.glob("log*")))
        assert time.monotonic() < end, said
        time.sleep(0.1)


def sent(folder: Path) -> list[str]:
    """Message-IDs of the mails that really went out, in order."""
    lines = [line for file in sorted((folder / "mail").glob("*")) for line in file.read_text().splitlines()]
    return [line.partition(": ")[2] for line in lines if line.startswith("Message-ID")]


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
