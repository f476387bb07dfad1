"""Several people at one record (drill F-04, rule G-19)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from kit.pages.resources import registry
from tests import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY, ROUNDS = 8, 6


def race(crowd: Any, rounds: int, *, control: bool = False) -> tuple[Counter[str], list[str]]:
    """Eight people write into the note of one customer: what came of it, and the words that stand there in the end."""
    customer = make.make_customer(code="BUSY", note="begin")
    url = registry["customer"].url_for(customer, "edit")
    people = [make.make_user(f"editor{place}", language="en") for place in range(EVERYBODY)]
    given = [{"url": url, "user": p.pk, "mine": f"w{n}x", "rounds": rounds} for n, p in enumerate(people)]
    outcome = sum(crowd.run("edit", given, control=control), Counter())
    customer.refresh_from_db()
    return outcome, customer.note.split()[1:]


def test_no_change_is_lost(crowd: Any) -> None:
    """What was saved stands there, each word once; who was overtaken is told with 409, and nothing else happens."""
    outcome, words = race(crowd, ROUNDS)
    assert set(outcome) == {"saved", "overtaken"}, outcome
    assert outcome.total() == EVERYBODY * ROUNDS and outcome["overtaken"] > ROUNDS
    assert len(words) == len(set(words)) == outcome["saved"] >= ROUNDS


def test_without_the_lock_changes_are_lost(crowd: Any) -> None:
    """Negative control: the version is compared, but nobody waits for who is saving."""
    outcome, words = race(crowd, 2, control=True)
    assert len(words) < outcome["saved"]
