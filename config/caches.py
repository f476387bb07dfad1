"""The cache may be gone at any time, or hang: pages are slower then, and nothing else (fault F-11)."""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from django.core.cache.backends.redis import RedisCache, RedisCacheClient, RedisSerializer
from django.core.signing import BadSignature
from django.utils.crypto import constant_time_compare, salted_hmac
from redis import Redis
from redis.exceptions import RedisError

log = logging.getLogger(__name__)

SIGNED = 32  # bytes of a signature
AWAY = 10.0  # seconds in which a server that failed is not asked again, so that a page waits for it once at most


class SignedSerializer(RedisSerializer):
    """What is kept carries a signature: nothing is unpickled that somebody else put there (threat S-21)."""

    def dumps(self, obj: Any) -> Any:
        """Whole numbers as they are, all else signed."""
        data = super().dumps(obj)
        return data if isinstance(data, int) else _signature(data) + data

    def loads(self, data: Any) -> Any:
        """What was kept; BadSignature for what we did not keep, or with another secret key."""
        with suppress(ValueError):
            return int(data)
        signature, kept = data[:SIGNED], data[SIGNED:]
        if not constant_time_compare(signature, _signature(kept)):
            raise BadSignature
        return super().loads(kept)


def _signature(data: bytes) -> bytes:
    return salted_hmac("config.caches", data, algorithm="sha256").digest()


class _Client(RedisCacheClient):
    """Makes redis-py's client of a server once, which takes it longer than what it is asked for."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client: Any = functools.cache(Redis)


class ForgivingCache(RedisCache):
    """A cache that holds nothing while its server does not answer."""

    _asked_again: dict[str, float] = {}  # server -> when, for the instances of all threads

    def __init__(self, server: Any, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class, self._server = _Client, str(server)

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """What is kept, or `default`."""
        return self._answer(lambda: super(ForgivingCache, self).get(key, default, version), default)

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        """Keep `value`, if somebody keeps it."""
        self._answer(lambda: super(ForgivingCache, self).set(key, value, *args, **kwargs), None)

    def delete_many(self, keys: Any, version: Any = None) -> None:
        """Keep these no longer; what a server that is away had kept of them is over by its own time."""
        self._answer(lambda: super(ForgivingCache, self).delete_many(keys, version), None)

    def run(self, script: str, keys: Sequence[str], *given: Any, otherwise: Any) -> Any:
        """What a script (Lua) answers, which the server does in one piece and one round trip."""
        names = [self.make_and_validate_key(key) for key in keys]
        return self._answer(
            lambda: self._cache.get_client(write=True).eval(script, len(names), *names, *given), otherwise
        )

    def _answer(self, ask: Callable[[], Any], otherwise: Any) -> Any:
        if time.monotonic() < self._asked_again.get(self._server, 0):
            return otherwise
        try:
            return ask()
        except BadSignature:
            log.warning("The cache holds something that nobody here has kept.")
            return otherwise
        except RedisError as error:
            self._asked_again[self._server] = time.monotonic() + AWAY
            log.warning("The cache does not answer: %s", error)
            return otherwise
