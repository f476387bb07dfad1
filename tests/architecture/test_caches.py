"""F-11: pages need neither the cache nor the broker."""

from __future__ import annotations

import logging
import socket
import threading

import pytest
from celery import Celery
from django.conf import settings
from django.core.cache import cache
from kombu.exceptions import KombuError

from config.caches import ForgivingCache


def test_what_is_kept_is_there(db: None) -> None:
    """The cache of the program is the forgiving one, and keeps things."""
    assert isinstance(cache._connections[cache._alias], ForgivingCache)
    cache.set("caches:kept", {"a": 1}, 5)
    assert cache.get("caches:kept") == {"a": 1}
    cache.delete_many(["caches:kept"])
    assert cache.get("caches:kept") is None


def test_without_its_server_nothing_is_kept_and_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    """F-11: a page that asks the cache is made anew; who failed is not asked again at once."""
    away = ForgivingCache("redis://127.0.0.1:7", {})  # asked by no other test: who failed is left alone for a while
    with caplog.at_level(logging.WARNING):
        away.set("caches:lost", 1, 5)
        assert away.get("caches:lost", "nothing") == "nothing"
        away.delete_many(["caches:lost"])  # after every form: what waits is counted anew
        assert away.run("return 1", ["caches:lost"], otherwise=0) == 0
    assert caplog.text.count("does not answer") == 1


def test_a_script_is_done_by_the_server(db: None) -> None:
    """Under the names that the cache gives to keys, with what it is given."""
    kept = cache._connections[cache._alias]
    cache.set("caches:script", 1, 5)
    assert kept.run("return redis.call('EXISTS', KEYS[1]) + ARGV[1]", ["caches:script"], 4, otherwise=0) == 5


def test_the_client_of_a_server_is_made_once(db: None) -> None:
    """PERFORMANCE 3: a page asks the cache several times; making a client takes longer than asking."""
    kept = cache._connections[cache._alias]._cache
    assert kept.get_client(write=True) is kept.get_client("caches:kept")


def test_a_server_that_hangs_is_not_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    """F-11, like CLIENT PAUSE: it takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent, caplog.at_level(logging.WARNING):
        hanging = ForgivingCache(
            f"redis://127.0.0.1:{silent.getsockname()[1]}", {"OPTIONS": settings.CACHES["default"]["OPTIONS"]}
        )
        asking = threading.Thread(target=lambda: hanging.get("caches:lost"), daemon=True)
        asking.start()
        asking.join(30)
        assert not asking.is_alive() and "does not answer" in caplog.text


def test_a_broker_that_hangs_is_not_waited_for() -> None:
    """F-11: what cannot be sent is told as an error, which whoever sends a job knows to live with."""
    told: list[BaseException] = []
    with socket.create_server(("127.0.0.1", 0)) as silent:
        app = Celery(broker=f"redis://127.0.0.1:{silent.getsockname()[1]}/0", set_as_current=False)
        app.conf.broker_transport_options = settings.CELERY_BROKER_TRANSPORT_OPTIONS
        app.conf.task_publish_retry_policy = settings.CELERY_TASK_PUBLISH_RETRY_POLICY

        def send() -> None:
            try:
                app.send_task("nothing")
            except (KombuError, OSError) as error:
                told.append(error)

        sending = threading.Thread(target=send, daemon=True)
        sending.start()
        sending.join(60)
        assert not sending.is_alive() and told
