"""The books must hold after a benchmark: whoever writes wrong rows quickly has measured nothing."""

from __future__ import annotations

from kit.rules.checks import run


def verify_books() -> None:
    """Run every invariant of `manage.py verify`; stops with the rows of those that are broken."""
    broken = {code: rows for code, rows in run().items() if rows}
    if broken:
        raise SystemExit("Broken invariants: " + "; ".join(f"{code} {rows[0]}" for code, rows in broken.items()))
    print("all invariants hold")
