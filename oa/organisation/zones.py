"""The company's time zone: one truth, the company profile, known to every process without asking for each day.

A process reads it again with every request of a person who is logged in (in the statement that loads the person)
and before every task, so a change in the browser counts everywhere from then on.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings

from oa.organisation.models import CompanyProfile
from oa.organisation.models.company import zone_or_none

_known: ZoneInfo | None = None


def learn_zone(name: str | None) -> ZoneInfo:
    """Take over what the company profile says; the installation's zone where it names none that exists."""
    global _known
    _known = zone_or_none(name or "") or ZoneInfo(settings.TIME_ZONE)
    return _known


def company_zone() -> ZoneInfo:
    """The time zone of the company, read now (one statement)."""
    return learn_zone(CompanyProfile.objects.filter(pk=1).values_list("time_zone", flat=True).first())


def known_zone() -> ZoneInfo:
    """The time zone of the company as this process knows it; read once where it was not yet."""
    return _known or company_zone()


def zone_of(person: Any) -> ZoneInfo:
    """The time zone a person lives in: their own, else the company's as this process knows it."""
    return zone_or_none(person.time_zone) or known_zone()


def next_at(at: dt.time, zone: ZoneInfo, now: dt.datetime) -> dt.datetime:
    """The first moment after `now` at which the clocks of `zone` show `at`."""
    day = now.astimezone(zone).date()
    moments = (dt.datetime.combine(day + dt.timedelta(days=days), at, zone).astimezone(dt.UTC) for days in range(3))
    return next(moment for moment in moments if moment > now)
