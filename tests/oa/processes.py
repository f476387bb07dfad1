"""Real processes beside a test, to be killed: Celery workers, beat, a broker of their own."""

from __future__ import annotations

import itertools
import os
import shutil
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connection

from config import places
from config.servers import Valkey, wait_end

PRELUDE = """
import os, signal, sys
import django
django.setup()
from django.db import connection
connection.settings_dict["NAME"] = sys.argv[1]
from django.core.files.storage import FileSystemStorage
import django.core.files.storage as storage
from django.conf import settings
settings.MEDIA_ROOT = sys.argv[2]
settings.EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
settings.EMAIL_FILE_PATH = sys.argv[2] + "/mail"
"""

ROOT = Path(__file__).parents[2]
_started = itertools.count()
PATIENCE = 120  # seconds on a busy machine; a quiet one needs a few


class Broker(Valkey):
    """A Valkey for one test alone, started and kept as that of an installation is."""

    def __init__(self) -> None:
        super().__init__()
        name = uuid.uuid4().hex[:6]
        self.home = places.services() / f"broker-{name}"
        self.data, self.log = self.home / "valkey", self.home / "valkey.log"
        self.socket = places.sockets() / f"{name}.sock"
        places.private(self.home, places.server_account())

    @property
    def url(self) -> str:
        """Where Celery finds it, also after a restart."""
        return f"redis+socket://{self.socket}"

    def kill(self) -> None:
        """SIGKILL: what was not written is gone."""
        pid = int(self.client().info("server")["process_id"])
        os.kill(pid, signal.SIGKILL)
        assert wait_end(pid, 30)

    def empty(self) -> None:
        """Lose everything it had kept, while it is down."""
        shutil.rmtree(self.data)

    def remove(self) -> None:
        """End it and leave nothing behind."""
        if self.ready():
            self.kill()
        shutil.rmtree(self.home)
        self.socket.unlink(missing_ok=True)


def begin(folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A program of `tests.oa.worker` on the present database, in a process group of its own; its words go to `folder`."""
    name = str(connection.settings_dict["NAME"])
    with (folder / f"log{next(_started)}").open("wb") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.oa.worker", name, str(folder), *arguments], cwd=ROOT,
            env={**os.environ, "SANHE_LOG_LEVEL": "CRITICAL"}, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL for a worker and its children at once: nothing of them can tidy up."""
    os.killpg(process.pid, signal.SIGKILL)
    process.wait(30)


def wait_for(condition: Callable[[], bool], folder: Path) -> None:
    """Until `condition` holds; a worker's own words where it never does."""
    end = time.monotonic() + PATIENCE
    while not condition():
        said = "\n".join(log.read_text()[-2000:] for log in sorted(folder.glob("log*")))
        assert time.monotonic() < end, said
        time.sleep(0.1)


def sent(folder: Path) -> list[str]:
    """Message-IDs of the mails that really went out, in order."""
    lines = [line for file in sorted((folder / "mail").glob("*")) for line in file.read_text().splitlines()]
    return [line.partition(": ")[2] for line in lines if line.startswith("Message-ID")]


def _sessions() -> set[int]:
    """The sessions that this test's database has now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def killed(script: str, *arguments: Any) -> None:
    """Run `script` in a process of its own on this test's database, and see it killed.

    Its sessions outlive it for a moment, and what they had locked with them: it is over when they are gone.
    """
    name = str(connection.settings_dict["NAME"])
    before = _sessions()
    environment = {**os.environ, "SANHE_LOG_LEVEL": "CRITICAL"}
    process = subprocess.run(
        [sys.executable, "-c", script, name, *map(str, arguments)], env=environment, capture_output=True, text=True,
        timeout=120, cwd=ROOT, check=False,
    )  # fmt: skip
    assert process.returncode == -signal.SIGKILL, process.stderr[-2000:]
    end = time.monotonic() + PATIENCE
    while lasting := _sessions() - before:
        assert time.monotonic() < end, lasting
        time.sleep(0.02)
