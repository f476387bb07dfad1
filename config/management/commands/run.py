"""`manage.py run`: the whole program with one command."""

from __future__ import annotations

import errno
import hashlib
import http.client
import os
import socket
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from config.management.commands.demo import logins
from config.supervisor import AlreadyRunning, Service, Supervisor


class Command(BaseCommand):
    """Starts web, worker and beat together; Ctrl-C stops everything."""

    help = "Prepare the database and start web server, background worker and scheduler together."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Prepare, then run until a signal comes or a process ends."""
        host, port = os.environ.get("SANHE_BIND") or "127.0.0.1", settings.SANHE_PORT
        supervisor = Supervisor(services(host, port), self.say, settings.SANHE_URL)
        try:
            supervisor.claim()
        except AlreadyRunning as error:
            raise CommandError(f"{error} Open that, or stop it there with Ctrl-C.") from None
        check_port(host, port)
        self.prepare()
        known = f"\n{logins()}".rstrip()
        connections.close_all()
        code = supervisor.run(
            ready=lambda: answers(host, port),
            on_ready=lambda: supervisor.say(f"\nSanhe is ready: {settings.SANHE_URL}   (Ctrl-C stops it){known}\n"),
        )
        supervisor.say("Stopped.")
        sys.exit(code)

    def prepare(self) -> None:
        """Migrations, static files, and the demo company of a first local start."""
        state, stamp = code_digest(), Path(settings.VAR) / "prepared"
        if unapplied() or not stamp.exists() or stamp.read_text() != state:
            self.migrate()
            stamp.write_text(state)
        collect_static(self)
        if not settings.PRODUCTION and os.environ.get("SANHE_DEMO", "1") != "0":
            call_command("demo", if_empty=True)

    def migrate(self) -> None:
        """Bring the database up to date, naming each migration."""
        self.say("Preparing the database")
        try:
            call_command("migrate", interactive=False, verbosity=1, stdout=_Last(self))
        except Exception as error:
            raise CommandError(f"The database could not be brought up to date ({_Last.line}): {error}") from error

    def say(self, text: str) -> None:
        """Print at once, also into a pipe."""
        self.stdout.write(text)
        self.stdout.flush()


class _Last:
    """Takes the output of `migrate`: shows the migrations applied and remembers the last line for an error."""

    line = "before the first migration"

    def __init__(self, command: Command) -> None:
        self.command = command

    def write(self, text: str) -> int:
        if "Applying" in text:
            _Last.line = text.strip().rstrip(".")
            self.command.say(f"  {_Last.line}")
        return len(text)

    def flush(self) -> None:
        """Nothing is held back."""


def services(host: str, port: int) -> list[Service]:
    """The processes in the order in which they are stopped."""
    celery = [sys.executable, "-m", "celery", "-A", "config.celery", "--quiet"]
    web = [
        sys.executable,
        "-m",
        "gunicorn",
        "config.wsgi:application",
        f"--bind={host}:{port}",
        "--workers=2",
        "--worker-class=gthread",
        "--threads=8",
        "--timeout=60",
        "--graceful-timeout=15",
        "--log-level=warning",
        "--no-control-socket",
    ]
    worker = [
        *celery,
        "worker",
        "--concurrency=2",
        "--pool=prefork",
        "--loglevel=WARNING",
        "--without-gossip",
        "--without-mingle",
        "--hostname=sanhe@%h",
    ]
    beat = [*celery, "beat", "--loglevel=WARNING", "--pidfile="]
    limits = {"SANHE_STATEMENT_TIMEOUT": "30s"}
    return [
        Service("web", web, limits),
        Service("worker", worker, {"SANHE_STATEMENT_TIMEOUT": "600s"}),
        Service("beat", beat, limits),
    ]


def check_port(host: str, port: int) -> None:
    """Say clearly when another program has the port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise CommandError(
                    f"Port {port} is in use by another program. Stop that program, or choose another port: "
                    f"make run SANHE_PORT={port + 1}"
                ) from None
            raise CommandError(f"Cannot listen on {host}:{port}: {error.strerror}.") from None
        except OverflowError as error:
            raise CommandError(f"Cannot listen on {host}:{port}: {error}") from None


def answers(host: str, port: int) -> bool:
    """Whether the web server answers a request."""
    connection = http.client.HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # nosec B104  # noqa: S104
    try:
        connection.request("GET", "/healthz", headers={"Host": "localhost"})
        return bool(connection.getresponse().status)
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def unapplied() -> bool:
    """Whether there are migrations to apply."""
    executor = MigrationExecutor(connections["default"])
    return bool(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def code_digest() -> str:
    """A digest of names, sizes and times of the program: after a change, first rows and permissions may differ."""
    digest = hashlib.sha256()
    for app in ("config", "kit", "oa", "crm", "erp"):
        for path in sorted((settings.BASE_DIR / app).rglob("*.py")):
            status = path.stat()
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


def collect_static(command: Command) -> None:
    """Gather, compress and name static files by content, when any has changed."""
    if settings.DEBUG:
        return
    root = Path(settings.STATIC_ROOT)
    stamp = root / ".collected"
    state = static_digest()
    if not stamp.exists() or stamp.read_text() != state:
        command.say("Collecting static files")
        call_command("collectstatic", interactive=False, verbosity=0)
        stamp.write_text(state)


def static_digest() -> str:
    """A digest of names, sizes and times of all static files, and of how they are stored."""
    digest = hashlib.sha256(settings.STORAGES["staticfiles"]["BACKEND"].encode())
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = os.stat(storage.path(name))
            digest.update(f"{name} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()
