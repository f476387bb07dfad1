"""Long work: a row is the intent, a Celery task only carries its key (DESIGN, cornerstone "long work").

A worker takes a job under a lease that every progress report renews. A killed worker's lease runs out and the
sweeper gives the job to another one, three times at the most; a worker that comes back too late finds that the
job is not its own any more and stops. Jobs must therefore bear to be started again: either they run in one
transaction (`whole`), which the end of the job commits together with the state, or in parts of one transaction
each, which `keep` stores their place in, or they skip what is done.
"""

from __future__ import annotations

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pghistory
from celery import signature
from django.core.files.base import File
from django.db import InterfaceError, OperationalError, connection, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from kombu.exceptions import KombuError

from kit.rules.outage import starved
from kit.values.errors import BusinessError
from oa.records.models import Job
from oa.records.models.jobs import JobState

LEASE = dt.timedelta(minutes=10)
ATTEMPTS = 3
PATIENCE = dt.timedelta(minutes=1)  # a job that waits longer was lost on its way to a worker
REPORT_EVERY = 0.5  # seconds between two writes of progress
TASK = "oa.records.run_job"

logger = logging.getLogger(__name__)

_TAKE = """
UPDATE oa_job SET state = 'running', attempts = attempts + 1, lease_until = %(until)s, error = '',
       done = coalesce((result ->> 'at')::integer, 0)
 WHERE id = %(job)s AND attempts < %(most)s
   AND (state = 'waiting' OR state = 'running' AND lease_until < %(now)s)
RETURNING attempts
"""
_REPORT = """
UPDATE oa_job SET done = %(done)s, total = %(total)s, lease_until = %(until)s
 WHERE id = %(job)s AND state = 'running' AND attempts = %(attempt)s
"""
_END = """
UPDATE oa_job SET state = %(state)s, error = %(error)s, finished_at = %(now)s, lease_until = NULL
 WHERE id = %(job)s AND state = 'running' AND attempts = %(attempt)s
"""


class JobStopped(Exception):
    """The job was cancelled, or another worker took it over: whatever is in progress is rolled back."""


@dataclass(frozen=True)
class Kind:
    """A kind of job: `work(running)` does it and returns its result (JSON) or None.

    `whole`: in one transaction, committed together with the end of the job.
    """

    name: str
    work: Callable[[Running], dict[str, Any] | None]
    whole: bool


kinds: dict[str, Kind] = {}


def job_kind(
    name: str, *, whole: bool = False
) -> Callable[[Callable[[Running], dict[str, Any] | None]], Callable[[Running], dict[str, Any] | None]]:
    """Decorator: register how jobs of kind `name` are done."""

    def register(work: Callable[[Running], dict[str, Any] | None]) -> Callable[[Running], dict[str, Any] | None]:
        kinds[name] = Kind(name, work, whole)
        return work

    return register


@dataclass
class Running:
    """A job in the hands of this worker."""

    job: Job
    attempt: int
    _reporter: BaseDatabaseWrapper | None = field(default=None, repr=False)
    _reported: float = 0.0

    def progress(self, done: int, total: int | None = None, *, now: bool = False) -> None:
        """Tell how far the job is, at most twice a second unless `now`, and renew the lease.

        Raises JobStopped when the job is not ours any more. Inside a transaction a connection of its own is
        used, so that people see progress before the commit.
        """
        self.job.done, self.job.total = done, self.job.total if total is None else total
        if not now and time.monotonic() - self._reported < REPORT_EVERY:
            return
        self._reported = time.monotonic()
        with self._connection().cursor() as cursor:
            cursor.execute(
                _REPORT,
                {
                    "done": self.job.done,
                    "total": self.job.total,
                    "until": timezone.now() + LEASE,
                    "job": self.job.pk,
                    "attempt": self.attempt,
                },
            )
            if cursor.rowcount == 0:
                raise JobStopped

    def keep(self, done: int, total: int, result: dict[str, Any]) -> None:
        """Store how far a job is that works in parts, within the transaction of the part; renews the lease.

        Where its place among the rows is `result["at"]`, the next worker begins there. Raises JobStopped, which takes
        the part back, when the job is not ours any more.
        """
        ours = Job.objects.filter(pk=self.job.pk, state=JobState.RUNNING, attempts=self.attempt)
        if not ours.update(done=done, total=total, result=result, lease_until=timezone.now() + LEASE):
            raise JobStopped
        self.job.done, self.job.total = done, total

    def keep_file(self, name: str, content: File[Any]) -> None:
        """Keep a file that the person can download when the job is done."""
        self.job.file.save(name, content, save=False)

    def _connection(self) -> BaseDatabaseWrapper:
        if not connection.in_atomic_block:
            return connection
        if self._reporter is None:
            self._reporter = connections.create_connection("default")
        return self._reporter

    def close(self) -> None:
        """Close the connection for progress."""
        if self._reporter is not None:
            self._reporter.close()
            self._reporter = None


def start_job(kind: str, title: str, params: dict[str, Any] | None = None, owner: Any = None) -> Job:
    """Store a job and send it to a worker once the transaction is committed."""
    if kind not in kinds:
        raise LookupError(f"job kind {kind}")
    job = Job.objects.create(kind=kind, title=title[:200], params=params or {}, owner=owner)
    transaction.on_commit(lambda: send_job(job.pk))
    return job


def send_job(key: int) -> None:
    """Hand a job to the workers; without a broker it waits for the sweeper."""
    try:
        signature(TASK, args=[key]).apply_async()
    except (KombuError, OSError) as error:
        logger.warning("job %s waits for the broker: %s", key, error)


def run_job(key: int) -> bool:
    """Take job `key` and do it; False when it is not to be done (ended, cancelled, or with another worker).

    The history of what it changes names the person who started it (rule G-20).
    """
    attempt = _take(key)
    if attempt is None:
        return False
    job = Job.objects.get(pk=key)
    running = Running(job, attempt)
    try:
        with pghistory.context(user=job.owner_id), _guarded(running):
            kind = kinds[job.kind]
            if kind.whole:
                with transaction.atomic():
                    _done(running, kind.work(running))
            else:
                _done(running, kind.work(running))
    finally:
        running.close()
    return True


def _take(key: int) -> int | None:
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"job": key, "now": now, "until": now + LEASE, "most": ATTEMPTS})
        row = cursor.fetchone()
    return row[0] if row else None


def _done(running: Running, result: dict[str, Any] | None) -> None:
    """End a job; in a `whole` one this is part of its transaction, so it ends if and only if it took effect."""
    job = running.job
    ended = Job.objects.filter(pk=job.pk, state=JobState.RUNNING, attempts=running.attempt).update(
        state=JobState.DONE,
        result=result or {},
        done=job.done,
        total=job.total,
        file=job.file.name or "",
        finished_at=timezone.now(),
        lease_until=None,
    )
    if not ended:
        raise JobStopped


@contextmanager
def _guarded(running: Running) -> Iterator[None]:
    """Store how a job failed. Trouble with database or memory is tried again, a refusal or a bug is not."""
    try:
        yield
    except JobStopped:
        logger.info("job %s was stopped", running.job.pk)
        _forget_file(running)
    except BusinessError as error:
        logger.warning("job %s (%s) was refused: %s", running.job.pk, running.job.kind, error)
        _end(running, JobState.FAILED, str(error))
    except (OperationalError, InterfaceError):
        logger.exception("job %s lost the database", running.job.pk)
        _end(running, JobState.WAITING, "")
        raise
    except BaseException as error:  # a library's panic is no Exception
        if starved(error):
            logger.exception("job %s had no memory left", running.job.pk)
            _end(running, JobState.WAITING, "")
            raise MemoryError from error
        if not isinstance(error, Exception):
            raise
        logger.exception("job %s failed", running.job.pk)
        message = _("Something failed on our side. Nothing of the last step was stored. Job %s.") % running.job.pk
        _end(running, JobState.FAILED, message)


def _forget_file(running: Running) -> None:
    if running.job.file:
        running.job.file.delete(save=False)


def _end(running: Running, state: JobState, error: str) -> None:
    _forget_file(running)
    with connection.cursor() as cursor:
        cursor.execute(
            _END,
            {
                "state": state.value,
                "error": error,
                "job": running.job.pk,
                "attempt": running.attempt,
                "now": None if state == JobState.WAITING else timezone.now(),
            },
        )


def cancel_job(job: Job, *, by: Any) -> Job:
    """Cancel a job that waits or runs; a running one stops at its next report of progress or at the end of its part."""
    ended = Job.objects.filter(pk=job.pk, state__in=[JobState.WAITING, JobState.RUNNING]).update(
        state=JobState.CANCELLED, finished_at=timezone.now(), lease_until=None
    )
    if not ended:
        raise BusinessError(_("This job has ended already."))
    job.refresh_from_db()
    return job


def sweep_jobs() -> int:
    """Send again what lost its worker or never reached one; give up on what failed too often. Returns the number."""
    now = timezone.now()
    expired = Q(state=JobState.RUNNING, lease_until__lt=now)
    lost = expired | Q(state=JobState.WAITING, created_at__lt=now - PATIENCE)
    Job.objects.filter(lost, attempts__gte=ATTEMPTS).update(
        state=JobState.FAILED,
        finished_at=now,
        lease_until=None,
        error=_("The worker stopped %s times while doing this. Ask your administrator.") % ATTEMPTS,
    )
    keys = list(Job.objects.filter(lost).order_by("pk").values_list("pk", flat=True))
    for key in keys:
        send_job(key)
    return len(keys)
