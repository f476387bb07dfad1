"""What a command raises when it refuses: one exception which a clerk can read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong: `field` and `row` (0-based line index) say where, `message` in words."""

    message: Any
    field: str | None = None
    row: int | None = None


class BusinessError(Exception):
    """A command was refused; nothing was changed.

    `message` is a (lazy) translated sentence. Pass `problems` to name several fields or lines at once.
    """

    def __init__(
        self,
        message: Any = "",
        *,
        field: str | None = None,
        row: int | None = None,
        problems: Iterable[Problem] = (),
    ) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems) or (Problem(message, field, row),)
        super().__init__(message or self.problems[0].message)

    def __str__(self) -> str:
        return " ".join(str(problem.message) for problem in self.problems)

    def __iter__(self) -> Iterator[Problem]:
        return iter(self.problems)


class VersionConflict(BusinessError):
    """Somebody else saved the record after it was opened (rule G-19)."""
