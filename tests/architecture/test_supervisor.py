"""The supervisor of `make run`: everything starts together and stops together."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest
import sources

PROGRAM = """
import sys
from config.supervisor import AlreadyRunning, Service, Supervisor
quiet = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]
first = [sys.executable, "-c", sys.argv[1]] if len(sys.argv) > 1 else quiet
pair = [Service("web", first), Service("worker", quiet)]
supervisor = Supervisor(pair, lambda text: print(text, flush=True), "http://127.0.0.1:8123")
try:
    supervisor.claim()
except AlreadyRunning as error:
    sys.exit(f"refused: {error}")
sys.exit(supervisor.run(ready=lambda: True, on_ready=lambda: supervisor.say("READY")))
"""


@pytest.fixture
def launch(tmp_path):
    """Starts supervisors on one data folder of their own."""
    started = []

    def start(*arguments: str) -> subprocess.Popen:
        child = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=sources.ROOT,
            env={**os.environ, "SANHE_VAR": str(tmp_path)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.kill()
        child.wait()
        child.stdout.close()
    for pid in workers(tmp_path):  # what a killed supervisor leaves behind
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def until(child, text):
    """Read its output up to a line that holds `text`."""
    for line in child.stdout:
        if text in line:
            return line
    raise AssertionError(f"ended without saying {text!r}")


def workers(tmp_path):
    """Processes that carry the mark of this data folder."""
    from config import places, supervisor

    os.environ["SANHE_VAR"], before = str(tmp_path), os.environ.get("SANHE_VAR", "")
    try:
        return [pid for pid in supervisor.marked() if places.var() == tmp_path.resolve()]
    finally:
        os.environ["SANHE_VAR"] = before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_all_in_order(launch, tmp_path, number):
    child = launch()
    until(child, "READY")
    assert len(workers(tmp_path)) == 2
    child.send_signal(number)
    rest = child.communicate(timeout=30)[0]
    assert child.returncode == 0
    assert rest.index("Stopping web") < rest.index("Stopping worker")
    assert workers(tmp_path) == []


def test_output_carries_the_name(launch):
    assert until(launch(), "up").startswith(("web    | ", "worker | "))


def test_a_dead_child_stops_all_with_its_code(launch, tmp_path):
    child = launch("import sys, time; time.sleep(0.5); print('broken', flush=True); sys.exit(7)")
    out = child.communicate(timeout=30)[0]
    assert child.returncode == 7
    assert "web    | broken" in out and "web ended unexpectedly (exit code 7)" in out
    assert workers(tmp_path) == []


def test_a_child_that_does_not_listen_is_ended(launch, tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "SANHE_GRACE", "1")
    child = launch(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    until(child, "web    | up")
    child.terminate()
    out = child.communicate(timeout=60)[0]
    assert "did not stop" in out and workers(tmp_path) == []


def test_only_one_per_data_folder(launch):
    until(launch(), "READY")
    second = launch()
    out = second.communicate(timeout=30)[0]
    assert second.returncode == 1 and "refused: Sanhe already runs" in out
    assert "http://127.0.0.1:8123" in out, "where it runs, which may be another port than the second one's"


def test_orphans_of_a_killed_supervisor_are_ended(launch, tmp_path):
    first = launch()
    until(first, "READY")
    orphans = set(workers(tmp_path))
    first.kill()
    first.wait()
    assert set(workers(tmp_path)) == orphans and orphans
    second = launch()
    until(second, "Ending 2 processes")
    until(second, "READY")
    assert not orphans & set(workers(tmp_path))
    second.terminate()
    second.communicate(timeout=30)
    time.sleep(0.1)
    assert workers(tmp_path) == []
