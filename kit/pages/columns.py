"""Columns of lists, panels, totals and exports: one declaration feeds them all."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from html import escape
from typing import Any

from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.db.models.functions import Coalesce, NullIf
from django.utils.safestring import SafeString
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from kit.pages import formats
from kit.pages.markup import safe
from kit.rules.fields import FractionField, MoneyField, PercentField, PriceField, QuantityField, RateField

NUMERIC = {"money", "number", "quantity", "price", "percent", "fraction"}


@dataclass(frozen=True)
class Column:
    """A column of a list: `path` is an ORM path or an annotation of the resource.

    `kind` (text, money, price, quantity, number, percent, progress, fraction, date, datetime, time, bool, choice,
    state) is taken from the model field when empty. `total` adds it up under the list.
    """

    path: str
    label: Any = ""
    kind: str = ""
    total: bool = False
    choices: dict[Any, Any] | None = None
    tones: dict[Any, str] | None = None
    display: str = ""  # the path that is shown, when it is not `path` (a related name)
    display_zh: str = ""  # the path of its Chinese name, where the related model has one
    display_en: str = ""  # the path of its English name, where that is the second one
    css: str = ""
    phone: str = ""  # area of the phone's card: cust, amt, no, st, more

    @cached_property
    def words(self) -> dict[str | None, dict[Any, str]]:
        """What choices are called, by language: the same few in hundreds of cells."""
        return {}

    @cached_property
    def _labels(self) -> dict[str | None, str]:
        return {}

    @property
    def text(self) -> str:
        """The label in the language of the page."""
        return self._labels.get(language := get_language()) or self._labels.setdefault(language, str(self.label))

    @property
    def heading(self) -> str:
        """The label over the column."""
        return str(capfirst(self.text))

    @property
    def name(self) -> str:
        """The column's name in URLs and exports."""
        return self.path.replace("__", "_")

    @property
    def shown(self) -> str:
        """The ORM path whose value is shown and sorted by."""
        return self.display or self.path

    @property
    def value(self) -> Any:
        """What to select: `shown`, or the name in the reader's language where there is one."""
        second = self.display_zh if reads_chinese() else self.display_en
        return Coalesce(NullIf(second, models.Value("")), self.shown) if second else self.shown

    @cached_property
    def numeric(self) -> bool:
        """Whether figures stand at the right."""
        return self.kind in NUMERIC

    @cached_property
    def classes(self) -> str:
        """Figures at the right, and the place on a phone's card."""
        return self._classes(f"c-{self.phone}" if self.phone else "c-st" if self.kind == "state" else "xs-hide")

    @cached_property
    def classes_first(self) -> str:
        """The same where the column is the first one, which names the row."""
        return self._classes("c-no")

    def _classes(self, place: str) -> str:
        return " ".join(filter(None, ("num" if self.numeric else "", place, self.css)))


@dataclass(slots=True)
class Cell:
    """One formatted cell; lists make hundreds of them."""

    text: str
    column: Column
    href: str = ""
    tone: str = ""
    percent: Decimal | None = None
    negative: bool = False

    @property
    def html(self) -> SafeString:
        """The cell as pages show it: a badge, a bar, a link or the text."""
        kind, text = self.column.kind, escape(self.text)
        if kind == "state":
            return safe(f'<span class="bd {escape(self.tone)}">{text}</span>')
        if kind == "progress":
            return self._bar(text)
        if self.href:
            style = "lk tn" if kind == "text" else "lk"
            return safe(f'<a class="{style}" href="{escape(self.href)}">{text}</a>')
        return safe(text)

    def _bar(self, text: str) -> SafeString:
        """How far something is, as a bar and in figures."""
        if self.percent is None:
            return safe("—")
        full, label = "full" if self.percent >= 100 else "part", escape(self.column.text)
        bar = f'<progress class="pgb {full}" max="100" value="{self.percent}" aria-label="{label}"></progress>'
        return safe(f'<span class="pg">{bar}{text}</span>')


def reads_chinese() -> bool:
    """Whether the page is in Chinese."""
    return (get_language() or "").startswith("zh")


def titled(cells: list[Cell]) -> list[Cell]:
    """The cells of a row, with the Chinese name as the title of a phone's card for who reads Chinese."""
    title = next((i for i, c in enumerate(cells) if c.column.phone == "cust"), None)
    chinese = next((i for i, c in enumerate(cells) if c.column.path == "name_zh"), None)
    if title is not None and chinese is not None and cells[chinese].text and reads_chinese():
        for place, phone in ((title, ""), (chinese, "cust")):
            cells[place] = replace(cells[place], column=replace(cells[place].column, phone=phone))
    return cells


def field_of(model: type[models.Model], path: str) -> models.Field[Any, Any] | None:
    """The model field at the end of an ORM path; None when a part of it is unknown."""
    field: Any = None
    current: Any = model
    for part in path.split("__"):
        if current is None:
            return None
        try:
            field = current._meta.get_field("id" if part == "pk" else part)
        except FieldDoesNotExist:
            return None
        current = field.related_model if field.is_relation else None
    return field


def label_path(model: type[models.Model]) -> str:
    """The column that names a row of `model` in other rows' lists."""
    names = {f.name for f in model._meta.fields}
    for name in ("LIST_NAME", "number", "name", "code", "title"):
        found = getattr(model, name, "") if name == "LIST_NAME" else name
        if found in names:
            return str(found)
    return "pk"


_KINDS: tuple[tuple[type[models.Field[Any, Any]], str], ...] = (
    (MoneyField, "money"),
    (PriceField, "price"),
    (RateField, "price"),
    (QuantityField, "quantity"),
    (PercentField, "percent"),
    (FractionField, "fraction"),
    (models.DecimalField, "number"),
    (models.BooleanField, "bool"),
    (models.DateTimeField, "datetime"),
    (models.DateField, "date"),
    (models.IntegerField, "number"),
    (models.TimeField, "time"),
)


def resolve(model: type[models.Model], given: str | Column) -> Column:
    """A complete column: label, kind, choices and shown path from the model field."""
    column = given if isinstance(given, Column) else Column(given)
    field = field_of(model, column.path)
    if field is None:
        return replace(column, label=column.label or column.path, kind=column.kind or "text")
    label = column.label or field.verbose_name
    if field.is_relation and field.related_model and not column.display:
        name = label_path(field.related_model)
        chinese = name == "name" and field_of(field.related_model, "name_zh") is not None
        column = replace(
            column,
            display=f"{column.path}__{name}",
            display_zh=f"{column.path}__name_zh" if chinese else "",
            kind=column.kind or "text",
        )
    path = column.shown
    if "__" in path and path.endswith("name") and field_of(model, f"{path}_en") is not None:
        column = replace(column, display_en=f"{path}_en")
    kind = column.kind
    choices = column.choices
    if not kind and field.choices:
        kind, choices = "choice", dict(field.flatchoices)
    tones = column.tones
    states = getattr(model, "STATES", None)
    if column.path == "state" and states is not None:
        kind, choices = "state", {s.name: s.label for s in states.states}
        tones = {s.name: s.tone for s in states.states}
    if not kind:
        kind = next((kind for cls, kind in _KINDS if isinstance(field, cls)), "text")
    return replace(column, label=label, kind=kind, choices=choices, tones=tones)


def _choice(column: Column, value: Any) -> str:
    known = column.words.setdefault(get_language(), {})
    if value not in known:
        known[value] = capfirst(str((column.choices or {}).get(value, value) or ""))
    return known[value]


_TEXT: dict[str, Callable[[Column, Any], str]] = {
    "money": lambda c, v: formats.money(v),
    "price": lambda c, v: formats.trimmed(v, 2),
    "quantity": lambda c, v: formats.trimmed(v),
    "number": lambda c, v: formats.trimmed(v) if isinstance(v, Decimal) else str(v),
    "percent": lambda c, v: formats.percent(v),
    "progress": lambda c, v: formats.percent(v.quantize(Decimal(1)) if v < 100 else v),
    "fraction": lambda c, v: formats.percent(v * 100),
    "date": lambda c, v: formats.iso_date(v),
    "datetime": lambda c, v: formats.moment(v),
    "time": lambda c, v: v.strftime("%H:%M"),
    "bool": lambda c, v: _("yes") if v else _("no"),
    "choice": _choice,
    "state": _choice,
}
_STRUCTURES, _FIGURES = (list, dict), (Decimal, int)


# How columns that hold a structure read: "oa.flowstep.conditions" -> a function of the row.
telling: dict[str, Callable[[Any], str]] = {}


def structure(value: Any) -> str:
    """A stored list or mapping in words: the labels of its entries, or names with values."""
    if isinstance(value, dict):
        return str(value.get("label") or ", ".join(f"{name}: {structure(part)}" for name, part in value.items()))
    return ", ".join(structure(item) for item in value) if isinstance(value, list) else str(value)


def cell(column: Column, value: Any, href: str = "") -> Cell:
    """Format one value."""
    if value is None or value == "":
        return Cell("", column, href)
    if isinstance(value, _STRUCTURES):
        value = structure(value)
    text_of = _TEXT.get(column.kind)
    text = text_of(column, value) if text_of is not None else str(value)
    tone = column.tones.get(value, "") if column.tones else ""
    negative = column.numeric and isinstance(value, _FIGURES) and value < 0
    return Cell(text, column, href, tone, value if column.kind == "progress" else None, negative)


def plain(column: Column, value: Any) -> Any:
    """The value for exports: raw numbers and dates, choices in words."""
    if column.kind in {"choice", "state"} and value is not None:
        return _choice(column, value)
    if isinstance(value, dt.datetime):
        return formats.moment(value)
    return value


def with_card(columns: Sequence[Column]) -> list[Column]:
    """Places on a phone's card where the declaration names none: the first words, and the first figure or else day."""
    if any(column.phone for column in columns):
        return list(columns)
    rest = [column for column in columns[1:] if column.kind != "state"]
    words = next((column for column in rest if column.kind == "text"), None)
    days = [column for column in rest if column.kind in {"date", "datetime"}]
    figure = next((column for column in rest if column.numeric), days[0] if days else None)
    places = {id(words): "cust", id(figure): "amt"}
    return [replace(column, phone=places.get(id(column), "")) for column in columns]


def resolve_all(model: type[models.Model], columns: Sequence[str | Column]) -> list[Column]:
    """Complete all columns of a declaration."""
    return [resolve(model, column) for column in columns]
