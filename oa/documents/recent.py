"""What a person looked at last: kept in the cache, because looking changes nothing that is kept."""

from __future__ import annotations

from typing import Any

from django.core.cache import cache

from oa.documents.models import LibraryDocument

MOST = 50
KEPT = 90 * 24 * 3600  # seconds


def _name(user: Any) -> str:
    return f"docs:recent:{user.pk}"


def remember(user: Any, document: LibraryDocument) -> None:
    """`user` looks at a document."""
    keys = [key for key in cache.get(_name(user), []) if key != document.pk]
    cache.set(_name(user), [document.pk, *keys][:MOST], KEPT)


def recent_keys(user: Any) -> list[int]:
    """Keys of the documents that `user` looked at, the last one first."""
    return list(cache.get(_name(user), []))
