"""Many people at the same number and the same seal (spec office 5.8.2 N-11, N-13, 5.8.3).

Every lock and constraint has a control which takes it away and shows that the race is real.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from typing import Any

import pytest
from django.db import connection

from kit.rules.days import business_day
from oa.official.models import OfficialNumber, OfficialReminder, SealRequest
from oa.records.models import Notification
from tests.invariants import assert_books, broken
from tests.oa import official

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

EVERYBODY = 8


def run(crowd: Any, command: str, entries: list[dict[str, Any]], **more: Any) -> Counter[str]:
    return sum(crowd.run(command, entries, **more), Counter())


def to_sign(each: int = 2) -> tuple[list[list[int]], int]:
    """Checked documents for eight signatures at once."""
    o = official.office()
    made = [[official.checked(o, official.draft(o.ann)).pk for _ in range(each)] for _ in range(EVERYBODY)]
    return made, o.dora.pk


def test_numbers_have_no_gap_and_no_double(crowd: Any) -> None:
    """N-11: 8 processes sign 16 documents of one word at once: 1 to 16."""
    keys, dora = to_sign()
    assert run(crowd, "sign_official", [{"keys": mine, "by": dora} for mine in keys]) == Counter(ok=16)
    assert list(OfficialNumber.objects.order_by("running").values_list("running", flat=True)) == list(range(1, 17))
    assert_books()


def test_the_constraint_alone_refuses_double_numbers(crowd: Any) -> None:
    """Without the counter's lock several take the same number; the database lets one in."""
    keys, dora = to_sign(1)
    outcome = run(crowd, "sign_official", [{"keys": mine, "by": dora, "uncounted": True} for mine in keys])
    assert outcome["UniqueViolation"] > 0
    found = list(OfficialNumber.objects.values_list("running", flat=True))
    assert len(found) == len(set(found)) == outcome["ok"]


def test_numbers_double_without_lock_and_constraint(crowd: Any) -> None:
    """The control: the race is real, and the invariant finds it."""
    keys, dora = to_sign(1)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_officialnumber DROP CONSTRAINT officialnumber_once")
        cursor.execute("ALTER TABLE oa_officialnumber DROP CONSTRAINT oa_officialnumber_text_key")
        cursor.execute("ALTER TABLE oa_outgoingdocument DROP CONSTRAINT oa_outgoingdocument_number_key")
    run(crowd, "sign_official", [{"keys": mine, "by": dora, "uncounted": True} for mine in keys])
    found = list(OfficialNumber.objects.values_list("running", flat=True))
    assert len(found) > len(set(found)) and "I-78" in broken()


def wishes() -> list[dict[str, Any]]:
    """Eight approved wishes for the same seal."""
    o, today = official.office(), business_day()
    return [
        {"request": official.to_use(o, lend=True, back_on=today).pk, "by": o.kit.pk, "day": today}
        for _ in range(EVERYBODY)
    ]


def test_a_seal_is_lent_once(crowd: Any) -> None:
    """5.8.3: of eight who take it at once one has it, the others are told in words."""
    assert run(crowd, "lend_seal", wishes()) == Counter(ok=1, refused=EVERYBODY - 1)
    assert SealRequest.objects.filter(state="lent").count() == 1
    assert_books()


def test_the_constraint_alone_keeps_a_seal_in_one_hand(crowd: Any) -> None:
    """Without the lock everybody finds it here; the database lets one take it."""
    outcome = run(crowd, "lend_seal", wishes(), control=True)
    assert outcome["ok"] == 1 and outcome["UniqueViolation"] > 0
    assert SealRequest.objects.filter(state="lent").count() == 1


def test_a_seal_is_lent_several_times_without_lock_and_constraint(crowd: Any) -> None:
    """The control: the race is real, and the invariant finds it."""
    given = wishes()
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX seal_lent_once")
    assert run(crowd, "lend_seal", given, control=True)["ok"] > 1
    assert "I-80" in broken()


def test_eight_timers_remind_once(crowd: Any) -> None:
    """N-13: one row and one message a person, however many workers run."""
    o = official.office()
    for _ in range(5):
        official.instructed(o, o.ann, o.ben)
    Notification.objects.all().delete()
    day = business_day() + dt.timedelta(days=40)
    assert run(crowd, "remind_official", [{"day": day}] * EVERYBODY)["reminded"] == 10
    assert OfficialReminder.objects.count() == 10 == Notification.objects.count()
