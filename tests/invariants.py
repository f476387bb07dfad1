"""The books' invariants, for the end of every scenario."""

from __future__ import annotations

from collections.abc import Collection

from kit.rules.checks import run


def broken(only: Collection[str] | None = None) -> dict[str, list[str]]:
    """Offending rows of the invariants that do not hold."""
    return {code: rows for code, rows in run(only).items() if rows}


def assert_books(only: Collection[str] | None = None) -> None:
    """Every invariant of `manage.py verify` holds (or those given), else fail with the rows."""
    found = broken(only)
    lines = [f"{code}: {row}" for code, rows in found.items() for row in rows[:20]]
    assert not found, "broken invariants:\n" + "\n".join(lines)
