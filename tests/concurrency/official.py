"""What the processes of the concurrency tests do to official documents and seals; imported by the worker."""

from __future__ import annotations

import datetime as dt
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from django.db import connection

from oa.official.models import OfficialNumber, OutgoingDocument, SealRequest
from oa.official.services import numbers, outgoing, seals, supervision
from oa.organisation.models import User
from tests.concurrency.office import Outcome, attempt


def _counted_without_lock(word: int, year: int) -> int:
    """The negative control: the highest number so far and one more, and everybody dawdles before writing."""
    rows = OfficialNumber.objects.filter(word=word, year=year).order_by("-running").values_list("running", flat=True)
    running = (rows.first() or 0) + 1
    time.sleep(0.3)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO oa_counter (key, last) VALUES (%s, %s) ON CONFLICT (key) DO UPDATE SET last = EXCLUDED.last",
            [f"official:{word}:{year}", running],
        )
    return running


def sign(keys: list[int], by: int, uncounted: bool = False) -> Outcome:
    """Sign each document, which gives its number."""
    outcome: Outcome = Counter()
    counting, person = numbers._running, User.objects.get(pk=by)
    numbers._running = _counted_without_lock if uncounted else counting
    try:
        for key in keys:
            attempt(outcome, lambda key=key: outgoing.sign(OutgoingDocument(pk=key), by=person))
    finally:
        numbers._running = counting
    return outcome


def lend(request: int, by: int, day: dt.date) -> Outcome:
    """Lend the seal of a request out; everybody looks before anybody takes it."""
    outcome: Outcome = Counter()
    person, keeping = User.objects.get(pk=by), seals._keeper

    def slowly(*args: Any) -> None:
        keeping(*args)
        time.sleep(0.05)

    storing = seals._store

    def late(*args: Any) -> SealRequest:
        time.sleep(0.3)
        return storing(*args)

    seals._keeper, seals._store = slowly, late
    try:
        attempt(outcome, lambda: seals.lend(SealRequest(pk=request), by=person, date=day))
    finally:
        seals._keeper, seals._store = keeping, storing
    return outcome


def remind(day: dt.date) -> Outcome:
    """What the timer does every day."""
    outcome: Outcome = Counter()
    outcome["reminded"] = attempt(outcome, lambda: supervision.remind(day)) or 0
    return outcome


COMMANDS: dict[str, Callable[..., Outcome]] = {"sign_official": sign, "lend_seal": lend, "remind_official": remind}
