"""Trouble with the database that says nothing about what was asked of it."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError

# Connection exceptions, and a server that ends or starts; an error without a state never reached the server.
AWAY = ("08", "57P")


def away(error: BaseException | None) -> bool:
    """Whether the database could not be reached: nothing is wrong with the request, it can be sent again."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return not state or state.startswith(AWAY)
