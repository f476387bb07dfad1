"""Columns of files that come in: how their titles are recognised and their cells become values."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.utils import translation
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages import formats
from kit.rules.permissions import may
from kit.values.money import round_half_up

DIGITS = {"integer": 0, "money": 2, "percent": 4, "quantity": 4, "fraction": 6, "price": 6, "rate": 8, "number": 8}
WHOLE = 18  # digits of a number altogether
_YES = gettext_lazy("yes"), ("true", "1", "y", "on", "x", "是", "真", "√")
_NO = gettext_lazy("no"), ("false", "0", "n", "off", "否", "假")
_DATE = re.compile(r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|(\d{2})(\d{2}))(?:[T ]\d{1,2}:\d{2}(?::\d{2}(?:-\d+)?)?)?")

REASON = gettext_lazy("Reason")  # heads the last column of bad rows, which come back corrected
_GROUPED = re.compile(r"^[^,]*?\d{1,3}(,\d{3})+(?![\d,])")  # commas stand between thousands only


@dataclass(frozen=True)
class Column:
    """A column that an importer reads.

    `name` is its title in machine files, `label` its title for people, `aliases` are further titles. Kinds:
    text, date, bool, choice (`choices` are value and label), record (a row of `model`, found by its code or
    name; `make` makes it where there is none), records (several, comma separated), and the number kinds
    integer, money, quantity, price, rate, percent (13 = 13 %), fraction (0.13 or 13 %).
    """

    name: str
    label: Any
    kind: str = "text"
    required: bool = False
    default: Any = None
    aliases: tuple[str, ...] = ()
    choices: tuple[tuple[str, Any], ...] = ()
    model: type[models.Model] | None = None
    make: Callable[[str, Any], Any] | None = None
    own: bool = False  # may name a row of the same file: what is not found stays a text
    length: int = 0  # longest text; 0: any
    field: Any = None  # the model field whose validators apply

    @property
    def titles(self) -> Iterator[str]:
        """Everything that may stand over the column, in the plain form that `plain_title` gives."""
        yield from (plain_title(text) for text in (self.name, *in_all_languages(self.label), *self.aliases))

    def parse(self, text: str) -> Any:
        """The value of a cell, None for an empty one; ValueError says in words what is wrong."""
        text = text.strip()
        if not text:
            return self.default
        value = self._parse(text)
        if self.field is not None and value is not None and self.kind not in ("record", "records", "bool", "choice"):
            try:
                self.field.run_validators(value)
            except ValidationError as error:
                raise ValueError(" ".join(error.messages)) from None
        return value

    def _parse(self, text: str) -> Any:
        if self.kind in DIGITS:
            return number(text, self.kind)
        if self.kind == "date":
            return day(text)
        if self.kind == "bool":
            return yes_or_no(text)
        if self.kind == "choice":
            return self._choice(text)
        if self.length and len(text) > self.length:
            raise ValueError(
                _("“%(text)s…” has %(count)s characters; at most %(limit)s fit.")
                % {"text": text[:20], "count": len(text), "limit": self.length}
            )
        return text

    def _choice(self, text: str) -> str:
        wanted = plain_title(text)
        for value, label in self.choices:
            if wanted in (plain_title(t) for t in (str(value), *in_all_languages(label))):
                return value
        names = ", ".join(str(label) for value, label in self.choices if value != "")
        raise ValueError(_("“%(value)s” is not offered; choose one of %(names)s.") % {"value": text, "names": names})


def in_all_languages(label: Any) -> list[str]:
    """A lazy text in every language of the installation."""
    if not isinstance(label, Promise):
        return [str(label)]
    texts = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            texts.append(str(label))
    return list(dict.fromkeys(texts))


def plain_title(text: str) -> str:
    """Letters and digits only, in small letters: `Unit price*`, `unit_price` and `UNIT-PRICE` are the same."""
    return "".join(c for c in formats.normal(text).casefold() if c.isalnum())


def number(text: str, kind: str) -> Decimal:
    """A number with no more decimals than its kind has; a fraction may be written as percentage."""
    plain = formats.normal(text)
    if "," in plain and not _GROUPED.search(plain):
        raise ValueError(_("“%s” is not a number; write a point before the decimals.") % text)
    value = formats.parse_number(text)
    if value is None:
        raise ValueError(_("“%s” is not a number.") % text)
    if kind == "fraction" and "%" in plain:
        value /= 100
    digits = DIGITS[kind]
    if round_half_up(value, digits) != value:
        raise ValueError(_("“%(text)s” has more than %(digits)s decimals.") % {"text": text, "digits": digits})
    if abs(value) >= Decimal(10) ** min(15, WHOLE - digits):
        raise ValueError(_("“%s” is too large.") % text)
    return value


def day(text: str) -> dt.date:
    """A date with its year: `1996-07-04`, `1996/7/4`, `1996年7月4日`, `19960704`, with or without a time."""
    plain = formats.normal(text).replace("年", "-").replace("月", "-").replace("日", "")
    found = _DATE.fullmatch(plain.replace("/", "-").replace(".", "-").strip())
    try:
        if found is None:
            raise ValueError
        year, month, date, short_month, short_date = found.groups()
        return dt.date(int(year), int(month or short_month), int(date or short_date))
    except ValueError:
        raise ValueError(_("“%s” is not a date; write it as 2026-11-23.") % text) from None


def yes_or_no(text: str) -> bool:
    """`yes`, `是`, `true`, `1` and their opposites."""
    wanted = plain_title(text) or text
    for value, (label, others) in ((True, _YES), (False, _NO)):
        if wanted in {plain_title(t) for t in in_all_languages(label)} | set(others):
            return value
    raise ValueError(_("“%s” is neither yes nor no.") % text)


@dataclass(frozen=True)
class Header:
    """What stands over the columns of a file: its row, and the column for each position that is known."""

    row: int
    titles: tuple[str, ...]
    columns: dict[int, Column]
    unknown: tuple[str, ...]
    double: tuple[str, ...]
    ignored: frozenset[int] = frozenset()

    def title(self, name: str) -> str:
        """How the file calls column `name`."""
        return next((self.titles[i].strip() for i, column in self.columns.items() if column.name == name), name)


def match_header(columns: Sequence[Column], row: int, cells: Sequence[str]) -> Header:
    """Recognise the titles in `cells`, whatever their case, blanks and language."""
    known: dict[str, Column] = {}
    for titles in (lambda c: [plain_title(c.name)], lambda c: c.titles):  # names win over labels
        for column in columns:
            for title in titles(column):
                known.setdefault(title, column)
    found: dict[int, Column] = {}
    unknown: list[str] = []
    double: list[str] = []
    ignored: set[int] = set()
    reasons = {plain_title(text) for text in in_all_languages(REASON)}
    for position, cell in enumerate(cells):
        title = plain_title(cell)
        if not title:
            continue
        wanted = known.get(title)
        if wanted is None and title in reasons:
            ignored.add(position)
        elif wanted is None:
            unknown.append(cell.strip())
        elif wanted in found.values():
            double.append(cell.strip())
        else:
            found[position] = wanted
    return Header(row, tuple(cells), found, tuple(unknown), tuple(double), frozenset(ignored))


CODES = ("code", "number", "username", "barcode")
NAMES = ("name", "name_en", "name_zh", "short_name", "title", "symbol")
CACHED = 20_000


class Lookup:
    """Rows of a model by what files call them: the code, else a name that only one of them has."""

    def __init__(self, column: Column, by: Any) -> None:
        assert column.model is not None
        self.column, self.by = column, by
        manager: Any = column.model._default_manager
        self.rows = manager.visible_to(by) if by is not None and hasattr(manager, "visible_to") else manager.all()
        fields = {f.name for f in column.model._meta.fields}
        self.codes = [name for name in CODES if name in fields]
        self.names = [name for name in NAMES if name in fields]
        self.found: dict[str, list[Any]] = {}
        self.made: list[str] = []

    @property
    def label(self) -> str:
        """What one of the rows is called, as a sentence begins."""
        text = str(self.column.model._meta.verbose_name)  # type: ignore[union-attr]
        return text[:1].upper() + text[1:]

    def load(self, texts: set[str]) -> None:
        """Look all `texts` up: one statement for each field by which rows are named."""
        if len(self.found) > CACHED:
            self.found.clear()
        missing = {text for text in texts if text not in self.found}
        for fields in ([name] for name in self.codes):
            missing -= self._search(fields, missing)
        missing -= self._search(self.names, missing)
        self.found.update({text: [] for text in missing})

    def _search(self, fields: Sequence[str], texts: set[str]) -> set[str]:
        if not texts or not fields:
            return set()
        condition = models.Q()
        for name in fields:
            condition |= models.Q(**{f"{name}__in": texts})
        hits: dict[str, dict[Any, Any]] = {}
        for row in self.rows.filter(condition):
            for name in fields:
                if (text := getattr(row, name)) in texts:
                    hits.setdefault(text, {})[row.pk] = row
        self.found.update({text: list(rows.values()) for text, rows in hits.items()})
        return set(hits)

    def get(self, text: str) -> Any:
        """The row called `text`, made where the column makes rows; ValueError says why there is none."""
        assert self.column.model is not None
        rows = self.found[text]
        if not rows and self.column.make is not None:
            made = self.column.make(text, self.by)
            rows = self.found[text] = [made] if made is not None else []
            self.made += [text] if rows else []
        facts = {"model": self.column.model._meta.verbose_name, "value": text}
        if not rows:
            raise ValueError(_("There is no %(model)s “%(value)s”.") % facts)
        if len(rows) > 1:
            raise ValueError(_("Several are called “%(value)s”; write the code of the %(model)s.") % facts)
        return rows[0]


def maker(model: type[models.Model], **columns: Any) -> Callable[[str, Any], Any]:
    """How a column makes records of `model` that a file names for the first time: code and name are the text.

    Refused to people who may not add such records. `columns` may be functions that give the value.
    """

    def make(text: str, by: Any) -> Any:
        if by is not None and not may(by, "add", model):
            raise ValueError(
                _("There is no %(model)s “%(value)s”, and you may not make one.")
                % {"model": model._meta.verbose_name, "value": text}
            )
        values = {name: value() if callable(value) else value for name, value in columns.items()}
        return model._default_manager.create(code=text[:60], name=text[:200], created_by=by, **values)

    return make


def text_of(record: Any) -> str:
    """What finds `record` again: its code, else its name."""
    if record is None:
        return ""
    for name in (*CODES[:3], "name"):
        if value := getattr(record, name, ""):
            return str(value)
    return str(record.pk)
