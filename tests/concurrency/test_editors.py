"""Several people at one record (drill F-04, rule G-19)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.concurrency.editing import race

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY, ROUNDS = 8, 6


def test_no_change_is_lost(crowd: Any) -> None:
    """What was saved stands there, each word once; who was overtaken is told with 409, and nothing else happens."""
    outcome, words = race(crowd, EVERYBODY, ROUNDS)
    assert set(outcome) == {"saved", "overtaken"}, outcome
    assert outcome.total() == EVERYBODY * ROUNDS and outcome["overtaken"] > ROUNDS
    assert len(words) == len(set(words)) == outcome["saved"] >= ROUNDS


def test_without_the_lock_changes_are_lost(crowd: Any) -> None:
    """Negative control: the version is compared, but nobody waits for who is saving."""
    outcome, words = race(crowd, EVERYBODY, 2, control=True)
    assert len(words) < outcome["saved"]
