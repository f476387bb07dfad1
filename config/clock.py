"""One clock for the whole installation: that of the database, which all its machines share.

Leases, sessions, deadlines and times of posting are written by one machine and compared by another. If each used a
clock of its own, one that is an hour ahead would take over the jobs and mails that others are at, end everybody's
sessions, and could post nothing, as the database refuses times that lie ahead of it. So every process asks the
database for the time whenever it connects, once a minute at least where work is going on, and counts on from there by
the clock that only ever runs forward: what is done to a machine's own clock meanwhile means nothing.
"""

from __future__ import annotations

import datetime as dt
import functools
import time
from typing import Any

from django.db import DEFAULT_DB_ALIAS
from django.db.backends.signals import connection_created
from django.utils import timezone

_ASK = "SELECT extract(epoch FROM clock_timestamp())::float8"
_machine = timezone.now
_forward = time.monotonic
if hasattr(time, "CLOCK_BOOTTIME"):  # runs on while the machine sleeps
    _forward = functools.partial(time.clock_gettime, time.CLOCK_BOOTTIME)
# Seconds since 1970 at the moment at which the forward clock stood at zero, by the database; None before any answer.
_origin: float | None = None


@functools.wraps(_machine)  # migrations and the autodetector know it by its name
def now() -> dt.datetime:
    """This moment by the database's clock; by the machine's own as long as it was never asked."""
    if _origin is None:
        return _machine()
    return dt.datetime.fromtimestamp(_origin + _forward(), dt.UTC)


def ask(connection: Any, **kwargs: Any) -> None:
    """Learn the time from the server of this connection.

    The answer counts from when it is here, so that nobody is ever ahead of the database by the way it took.
    """
    global _origin
    if connection.alias != DEFAULT_DB_ALIAS:  # a replica has a clock of its own
        return
    [seconds] = connection.connection.execute(_ASK).fetchone()
    _origin = seconds - _forward()


def install() -> None:
    """Let everything that asks Django for the time ask this clock; before any model takes it as a default."""
    timezone.now = now
    connection_created.connect(ask, dispatch_uid="config.clock")
