"""Template filters for figures and dates: `money`, `qty`, `pct`, `d`, `dt` and no other formats (UX 7.7)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from itertools import groupby
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kit.pages import formats
from kit.rules.days import business_day

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


@register.filter
def initials(name: str) -> str:
    """Two letters of a name for an avatar, the last two characters of a Chinese one."""
    words = str(name).split()
    return "".join(word[0] for word in words[:2]).upper() if len(words) > 1 else str(name)[-2:]


@register.filter
def phone(number: str) -> str:
    """`138 1234 6021`: a Chinese mobile number in groups, others as they were typed."""
    digits = dial(number)
    return f"{digits[:3]} {digits[3:7]} {digits[7:]}" if len(digits) == 11 and digits[0] == "1" else str(number)


@register.filter
def dial(number: str) -> str:
    """Digits and plus sign of a telephone number, for `tel:` links."""
    return "".join(c for c in str(number) if c.isdigit() or c == "+")


@register.simple_tag
def coming_days() -> list[tuple[str, dt.date]]:
    """Days on which people plan to go on, by name: tomorrow, the coming Friday, the Monday after."""
    today = business_day()
    friday = today + dt.timedelta(days=(3 - today.weekday()) % 7 + 1)
    return [
        (_("tomorrow"), today + dt.timedelta(days=1)),
        (_("Friday"), friday),
        (pgettext("period", "next week"), today + dt.timedelta(days=7 - today.weekday())),
    ]
