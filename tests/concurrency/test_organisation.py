"""People who leave, lose roles and get managers at the same moment (invariant I-34, rule G-22)."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from crm.customers.models import Customer
from oa.organisation.models import User
from tests import factories as make
from tests.concurrency.test_races import EVERYBODY, total
from tests.invariants import assert_books, broken

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def circle() -> list[User]:
    """Eight people with a customer each."""
    people = [make.make_user(f"p{n}", "sales") for n in range(EVERYBODY)]
    for person in people:
        make.make_customer(owner=person)
    return people


def pairs(people: list[User], *names: str) -> list[dict[str, int]]:
    """Each person with the next one, the last one with the first."""
    first, second = names
    return [{first: p.pk, second: people[n - EVERYBODY + 1].pk} for n, p in enumerate(people)]


def test_a_successor_does_not_leave_at_the_same_moment(crowd: Any) -> None:
    """Everybody leaves and names the next one: whoever is left holds all that the others had."""
    people = circle()
    outcome = total(crowd.run("leave", pairs(people, "person", "successor")))
    left = User.objects.filter(username__startswith="p", is_active=True)
    assert set(outcome) <= {"ok", "refused"} and outcome["ok"] >= 1
    assert left.count() == outcome["refused"] >= 1
    assert not Customer.objects.exclude(owner__in=left).exists()
    assert_books()


def test_without_the_lock_records_go_to_people_who_left(crowd: Any) -> None:
    """The control of the test above."""
    total(crowd.run("leave", pairs(circle(), "person", "successor"), control=True))
    assert "I-34" in broken()


def test_the_last_two_who_give_roles_do_not_lose_that_together(crowd: Any) -> None:
    people = [make.make_user(f"a{n}", "administrator") for n in range(EVERYBODY)]
    outcome = total(crowd.run("strip", [{"person": person.pk} for person in people]))
    assert outcome == Counter(ok=EVERYBODY - 1, refused=1)
    assert User.objects.filter(groups__role__code="administrator").count() == 1


def test_without_the_lock_nobody_gives_roles_any_more(crowd: Any) -> None:
    """The control of the test above."""
    people = [make.make_user(f"a{n}", "administrator") for n in range(EVERYBODY)]
    crowd.run("strip", [{"person": person.pk} for person in people], control=True)
    assert not User.objects.filter(groups__role__code="administrator").exists()


def test_managers_given_at_the_same_moment_make_no_circle(crowd: Any) -> None:
    """The guard in the database waits for the other writer, so exactly the last link is refused."""
    people = circle()
    outcome = total(crowd.run("report_to", pairs(people, "person", "manager")))
    assert outcome["ok"] == EVERYBODY - 1 and sum(outcome.values()) == EVERYBODY
    assert "I-34" not in broken()
