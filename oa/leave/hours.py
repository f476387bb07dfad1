"""Working hours of a day as text, two halves: “09:00-12:00 13:00-18:00”; empty for a day off (rule H-02)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

NOON, MIDNIGHT = 720, 1440  # minutes of a day


@dataclass(frozen=True)
class Span:
    """From minute `start` to before minute `end` of a day."""

    start: int
    end: int

    def overlap(self, start: int, end: int) -> int:
        """Minutes that lie also between `start` and `end`."""
        return max(0, min(self.end, end) - max(self.start, start))


@dataclass(frozen=True)
class Hours:
    """When a day is worked; None for a half that is free."""

    morning: Span | None = None
    afternoon: Span | None = None

    @property
    def works(self) -> bool:
        """Whether it is a working day at all."""
        return self.morning is not None or self.afternoon is not None


OFF = Hours()
Plan = Callable[[dt.date], Hours]


def minute_of(time: dt.time) -> int:
    """The minute of the day."""
    return time.hour * 60 + time.minute


def parse_hours(text: str) -> Hours:
    """The hours that `text` says; raises ValueError for anything else.

    A part that begins before noon is the morning, any other the afternoon; each stands there once, in order.
    """
    halves: dict[str, Span] = {}
    last = -1
    for part in text.replace(",", " ").replace("–", "-").split():
        start, dash, end = part.partition("-")
        span = Span(_minute(start), _minute(end)) if dash else None
        if span is None or span.start >= span.end or span.start < last:
            raise ValueError(text)
        name = "morning" if span.start < NOON else "afternoon"
        if name in halves:
            raise ValueError(text)
        halves[name] = span
        last = span.end
    return Hours(**halves)


def _minute(text: str) -> int:
    if text == "24:00":
        return MIDNIGHT
    return minute_of(dt.time.fromisoformat(text if len(text) == 5 else f"0{text}"))
