"""Trouble of the machine, which says nothing about what was asked of it: no database, no memory."""

from __future__ import annotations

import errno

from django.db import InterfaceError, OperationalError

# Connection exceptions, and a server that ends or starts; an error without a state never reached the server.
AWAY = ("08", "57P")
SPARE = 32 << 20  # bytes that a process must still be able to ask for


def away(error: BaseException | None) -> bool:
    """Whether the database could not be reached: nothing is wrong with the request, it can be sent again."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None) or ""
    return not state or state.startswith(AWAY)


def starved(error: BaseException) -> bool:
    """Whether an error comes of this process having no memory left.

    Libraries tell of it in many ways (a thread that does not start, a library that does not load, a panic), so that the
    process is asked itself where the error does not say it.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError) or (isinstance(cause, OSError) and cause.errno == errno.ENOMEM):
            return True
        cause = cause.__cause__ or cause.__context__
    try:
        bytearray(SPARE)
    except MemoryError:
        return True
    return False
