"""Celery on the real broker for tests: `python -m tests.oa.worker DATABASE FOLDER PREFIX SLOW [BROKER]`.

SLOW: `before` or `after` dawdles around the sending of each mail and within jobs, so that the test can kill it there;
`office` makes haste slowly with everything that the clock does, `unleased` is the same without leases. `hungry` finds no
memory in the middle of a job that it begins for the first time. `bulk` has short leases, `bulk-control` tells of rows after it has committed them. `beat` is no worker, but the scheduler.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from celery.signals import worker_ready
from django.conf import settings
from django.core.mail.backends.filebased import EmailBackend

DAWDLE = 120  # seconds; the test kills the worker long before


def transport(prefix: str) -> dict[str, Any]:
    """Options of the broker: keys of our own, and a task of a killed worker comes back after two seconds."""
    return {
        "global_keyprefix": prefix,
        "visibility_timeout": 2,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }


class Backend(EmailBackend):
    """Writes mails into files; dawdles before or after that where it is told to."""

    slow = ""

    def send_messages(self, email_messages: Any) -> int:
        for message in email_messages:
            if self.slow == "before":
                _dawdle("mail")
            super().send_messages([message])
            if self.slow == "after":
                _dawdle("mail")
        return len(email_messages)


def _dawdle(what: str) -> None:
    Path(settings.EMAIL_FILE_PATH).parent.joinpath(f"in-{what}").touch()
    time.sleep(DAWDLE)


def slow_office() -> None:
    """Each step of the clock takes a while within its transaction; what a dead worker held comes back at once."""
    from oa.announcements import publishing
    from oa.approvals import timeouts
    from oa.documents import reminders as reviews
    from oa.records import jobs
    from oa.reporting import outbox
    from oa.tasks.services import reminders, series

    jobs.LEASE, jobs.PATIENCE, outbox.LEASE = (dt.timedelta(seconds=seconds) for seconds in (8, 1, 4))
    for module, name, seconds in (
        (timeouts, "tell_late", 0.05),
        (timeouts, "approve", 0.05),
        (timeouts, "reject", 0.05),
        (reminders, "tell", 1),
        (series, "tell", 1),
        (reviews, "notify", 0.05),
        (publishing.receipts, "tell", 0.5),
        (outbox, "message", 0.1),
    ):
        setattr(module, name, _slowly(getattr(module, name), f"{module.__name__}.{name}", seconds))


def unleased() -> None:
    """As a control: what a worker has in hand belongs to the next one at once."""
    from oa.records import jobs
    from oa.reporting import outbox

    jobs.LEASE = outbox.LEASE = -dt.timedelta(seconds=1)
    outbox.message = _slowly(outbox.message, "unleased", 0.5)


def starve() -> None:
    """Ask for more memory than this process may have from now on."""
    resource.setrlimit(resource.RLIMIT_AS, (virtual_memory(os.getpid()), resource.RLIM_INFINITY))
    bytearray(1 << 30)


def virtual_memory(pid: int) -> int:
    """What RLIMIT_AS counts of a process, in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()


def bulk(*, control: bool) -> None:
    """What a dead worker held comes back soon; as a control, how far a job is gets stored when its rows are there."""
    from django.db import transaction

    from oa.records import jobs

    jobs.LEASE = dt.timedelta(seconds=5)
    if control:
        keep = jobs.Running.keep
        jobs.Running.keep = lambda *given: transaction.on_commit(lambda: keep(*given))  # type: ignore[method-assign]


def _slowly(done: Callable[..., Any], name: str, seconds: float) -> Callable[..., Any]:
    def slowly(*args: Any, **kwargs: Any) -> Any:
        found = done(*args, **kwargs)
        Path(settings.EMAIL_FILE_PATH).parent.joinpath(f"in-{name}").touch()
        time.sleep(seconds)
        return found

    return slowly


def beat() -> None:
    """The scheduler, looking at its rows every second."""
    from config.celery import app

    app.start(["beat", "--max-interval=1", "--pidfile=", "--loglevel=ERROR"])


def main(database: str, folder: str, prefix: str, slow: str, broker: str = "") -> None:
    """Serve the default queue with two processes until a signal comes."""
    settings.DATABASES["default"]["NAME"] = database
    settings.EMAIL_BACKEND = "tests.oa.worker.Backend"
    settings.EMAIL_FILE_PATH = f"{folder}/mail"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = transport(prefix)
    settings.CELERY_BROKER_URL = broker or settings.CELERY_BROKER_URL
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    if slow == "beat":
        beat()
        return
    if slow in ("office", "unleased"):
        slow_office()
    if slow == "unleased":
        unleased()
    if slow.startswith("bulk"):
        bulk(control=slow == "bulk-control")
    from config.celery import app
    from crm.customers.models import Tag
    from oa.records.jobs import Running, job_kind
    from tests.oa import worker

    worker.Backend.slow = slow

    @job_kind("test-tags", whole=True)
    def tags(running: Running) -> dict[str, Any]:
        """Makes three tags in one transaction."""
        for number in range(3):
            Tag.objects.create(code=f"T{number}", name="made by a job")
            running.progress(number + 1, 3, now=True)
            if slow == "hungry" and number == 1 and running.attempt == 1:
                Path(settings.EMAIL_FILE_PATH).parent.joinpath("hungry").write_text(str(os.getpid()))
                starve()
            elif slow not in ("no", "hungry") and number == 1:
                _dawdle("job")
        return {"made": 3}

    @worker_ready.connect(weak=False)
    def ready(**_kwargs: Any) -> None:
        """Celery ends a worker one of whose processes dies before it has started."""
        Path(folder, f"ready-{os.getpid()}").touch()

    app.worker_main(["worker", "--pool=prefork", "--concurrency=2", "--loglevel=ERROR", "--without-gossip",
                     "--without-mingle", "--without-heartbeat"])  # fmt: skip


if __name__ == "__main__":
    import django

    django.setup()
    main(*sys.argv[1:6])
