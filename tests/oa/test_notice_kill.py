"""A sender of notifications that is killed in the middle loses and doubles nothing (rules X-12, I-38)."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.core import mail

from oa.records.models import Notification
from oa.records.notifications import notify
from oa.reporting import outbox
from oa.reporting.models import OutboxMail
from oa.reporting.notices import mail_notifications
from tests import factories as make
from tests.oa.processes import PRELUDE, killed

pytestmark = [pytest.mark.django_db(transaction=True)]

# Dies with mail and marks written but not committed, which is the last moment at which anything could be lost.
DYING = (
    PRELUDE
    + """
from oa.reporting import notices
notices.kick = lambda: os.kill(os.getpid(), signal.SIGKILL)
notices.mail_notifications()
"""
)


def test_a_killed_sender_leaves_everything_to_the_next_one(tmp_path: Path) -> None:
    """kill -9 between the mail and the commit: nothing is stored; the next minute makes one mail with everything."""
    person = make.make_user("ann", "sales", notice_mails="each")
    for text in ("one", "two"):
        notify([person], text)
    killed(DYING, tmp_path)
    assert not OutboxMail.objects.exists() and Notification.objects.filter(mail_due__isnull=False).count() == 2
    assert mail_notifications() == 1 and mail_notifications() == 0
    outbox.send_mails()
    (message,) = mail.outbox
    assert "one" in message.body and "two" in message.body and outbox.send_mails() == 0
