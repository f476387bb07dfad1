"""How long before something people are reminded of it. Pure functions."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata
from collections.abc import Sequence

MINUTES = {"w": 7 * 24 * 60, "d": 24 * 60, "h": 60, "m": 1}
_UNITS = {"周": "w", "天": "d", "日": "d", "小时": "h", "分钟": "m", "分": "m"}
_PART = re.compile(r"(\d{1,4})\s*([wdhm]|周|天|日|小时|分钟|分)")
MOST = 6
DAY = dt.timedelta(days=1)


def parse(text: str) -> tuple[int, ...]:
    """Minutes before, the longest first, of what a person typed (“1d 2h 30m”, “1天 30分钟”); ValueError otherwise."""
    plain = unicodedata.normalize("NFKC", text).lower()
    rest = _PART.sub(" ", plain)
    if rest.replace(",", " ").replace("、", " ").strip():
        raise ValueError(rest.strip())
    found = {int(number) * MINUTES[_UNITS.get(unit, unit)] for number, unit in _PART.findall(plain)}
    if len(found) > MOST:
        raise ValueError(text.strip())
    return tuple(sorted(found, reverse=True))


def written(minutes: Sequence[int]) -> str:
    """The same as text, each in the largest unit that fits."""
    parts = []
    for value in minutes:
        unit = next(unit for unit, size in MINUTES.items() if value % size == 0 and (value or unit == "m"))
        parts.append(f"{value // MINUTES[unit]}{unit}")
    return " ".join(parts)


def moments(due: dt.datetime, text: str) -> list[dt.datetime]:
    """When to remind, in order: days and weeks by the calendar of `due`, so that the time of day holds."""
    found = []
    for minutes in parse(text):
        if minutes % MINUTES["d"] == 0:
            found.append((due - minutes // MINUTES["d"] * DAY).astimezone(dt.UTC))  # on the clock of its time zone
        else:
            found.append(due.astimezone(dt.UTC) - dt.timedelta(minutes=minutes))
    return sorted(found)


def next_moment(due: dt.datetime | None, text: str, after: dt.datetime) -> dt.datetime | None:
    """The next moment after `after`, None when there is none."""
    if due is None or not text:
        return None
    return next((moment for moment in moments(due, text) if moment > after), None)
