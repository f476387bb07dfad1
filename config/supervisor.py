"""Runs the program's processes together and stops them together."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from config import places
from config.environment import whole
from config.servers import alive

MARK = "SANHE_RUN"
GRACE_SECONDS = whole("SANHE_GRACE", 25)  # for requests and tasks under way


class AlreadyRunning(RuntimeError):
    """Another supervisor works on the same data folder; the text says which process."""


@dataclass
class Service:
    """One process with its name, command and what differs in its environment."""

    name: str
    command: Sequence[str]
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = field(default=None, init=False)

    def alive(self) -> bool:
        """Whether the process still runs."""
        return self.process is not None and self.process.poll() is None

    def signal(self, number: int) -> None:
        """Send a signal: TERM to the process, which ends its own children; others to its whole group."""
        if self.process is None:
            return
        try:
            if number == signal.SIGTERM:
                os.kill(self.process.pid, number)
            else:
                os.killpg(self.process.pid, number)
        except ProcessLookupError:
            pass


class Supervisor:
    """Starts services, prints their output line by line, and stops all when one ends or a signal comes."""

    def __init__(self, services: Sequence[Service], say: Callable[[str], None] = print, address: str = "") -> None:
        self.services = list(services)
        self.address = address
        self.file = places.var() / "run.json"
        self.stopping = threading.Event()
        self._say = say
        self._speak = threading.Lock()
        self._lock: int | None = None
        self._readers: list[threading.Thread] = []

    def claim(self) -> None:
        """Take the data folder for this supervisor and end what a killed predecessor left running."""
        places.var().mkdir(parents=True, exist_ok=True)
        self._lock = os.open(places.var() / "run.lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise AlreadyRunning(f"Sanhe already runs on {places.var()} ({self._owner()}).") from None
        self._end_orphans()
        self._record()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def run(self, ready: Callable[[], bool], on_ready: Callable[[], None]) -> int:
        """Start all, call `on_ready` once `ready` says so, wait for the end; the exit code."""
        code = 0
        try:
            for service in self.services:
                self._start(service)
            announced = False
            while not self.stopping.wait(0.2):
                if ended := next((s for s in self.services if not s.alive()), None):
                    code = self._explain(ended)
                    break
                if not announced and ready():
                    announced = True
                    on_ready()
        finally:
            self.stop()
        return code

    def stop(self) -> None:
        """End the services in their order: first what takes requests, then what works in the background."""
        self.stopping.set()
        for service in self.services:
            if service.alive():
                self.say(f"Stopping {service.name}")
                service.signal(signal.SIGTERM)
                self._wait(service)
            service.signal(signal.SIGKILL)  # stray children of the group, if any
        for reader in self._readers:
            reader.join(timeout=2)
        self.file.unlink(missing_ok=True)

    def say(self, text: str) -> None:
        """Print a line; a closed terminal must not keep us from stopping."""
        with self._speak:
            try:
                self._say(text)
            except OSError:
                sys.stdout = open(os.devnull, "w")  # noqa: SIM115 - until the process ends

    def _start(self, service: Service) -> None:
        environment = {**os.environ, MARK: places.digest(places.var()), "PYTHONUNBUFFERED": "1", **service.environment}
        service.process = subprocess.Popen(
            service.command,
            cwd=places.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._record()
        reader = threading.Thread(target=self._relay, args=(service,), daemon=True)
        reader.start()
        self._readers.append(reader)

    def _relay(self, service: Service) -> None:
        assert service.process is not None and service.process.stdout is not None
        for line in service.process.stdout:
            self.say(f"{service.name:6} | {line.rstrip()}")

    def _wait(self, service: Service) -> None:
        end = time.monotonic() + GRACE_SECONDS
        while service.alive() and time.monotonic() < end:
            time.sleep(0.05)
        if service.alive():
            self.say(f"{service.name} did not stop within {GRACE_SECONDS} seconds and is ended.")
            service.signal(signal.SIGKILL)
            assert service.process is not None
            service.process.wait()

    def _explain(self, service: Service) -> int:
        assert service.process is not None
        code = service.process.returncode
        self.say(
            f"{service.name} ended unexpectedly (exit code {code}); stopping everything. Its last lines are above."
        )
        return 128 - code if code < 0 else code or 1

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self.stopping.is_set():
            self.stopping.set()
            if not any(service.process for service in self.services):
                raise SystemExit(128 + number)  # still preparing: nothing of ours runs yet

    def _record(self) -> None:
        groups = [s.process.pid for s in self.services if s.process]
        fresh = self.file.with_suffix(".new")
        fresh.write_text(json.dumps({"supervisor": os.getpid(), "address": self.address, "groups": groups}))
        fresh.replace(self.file)

    def _recorded(self) -> dict[str, object]:
        try:
            return dict(json.loads(self.file.read_text()))
        except (OSError, ValueError):
            return {}

    def _owner(self) -> str:
        known = self._recorded()
        return f"process {known.get('supervisor', 'unknown')}" + (f", {at}" if (at := known.get("address")) else "")

    def _end_orphans(self) -> None:
        """End processes of a supervisor that was killed: they carry our mark in their environment."""
        orphans = marked() if Path("/proc/self/environ").exists() else self._orphans_by_file()
        if not orphans:
            return
        self.say(f"Ending {len(orphans)} processes that an interrupted run left behind")
        for number, seconds in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 5.0)):
            for pid in orphans:
                try:
                    os.kill(pid, number)
                except (ProcessLookupError, PermissionError):
                    continue
            end = time.monotonic() + seconds
            while any(alive(pid) for pid in orphans) and time.monotonic() < end:
                time.sleep(0.05)
            orphans = [pid for pid in orphans if alive(pid)]

    def _orphans_by_file(self) -> list[int]:
        """Where there is no /proc: recorded processes whose command is still one of ours."""
        found = []
        groups = self._recorded().get("groups", [])
        for pid in groups if isinstance(groups, list) else []:
            shown = subprocess.run(
                ["ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
            )
            if "config.wsgi" in shown.stdout or "config.celery" in shown.stdout:
                found.append(int(pid))
        return found


def marked() -> list[int]:
    """Processes that a supervisor of this data folder started (Linux)."""
    mark = f"{MARK}={places.digest(places.var())}".encode()
    found = []
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit() or int(folder.name) == os.getpid():
            continue
        try:
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
        except OSError:  # gone meanwhile, or not ours to read
            continue
    return found
