"""What higher layers lend to the kit, filled in when they start. The kit works without them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol


class Once(Protocol):
    """Runs `effect` once per submitted form: (result, whether it is a repeat)."""

    def __call__(self, key: str, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]: ...


def _always(key: str, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]:
    return effect(), False


@dataclass
class Hooks:
    """`once`: idempotent submits. `shell`: callables (request) -> dict merged into the shell's context."""

    once: Once = _always
    shell: list[Callable[[Any], dict[str, Any]]] = field(default_factory=list)


hooks = Hooks()
