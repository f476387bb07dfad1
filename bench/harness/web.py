"""The web server as `make run` starts it, on the database of a benchmark, and a person who reads pages."""

from __future__ import annotations

import http.client
import os
import re
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import quote, urlencode

from django.core.management import call_command
from django.db import connection

from config import places
from config.management.commands.run import answers, services
from harness import ROOT

HOST, PATIENCE, IDLE = "127.0.0.1", 60, 1


@contextmanager
def server() -> Iterator[int]:
    """Two workers on a free port; gone afterwards."""
    call_command("collectstatic", interactive=False, verbosity=0)
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = probe.getsockname()[1]
    [web] = (service for service in services(HOST, port) if service.name == "web")
    database = f"postgresql://sanhe@{quote(str(places.sockets()), safe='')}/{connection.settings_dict['NAME']}"
    changed = {"DATABASE_URL": database, "SANHE_ENV": "local", "SANHE_PORT": str(port)}
    changed["SANHE_REQUESTS_PER_MINUTE"] = "0"  # a benchmark asks faster than a person; the counting costs the same
    process = subprocess.Popen(web.command, cwd=ROOT, env={**os.environ, **web.environment, **changed})
    try:
        end = time.monotonic() + PATIENCE
        while not answers(HOST, port):
            if time.monotonic() > end or process.poll() is not None:
                raise SystemExit("The web server does not answer.")
            time.sleep(0.2)
        yield port
    finally:
        process.terminate()
        process.wait(PATIENCE)


class Browser:
    """A person with a connection that stays open; knows what a page is: status 200, and no login."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self.connection = http.client.HTTPConnection(HOST, port, timeout=PATIENCE)
        self.used = time.monotonic()
        self.cookies: dict[str, str] = {}
        form = self._ask("GET", "/login/")
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', form)
        given = {"csrfmiddlewaretoken": token[1] if token else "", "username": username, "password": password}
        self._ask("POST", "/login/", urlencode(given), expected=302)

    def get(self, path: str, **headers: str) -> str:
        """The page."""
        return self._ask("GET", path, headers=headers)

    def _ask(
        self, method: str, path: str, body: str | None = None, *, headers: dict[str, str] | None = None,
        expected: int = 200,
    ) -> str:  # fmt: skip
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items()), **(headers or {})}
        if body is not None:
            sent |= {
                "Content-Type": "application/x-www-form-urlencoded",
                "Origin": f"http://{HOST}:{self.connection.port}",
            }
        if time.monotonic() - self.used > IDLE:
            self.connection.close()  # the next request opens it again; the server ends it after 2 seconds without one
        self.connection.request(method, path, body, sent)
        answer = self.connection.getresponse()
        text = answer.read().decode()
        self.used = time.monotonic()
        for cookie in answer.headers.get_all("Set-Cookie") or ():
            name, _equals, rest = cookie.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        if answer.status != expected:
            raise SystemExit(f"{method} {path} answers {answer.status}.")
        return text


def seconds(browser: Browser, paths: Sequence[str], rounds: int, **headers: str) -> dict[str, list[float]]:
    """Seconds of each of `rounds` requests for each path, in alternation; two before them do not count."""
    taken: dict[str, list[float]] = {path: [] for path in paths}
    for number in range(rounds + 2):
        for path in paths:
            start = time.perf_counter()
            browser.get(path, **headers)
            if number > 1:
                taken[path].append(time.perf_counter() - start)
    return taken


def rate(browsers: Sequence[Browser], path: str, rounds: int, **headers: str) -> float:
    """Requests a second of so many people at once."""

    def read(browser: Browser) -> None:
        for _turn in range(rounds):
            browser.get(path, **headers)

    threads = [threading.Thread(target=read, args=(browser,)) for browser in browsers]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(browsers) * rounds / (time.perf_counter() - start)
