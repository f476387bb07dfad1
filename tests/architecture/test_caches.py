"""F-11: the cache is an optional server."""

from __future__ import annotations

import logging

import pytest
from django.core.cache import cache

from config.caches import ForgivingCache


def test_what_is_kept_is_there(db: None) -> None:
    """The cache of the program is the forgiving one, and keeps things."""
    assert isinstance(cache._connections[cache._alias], ForgivingCache)
    cache.set("caches:kept", {"a": 1}, 5)
    assert cache.get("caches:kept") == {"a": 1}


def test_without_its_server_nothing_is_kept_and_nothing_fails(caplog: pytest.LogCaptureFixture) -> None:
    """F-11: a page that asks the cache is made anew."""
    away = ForgivingCache("redis://127.0.0.1:9", {})
    with caplog.at_level(logging.WARNING):
        away.set("caches:lost", 1, 5)
        assert away.get("caches:lost", "nothing") == "nothing"
    assert caplog.text.count("does not answer") == 2
