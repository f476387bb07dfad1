"""One code of the second factor, entered by many at the same moment (threat S-17)."""

from __future__ import annotations

from typing import Any

import pytest

from oa.organisation.factors import codes_left
from tests import factories as make
from tests.concurrency.test_races import EVERYBODY, total
from tests.oa.entering import code_at, with_factor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]


def race(crowd: Any, code: str, person: int, *, control: bool = False) -> int:
    """How many of all come in by this code."""
    given = [{"person": person, "code": code}] * EVERYBODY
    return total(crowd.run("enter_code", given, control=control))["ok"]


def test_a_code_of_the_app_lets_one_in(crowd: Any) -> None:
    ann = make.make_user("ann", "sales")
    secret, _codes = with_factor(ann)
    assert race(crowd, code_at(secret), ann.pk) == 1


def test_a_recovery_code_lets_one_in(crowd: Any) -> None:
    ann = make.make_user("ann", "sales")
    _secret, codes = with_factor(ann)
    assert race(crowd, codes[0], ann.pk) == 1 and codes_left(ann) == 9


def test_without_the_lock_a_code_lets_several_in(crowd: Any) -> None:
    """The control of the tests above."""
    ann = make.make_user("ann", "sales")
    secret, _codes = with_factor(ann)
    assert race(crowd, code_at(secret), ann.pk, control=True) > 1
