"""The company's day."""

from __future__ import annotations

import datetime as dt

from django.utils import timezone


def business_day() -> dt.date:
    """Today in the time zone of the installation, whatever zone a person reads in (rule G-18).

    Books have one calendar: a colleague elsewhere posts into the company's day, not into the day before or after.
    """
    return timezone.localdate(timezone=timezone.get_default_timezone())
