"""Numbers in addresses and hidden fields."""

from __future__ import annotations

LONGEST = 18  # digits that surely fit a key of the database


def is_key(text: str) -> bool:
    """Whether `text` can be the key of a row, a version or a page: `int` takes it, and so does the database.

    `str.isdigit` also says yes to ² and to five thousand nines, at which `int` fails.
    """
    return len(text) <= LONGEST and text.isascii() and text.isdigit()
