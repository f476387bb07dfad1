"""The company's day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from django.utils import timezone

_zone: Callable[[], dt.tzinfo] = timezone.get_default_timezone


def count_days_in(zone: Callable[[], dt.tzinfo]) -> None:
    """Lend the kit the company's time zone: `zone` is asked whenever the day is; it must cost no statement."""
    global _zone
    _zone = zone


def business_zone() -> dt.tzinfo:
    """The company's time zone; that of the installation where there is no company."""
    return _zone()


def business_day() -> dt.date:
    """Today in the time zone of the company, whatever zone a person reads in (rule G-18).

    Books have one calendar: a colleague elsewhere posts into the company's day, not into the day before or after.
    """
    return timezone.localdate(timezone=_zone())
