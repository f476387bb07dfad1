"""Due dates from payment terms (rule A-05), pure arithmetic."""

from __future__ import annotations

import datetime as dt
import re
from decimal import Decimal
from typing import Protocol

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from kit.values.dates import month_end
from kit.values.money import allocate

_PART = re.compile(r"^(\d+(?:\.\d+)?)@(\d{1,3})$")


class Terms(Protocol):
    """What is needed of payment terms: net days, whether from the month's end, instalments."""

    days: int
    end_of_month: bool
    instalments: str


def parse_instalments(text: str) -> list[tuple[Decimal, int]]:
    """`30@0 70@60` -> [(30, 0), (70, 60)]; the percentages must add up to 100."""
    parts = []
    for word in text.replace(",", " ").split():
        match = _PART.match(word)
        if not match:
            raise ValidationError({"instalments": _("“%s” is not of the form percent@days, such as 30@0.") % word})
        parts.append((Decimal(match[1]), int(match[2])))
    if parts and sum(percent for percent, _days in parts) != 100:
        raise ValidationError({"instalments": _("The percentages must add up to 100.")})
    return parts


def schedule(total: Decimal, date: dt.date, terms: Terms | None, exponent: int = 2) -> list[tuple[dt.date, Decimal]]:
    """Due dates and amounts of `total`, which is due at once without terms. The amounts add up exactly."""
    if terms is None:
        return [(date, total)]
    start = month_end(date) if terms.end_of_month else date
    parts = parse_instalments(terms.instalments) or [(Decimal(100), terms.days)]
    amounts = allocate(total, [percent for percent, _days in parts], exponent)
    dues = [start + dt.timedelta(days=days) for _percent, days in parts]
    return [(due, amount) for due, amount in zip(dues, amounts, strict=True) if amount]
