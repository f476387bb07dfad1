"""What negative controls read instead of locking it."""

from __future__ import annotations

from typing import Any

from kit.rules.prepared import Prepared


def unlocked(rows: Prepared, **values: Any) -> Any:
    """The record of `rows`, without the lock."""
    found = rows.build(**values)
    found.query.select_for_update = False
    return found.get()
