"""The drill of workers (F-09): worker, its child, beat and broker are killed while there is work; all happens once.

A round adds work of every kind, as people do (imports, reports, mails, announcements, requests whose time is over,
reminders, series, daily mails), and kills each of the four once, in an order and after pauses that the seed decides;
the worker and its child always while they are at something. Every fifth time the broker loses what it had kept.

As a control, `--control` runs workers without leases: the verdict must be that it is not passed.
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import shutil
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the settings
from django.core.management import call_command  # noqa: E402
from django.utils import timezone  # noqa: E402

from config import places  # noqa: E402
from config.celery import app  # noqa: E402
from erp.inventory.models import Unit  # noqa: E402
from kit.exchange import importing_files  # noqa: E402
from kit.exchange.importing_files import WRITE  # noqa: E402
from kit.pages.resources import registry  # noqa: E402
from kit.rules.checks import run as broken_invariants  # noqa: E402
from oa.records import importjobs  # noqa: E402
from oa.records.models import Job, Notification  # noqa: E402
from oa.reporting import services  # noqa: E402
from oa.reporting.models import MailState, OutboxMail, ReportSchedule  # noqa: E402
from tests.chaos import cluster  # noqa: E402
from tests.importing import table  # noqa: E402
from tests.oa import duties, processes  # noqa: E402
from tests.oa.worker import transport  # noqa: E402

NAME, PREFIX = "chaos_office", "office-"
ROWS, READERS, IMPORTED = 200, 100, "i"
PATIENCE = 180  # seconds until everything is done after the last kill
SILENCE = 20  # seconds to wait for the worker to be at something
FRESH_JOB, FRESH_MAIL = dt.timedelta(seconds=7), dt.timedelta(seconds=3)  # a second less than the leases of the worker


def _job(folder: Path) -> bool:
    return Job.objects.filter(state="running", lease_until__gt=timezone.now() + FRESH_JOB).exists()


def _mail(folder: Path) -> bool:
    return OutboxMail.objects.filter(state=MailState.SENDING, lease_until__gt=timezone.now() + FRESH_MAIL).exists()


def _mark(folder: Path) -> bool:
    return any(folder.glob("in-*"))  # the worker leaves one with whatever it does


# What a worker holds that was taken just now, not what its predecessor died with.
IN_HAND: dict[str, Callable[[Path], bool]] = {"a job": _job, "a mail": _mail, "something": _mark}
ENDED = ("done", "failed", "cancelled")


class Office:
    """One run."""

    def __init__(self, given: argparse.Namespace) -> None:
        given.rounds = given.rounds or 30
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
                for kind in self.dice.sample(("office", "child", "beat", "broker"), 4):
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
        self.office = duties.Duties(READERS)
        self.schedule = ReportSchedule.objects.get()
        services.subscribe(self.schedule, by=self.office.boss)
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
            {"code": f"{IMPORTED}{number:02}{row:03}", "name": f"Import {row}", "decimals": 0} for row in range(ROWS)
        ]
        upload = importing_files.keep(table(rows).encode(), "units.csv", registry["unit"], d.boss, {})
        importjobs.start("import", f"Import {number}", importing_files.job_params(upload, WRITE), d.boss)
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
            self._kill_child()
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

    def _kill_child(self) -> None:
        """Of the two processes that do the work one dies; the worker itself has to go on with another."""
        main = self.running["office"].pid
        place = Path(f"/proc/{main}/task/{main}/children")
        self._wait(lambda: bool(place.read_text().split()), SILENCE)
        os.kill(int(self.dice.choice(place.read_text().split())), signal.SIGKILL)

    def _busy(self) -> None:
        """Until the worker has in hand what the seed wants it to die with: a job, a mail, or anything at all."""
        for mark in self.folder.glob("in-*"):
            mark.unlink(missing_ok=True)
        wanted = self.dice.choice(list(IN_HAND))
        there = IN_HAND[wanted]
        met = self._wait(lambda: there(self.folder), SILENCE)
        time.sleep(self.dice.uniform(0, 0.1))
        self.happened[f"killed with {wanted} in hand" if met else "killed while idle"] += 1

    def _wait(self, condition: Callable[[], bool], seconds: float) -> bool:
        end = time.monotonic() + seconds
        while not (met := condition()) and time.monotonic() < end:
            time.sleep(0.02)
        return met

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
            "reviews": len(d.documents), "receipts": len(d.news) * READERS, "mails": OutboxMail.objects.count(),
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
            twice = duties.assert_mails_once(self.office, self.folder, kills=kills, reports=reports)

        for check in (
            lambda: duties.assert_approvals_once(self.office),
            lambda: duties.assert_tasks_once(self.office),
            lambda: duties.assert_news_once(self.office),
            mails,
            lambda: assert_jobs_once(self.given.rounds, reports),
        ):
            try:
                check()
            except AssertionError as error:
                place = traceback.extract_tb(error.__traceback__)[-1]
                faults.append(f"{place.name}, {place.line} {error}"[:500])
        return twice


def assert_jobs_once(rounds: int, reports: int) -> None:
    """An import made all its rows in one go, or none where it was given up; each report that was made has its mail."""
    ended = {job.pk: job for job in Job.objects.filter(kind="import")}
    assert len(ended) == rounds, "an import is lost"
    done = [job for job in ended.values() if job.state == "done"]
    assert all(job.result["new"] == ROWS for job in done), [job.result for job in done]
    assert Unit.objects.filter(name__startswith="Import ").count() == ROWS * len(done), "rows of no import"
    given_up = list(Job.objects.filter(state="failed"))
    assert all(job.attempts == 3 for job in given_up), [(job.kind, job.error) for job in given_up]
    made = Job.objects.filter(kind=services.JOB_KIND, state="done").count()
    assert made <= reports <= rounds, f"{made} reports, {reports} mails"
