"""Several people who write into one record by its form (drill F-04, rule G-19)."""

from __future__ import annotations

from collections import Counter
from typing import Any

from kit.pages.resources import registry
from tests import factories as make


def race(crowd: Any, people: int, rounds: int, *, control: bool = False) -> tuple[Counter[str], list[str]]:
    """So many people write into the note of one customer: what came of it, and the words that stand there in the end."""
    customer = make.make_customer(note="begin")
    url = registry["customer"].url_for(customer, "edit")
    editors = [make.make_user(language="en") for _ in range(people)]
    given = [{"url": url, "user": p.pk, "mine": f"w{n}x", "rounds": rounds} for n, p in enumerate(editors)]
    outcome = sum(crowd.run("edit", given, control=control), Counter())
    customer.refresh_from_db()
    return outcome, customer.note.split()[1:]
