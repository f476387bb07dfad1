"""What higher layers lend to the kit, filled in when they start. The kit works without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

from kit.pages.drafts import DraftMemory
from kit.pages.memory import ListMemory


class Once(Protocol):
    """Runs `effect` once per submitted form: (result, whether it is a repeat)."""

    def __call__(self, key: str, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]: ...


def _always(key: str, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]:
    return effect(), False


def _never(key: str, user: Any, command: str) -> Any:
    return None


def _delete(obj: Any) -> None:
    obj.delete()


def _forget(request: Any, action: str, what: str, obj: Any) -> None:
    pass


@dataclass
class Hooks:
    """`once`: idempotent submits; `earlier`: what a form that is sent again made the first time.

    `shell`: callables (request) -> dict merged into the shell's context.
    `counters`: callables (user) -> numbers by name, for the pills of the shell, asked after the page is shown.
    `composer`: the template over a record's timeline in which notes are written.
    `start_job`: (kind, title, params, owner) -> address of its progress; None: long work is done in the request.
    `delete`: removes a record with what hangs on it; raises ProtectedError where it is in use.
    `lists`: where views and columns of lists are kept; None: nothing is remembered.
    `drafts`: where unsaved input of forms is kept; None: it is not.
    `note`: (request, print or export, what, record) writes to the audit trail what a person took out (rule G-20).
    """

    once: Once = _always
    earlier: Callable[[str, Any, str], Any] = _never
    shell: list[Callable[[Any], dict[str, Any]]] = field(default_factory=list)
    counters: list[Callable[[Any], dict[str, int]]] = field(default_factory=list)
    composer: str = ""
    start_job: Callable[[str, str, dict[str, Any], Any], Any] | None = None
    delete: Callable[[Any], None] = _delete
    note: Callable[[Any, str, str, Any], None] = _forget
    lists: ListMemory | None = None
    drafts: DraftMemory | None = None


hooks = Hooks()
