"""The connection to the database, kept from request to request."""

from __future__ import annotations

import select
from typing import Any

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, without a statement before each request.

    A server that ends a session, by command, restart or death, closes its end, and the socket can be read: then it is
    asked. Where the socket is quiet the connection is as good as an answer to `SELECT 1` could tell.
    """

    health_check_enabled: Any
    health_check_done: Any

    def close_if_health_check_failed(self) -> None:
        """Leave a connection that does not work any more; the next statement makes another one."""
        if self.connection is not None and self.health_check_enabled and not self.health_check_done:
            socket = select.poll()
            socket.register(self.connection.fileno(), select.POLLIN)
            self.health_check_done = not socket.poll(0)
        super().close_if_health_check_failed()
