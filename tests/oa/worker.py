"""A real Celery worker on the real broker for tests: `python -m tests.oa.worker DATABASE FOLDER PREFIX SLOW`.

SLOW: `before` or `after` dawdles around the sending of each mail and within jobs, so that the test can kill it there.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

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


def main(database: str, folder: str, prefix: str, slow: str) -> None:
    """Serve the default queue with two processes until a signal comes."""
    settings.DATABASES["default"]["NAME"] = database
    settings.EMAIL_BACKEND = "tests.oa.worker.Backend"
    settings.EMAIL_FILE_PATH = f"{folder}/mail"
    settings.CELERY_BROKER_TRANSPORT_OPTIONS = transport(prefix)
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    from config.celery import app
    from crm.customers.models import Tag
    from oa.records.jobs import Running, job_kind
    from tests.oa import worker

    worker.Backend.slow = "" if slow == "no" else slow

    @job_kind("test-tags", whole=True)
    def tags(running: Running) -> dict[str, Any]:
        """Makes three tags in one transaction."""
        for number in range(3):
            Tag.objects.create(code=f"T{number}", name="made by a job")
            running.progress(number + 1, 3, now=True)
            if slow != "no" and number == 1:
                _dawdle("job")
        return {"made": 3}

    app.worker_main(["worker", "--pool=prefork", "--concurrency=2", "--loglevel=ERROR", "--without-gossip",
                     "--without-mingle", "--without-heartbeat"])  # fmt: skip


if __name__ == "__main__":
    import django

    django.setup()
    main(*sys.argv[1:5])
