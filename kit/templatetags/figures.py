"""Template filters for figures and dates: `money`, `qty`, `pct`, `d`, `dt` and no other formats (UX 7.7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Any

from django import template
from django.utils import timezone

from kit.pages import formats

register = template.Library()


@register.filter
def money(value: Decimal | None) -> str:
    """`12,480.00`."""
    return formats.money(value)


@register.filter
def qty(value: Decimal | None) -> str:
    """`1,286`."""
    return formats.trimmed(value)


@register.filter
def pct(value: Decimal | None) -> str:
    """`21.4%`."""
    return formats.percent(value)


@register.filter
def d(value: dt.date | None) -> str:
    """`2026-11-23`."""
    return formats.iso_date(value)


@register.filter(name="dt")
def moment(value: dt.datetime | None) -> str:
    """`2026-11-23 10:42`."""
    return formats.moment(value)


@register.filter
def clock(value: dt.datetime) -> str:
    """`10:42` in the person's time zone."""
    return timezone.localtime(value).strftime("%H:%M")


@register.filter
def by_day(events: Iterable[Any] | None) -> list[tuple[str, list[Any]]]:
    """Timeline entries under day headings."""
    grouped = groupby(events or [], key=lambda event: timezone.localtime(event.at).date())
    return [(formats.day_heading(day), list(found)) for day, found in grouped]


@register.filter
def lookup(mapping: Any, key: Any) -> Any:
    """`mapping[key]`, empty when it is missing."""
    return mapping.get(key, "") if mapping else ""
