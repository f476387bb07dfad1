"""What the clock does: several steps at a time, none of which stands in the way of the others."""

from __future__ import annotations

import logging
from collections.abc import Callable

logger = logging.getLogger(__name__)


def each_step(**steps: Callable[[], int]) -> dict[str, int]:
    """Run every step and tell how much each did; failures are logged, the first one is raised when all had their turn.

    A row that makes one step fail would otherwise stop all that stands behind it, every minute anew.
    """
    done: dict[str, int] = {}
    failures: list[Exception] = []
    for name, step in steps.items():
        try:
            done[name] = step()
        except Exception as error:
            logger.error("step %s failed", name, exc_info=error)
            failures.append(error)
    if failures:
        raise failures[0]
    return done
