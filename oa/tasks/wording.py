"""Rules of recurring tasks in words."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from kit.pages import formats
from oa.tasks.forms import WEEKDAY_NAMES


def rule_in_words(series: Any) -> str:
    """`every 2 weeks on Monday, Friday until 2026-12-31`."""
    names = dict(WEEKDAY_NAMES)
    days = ", ".join(str(names[day]) for day in filter(None, series.weekdays.split(",")))
    n = series.interval
    match series.every:
        case "day":
            text = _("every day") if n == 1 else _("every %(n)s days") % {"n": n}
        case "week":
            told = _("every week on %(days)s") if n == 1 else _("every %(n)s weeks on %(days)s")
            text = told % {"n": n, "days": days}
        case "monthday":
            day = _("the last day") if series.month_day == 31 else _("day %s") % series.month_day
            text = (_("every month on %(day)s") if n == 1 else _("every %(n)s months on %(day)s")) % {
                "n": n,
                "day": day,
            }
        case _other:
            which = f"{series.get_week_display()} {days}"
            told = _("every month on the %(day)s") if n == 1 else _("every %(n)s months on the %(day)s")
            text = told % {"n": n, "day": which}
    if series.until:
        text = _("%(rule)s until %(day)s") % {"rule": text, "day": formats.iso_date(series.until)}
    if series.count:
        text = _("%(rule)s, %(count)s times") % {"rule": text, "count": series.count}
    return text
