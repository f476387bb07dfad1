"""A sender of notifications that is killed in the middle loses and doubles nothing (rules X-12, I-38)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.core import mail
from django.db import connection

from oa.records.models import Notification
from oa.records.notifications import notify
from oa.reporting import outbox
from oa.reporting.models import OutboxMail
from oa.reporting.notices import mail_notifications
from tests import factories as make

pytestmark = [pytest.mark.django_db(transaction=True)]

# Dies with mail and marks written but not committed, which is the last moment at which anything could be lost.
DYING = """
import os, signal, sys
import django
from django.conf import settings

settings.DATABASES["default"]["NAME"] = sys.argv[1]
django.setup()
from oa.reporting import notices

notices.kick = lambda: os.kill(os.getpid(), signal.SIGKILL)
notices.mail_notifications()
"""


def test_a_killed_sender_leaves_everything_to_the_next_one() -> None:
    """kill -9 between the mail and the commit: nothing is stored; the next minute makes one mail with everything."""
    person = make.make_user("ann", "sales", notice_mails="each")
    for text in ("one", "two"):
        notify([person], text)
    name = str(connection.settings_dict["NAME"])
    died = subprocess.run(
        [sys.executable, "-c", DYING, name],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings"},
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL, died.stderr.decode()[-2000:]
    assert not OutboxMail.objects.exists() and Notification.objects.filter(mail_due__isnull=False).count() == 2
    end = time.monotonic() + 60  # until the database has noticed and given the row free
    while not (made := mail_notifications()) and time.monotonic() < end:
        time.sleep(0.2)
    assert made == 1 and mail_notifications() == 0
    outbox.send_mails()
    (message,) = mail.outbox
    assert "one" in message.body and "two" in message.body and outbox.send_mails() == 0
