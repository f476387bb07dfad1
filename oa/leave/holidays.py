"""Public holidays of a country as the library `holidays` knows them, with the days exchanged for them (rule H-02)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from functools import cache
from typing import Any

import holidays
from babel import Locale
from django.utils.translation import get_language
from django.utils.translation import gettext as _


@dataclass(frozen=True)
class PublicDay:
    """A day off, or a day of the weekend that is worked in exchange for one (`works`)."""

    date: dt.date
    name: str
    works: bool = False


def countries() -> list[tuple[str, str]]:
    """(code, name) of the countries and regions whose holidays are known, by name in the language of the reader."""
    return _countries(get_language() or "en")


@cache
def _countries(language: str) -> list[tuple[str, str]]:
    names = Locale.parse(language.replace("-", "_")).territories
    known = [code for code in holidays.list_supported_countries() if len(code) == 2 and code in names]  # no aliases
    return sorted(((code, names[code]) for code in known), key=lambda pair: pair[1])


def public_days(country: str, year: int) -> list[PublicDay]:
    """The public holidays of a year by date, and where weekends are exchanged, those that are worked."""
    found = _of(country, year)
    made = [PublicDay(day, name) for day, name in found.items() if day.year == year]
    exchanged = {day for day in getattr(found, "weekend_workdays", ()) if day.year == year}
    made += [PublicDay(day, _("worked in exchange"), works=True) for day in exchanged]
    return sorted(made, key=lambda day: day.date)


def _of(country: str, year: int) -> Any:
    """The library's answer in the reader's language, else in English, else as the country itself names them."""
    known = holidays.country_holidays(country).supported_languages
    wanted = "zh_CN" if (get_language() or "").startswith("zh") else "en_US"
    language = next((name for name in (wanted, "en_US") if name in known), None)
    return holidays.country_holidays(country, years=year, language=language)
