"""Workers, beat and broker as processes of their own, for tests that kill them."""

from __future__ import annotations

import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from kombu import pools

from config.celery import app
from tests.oa.processes import Broker, begin, kill
from tests.oa.worker import transport


@pytest.fixture
def prefix() -> Iterator[str]:
    """The broker for this test alone: tasks really go there, under keys that nobody else has."""
    name = f"test-{uuid.uuid4().hex}-"
    before = (app.conf.task_always_eager, app.conf.broker_transport_options)
    app.conf.task_always_eager, app.conf.broker_transport_options = False, transport(name)
    forget_connections()
    yield name
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        for key in client.scan_iter(f"{name}*"):
            client.delete(key)
    app.conf.task_always_eager, app.conf.broker_transport_options = before
    forget_connections()


def forget_connections() -> None:
    """The next task opens a connection with the present options."""
    pools.reset()
    app._pool = app.amqp._producer_pool = None


@pytest.fixture
def processes(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Starts programs of `tests.oa.worker` in process groups of their own; what is left is ended after the test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        started.append(begin(tmp_path, *arguments))
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            kill(process)


@pytest.fixture
def worker(prefix: str, processes: Callable[..., subprocess.Popen[bytes]]) -> Callable[[str], subprocess.Popen[bytes]]:
    """Starts workers on the broker of all tests."""
    return lambda slow: processes(prefix, slow)


@pytest.fixture
def broker() -> Iterator[Broker]:
    """A broker of our own, which may be killed; it runs already."""
    made = Broker()
    made.start()
    yield made
    made.remove()
