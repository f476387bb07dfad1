"""Due dates (rule A-05)."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given, settings
from hypothesis import strategies as st

from erp.finance.models import PaymentTerms
from erp.finance.terms import parse_instalments, schedule

DAY = dt.date(2026, 1, 30)


@pytest.mark.parametrize(
    ("days", "end_of_month", "instalments", "expected"),
    [
        (0, False, "", [("2026-01-30", "100.01")]),
        (30, False, "", [("2026-03-01", "100.01")]),
        (0, True, "", [("2026-01-31", "100.01")]),
        (30, True, "", [("2026-03-02", "100.01")]),
        (99, False, "30@0 70@60", [("2026-01-30", "30.00"), ("2026-03-31", "70.01")]),
        (
            0,
            False,
            "33.3@0, 33.3@30, 33.4@60",
            [("2026-01-30", "33.30"), ("2026-03-01", "33.30"), ("2026-03-31", "33.41")],
        ),
        (0, True, "50@0 50@30", [("2026-01-31", "50.01"), ("2026-03-02", "50.00")]),
    ],
)
def test_when_and_how_much(days: int, end_of_month: bool, instalments: str, expected: list[tuple[str, str]]) -> None:
    """Net days, from the end of the month, in instalments."""
    terms = PaymentTerms(days=days, end_of_month=end_of_month, instalments=instalments)
    dues = [(dt.date.fromisoformat(day), D(amount)) for day, amount in expected]
    assert schedule(D("100.01"), DAY, terms) == dues


def test_without_terms_everything_is_due_at_once() -> None:
    """And parts that round to nothing are left out."""
    assert schedule(D(5), DAY, None) == [(DAY, D(5))]
    tiny = schedule(D("0.01"), DAY, PaymentTerms(instalments="50@0 50@30"))
    assert tiny == [(DAY, D("0.01"))]


@settings(deadline=None)
@given(st.decimals(min_value="0.01", max_value=10**9, places=2), st.lists(st.integers(1, 30), min_size=1, max_size=4))
def test_instalments_add_up(total: D, shares: list[int]) -> None:
    """To the cent, whatever the percentages."""
    rest = 100 - sum(shares[:3])
    text = " ".join(f"{share}@{30 * i}" for i, share in enumerate([*shares[:3], rest]))
    dues = schedule(total, DAY, PaymentTerms(instalments=text))
    assert sum(amount for _day, amount in dues) == total and all(amount > 0 for _day, amount in dues)


@pytest.mark.parametrize("text", ["30@0", "30@0 80@5", "a@b", "50 50", "100@-1", "100@9999", "50@0;50@30"])
def test_wrong_instalments_are_told(text: str) -> None:
    """The form of the text, or percentages that do not add up to 100."""
    with pytest.raises(ValidationError):
        parse_instalments(text)
    with pytest.raises(ValidationError):
        PaymentTerms(instalments=text).clean()
