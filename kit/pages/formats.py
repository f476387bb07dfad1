"""How figures, dates and choices look on pages and in exports (UX 7.7)."""

from __future__ import annotations

import datetime as dt
import unicodedata
from decimal import Decimal, InvalidOperation
from typing import Any

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from kit.rules.days import business_day
from kit.values.arithmetic import calculate

MINUS = "\u2212"
NBSP = "\u00a0"


def money(value: Decimal | int | None, digits: int = 2) -> str:
    """`−12,480.00`; empty for None."""
    return "" if value is None else f"{value:,.{digits}f}".replace("-", MINUS)


def trimmed(value: Decimal | None, least: int = 0) -> str:
    """A price, quantity or rate without trailing zeros, but with at least `least` decimals."""
    if value is None:
        return ""
    text = f"{value:,f}"
    if "." in text:
        whole, _dot, rest = text.partition(".")
        rest = rest.rstrip("0").ljust(least, "0")
        text = f"{whole}.{rest}" if rest else whole
    elif least:
        text = f"{text}.{'0' * least}"
    return text.replace("-", MINUS)


def percent(value: Decimal | None) -> str:
    """`21.4%`, at most one decimal."""
    return "" if value is None else f"{value:.1f}".rstrip("0").rstrip(".").replace("-", MINUS) + "%"


def iso_date(value: dt.date | None) -> str:
    """ISO date in both languages: it sorts and compares."""
    return value.isoformat() if value else ""


def moment(value: dt.datetime | None) -> str:
    """ISO date and time to the minute in the person's time zone."""
    return timezone.localtime(value).strftime("%Y-%m-%d %H:%M") if value else ""


def day_heading(value: dt.date) -> str:
    """Today, yesterday, or the date as prose."""
    today = timezone.localdate()
    if value == today:
        return _("Today")
    if value == today - dt.timedelta(days=1):
        return _("Yesterday")
    return prose_day(value)


def prose_day(value: dt.date) -> str:
    """`Monday 23 November`; with its year when that is not this one."""
    if value.year == timezone.localdate().year:
        return date_format(value, pgettext("format of a day", "l j F"))
    return date_format(value, pgettext("format of a day in another year", "l j F Y"))


def plain_input(value: Any) -> str:
    """A value as it stands in an input field: no thousands, no trailing zeros."""
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value.normalize():f}" if value else "0"
    if isinstance(value, (dt.date, dt.datetime)):
        return value.isoformat()
    return str(value)


def normal(text: str) -> str:
    """What a person typed with full-width digits and punctuation made plain (UX 7.3)."""
    return unicodedata.normalize("NFKC", text).replace("\u3002", ".").replace(MINUS, "-").strip()


def parse_number(text: str) -> Decimal | None:
    """A number as people type it: `1,280.5`, `１２３．５`, `=40*1.05`, `1.2w` or `1.2万`; None when empty.

    Raises ValueError in words when it is no number.
    """
    plain = normal(text).replace(" ", "").replace(NBSP, "").replace("%", "")
    if not plain:
        return None
    try:
        if plain.startswith("="):
            return calculate(plain[1:].replace(",", ""))
        factor = Decimal(1)
        if plain[-1] in "wW万":
            plain, factor = plain[:-1], Decimal(10000)
        number = Decimal(plain.replace(",", "").replace("¥", "")) * factor
    except (InvalidOperation, ValueError, ZeroDivisionError):
        raise ValueError(_("“%s” is not a number.") % text) from None
    if not number.is_finite() or abs(number) >= Decimal(10) ** 15:
        raise ValueError(_("“%s” is too large.") % text)
    return number


def parse_date(text: str, today: dt.date | None = None) -> dt.date | None:
    """A date as people type it: ISO, `11-23`, `1123`, `+7`, `t`; None when empty.

    Raises ValueError in words when it is no date.
    """
    plain = normal(text).replace("/", "-").replace(".", "-")
    now = today or business_day()
    if not plain:
        return None
    try:
        if plain in {"t", "T"}:
            return now
        if plain[0] in "+-" and plain[1:].isdigit():
            return now + dt.timedelta(days=int(plain))
        if plain.isdigit() and len(plain) == 4:
            return dt.date(now.year, int(plain[:2]), int(plain[2:]))
        if plain.isdigit() and len(plain) == 8:
            return dt.date(int(plain[:4]), int(plain[4:6]), int(plain[6:]))
        parts = [int(part) for part in plain.split("-")]
        return dt.date(*parts) if len(parts) == 3 else dt.date(now.year, *parts)
    except (ValueError, TypeError, OverflowError):
        raise ValueError(_("“%s” is not a date; write it as 2026-11-23.") % text) from None
