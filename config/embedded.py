"""PostgreSQL and Valkey from Python wheels, for machines that have no servers.

Without `DATABASE_URL` and `REDIS_URL` the program brings its own servers. Every process that called `start()`
holds a shared lock; whoever can take it exclusively at its end is the last and stops the servers. The operating
system drops the locks of killed processes, so nothing stays locked, and a server that was left running is used
again by the next start.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

from config import places

_held: dict[str, int] = {}


def database_url() -> str:
    """The URL of the embedded PostgreSQL; pure computation, nothing is started."""
    return f"postgresql://sanhe@{quote(str(places.sockets()), safe='')}/sanhe"


def redis_url() -> str:
    """The URL of the embedded Valkey; pure computation, nothing is started."""
    return f"unix://{places.sockets() / 'valkey.sock'}"


def needed() -> list[str]:
    """Which servers the environment does not name: `postgres`, `valkey`."""
    variables = {"postgres": "DATABASE_URL", "valkey": "REDIS_URL"}
    return [name for name, variable in variables.items() if not os.environ.get(variable)]


def start() -> None:
    """Start whatever is needed and not running, wait until it answers, and hold it until this process ends."""
    if not needed() or _held.get("pid") == os.getpid():
        return
    places.var().mkdir(parents=True, exist_ok=True)
    with _alone():
        places.prepare()
        users = _open("users.lock")
        fcntl.flock(users, fcntl.LOCK_SH)
        # Before the first server: an interrupted or failed start ends what it began.
        _held.update(pid=os.getpid(), users=users)
        atexit.register(_at_exit)
        for server in _servers():
            if not server.ready():
                server.start()
            server.create_database()


def _at_exit() -> None:
    # A second Ctrl-C must not leave servers behind.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with suppress(ValueError):  # not in the main thread
            signal.signal(number, signal.SIG_IGN)
    release()


def release() -> None:
    """Let go of the servers; the last one to do so stops them. Runs by itself when the process ends."""
    if _held.get("pid") != os.getpid():  # a forked child has no hold of its own
        return
    with _alone():
        os.close(_held["users"])
        _held.clear()
        users = _open("users.lock")
        try:
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        else:
            for server in reversed(_servers()):
                server.stop()
            if places.sockets() != places.services():
                shutil.rmtree(places.sockets(), ignore_errors=True)
        finally:
            os.close(users)


def _servers() -> list:
    # Imported late: `manage.py help` and settings need neither psycopg nor redis for their paths.
    from config.servers import Postgres, Valkey

    makers = {"postgres": Postgres, "valkey": Valkey}
    return [makers[name]() for name in needed()]


def _open(name: str) -> int:
    # Opened for reading and writing, made if missing; Python closes it in programs we start.
    return os.open(places.var() / name, os.O_RDWR | os.O_CREAT, 0o600)


@contextmanager
def _alone() -> Iterator[Path]:
    """One process at a time starts or stops servers."""
    lock = _open("servers.lock")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield places.var()
    finally:
        os.close(lock)
