"""What a worker cannot do for want of the database or of memory is begun again; it is nobody's failure (F-09, F-10)."""

from __future__ import annotations

import datetime as dt
import resource
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection, connections
from django.db.utils import Error
from django.utils import timezone

from erp.inventory.models import Unit
from kit.exchange import importing_files
from kit.exchange.importing_files import WRITE
from kit.pages.resources import registry
from oa.approvals import timeouts
from oa.organisation.models import User
from oa.records import importjobs, jobs
from oa.records.models import Job
from oa.reporting import jobs as reporting
from oa.reporting import services
from oa.reporting.models import OutboxMail, ReportSchedule
from tests import approving
from tests import factories as make
from tests.importing import table
from tests.oa.processes import ROOT
from tests.oa.worker import starve

pytestmark = pytest.mark.django_db(transaction=True)

ROWS = 2500


@pytest.fixture
def boss(monkeypatch: pytest.MonkeyPatch) -> User:
    """Whose jobs are sent to no worker but what the test starts."""
    monkeypatch.setattr(jobs, "send_job", lambda key: None)
    return make.make_user("boss", language="en")


def lose_database() -> None:
    """As when its server restarts: this session is ended by another one."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        [pid] = cursor.fetchone()
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 10000)", [pid])
    other.close()


def have_no_memory() -> None:
    """As a process that has reached its limit."""
    try:
        starve()
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


TROUBLES = pytest.mark.parametrize("trouble", [lose_database, have_no_memory])


def once(number: int, then: Callable[[], Any]) -> Callable[[], None]:
    """Does it at the n-th call, and never again."""
    calls = iter(range(1, 10**6))
    return lambda: then() if next(calls) == number else None


def begun_again(job: Job) -> None:
    """The first worker is in trouble; the next one does the job, be it told at once or by the lease that ends."""
    with pytest.raises((Error, MemoryError)):
        jobs.run_job(job.pk)
    connection.close()
    job.refresh_from_db()
    assert (job.state, job.attempts) in {("waiting", 1), ("running", 1)} and job.error == ""
    Job.objects.filter(pk=job.pk, state="running").update(lease_until=timezone.now() - dt.timedelta(seconds=1))


ASKED = """
import os, resource
from kit.rules.outage import starved
from tests.oa.worker import virtual_memory
error = RuntimeError("can't start new thread")
assert not starved(error)
resource.setrlimit(resource.RLIMIT_AS, (virtual_memory(os.getpid()), resource.RLIM_INFINITY))
assert starved(error)
"""


def test_a_library_tells_of_no_memory_in_its_own_words() -> None:
    """F-09: then the process itself is asked; where it has memory the error is what it says."""
    subprocess.run([sys.executable, "-c", ASKED], cwd=ROOT, check=True)


@TROUBLES
def test_an_import_in_trouble_is_begun_again(
    trouble: Callable[[], None], boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the first attempt is there, everything of the second one; the file is not blamed."""
    rows = [{"code": f"i{n:05}", "name": f"Import {n}", "decimals": 0} for n in range(ROWS)]
    upload = importing_files.keep(table(rows).encode(), "units.csv", registry["unit"], boss, {})
    importjobs.start("import", "Units", importing_files.job_params(upload, WRITE), boss)
    job, progress, due = Job.objects.get(), jobs.Running.progress, once(2, trouble)

    def watched(running: jobs.Running, *given: Any, **named: Any) -> None:
        progress(running, *given, **named)
        due()

    monkeypatch.setattr(jobs.Running, "progress", watched)
    begun_again(job)
    assert not Unit.objects.filter(name__startswith="Import").exists()
    assert jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result["new"]) == ("done", 2, ROWS)
    assert Unit.objects.filter(name__startswith="Import").count() == ROWS


@TROUBLES
def test_a_report_run_in_trouble_is_begun_again(
    trouble: Callable[[], None], boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody goes without the mail because the worker was in trouble at it; who has it already gets no other one."""
    schedule, people = ReportSchedule.objects.get(), [boss, *(make.make_user(f"r{n}") for n in range(3))]
    for person in people:
        services.subscribe(schedule, by=person)
    services.send_now(schedule, by=boss)
    job, mail_report, due = Job.objects.get(), reporting.mail_report, once(3, trouble)

    def watched(*given: Any) -> str:
        due()
        return mail_report(*given)

    monkeypatch.setattr(reporting, "mail_report", watched)
    begun_again(job)
    assert OutboxMail.objects.count() == 2
    assert jobs.run_job(job.pk)
    job.refresh_from_db()
    assert (job.state, job.attempts, job.result) == ("done", 2, {"mails": 4, "remarks": []})
    assert Counter(OutboxMail.objects.values_list("user", flat=True)) == Counter(person.pk for person in people)


def test_an_approval_whose_time_is_over_is_not_put_off(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """F-09: a process without memory tells nothing about the task: it is decided a minute later, not an hour."""
    author, asked = approving.people("author", "asked")
    flow = approving.flow(approving.step(1, asked, hours=8, on_timeout="approve"), admin=boss)
    request = approving.request(flow, author, amount="5")
    approving.late(request, 9)
    with monkeypatch.context() as hungry:
        hungry.setattr(timeouts, "approve", lambda *given, **named: have_no_memory())
        with pytest.raises(MemoryError):
            timeouts.handle_overdue()
    assert timeouts.handle_overdue() == 1
    request.refresh_from_db()
    assert request.state == "approved"
