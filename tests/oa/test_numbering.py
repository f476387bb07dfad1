"""Document numbers (rule G-07) and bulk statements."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction

from crm.customers.models import Customer, Tag
from kit.values.errors import VersionConflict
from oa.records.bulk import bulk_set, bulk_set_all, locked
from oa.records.models import NumberSequence
from oa.records.models.keys import Reset
from oa.records.numbering import next_number
from tests import factories as make

pytestmark = pytest.mark.django_db

NOVEMBER, DECEMBER = dt.date(2026, 11, 3), dt.date(2026, 12, 1)


@pytest.mark.parametrize(
    ("reset", "numbers"),
    [
        (Reset.MONTH, ["XX-2611-001", "XX-2611-002", "XX-2612-001", "XX-2611-003"]),
        (Reset.YEAR, ["XX-26-001", "XX-26-002", "XX-26-003", "XX-26-004"]),
        (Reset.NEVER, ["XX-001", "XX-002", "XX-003", "XX-004"]),
    ],
)
def test_numbers_run_per_period(reset: Reset, numbers: list[str]) -> None:
    """Each period has its own gapless sequence, whatever the order of dates."""
    NumberSequence.objects.create(key="test", prefix="XX", digits=3, reset=reset)
    assert [next_number("test", day) for day in (NOVEMBER, NOVEMBER, DECEMBER, NOVEMBER)] == numbers


def test_a_number_taken_back_is_given_again() -> None:
    """No gaps: the number of a transaction that fails is the next one's."""
    NumberSequence.objects.create(key="test", prefix="XX", digits=2)
    next_number("test", NOVEMBER)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        assert next_number("test", NOVEMBER) == "XX-2611-02"
        raise ZeroDivisionError
    assert next_number("test", NOVEMBER) == "XX-2611-02"
    with pytest.raises(LookupError):
        next_number("unknown", NOVEMBER)


def test_numbers_grow_beyond_their_digits() -> None:
    """Ten thousand documents a month are not cut."""
    NumberSequence.objects.create(key="test", prefix="XX", digits=1)
    assert [next_number("test", NOVEMBER) for _ in range(11)][-3:] == ["XX-2611-9", "XX-2611-10", "XX-2611-11"]


def test_rows_are_written_in_one_statement(django_assert_num_queries: Any) -> None:
    """Every kind of column, several models at once; no rows, no statement."""
    user = make.make_user()
    customers = [make.make_customer(f"C{i}") for i in range(30)]
    tags = [Tag.objects.create(code=f"t{i}", name="x") for i in range(3)]
    for number, customer in enumerate(customers):
        customer.name, customer.owner = f"Name {number} '\"\\", user if number % 2 else None
        customer.next_contact_on, customer.active = DECEMBER if number % 3 else None, bool(number % 5)
    for tag in tags:
        tag.name = "y"
    fields = ("name", "owner", "next_contact_on", "active")
    with django_assert_num_queries(1):
        bulk_set_all((reversed(customers), fields), (tags, ("name",)))
    with django_assert_num_queries(0):
        bulk_set([], ("name",))
    for customer in customers:
        kept = [getattr(customer, name) for name in fields]
        customer.refresh_from_db()
        assert [getattr(customer, name) for name in fields] == kept
    assert set(Tag.objects.values_list("name", flat=True)) == {"y"}


def test_a_row_changed_meanwhile_is_told() -> None:
    """G-19: the version one opened must be the one that is locked."""
    customer = make.make_customer()
    assert locked(Customer.objects.all(), customer.pk, version=1) == customer
    with pytest.raises(VersionConflict, match="changed by somebody else"):
        locked(Customer.objects.all(), customer.pk, version=2)
