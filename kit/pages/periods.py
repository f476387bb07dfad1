"""Filters of a list from - to; of days also by names such as "this week", which follow the calendar (UX 6.2.3)."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db.models import Q
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.pages import formats
from kit.pages.widgets import DayField
from kit.rules.days import business_day, business_zone
from kit.values.dates import PERIODS, days_of

WORDS = {
    "past": pgettext_lazy("period", "before today"),
    "today": pgettext_lazy("period", "today"),
    "week": pgettext_lazy("period", "this week"),
    "next-week": pgettext_lazy("period", "next week"),
    "last-7": pgettext_lazy("period", "last 7 days"),
    "last-30": pgettext_lazy("period", "last 30 days"),
    "month": pgettext_lazy("period", "this month"),
    "last-month": pgettext_lazy("period", "last month"),
    "quarter": pgettext_lazy("period", "this quarter"),
    "year": pgettext_lazy("period", "this year"),
}


@dataclass(frozen=True)
class Period:
    """From - to, both inclusive and optional; `words` where it was chosen by name."""

    low: Any
    high: Any
    words: Any = ""

    def __str__(self) -> str:
        if self.words:
            return str(self.words)
        low, high = formats.plain_input(self.low), formats.plain_input(self.high)
        return f"{low} – {high}" if low and high else f"≥ {low}" if low else f"≤ {high}"


class PeriodField(forms.MultiValueField):
    """From - to, both optional, of one kind of field; days also by the name of a period."""

    def __init__(self, part: type[forms.Field], **kwargs: Any) -> None:
        fields: dict[str, forms.Field] = {"from": part(required=False), "to": part(required=False)}
        if issubclass(part, DayField):
            choices = [("", _("from – to")), *((name, capfirst(WORDS[name])) for name in PERIODS)]
            attrs = {"aria-label": _("Period")}
            fields = {"period": forms.ChoiceField(choices=choices, required=False), **fields}
            fields["period"].widget.attrs |= attrs
        widget = forms.MultiWidget({name: field.widget for name, field in fields.items()})
        widget.decompress = lambda value: [None] * len(fields)  # type: ignore[method-assign]
        kwargs.pop("lookup_expr", None)
        super().__init__(fields=tuple(fields.values()), widget=widget, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[Any]) -> Period | None:
        if not data_list:
            return None
        *named, low, high = data_list
        if named and named[0]:
            return Period(*days_of(named[0], business_day()), words=WORDS[named[0]])
        return None if low is None and high is None else Period(low, high)


class PeriodFilter(django_filters.Filter):
    """Values from - to, inclusive; `moments` are taken by the company's days."""

    field_class = PeriodField

    def __init__(self, *args: Any, moments: bool = False, **kwargs: Any) -> None:
        self.moments = moments
        super().__init__(*args, **kwargs)

    def condition(self, value: Period) -> Q:
        """What is asked of a row."""
        low, high, upto = value.low, value.high, "lte"
        if self.moments:
            low = low and _start(low)
            high, upto = high and _start(high + dt.timedelta(days=1)), "lt"
        bounds = {f"{self.field_name}__gte": low, f"{self.field_name}__{upto}": high}
        return Q(**{name: bound for name, bound in bounds.items() if bound is not None})


def _start(day: dt.date) -> dt.datetime:
    """When a day of the company begins."""
    return dt.datetime.combine(day, dt.time.min, business_zone())
