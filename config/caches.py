"""The cache may be gone at any time: pages are slower then, and nothing else (fault F-11)."""

from __future__ import annotations

import logging
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis.exceptions import RedisError

log = logging.getLogger(__name__)


class ForgivingCache(RedisCache):
    """A cache that holds nothing while its server does not answer."""

    def get(self, key: Any, default: Any = None, version: Any = None) -> Any:
        """What is kept, or `default`."""
        try:
            return super().get(key, default, version)
        except RedisError as error:
            log.warning("The cache does not answer: %s", error)
            return default

    def set(self, key: Any, value: Any, *args: Any, **kwargs: Any) -> None:
        """Keep `value`, if somebody keeps it."""
        try:
            super().set(key, value, *args, **kwargs)
        except RedisError as error:
            log.warning("The cache does not answer: %s", error)
