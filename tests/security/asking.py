"""Requests without lasting effect, and what they wrote before they were undone."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from typing import Any

from django.db import connection, transaction
from django.test import Client

from oa.organisation.models import User
from tests.oa.crawling import text_of
from tests.oa.world import client_of

WRITING = re.compile(r"""\b(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|TRUNCATE)\s+(?:ONLY\s+)?"?(\w+)""", re.IGNORECASE)
# The login, and where the back office leads who asks for a record that is not there.
TO_LOGIN = re.compile(r"(/backoffice)?/login/|/backoffice/$|/backoffice/\w+/\w+/[^/]+/change/$")
# What any request may write: the session, what was taken out (G-20), who failed to log in, what was looked at last.
BESIDE = {"oa_loginsession", "oa_auditentry", "pghistory_context", "_pgh_attach_context"}


@dataclass
class Answer:
    """One answer: `text` is everything that must not differ, `wrote` the tables that were written."""

    status: int
    where: str
    text: str
    wrote: set[str] = field(default_factory=set)

    @property
    def denied(self) -> bool:
        """Not there, not allowed, or to the login (401: the login page itself, which keeps what was typed)."""
        return self.status in (401, 403, 404, 405) or (self.status == 302 and TO_LOGIN.match(self.where) is not None)


class Watch:
    """Notes which tables statements write."""

    def __init__(self) -> None:
        self.wrote: set[str] = set()

    def __call__(self, execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        if not sql.startswith(("SAVEPOINT", "RELEASE", "ROLLBACK", "SELECT pg_get")):
            locking = re.sub(r"FOR (NO KEY )?UPDATE", "", sql)
            self.wrote.update(name.lower() for name in WRITING.findall(locking))
        return execute(sql, params, many, context)


class Asking:
    """One person, or nobody, at a browser; every request is undone, unless it is known to change nothing."""

    def __init__(self, user: User | None) -> None:
        self.user = user
        self.client = Client() if user is None else client_of(user)
        self.client.raise_request_exception = False

    def ask(self, verb: str, url: str, data: Any = None, *, undone: bool = True, **headers: str) -> Answer:
        """The answer to one request."""
        watch = Watch()
        if verb == "post":
            data = {"submit_id": str(uuid.uuid4()), **(data or {})}
        cookies = self.client.cookies.copy()
        with transaction.atomic() if undone else nullcontext():
            with connection.execute_wrapper(watch):
                answer = getattr(self.client, verb)(url, data, headers=headers)
            text = text_of(answer)
            if undone:
                transaction.set_rollback(True)
        self.client.cookies = cookies
        return Answer(answer.status_code, answer.headers.get("Location", ""), text, watch.wrote - BESIDE)
