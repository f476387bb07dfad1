"""F-22: machines whose clocks differ from the database's, beside machines that are right.

The other machine is a process whose `time` and `datetime` are an hour wrong. Everything runs in it that compares a
moment with one that another machine has written: leases, mails, deadlines, reminders, sessions, codes, postings.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.utils import timezone

from erp.finance.models import Account, Journal, Voucher
from erp.finance.services import save_voucher
from erp.finance.services.vouchers import EntryInput
from oa.announcements.services import publish
from oa.organisation.models import Department, User
from oa.records import jobs
from oa.records.models import Job
from oa.reporting import outbox
from oa.reporting.models import OutboxMail
from tests import approving
from tests import factories as make
from tests.clocks import WRONG
from tests.invariants import assert_books
from tests.oa.announcing import written
from tests.oa.entering import code_at, enter, with_factor
from tests.oa.office import make_task
from tests.oa.processes import PRELUDE, ROOT

pytestmark = [pytest.mark.django_db(transaction=True)]

HALF = dt.timedelta(minutes=30)

ON_THE_OTHER_MACHINE = """
import json
from django.test import Client
settings.ALLOWED_HOSTS, settings.STORAGES = ["*"], settings.STORAGES | {"staticfiles": {"BACKEND": settings.PLAIN_STATIC}}
settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
from config import clock
from erp.finance.models import Voucher
from erp.finance.services import post_voucher
from kit.rules.days import business_day
from oa.announcements import publishing
from oa.approvals.timeouts import handle_overdue
from oa.records import jobs
from oa.records.models import Job
from oa.reporting import outbox
from oa.tasks.services.reminders import remind
from tests.oa import entering
jobs.send_job = lambda key: None
given = json.loads(sys.argv[4])

def posted(key):
    try:
        return post_voucher(Voucher.objects.get(pk=key), by=None).state
    except Exception as error:
        return str(error)

def everything(voucher, code):
    mine = Job.objects.create(kind="test-none", title="Mine")
    browser = Client()
    browser.cookies[settings.SESSION_COOKIE_NAME] = given["session"]
    return {
        "swept": jobs.sweep_jobs(), "job": jobs._take(given["job"]), "mails": outbox.send_mails(),
        "deadlines": handle_overdue(), "reminders": remind(), "news": publishing.begin_due(),
        "session": browser.get("/").status_code, "taken": jobs._take(mine.pk), "mine": mine.pk,
        "code": entering.factors.accept_code(entering.User.objects.get(username="eve"), code),
        "login": entering.enter(entering.User.objects.get(username="bob")).session.session_key,
        "posted": posted(voucher), "day": str(business_day()),
    }

found = []
for SHIFT, voucher, code in zip((3600, -3600, 3600), given["vouchers"], given["codes"]):
    if len(found) == 2:
        clock._origin = None  # the control: from here on this machine goes by its own clock
    found.append(everything(voucher, code))
print(json.dumps(found))
"""


@pytest.fixture
def things() -> dict[str, Any]:
    """What this machine, which is right, has in hand or has promised for half an hour from now."""
    crowd = Department.objects.create(code="CROWD", name="Crowd")
    boss, asked, ann = make.make_user("boss"), approving.person("asked"), make.make_user("ann")
    make.make_user("bob")
    secret, _codes = with_factor(make.make_user("eve"))
    request = approving.request(approving.flow(approving.step(1, asked, hours=8, on_timeout="reject"), admin=boss), ann)
    request.tasks.filter(state="running").update(remind_at=timezone.now() + HALF, due_at=timezone.now() + HALF)
    due = timezone.localtime() + 3 * HALF
    make_task(ann, due_on=due.date(), due_at=due.time().replace(second=0, microsecond=0), reminders="1h")
    publish(written(boss, "News", to_departments=[crowd], starts_at=timezone.now() + HALF), by=boss)
    User.objects.update(notice_mails="none")
    job = Job.objects.create(kind="test-none", title="In hand")
    assert jobs._take(job.pk) == 1
    outbox.store_mail(outbox.OutgoingMail(key="k", user=ann, subject="Report", text="figures"))
    assert outbox.take_mail() is not None
    return {
        "job": job.pk, "vouchers": [drafted() for _ in range(3)], "session": enter(ann).session.session_key,
        "codes": [code_at(secret), code_at(secret, 1), code_at(secret, 1)],
    }  # fmt: skip


def drafted() -> int:
    """A voucher that waits for being posted."""
    voucher = Voucher(journal=Journal.objects.get(code="GEN"), date=make.days_ago(1), memo="drafted here")
    equity = Account.objects.filter(type="equity", is_group=False).first()
    lines = [EntryInput(make.bank(), debit=Decimal(7)), EntryInput(equity, credit=Decimal(7))]
    return int(save_voucher(voucher, lines, by=None).pk)


def elsewhere(folder: Path, things: dict[str, Any]) -> Any:
    """What happens on a machine whose clock is an hour ahead, jumps back by two, and once more by its own clock."""
    name = str(connection.settings_dict["NAME"])
    answer = subprocess.run(
        [sys.executable, "-c", WRONG + PRELUDE + ON_THE_OTHER_MACHINE, name, str(folder), "3600", json.dumps(things)],
        cwd=ROOT, text=True, env={**os.environ, "SANHE_LOG_LEVEL": "CRITICAL"}, capture_output=True, timeout=120,
        check=False,
    )  # fmt: skip
    assert answer.returncode == 0, answer.stderr[-3000:]
    return json.loads(answer.stdout.splitlines()[-1])


def test_a_machine_whose_clock_is_wrong_does_no_harm(things: dict[str, Any], tmp_path: Path) -> None:
    """F-22: it takes over nothing that others hold, does nothing before its time, lets everybody in and posts.

    The control, by the machine's own clock: each of these goes wrong.
    """
    ahead, behind, own = elsewhere(tmp_path, things)
    for found in (ahead, behind):
        assert (found["swept"], found["job"], found["mails"]) == (0, None, 0)
        assert (found["deadlines"], found["reminders"], found["news"]) == (0, 0, 0)
        assert (found["session"], found["posted"], found["code"], found["taken"]) == (200, "posted", True, 1)
        assert found["day"] == str(make.today())
        until = Job.objects.get(pk=found["mine"]).lease_until
        assert until is not None
        assert timezone.now() < until < timezone.now() + jobs.LEASE, (
            "what it holds itself is free when its time is over"
        )
        here = Client()
        here.cookies[settings.SESSION_COOKIE_NAME] = found["login"]
        assert here.get("/").status_code == 200, "who logs in there is in here as well"
    assert_books()
    assert own["swept"] >= 1 and (own["job"], own["mails"]) == (2, 1) and OutboxMail.objects.get().attempts == 2
    assert (own["deadlines"], own["reminders"], own["news"]) == (1, 1, 1)
    assert (own["session"], own["code"]) == (302, False) and "look at the clocks" in own["posted"]
