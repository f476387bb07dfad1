"""S-26: one person who asks for slow reports leaves threads to everybody else, on the web server of `make run`."""

from __future__ import annotations

import http.client
import os
import queue
import re
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from django.conf import settings
from django.db import connection

from config import places
from config.management.commands.run import answers, services
from tests import factories as make
from tests.oa.processes import ROOT, kill, wait_for
from tests.oa.world import client_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOST, ASKED = "127.0.0.1", 20
ALLOWED = 6  # as the settings say it (tests/architecture/test_settings.py)
REPORT, LIGHT = "/reports/trial-balance/?format=json&recompute=1", "/ui/pick/customer/?q=blue"


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Callable[..., int]]:
    """Starts the web server as `make run` does, on the database of this test; its port."""
    started = []

    def start(**more: str) -> int:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = probe.getsockname()[1]
        [service] = (service for service in services(HOST, port) if service.name == "web")
        database = f"postgresql://sanhe@{quote(str(places.sockets()), safe='')}/{connection.settings_dict['NAME']}"
        given = {
            "DATABASE_URL": database, "SANHE_ENV": "local", "SANHE_STATEMENT_TIMEOUT": "0", **more,
        }  # fmt: skip
        environment = {**os.environ, **service.environment, **given}
        with (tmp_path / "log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    service.command, cwd=ROOT, env=environment, stdout=log, stderr=log, start_new_session=True
                )
            )
        wait_for(lambda: answers(HOST, port), tmp_path)
        return port

    yield start
    for process in started:
        kill(process)


def ask(port: int, cookie: str, path: str) -> int:
    """The status of the answer to one request, on a connection of its own."""
    asking = http.client.HTTPConnection(HOST, port, timeout=300)
    sent = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}", "HX-Request": "true"}  # no frame, no static files
    asking.request("GET", path, headers=sent)
    status = asking.getresponse().status
    asking.close()
    return status


def cookie_of(name: str) -> str:
    """The session of somebody who is logged in; their number, by which they are counted, is nobody's in other tests."""
    return str(
        client_of(make.make_user(name, id=uuid.uuid4().int % 10**12)).cookies[settings.SESSION_COOKIE_NAME].value
    )


def crowd(port: int, cookie: str) -> tuple[queue.Queue[int], list[threading.Thread]]:
    """One person asks for the report `ASKED` times at once; the answers as they come."""
    said: queue.Queue[int] = queue.Queue()
    threads = [threading.Thread(target=lambda: said.put(ask(port, cookie, REPORT))) for _ in range(ASKED)]
    for thread in threads:
        thread.start()
    return said, threads


SLOW = """
CREATE TABLE gate (open boolean);
CREATE FUNCTION slow() RETURNS boolean LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    WHILE NOT EXISTS (SELECT FROM gate) LOOP PERFORM pg_sleep(0.05); END LOOP;
    RETURN true;
END $$;
ALTER TABLE erp_journalline RENAME TO real_lines;
CREATE VIEW erp_journalline AS SELECT * FROM real_lines WHERE (SELECT slow());
"""


@pytest.fixture
def slow() -> None:
    """Reports over the journal take until the test opens the gate; the database of this test is thrown away."""
    with connection.cursor() as cursor:
        cursor.execute(SLOW)


def end_slow_reports() -> None:
    """Every report that waits, and every later one, is answered."""
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO gate VALUES (true)")


def running() -> int:
    """How many reports are at work."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' "
            "AND query LIKE '%erp_journalline%' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def test_each_process_of_the_server_has_threads_that_one_person_cannot_take() -> None:
    """A process takes connections in before it has a thread for them: the limit is below the threads of one process."""
    [command] = (service.command for service in services(HOST, 0) if service.name == "web")
    started = [" ".join(command), *((ROOT / name).read_text() for name in ("Procfile", "Dockerfile"))]
    for text in started:
        [threads] = re.findall(r'--threads(?:=| |", ")(\d+)', text)
        assert int(threads) > ALLOWED


def test_twenty_slow_reports_of_one_person_leave_the_pages_of_others(
    web: Callable[..., int], slow: None, tmp_path: Path
) -> None:
    """Six of them run, fourteen are told to wait, and a page of somebody else is answered while the six still run."""
    port = web()
    eve, bob = cookie_of("eve"), cookie_of("bob")
    said, threads = crowd(port, eve)
    assert [said.get(timeout=300) for _ in range(ASKED - ALLOWED)] == [429] * (ASKED - ALLOWED)
    wait_for(lambda: running() == ALLOWED, tmp_path)
    assert [ask(port, bob, LIGHT) for _ in range(5)] == [200] * 5
    assert ask(port, eve, LIGHT) == 429 and said.empty() and running() == ALLOWED
    end_slow_reports()
    assert [said.get(timeout=300) for _ in range(ALLOWED)] == [200] * ALLOWED
    for thread in threads:
        thread.join(60)
    assert ask(port, eve, LIGHT) == 200


def test_without_the_limit_more_of_them_run(web: Callable[..., int], slow: None, tmp_path: Path) -> None:
    """The control: a process of the server that takes more than half of them has no thread left, and nobody is refused."""
    port = web(SANHE_REQUESTS_AT_ONCE="0")
    said, threads = crowd(port, cookie_of("eve"))
    wait_for(lambda: running() > ALLOWED, tmp_path)
    assert said.empty()
    end_slow_reports()
    assert [said.get(timeout=300) for _ in range(ASKED)] == [200] * ASKED
    for thread in threads:
        thread.join(60)
