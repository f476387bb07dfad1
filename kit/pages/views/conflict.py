"""The page after somebody else saved what one is editing: both versions put together (UX 7.6, rule G-19)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from django import forms
from django.forms.models import ModelChoiceField
from django.http import HttpRequest, QueryDict
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from kit.pages import formats, merging
from kit.pages.columns import field_of, structure
from kit.pages.forms import KitForm, form_class
from kit.pages.lines import GridRow, LineGrid
from kit.pages.merging import Difference, State
from kit.pages.resources import Resource, name_of, registry
from kit.pages.views import drafts
from kit.pages.views.drafts import Unsaved
from kit.pages.views.records import find
from kit.pages.widgets import NumberField, PickerField

NOTHING = "—"


@dataclass
class Shown:
    """A difference in words; a clash also says what is posted for your side of it."""

    label: str
    was: str
    theirs: str
    yours: str
    side: str
    over: str = ""  # the posted name that your value stands for
    mine: str = ""  # your value as it is posted


@dataclass
class Conflict:
    """Both versions in one form, and what they differ in."""

    form: KitForm
    rows: list[GridRow]
    shown: list[Shown]
    kept: bool  # whether what you typed is kept as your draft
    url: str  # theirs
    opened: str  # what a further save is compared with: theirs

    @property
    def clashes(self) -> list[Shown]:
        """What both changed, in different ways."""
        return [one for one in self.shown if not one.side]

    @property
    def merged(self) -> list[Shown]:
        """What one of you changed."""
        return [one for one in self.shown if one.side]

    @property
    def draft(self) -> Unsaved:
        """The form of a conflict overwrites no draft: yours is what you typed."""
        return Unsaved("")


def conflict_of(
    request: HttpRequest, resource: Resource, obj: Any, form: KitForm, rows: Sequence[GridRow] = ()
) -> Conflict | None:
    """Put together what `form` holds and what is stored; None where the page did not say what it was opened with."""
    typed: Any = form.data
    was = merging.opened_with(typed.get("opened", ""))
    if was is None:
        return None
    stored = find(request, resource, resource.key_of(type(obj)._default_manager.get(pk=obj.pk)))
    fresh = form_class(resource)(None, instance=stored, user=request.user, resource=resource)
    theirs = _rows_of(resource, fresh)
    now = merging.state_of(fresh, theirs)
    found = merging.merged_fields(was.fields, now.fields, merging.fields_of(form))
    shown = [_field(fresh, form, one) for one in found]
    for one in found:
        if one.side == "yours":
            _give(fresh, one.name, form.cleaned_data[one.name])
    merged: list[GridRow] = []
    if resource.lines is not None:
        merged, lines = _lines(resource.lines, form, was, theirs, rows)
        shown += lines
    kept = drafts.keep(request, resource, stored, typed)
    return Conflict(fresh, merged, shown, kept, resource.url_for(stored), merging.sealed(now))


def opened(form: KitForm, rows: Sequence[GridRow] = ()) -> str:
    """What the hidden field of a form carries: its values when it was opened."""
    if form.is_bound:
        return form.data.get("opened", "")
    stored = form.instance.pk and hasattr(form.instance, "version")
    return merging.sealed(merging.state_of(form, rows)) if stored else ""


def _give(form: KitForm, name: str, value: Any) -> None:
    """Show your value in the form of what is stored."""
    form.initial[name] = value
    field = field_of(form._meta.model, name)
    if field is not None and not field.many_to_many:
        setattr(form.instance, name, value)


# ---- fields in words ----


def _field(form: KitForm, typed: KitForm, one: Difference) -> Shown:
    given = form.fields[one.name]
    was, theirs, yours = (_words(given, form.user, text) for text in (one.was, one.theirs, one.yours))
    data: Any = typed.data
    mine = "" if one.side else merging.posted(data, one.name)
    return Shown(capfirst(str(given.label or one.name)), was, theirs, yours, one.side, one.name, mine)


def _words(given: forms.Field, user: Any, text: str | None) -> str:
    """A value as the field shows it."""
    if isinstance(given, forms.BooleanField):
        return _("yes") if text else _("no")
    if not text:
        return NOTHING
    if isinstance(given, PickerField | ModelChoiceField):
        resource: Any = getattr(given, "resource", None)
        rows: Any = resource.queryset(user) if resource is not None else given.queryset  # type: ignore[union-attr]
        return ", ".join(name_of(row) for row in rows.filter(pk__in=text.split(","))) or NOTHING
    if isinstance(given, forms.ChoiceField):
        return str(dict(given.choices).get(text, text))  # type: ignore[arg-type]
    if isinstance(given, NumberField):
        return _figure(text, given.shown)
    return structure(merging.parts_of(text))


def _figure(text: str, digits: int) -> str:
    try:
        return formats.trimmed(Decimal(text), digits)
    except InvalidOperation:
        return text


# ---- lines ----


def _rows_of(resource: Resource, form: KitForm) -> list[GridRow]:
    """The stored lines as a form shows them when it is opened."""
    if resource.lines is None:
        return []
    rows: list[GridRow] = resource.lines.rows_of(form.instance, form.user)
    resource.lines.compute(form.instance, rows, None, form.user)
    return rows


def _lines(
    grid: LineGrid, form: KitForm, was: State, theirs: Sequence[GridRow], rows: Sequence[GridRow]
) -> tuple[list[GridRow], list[Shown]]:
    user = form.user
    grid.compute(form.instance, rows, None, user)
    merged, found = merging.merged_rows(was.lines, theirs, rows, grid, merging.columns_of(grid, user))
    if not grid.fixed:
        for number, row in enumerate(merged):
            row.index = str(number)
    choices = grid.choices_for(user)
    return merged, [_line(grid, merged, one, choices, user) for one in found]


def _line(grid: LineGrid, merged: list[GridRow], one: Difference, choices: dict[str, Any], user: Any) -> Shown:
    row: Any = one.line
    at = next((n for n, other in enumerate(merged, start=1) if other is row), None)
    place = _("Line %s") % (at if at is not None else _summary(grid, row, user))
    if one.name:
        column = next(c for c in grid.columns if c.name == one.name)
        was, theirs, yours = (_cell(grid, column, text, choices, user) for text in (one.was, one.theirs, one.yours))
        name = f"{grid.prefix}-{row.index}-{one.name}"
        own: Any = one.own
        mine = "" if one.side else _posted(grid, row.index, own, [one.name])
        return Shown(f"{place} · {capfirst(str(column.label))}", was, theirs, yours, one.side, name, mine)
    gone, told = NOTHING if one.was is None else _("deleted"), _summary(grid, row, user)  # nobody deletes a new line
    was, theirs, yours = (gone if text is None else told for text in (one.was, one.theirs, one.yours))
    mine = _posted(grid, str(len(merged) + int(row.index) + 1), one.own, list(one.own.typed)) if one.own else ""
    return Shown(place, was, theirs, yours, one.side, f"{grid.prefix}-{row.index}" if one.own is None else "", mine)


def _summary(grid: LineGrid, row: GridRow, user: Any) -> str:
    """The first words of a line."""
    texts = [row.typed.get(column.name, "") for column in grid.shown_for(user) if column.kind != "select"]
    return " · ".join([text for text in texts if text][:3])


def _cell(grid: LineGrid, column: Any, text: str | None, choices: dict[str, Any], user: Any) -> str:
    if not text:
        return NOTHING
    if column.kind == "picker" and text.isdecimal():
        found = registry[column.resource].queryset(user).filter(pk=text).first()
        return grid.picked_text(found) if found is not None else NOTHING
    if column.kind == "select":
        return next((str(label) for key, label in choices.get(column.name, ()) if str(key) == text), text)
    return _figure(text, column.digits) if column.kind == "number" else text


def _posted(grid: LineGrid, index: str, row: GridRow, names: Sequence[str]) -> str:
    """Inputs of a line as they are posted."""
    data = QueryDict(mutable=True)
    pickers = {column.name for column in grid.columns if column.kind == "picker"}
    unseen = ("for", "found") if pickers & set(names) else ()
    for name in (*names, *unseen):
        key = f"{grid.prefix}-{index}-{name}"
        data[f"{key}_text" if name in pickers else key] = row.typed.get(name, "")
        if name in pickers:
            data[key] = row.keys.get(name, "")
    return data.urlencode()
