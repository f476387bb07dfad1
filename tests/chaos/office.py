"""The drill of workers (F-09): worker, its child, beat and broker are killed while there is work; all happens once.

A round adds work of every kind, as people do (imports, reports, mails, announcements, requests whose time is over,
reminders, series, daily mails), and kills each of the four once, in an order and after pauses that the seed decides;
the worker and its child always while they are at something. Every fifth time the broker loses what it had kept.

`--rows` is the size of each import, `--recipients` who gets each report (more than one: a report every fifth round),
and `--memory` takes from the worker's processes, while they are at a job, all memory beyond what they have.

As a control, `--control` runs workers without leases: the verdict must be that it is not passed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import resource
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the settings
from django.core.management import call_command  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.utils import timezone  # noqa: E402

from config import places  # noqa: E402
from config.celery import app  # noqa: E402
from erp.inventory.models import Unit  # noqa: E402
from kit.exchange import importing_files  # noqa: E402
from kit.exchange.importing_files import WRITE  # noqa: E402
from kit.pages.resources import registry  # noqa: E402
from kit.rules.checks import run as broken_invariants  # noqa: E402
from oa.organisation.models import User  # noqa: E402
from oa.records import importjobs  # noqa: E402
from oa.records.jobs import ATTEMPTS  # noqa: E402
from oa.records.models import Job, Notification  # noqa: E402
from oa.reporting import services  # noqa: E402
from oa.reporting.mails import dedupe_key  # noqa: E402
from oa.reporting.models import MailState, OutboxMail, ReportRun, ReportSchedule  # noqa: E402
from tests.chaos import cluster  # noqa: E402
from tests.importing import table  # noqa: E402
from tests.oa import duties, processes  # noqa: E402
from tests.oa.worker import transport, virtual_memory  # noqa: E402

NAME, PREFIX = "chaos_office", "office-"
READERS, IMPORTED = 100, "i"
PATIENCE = 180  # seconds until everything is done after the last kill
SILENCE = 20  # seconds to wait for the worker to be at something
HUNGER = 10  # seconds that processes have to do without more memory
LARGE = 1000  # rows of an import that takes so long that it would be given up before it could end
FRESH_JOB, FRESH_MAIL = dt.timedelta(seconds=7), dt.timedelta(seconds=3)  # a second less than the leases of the worker


def _job(folder: Path) -> bool:
    return Job.objects.filter(state="running", lease_until__gt=timezone.now() + FRESH_JOB).exists()


def _mail(folder: Path) -> bool:
    return OutboxMail.objects.filter(state=MailState.SENDING, lease_until__gt=timezone.now() + FRESH_MAIL).exists()


def _mark(folder: Path) -> bool:
    return any(folder.glob("in-*"))  # the worker leaves one with whatever it does


# What a worker holds that was taken just now, not what its predecessor died with.
IN_HAND: dict[str, Callable[[Path], bool]] = {"a job": _job, "a mail": _mail, "something": _mark}
IN_THE_MIDDLE = Q(state="running", done__gt=0) & (Q(kind="import") | Q(kind=services.JOB_KIND))
ENDED = ("done", "failed", "cancelled")


class Office:
    """One run."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.kinds = ["office", "child", "beat", "broker", *["memory"] * given.memory]
        self.given, self.dice = given, Random(given.seed)
        self.happened: Counter[str] = Counter()
        self.folder = places.var() / NAME
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.broker = processes.Broker()
        self.running: dict[str, Any] = {}
        self.patience = 40 if given.control else PATIENCE

    def run(self) -> dict[str, Any]:
        """The figures and the faults."""
        cluster.empty(NAME)
        call_command("migrate", interactive=False, verbosity=0)
        self._settle()
        begin = time.monotonic()
        try:
            for kind in ("office", "beat"):
                self._start(kind)
            for number in range(self.given.rounds):
                self._add(number)
                for kind in self.dice.sample(self.kinds, len(self.kinds)):
                    self._kill(kind)
            last, finished = time.monotonic(), self._wait(self._all_done, self.patience)
            waited = round(time.monotonic() - last, 1)
            time.sleep(3)  # what was in flight comes back once more: nothing of it has an effect
        finally:
            for process in self.running.values():
                processes.kill(process)
            self.broker.remove()
        faults = [] if finished else [f"not done after {self.patience} s: {self._open()}"]
        return self._result(round(time.monotonic() - begin, 1), waited, faults)

    def _settle(self) -> None:
        """This process is that of people: what they start goes to the broker of the drill, and waits where it is away."""
        app.conf.broker_url, app.conf.broker_transport_options = self.broker.url, transport(PREFIX)
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        self.broker.start()
        self.office = duties.Duties(max(READERS, self.given.recipients))
        self.schedule = ReportSchedule.objects.get()
        people = User.objects.filter(pk__in=self.office.readers[: self.given.recipients - 1])
        for person in [self.office.boss, *people]:
            services.subscribe(self.schedule, by=person)
        duties.every_second()

    def _start(self, kind: str) -> None:
        mode = "unleased" if kind == "office" and self.given.control else kind
        self.running[kind] = processes.begin(self.folder, PREFIX, mode, self.broker.url)

    def _add(self, number: int) -> None:
        """What a round brings."""
        d = self.office
        d.add_approvals(1)
        d.add_tasks(3, 1)
        d.add_documents(2)
        d.add_mails(4)
        d.add_digests(2)
        if number % 5 == 0:
            d.add_news(1)
        rows = [
            {"code": f"{IMPORTED}{number:02}{row:05}", "name": f"Import {number} {row}", "decimals": 0}
            for row in range(self.given.rows)
        ]
        upload = importing_files.keep(table(rows).encode(), "units.csv", registry["unit"], d.boss, {})
        importjobs.start("import", f"Import {number}", importing_files.job_params(upload, WRITE), d.boss)
        if self.given.recipients == 1 or number % 5 == 0:
            services.send_now(self.schedule, by=d.boss)

    def _kill(self, kind: str) -> None:
        """SIGKILL, and a successor."""
        if kind == "broker":
            time.sleep(self.dice.uniform(0.2, 0.9))
            self.broker.kill()
            if self.happened["broker"] % 5 == 4:
                self.broker.empty()
                self.happened["broker emptied"] += 1
            time.sleep(self.dice.uniform(0.1, 0.6))
            self.broker.start()
        elif kind == "child":
            self._busy()
            os.kill(self.dice.choice(self._children()), signal.SIGKILL)  # the worker itself goes on with another one
        elif kind == "memory":
            self._starve()
        else:
            if kind == "office":
                self._busy()
            else:
                time.sleep(self.dice.uniform(0, 0.6))
            if self.running[kind].poll() is not None:
                self.happened["died by itself"] += 1
            processes.kill(self.running[kind])
            self._start(kind)
        self.happened[kind] += 1

    def _children(self) -> list[int]:
        """The processes of the worker that do the work, as soon as it has started."""
        main = self.running["office"].pid
        place = Path(f"/proc/{main}/task/{main}/children")
        self._wait(lambda: (self.folder / f"ready-{main}").exists() and bool(place.read_text().split()), PATIENCE)
        return [int(child) for child in place.read_text().split()]

    def _starve(self) -> None:
        """No more memory for those that do the work, while one of them is at a job, until they die of it or get by."""
        self._wait(
            lambda: Job.objects.filter(IN_THE_MIDDLE, lease_until__gt=timezone.now() + FRESH_JOB).exists(), SILENCE
        )
        hungry = self._children()
        self._let_end(len(hungry))  # one after the other takes the job up
        for child in hungry:
            with suppress(ProcessLookupError, FileNotFoundError):
                resource.prlimit(child, resource.RLIMIT_AS, (virtual_memory(child), resource.RLIM_INFINITY))
        self._wait(lambda: not any(Path(f"/proc/{child}").exists() for child in hungry), HUNGER)
        for child in hungry:
            try:
                resource.prlimit(child, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
                self.happened["processes that got by with their memory"] += 1
            except ProcessLookupError:
                self.happened["processes ended for want of memory"] += 1

    def _busy(self) -> None:
        """Until the worker has in hand what the seed wants it to die with: a job, a mail, or anything at all."""
        for mark in self.folder.glob("in-*"):
            mark.unlink(missing_ok=True)
        wanted = self.dice.choice(list(IN_HAND))
        there = IN_HAND[wanted]
        met = self._wait(lambda: there(self.folder), SILENCE)
        time.sleep(self.dice.uniform(0, 0.1))
        self._let_end()
        self.happened[f"killed with {wanted} in hand" if met else "killed while idle"] += 1

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (met := condition()) and time.monotonic() < end:
            time.sleep(0.02)
        return met

    def _let_end(self, deaths: int = 1) -> None:
        """Until no large work would be given up by so many deaths, and not more of it waits than a round adds."""

        def may_die() -> bool:
            waiting = Job.objects.filter(kind__in=("import", services.JOB_KIND)).exclude(state__in=ENDED)
            return len(waiting) <= 2 and all(job.attempts + deaths <= ATTEMPTS for job in waiting)

        if self.given.rows > LARGE:
            self._wait(may_die, PATIENCE)

    def _all_done(self) -> bool:
        return not Job.objects.exclude(state__in=ENDED).exists() and duties.done(self.office)

    def _open(self) -> dict[str, Any]:
        """What is still waiting, for whoever looks why."""
        return {
            "jobs": list(Job.objects.exclude(state__in=ENDED).values_list("kind", "state", "attempts")[:5]),
            "mails": Counter(OutboxMail.objects.values_list("state", flat=True)),
            "decided": duties.decided(),
            "notices": Notification.objects.exclude(mail_due=None).count(),
        }

    def _result(self, took: float, waited: float, faults: list[str]) -> dict[str, Any]:
        d = self.office
        parked = Job.objects.filter(state="failed")
        again = [job for job in Job.objects.all() if job.attempts > 1]
        faults += [f"{self.happened['died by itself']} processes died by themselves"] * bool(
            self.happened["died by itself"]
        )
        twice = self._judge(faults)
        faults += [f"{code}: {row}" for code, rows in broken_invariants().items() for row in rows]
        return {
            "seed": self.given.seed, "seconds": took, "done after the last kill": waited, **self.happened,
            "approvals": sum(map(len, d.requests.values())), "reminders": 2 * len(d.tasks), "series": len(d.series),
            "reviews": len(d.documents), "receipts": len(d.news) * len(d.readers), "mails": OutboxMail.objects.count(),
            "mails sent twice with one Message-ID": twice, "jobs": Counter(" ".join(row) for row in Job.objects.values_list("kind", "state")),
            "mails begun again": OutboxMail.objects.filter(attempts__gt=1).count(), "jobs begun again": len(again), "mails given up after five deaths": OutboxMail.objects.filter(duties.given_up()).count(),
            "jobs given up after three deaths": parked.count(), "faults": faults,
        }  # fmt: skip

    def _judge(self, faults: list[str]) -> int:
        """Everything once; returns how many mails went out twice."""
        twice = 0
        reports = OutboxMail.objects.filter(dedupe__startswith="report").count()

        def mails() -> None:
            nonlocal twice
            kills = self.happened["office"] + self.happened["child"]
            kills += self.happened["processes ended for want of memory"]
            twice = duties.assert_mails_once(self.office, self.folder, kills=kills, reports=reports)

        for check in (
            lambda: duties.assert_approvals_once(self.office),
            lambda: duties.assert_tasks_once(self.office),
            lambda: duties.assert_news_once(self.office),
            mails,
            lambda: assert_imports_once(self.given.rounds, self.given.rows),
            lambda: assert_reports_once(self.schedule),
        ):
            try:
                check()
            except AssertionError as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                faults.append(f"{place.name}, {place.line} {error}"[:500])
        return twice


def assert_imports_once(rounds: int, rows: int) -> None:
    """An import made all its rows in one go, or none where it was given up."""
    ended = {job.title.split()[1]: job for job in Job.objects.filter(kind="import")}
    assert len(ended) == rounds, "an import is lost"
    done = {number for number, job in ended.items() if job.state == "done"}
    assert all(ended[number].result["new"] == rows for number in done), [job.result for job in ended.values()]
    made = Counter(
        name.split()[1] for name in Unit.objects.filter(name__startswith="Import ").values_list("name", flat=True)
    )
    assert made == dict.fromkeys(done, rows), f"rows of no import, or too few: {made}"
    given_up = list(Job.objects.filter(state="failed"))
    assert all(job.attempts == ATTEMPTS for job in given_up), [(job.kind, job.error) for job in given_up]


def assert_reports_once(schedule: ReportSchedule) -> None:
    """Each run that was made has one mail for each recipient, one that was given up at most one."""
    people = list(schedule.subscribers.all())
    mails = Counter(OutboxMail.objects.filter(dedupe__startswith="report").values_list("dedupe", flat=True))
    for run in ReportRun.objects.exclude(occasion="").select_related("job"):
        wanted = Counter(dedupe_key(run, person) for person in people)
        made = Counter({key: mails.pop(key) for key in wanted if key in mails})
        assert run.job is not None and (made == wanted if run.job.state == "done" else made <= wanted), (run.job, made)
    assert not mails, f"mails of no run: {mails}"
