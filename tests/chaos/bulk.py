"""The drill of actions on many rows (F-19): cancelled and killed in the middle, while what is told is compared.

Somebody archives all customers by the form of the list, then takes them into use again, and so on; a worker does it. At
places and in ways that the seed decides, one process of the worker or all of it is killed, or the button Cancel of the
job's page is pressed. At every moment in between one statement compares what the job tells with what was changed.

As a control, `--control` runs a worker that stores the tally after the commit of the rows: it must not pass.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import django

django.setup()

from django.conf import settings  # noqa: E402 - needs the settings
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import reverse  # noqa: E402

from config import places  # noqa: E402
from config.celery import app  # noqa: E402
from crm.customers.models import Customer  # noqa: E402
from kit.rules.checks import run as broken_invariants  # noqa: E402
from oa.records import jobs  # noqa: E402
from oa.records.models import Job  # noqa: E402
from tests import factories as make  # noqa: E402
from tests.chaos import cluster  # noqa: E402
from tests.oa import processes  # noqa: E402
from tests.oa.worker import transport  # noqa: E402

NAME, PREFIX = "chaos_bulk", "bulk-"
LIST = "/crm/customers/"
LOOKS = 30  # at a page while nothing else goes on
PATIENCE = 300  # seconds for one action, deaths included
ENDED = ("done", "failed", "cancelled")
# What happens to an action, in this order; after the third death it is given up.
COURSES = (
    ("child", "cancel"), ("worker", "child"), ("cancel",), ("child",), ("worker", "cancel"), ("child", "child", "worker"),
)  # fmt: skip
# What the job tells and what is so, by one statement: of one moment.
_BOTH = """
SELECT state, done, coalesce((result ->> 'at')::int, 0), coalesce((result ->> 'done')::int, 0),
       (SELECT sum(version) FROM crm_customer) - %s
  FROM oa_job WHERE id = %s
"""


class Bulk:
    """One run."""

    def __init__(self, given: argparse.Namespace) -> None:
        self.given, self.dice = given, Random(given.seed)
        self.happened: Counter[str] = Counter()
        self.faults: list[str] = []
        self.folder = places.var() / NAME
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.broker = processes.Broker()
        self.worker: Any = None
        self.idle: list[float] = []
        self.busy: list[float] = []
        self.resumed: list[float] = []
        self.took: list[float] = []

    def run(self) -> dict[str, Any]:
        """The figures and the faults."""
        cluster.empty(NAME)
        call_command("migrate", interactive=False, verbosity=0)
        begin = time.monotonic()
        try:
            self._settle()
            self._start()
            while self._interrupted() < self.given.kills:
                self._action(self.dice.choice(COURSES))
            self._action(())  # nothing happens to the last one: it finishes what was left
        finally:
            if self.worker is not None:
                processes.kill(self.worker)
            self.broker.remove()
        self.faults += [f"{code}: {row}" for code, rows in broken_invariants().items() for row in rows]
        return self._result(round(time.monotonic() - begin, 1))

    def _settle(self) -> None:
        app.conf.broker_url, app.conf.broker_transport_options = self.broker.url, transport(PREFIX)
        settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
        settings.ALLOWED_HOSTS = ["testserver"]
        call_command("collectstatic", interactive=False, verbosity=0)
        self.broker.start()
        boss = make.make_user("boss", language="en")
        rows = [Customer(code=f"B{n:06}", name=f"Blue {n}", owner=boss) for n in range(self.given.rows)]
        Customer.objects.bulk_create(rows, batch_size=1000)
        self.browser = Client()
        self.browser.force_login(boss)
        self.idle = [self._look() for _ in range(LOOKS)]

    def _start(self) -> None:
        mode = "bulk-control" if self.given.control else "bulk"
        self.worker = processes.begin(self.folder, PREFIX, mode, self.broker.url)

    def _look(self) -> float:
        """How long somebody else waits for the list."""
        begin = time.monotonic()
        assert self.browser.get(LIST).status_code == 200
        return time.monotonic() - begin

    def _interrupted(self) -> int:
        return self.happened["child"] + self.happened["worker"] + self.happened["cancel"]

    # ---- one action ----

    def _action(self, course: tuple[str, ...]) -> None:
        """Ask for all rows by the form, interrupt it where the dice say, and judge what came of it."""
        self.before = dict(Customer.objects.values_list("pk", "version"))
        job, begin = self._ask(), time.monotonic()
        at = sorted(self.dice.uniform(0.02, 0.95) for _ in course)
        for what, place in zip(course, at, strict=True):
            if not self._watch(job, int(place * self.given.rows)):
                break  # parked, or through before it could be met
            time.sleep(self.dice.uniform(0, 0.15))
            self._interrupt(what, job)
            self._agree(job)
        end = begin + PATIENCE
        while time.monotonic() < end and self._watch(job, self.given.rows + 1):
            pass
        self._judge(job, time.monotonic() - begin)

    def _ask(self) -> Job:
        name = ("archive", "activate")[self.happened["actions"] % 2]
        self.happened["actions"] += 1
        form = {"action": name, "all": "1", "count": str(self.given.rows), "confirmed": "1"}
        answer = self.browser.post(f"{LIST}bulk/?active=any&q=Blue", form)
        job = Job.objects.latest("pk")
        assert answer.status_code == 302 and answer["Location"] == reverse("job", args=[job.key]), answer
        return job

    def _watch(self, job: Job, place: int) -> bool:
        """Until the job has come to `place`, comparing all the while; False when it ended before, or takes too long."""
        end, swept, looked = time.monotonic() + PATIENCE, 0.0, 0.0
        while time.monotonic() < end:
            state, done = self._compare(job)
            if state in ENDED:
                return False
            if state == "running" and done >= place:
                return True
            if time.monotonic() - swept > 1:  # what the timer does
                jobs.sweep_jobs()
                swept = time.monotonic()
            if time.monotonic() - looked > 0.5:
                self.busy.append(self._look())
                looked = time.monotonic()
            time.sleep(0.02)
        self.faults.append(f"job {job.pk} did not come to {place}")
        return False

    def _compare(self, job: Job) -> tuple[str, int]:
        with connection.cursor() as cursor:
            cursor.execute(_BOTH, [sum(self.before.values()), job.pk])
            state, shown, at, done, changed = cursor.fetchone()
        self.happened["comparisons"] += 1
        if shown != at or done != changed:
            self.happened["differences"] += 1
            self.faults += [f"job {job.pk} tells of {done} at {at}, {shown} shown, and {changed} rows are changed"]
        return state, at

    def _interrupt(self, what: str, job: Job) -> None:
        if what == "cancel":
            answer = self.browser.post(reverse("job-cancel", args=[job.key]), follow=True).content.decode()
            if "ended already" in answer:
                return
        elif what == "worker":
            processes.kill(self.worker)
            self._start()
        else:
            main = self.worker.pid
            children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
            # Which of them has the job is not to be seen from outside: all of them die, and the worker goes on.
            for child in children:
                os.kill(int(child), signal.SIGKILL)
        self.happened[what] += 1
        if what != "cancel":
            self._resumes(job)

    def _resumes(self, job: Job) -> None:
        """How long nobody was at the job: until the next worker has it, or it is parked."""
        job.refresh_from_db()
        attempts, begin = job.attempts, time.monotonic()
        while job.state not in ENDED and job.attempts == attempts and time.monotonic() < begin + PATIENCE:
            jobs.sweep_jobs()
            self._compare(job)
            time.sleep(0.1)
            job.refresh_from_db()
        self.resumed.append(time.monotonic() - begin)

    # ---- verdict ----

    def _agree(self, job: Job) -> int:
        """Rows that were changed, each once at most; the page of the job tells their number."""
        now = dict(Customer.objects.values_list("pk", "version"))
        steps = Counter(now[key] - self.before[key] for key in now)
        if set(steps) - {0, 1}:
            self.faults.append(f"job {job.pk}: rows changed more than once: {steps}")
        state, _at = self._compare(job)
        if state in ENDED:
            page = self.browser.get(reverse("job", args=[job.key])).content.decode()
            told = re.search(r'role="status">(\d+) done', page)
            if int(told[1] if told else 0) != steps[1]:
                self.faults.append(f"the page of job {job.pk} tells {told and told[0]!r}, {steps[1]} rows are changed")
        return steps[1]

    def _judge(self, job: Job, took: float) -> None:
        time.sleep(0.5)  # what is still under way has no effect any more
        changed = self._agree(job)
        job.refresh_from_db()
        self.happened[job.state] += 1
        self.happened["rows changed"] += changed
        kept = job.result
        if job.state == "done":
            self.took.append(took)
            if kept["done"] + kept["skipped"] != self.given.rows:
                self.faults.append(f"job {job.pk} is done with {kept['done']} + {kept['skipped']} rows")
        if job.state == "failed" and job.attempts != jobs.ATTEMPTS:
            self.faults.append(f"job {job.pk} failed after {job.attempts} attempts: {job.error}")
        if job.state not in ENDED:
            self.faults.append(f"job {job.pk} is {job.state} after {took:.0f} s")

    def _result(self, took: float) -> dict[str, Any]:
        slow = max(self.took, default=0)
        return {
            "seed": self.given.seed, "rows": self.given.rows, "seconds": took, **self.happened,
            "an action that came to its end took at most": round(slow, 1),
            "seconds of the last, that nothing happened to": round(self.took[-1], 1) if self.took else None,
            "nobody was at a job for at most": round(max(self.resumed, default=0), 1),
            "a list, half of them and 95 of 100, idle": [_within(self.idle, 0.5), _within(self.idle, 0.95)],
            "and beside an action": [_within(self.busy, 0.5), _within(self.busy, 0.95)], "faults": self.faults,
        }  # fmt: skip


def _within(times: list[float], share: float) -> float:
    """Within how many seconds so many of them were."""
    return round(sorted(times)[int(share * (len(times) - 1))], 3) if times else 0
