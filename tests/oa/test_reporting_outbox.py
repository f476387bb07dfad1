"""Mails survive dying workers: none is lost, none is doubled but with the same Message-ID (I-38, drills F-09, F-11)."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db import connection
from django.utils import timezone

import oa.records.tasks  # noqa: F401 - so that eager tasks are found by name
from kit.exchange import reports
from kit.rules import checks
from oa.organisation.models import User
from oa.records.jobs import sweep_jobs
from oa.records.models import Job, Notification
from oa.reporting import books, outbox, services, tasks
from oa.reporting.models import MailState, OutboxMail, ReportSchedule
from oa.reporting.outbox import ATTEMPTS, MailFile, OutgoingMail, store_mail
from tests import factories as make
from tests.oa.processes import PRELUDE, killed, sent

pytestmark = pytest.mark.django_db


def stored(key: str = "k1", **columns: Any) -> OutboxMail:
    """A mail in the outbox."""
    user = columns.pop("user", None) or make.make_user()
    given = {"subject": "Report", "text": "figures", "html": "<p>figures</p>"} | columns
    store_mail(OutgoingMail(key=key, user=user, **given))
    return OutboxMail.objects.get(dedupe=key)


def expire(row: OutboxMail) -> None:
    """Let the lease of a dead sender run out."""
    OutboxMail.objects.filter(pk=row.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))


def test_a_mail_is_intended_once() -> None:
    first = stored(text="one")
    assert not store_mail(OutgoingMail(key="k1", user=first.user, subject="x", text="two"))
    assert OutboxMail.objects.get().text == "one"


def test_a_mail_goes_out_with_its_files_and_is_not_sent_twice() -> None:
    row = stored(files=[MailFile("a.xlsx", b"PK1"), MailFile("c.png", b"\x89PNG", "chart")])
    assert outbox.send_mails() == 1 and outbox.send_mails() == 0
    row.refresh_from_db()
    assert (row.state, row.attempts) == (MailState.SENT, 1) and row.sent_at is not None
    message = mail.outbox[0].message()
    assert message["Message-ID"] == row.message_id and message["Auto-Submitted"] == "auto-generated"
    parts = {part.get_filename(): part for part in message.walk() if part.get_filename()}
    assert parts["a.xlsx"].get_payload(decode=True) == b"PK1"
    assert parts["c.png"]["Content-ID"] == "<chart>" and parts["c.png"].get_content_disposition() == "inline"


def test_a_sender_that_dies_between_taking_and_sending_loses_nothing() -> None:
    """It is sent when the lease has run out, not before, and once."""
    row = stored()
    assert outbox.take_mail() == row
    assert outbox.send_mails() == 0 and not mail.outbox
    expire(row)
    assert outbox.send_mails() == 1 and outbox.send_mails() == 0
    row.refresh_from_db()
    assert (row.state, row.attempts, len(mail.outbox)) == (MailState.SENT, 2, 1)


def test_a_sender_that_dies_between_sending_and_noting_repeats_the_same_message_id() -> None:
    row = outbox.take_mail() or stored()
    taken = outbox.take_mail()
    assert taken is not None
    outbox.message(taken).send()  # and then the lights went out
    expire(row)
    outbox.send_mails()
    first, second = mail.outbox
    assert first.extra_headers == second.extra_headers and first.extra_headers["Message-ID"] == row.message_id


class Down(BaseEmailBackend):
    """A mail server that refuses everything."""

    def send_messages(self, email_messages: Any) -> int:
        raise ConnectionRefusedError("mail server is down")


def test_a_failing_server_is_tried_again_and_given_up_in_the_end(settings: Any) -> None:
    """Five attempts with growing pauses; nothing is pending for ever."""
    settings.EMAIL_BACKEND = f"{__name__}.Down"
    row = stored()
    for attempt in range(1, ATTEMPTS + 1):
        assert outbox.send_mails() == 0
        row.refresh_from_db()
        assert row.attempts == attempt and "mail server is down" in row.error
        if attempt < ATTEMPTS:
            assert row.state == MailState.PENDING and row.lease_until > timezone.now()
            expire(row)
    assert row.state == MailState.FAILED
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert outbox.send_mails() == 0


def test_a_mail_whose_senders_keep_dying_is_given_up() -> None:
    row = stored()
    for _attempt in range(ATTEMPTS):
        assert outbox.take_mail() is not None
        expire(row)
    assert outbox.send_mails() == 0
    row.refresh_from_db()
    assert row.state == MailState.FAILED and not checks.run(["I-38"])["I-38"]


def test_one_bad_mail_does_not_stop_the_others() -> None:
    """A file that is gone fails its own mail only."""
    bad = stored("bad", files=[MailFile("a.xlsx", b"x")])
    OutboxMail.objects.filter(pk=bad.pk).update(files=[{"name": "a.xlsx", "path": "mail/gone.xlsx", "cid": ""}])
    stored("good")
    assert outbox.send_mails() == 1
    bad.refresh_from_db()
    assert bad.state == MailState.PENDING and bad.error


def test_who_left_after_the_report_was_made_gets_nothing() -> None:
    row = stored()
    User.objects.filter(pk=row.user_id).update(is_active=False)
    assert outbox.send_mails() == 0 and not mail.outbox
    row.refresh_from_db()
    assert row.state == MailState.FAILED and "not active" in row.error


def test_who_lost_the_right_after_the_report_was_made_gets_nothing() -> None:
    """G-21: rights count when the mail goes out."""
    schedule = ReportSchedule.objects.get()
    kept, lost = make.make_user("kept"), make.make_user("lost", "chief-accountant")
    assert reports.get(schedule.report).allowed(lost)
    for user in (kept, lost):
        stored(f"report:{schedule.pk}:2026-01-01:2026-01-01::{user.pk}", user=user)
    lost.groups.clear()
    assert outbox.send_mails() == 1 and [message.to for message in mail.outbox] == [[kept.email]]
    row = OutboxMail.objects.get(user=lost)
    assert row.state == MailState.FAILED and "may not see" in row.error


def test_headers_cannot_be_injected() -> None:
    """S-20: a line break in the subject is a blank; one in an address stops the mail."""
    row = stored(subject="Report\r\nBcc: spy@example.com")
    assert outbox.send_mails() == 1
    assert mail.outbox[0].message()["Bcc"] is None and mail.outbox[0].recipients() == [row.to]
    bad = stored("k2")
    OutboxMail.objects.filter(pk=bad.pk).update(to="a@example.com\r\nBcc: spy@example.com")
    assert outbox.send_mails() == 0 and len(mail.outbox) == 1


@pytest.mark.django_db(transaction=True)
def test_without_a_broker_mails_wait_for_the_timer(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drill F-11: the kick fails quietly, the mail is there."""
    from kombu.exceptions import OperationalError

    def down(*args: Any, **kwargs: Any) -> None:
        raise OperationalError("no broker")

    monkeypatch.setattr("celery.canvas.Signature.apply_async", down)
    stored()
    outbox.kick()
    monkeypatch.undo()
    assert tasks.send_mails() == 1


# ---- real processes, really killed ----

SENDS_AND_DIES = (
    PRELUDE
    + """
from oa.reporting import outbox
real = outbox.message
def message(mail):
    made = real(mail)
    if sys.argv[3] == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    made.send()
    os.kill(os.getpid(), signal.SIGKILL)
outbox.message = message
outbox.send_mails()
"""
)
MAKES_ONE_AND_DIES = (
    PRELUDE
    + """
from oa.reporting import jobs, mails
from oa.records.jobs import run_job
count = 0
def mail_report(run, user):
    global count
    if count == int(sys.argv[4]):
        os.kill(os.getpid(), signal.SIGKILL)
    count += 1
    return mails.mail_report(run, user)
jobs.mail_report = mail_report
run_job(int(sys.argv[3]))
"""
)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("moment", ["before", "after"])
def test_sigkill_while_sending(moment: str, tmp_path: Path) -> None:
    """Killed before or after the message went out: one mail, or a repetition with the same Message-ID."""
    row = stored()
    killed(SENDS_AND_DIES, tmp_path, moment)
    row.refresh_from_db()
    assert (row.state, row.attempts) == (MailState.SENDING, 1)
    expire(row)
    assert outbox.send_mails() == 1
    again = [message.extra_headers["Message-ID"] for message in mail.outbox]
    assert [*sent(tmp_path), *again] == [row.message_id] * (1 if moment == "before" else 2)


@pytest.mark.django_db(transaction=True)
def test_sigkill_while_mails_are_made(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Drill F-09: the worker dies at the second and at the third of four recipients; everybody gets one mail."""
    schedule = ReportSchedule.objects.get()
    schedule.subscribers.set([make.make_user() for _ in range(4)])
    monkeypatch.setattr("oa.records.jobs.send_job", lambda key: None)  # the test itself says when it runs
    run = services.begin_run(schedule)
    assert run is not None and run.job is not None
    for done in (1, 2):
        killed(MAKES_ONE_AND_DIES, tmp_path, run.job.pk, done)
        Job.objects.filter(pk=run.job.pk).update(lease_until=timezone.now() - dt.timedelta(seconds=1))
    assert OutboxMail.objects.count() == 2
    monkeypatch.undo()
    settings.STORAGES = settings.STORAGES | {
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(tmp_path)}}
    }
    assert sweep_jobs() == 1
    run.refresh_from_db()
    assert run.mails == 4 and run.finished_at is not None
    assert sorted(message.to[0] for message in mail.outbox) == sorted(u.email for u in schedule.subscribers.all())
    assert set(OutboxMail.objects.values_list("state", flat=True)) == {MailState.SENT}


@pytest.mark.django_db(transaction=True)
def test_several_senders_at_once_send_each_mail_once(tmp_path: Path) -> None:
    """SKIP LOCKED: three processes, thirty mails, thirty Message-IDs."""
    user = make.make_user()
    for number in range(30):
        stored(f"k{number}", user=user)
    script = PRELUDE + "\nfrom oa.reporting import outbox\nsys.exit(0 if outbox.send_mails() else 3)"
    arguments = [sys.executable, "-c", script, str(connection.settings_dict["NAME"]), str(tmp_path)]
    processes = [subprocess.Popen(arguments, cwd=Path(__file__).parents[2]) for _ in range(3)]
    end = time.monotonic() + 120
    while any(process.poll() is None for process in processes) and time.monotonic() < end:
        time.sleep(0.1)
    assert {process.returncode for process in processes} <= {0, 3}
    wanted = sorted(OutboxMail.objects.values_list("message_id", flat=True))
    assert sorted(sent(tmp_path)) == wanted and len(wanted) == 30
    assert OutboxMail.objects.filter(state=MailState.SENT, attempts=1).count() == 30


# ---- the nightly check ----


def test_administrators_hear_of_a_broken_invariant() -> None:
    """Everybody who keeps the installation running, and nobody else."""
    boss, admin, seller = make.make_user("boss"), make.make_user("adm", "administrator"), make.make_user("ann", "sales")
    assert books.check_books() == 0 and not Notification.objects.exists()
    row = stored()
    OutboxMail.objects.filter(pk=row.pk).update(created_at=timezone.now() - dt.timedelta(hours=1))
    assert tasks.check_books() == 1
    told = Notification.objects.values_list("user__username", "text")
    assert {name for name, _text in told} == {boss.username, admin.username, row.user.username}
    assert all("I-38" in text for _name, text in told) and seller.username not in {name for name, _text in told}
