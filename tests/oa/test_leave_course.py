"""The course of a balance (rule H-01): consumption and expiry against a naive model that moves single halves."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal as D

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oa.leave.course import Carry, Fact, follow
from oa.leave.granting import after_months, months_between, yearly_grant

START = dt.date(2026, 1, 1)


def on(n: int) -> dt.date:
    return START + dt.timedelta(days=n)


def naive(facts: list[Fact], limit: int, until: int) -> list[D]:
    """The balance after each day: single halves in lots, taken one by one, thrown away one by one."""
    lots: list[dict[str, object]] = []
    debt, balances = 0, []
    for n in range(until):
        day = on(n)
        room = limit
        ended = [lot for lot in lots if lot["ends"] is not None and lot["ends"] < day and lot["left"]]  # type: ignore[operator]
        for lot in sorted(ended, key=lambda lot: lot["key"]):  # type: ignore[arg-type, return-value]
            over = min(room, int(lot["left"])) if lot["carries"] else 0  # type: ignore[call-overload]
            lot["left"] = 0
            room -= over
            if over:
                lots.append({"date": day, "ends": None, "left": over, "carries": False, "key": 10_000 - len(lots)})
                paid = min(debt, over)
                debt, lots[-1]["left"] = debt - paid, over - paid
        for fact in sorted((f for f in facts if f.date == day and f.units > 0), key=lambda f: f.key):
            lot = {"date": day, "ends": fact.expires_on, "left": int(fact.units * 2), "carries": fact.carries,
                   "key": fact.key}  # fmt: skip
            while debt and lot["left"]:
                debt, lot["left"] = debt - 1, int(lot["left"]) - 1  # type: ignore[call-overload]
            lots.append(lot)
        for fact in (f for f in facts if f.date == day and f.units < 0):
            for _half in range(int(-fact.units * 2)):
                usable = [lot for lot in lots if lot["left"]]
                if not usable:
                    debt += 1
                    continue
                first = min(usable, key=lambda lot: (lot["date"], lot["ends"] or dt.date.max))  # type: ignore[arg-type, return-value]
                first["left"] = int(first["left"]) - 1  # type: ignore[call-overload]
        balances.append(D(sum(int(lot["left"]) for lot in lots) - debt) / 2)  # type: ignore[call-overload]
    return balances


halves = st.integers(1, 12).map(lambda n: D(n) / 2)
moves = st.lists(
    st.tuples(st.integers(0, 50), halves, st.booleans(), st.one_of(st.none(), st.integers(0, 20))), max_size=12
)


@settings(max_examples=300)
@given(moves, st.integers(0, 8))
def test_the_oldest_grant_is_consumed_first_and_only_the_rest_expires(
    found: list[tuple[int, D, bool, int | None]], limit: int
) -> None:
    """H-01: the same balance on every day as halves that are moved one by one."""
    facts = [
        Fact(key, on(n), -units if takes else units, None if takes or valid is None else on(n + valid),
             carries=not takes)
        for key, (n, units, takes, valid) in enumerate(found, 1)
    ]  # fmt: skip
    course = follow(facts, Carry(D(limit) / 2, 0))
    wanted = naive(facts, limit, 80)
    assert [course.on(on(n)) for n in range(80)] == wanted
    assert course.lowest(on(30)) == (min(wanted[30:]), on(30 + wanted[30:].index(min(wanted[30:]))))
    for lapse in course.lapses:
        assert 0 <= lapse.carried <= lapse.units and lapse.units > 0


def test_what_is_booked_equals_what_was_foreseen() -> None:
    """H-01: expiry and carry-forward as entries leave the same course as before they were booked."""
    grant = Fact(1, on(0), D(10), on(30), carries=True)
    use = Fact(2, on(10), D(-3))
    carry = Carry(D(5), 2)
    before = follow([grant, use], carry)
    (first, second) = before.lapses
    assert (first.lot, first.day, first.units, first.carried) == (1, on(31), D(7), D(5))
    assert second.units == 5 and second.carried == 0 and second.day == after_months(on(31), 2)
    booked = [grant, use, Fact(3, on(31), D(-7), lot=1), Fact(4, on(31), D(5), first.expires_on, carried=True)]
    after = follow(booked, carry)
    assert after.steps == before.steps and [x.lot for x in after.lapses] == [4]


def test_an_expiry_that_was_booked_before_a_use_came_in_leaves_a_debt() -> None:
    """H-01: a back-dated use cannot take what has expired already."""
    course = follow([Fact(1, on(0), D(5), on(30)), Fact(2, on(31), D(-5), lot=1), Fact(3, on(20), D(-2))], Carry())
    assert course.on(on(40)) == -2 and course.lowest(on(20)) == (D(-2), on(31))


@pytest.mark.parametrize(
    ("worked", "joined", "wanted"),
    [
        ("2010-03-01", "2020-03-01", (dt.date(2026, 1, 1), D(10))),
        ("2005-01-01", "2020-03-01", (dt.date(2026, 1, 1), D(15))),
        ("2016-01-01", "2020-03-01", (dt.date(2026, 1, 1), D(10))),  # ten years on this very day
        ("2016-01-02", "2020-03-01", (dt.date(2026, 1, 1), D(5))),
        ("2025-07-01", "2025-07-01", (dt.date(2026, 7, 1), D(2))),  # a year of service in July: 184 of 365 days
        ("2015-01-01", "2026-07-01", (dt.date(2026, 7, 1), D(5))),  # ten days for 184 of 365
        ("2026-02-01", "2026-02-01", None),
        ("2025-12-31", "2025-12-31", None),  # one day left of the year is not a whole day of leave
    ],
)
def test_a_year_earns_by_service(worked: str, joined: str, wanted: tuple[dt.date, D] | None) -> None:
    """H-01: annual leave by law: 5, 10, 15 days after 1, 10, 20 years, in the first year in proportion."""
    steps = [(12, D(5)), (120, D(10)), (240, D(15))]
    since, entered = dt.date.fromisoformat(worked), dt.date.fromisoformat(joined)
    assert yearly_grant(2026, worked_since=since, joined_on=entered, steps=steps) == wanted


@given(st.dates(dt.date(1990, 1, 1), dt.date(2030, 1, 1)), st.integers(0, 600))
def test_months_of_service_and_days_after_months_agree(day: dt.date, months: int) -> None:
    """H-03: whole months, whatever the length of the month."""
    assert months_between(day, after_months(day, months)) == months
    assert months_between(day, after_months(day, months) - dt.timedelta(days=1)) == months - 1
