"""Filters of a list from the resource's declaration (django-filter), and the chips that show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import django_filters
from django import forms
from django.db import models
from django.forms.models import ModelChoiceField
from django.http import QueryDict
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from kit.pages.columns import field_of
from kit.pages.forms import narrowed
from kit.pages.memory import ANCHORS
from kit.pages.periods import PeriodFilter
from kit.pages.resources import Resource, by_model
from kit.pages.widgets import DayField, NumberField, PickerField

capital = lazy(lambda words: capfirst(str(words)), str)  # filters are made once, their words follow the language


@dataclass(frozen=True)
class Chip:
    """An active filter with the query string that removes it; `name` is its field in the filter menu."""

    name: str
    label: Any
    value: str
    remove: str


class PickerFilter(django_filters.Filter):
    """Filter by a row chosen by search."""

    field_class = PickerField


def _filter(resource: Resource, name: str) -> django_filters.Filter:
    field: Any = field_of(resource.model, name)
    label = resource.labels.get(name, field.verbose_name)
    if field.choices:
        return django_filters.MultipleChoiceFilter(
            field_name=name,
            choices=[(value, capital(words)) for value, words in field.flatchoices if value != ""],
            label=label,
            widget=forms.CheckboxSelectMultiple,
        )
    if field.is_relation:
        related = by_model.get(field.related_model)
        if related is not None and not related.small:
            return PickerFilter(field_name=name, label=label, resource=related)
        return django_filters.ModelChoiceFilter(
            field_name=name, label=label, queryset=field.related_model._default_manager.all(), empty_label="—"
        )
    if isinstance(field, models.BooleanField):
        return django_filters.ChoiceFilter(
            field_name=name,
            label=label,
            choices=[("True", capital(_("yes"))), ("False", capital(_("no")))],
            empty_label="—",
        )
    if isinstance(field, models.DateField):
        moments = isinstance(field, models.DateTimeField)
        return PeriodFilter(field_name=name, label=label, part=DayField, moments=moments)
    if isinstance(field, models.DecimalField | models.IntegerField):
        return PeriodFilter(field_name=name, label=label, part=NumberField)
    return django_filters.CharFilter(field_name=name, label=label, lookup_expr="icontains")


def filterset_class(resource: Resource) -> type[django_filters.FilterSet]:
    """The filter set of a resource, made once; its names are the only ones a URL can filter by."""
    cache = resource.__dict__
    if "_filterset" not in cache:
        filters = {name.replace("__", "_"): _filter(resource, name) for name in resource.filters}
        cache["_filterset"] = type(f"{resource.slug}Filters", (django_filters.FilterSet,), filters)
    return cache["_filterset"]


def bound_filters(resource: Resource, params: QueryDict, rows: Any, user: Any) -> django_filters.FilterSet:
    """The filter set bound to a request's parameters, its choices narrowed to what `user` may see."""
    filterset = filterset_class(resource)(params, queryset=rows)
    for field in filterset.form.fields.values():
        if isinstance(field, PickerField):
            field.user = user
        elif isinstance(field, ModelChoiceField):
            field.queryset = narrowed(field.queryset, user, None)
    return filterset


@dataclass(frozen=True)
class FilterField:
    """A field of the filter menu, ready to be shown."""

    name: str
    label: Any
    html: str
    errors: Any


_unset: dict[tuple[type, str | None], list[FilterField]] = {}


def is_chosen(resource: Resource, params: QueryDict) -> bool:
    """Whether an address names anything to filter by."""
    names = filterset_class(resource).base_filters
    return any(key in names or key.rpartition("_")[0] in names for key in params)


def fields_of(resource: Resource, filterset: Any, user: Any) -> list[FilterField]:
    """The fields of the filter menu. Where nothing is chosen they are made once, unless records are offered in them."""
    if filterset is not None:
        return [FilterField(bound.name, bound.label, str(bound), bound.errors) for bound in filterset.form]
    key = (filterset_class(resource), get_language())
    if key not in _unset:
        form = bound_filters(resource, QueryDict(), resource.model._default_manager.none(), user).form
        made = [FilterField(bound.name, bound.label, str(bound), ()) for bound in form]
        if any(isinstance(field, ModelChoiceField) for field in form.fields.values()):
            return made
        _unset[key] = made
    return _unset[key]


def chips(filterset: django_filters.FilterSet, params: QueryDict) -> list[Chip]:
    """One chip per filter in force."""
    found = []
    form = filterset.form
    if not form.is_valid():
        return []
    for name, value in form.cleaned_data.items():
        if value in (None, "", []) or (isinstance(value, models.QuerySet) and not value):
            continue
        left = params.copy()
        for key in list(left):
            if key == name or key in {f"{name}_{part}" for part in ("text", "period", "from", "to")}:
                del left[key]
        for place in ("page", *ANCHORS):
            left.pop(place, None)
        found.append(Chip(name, form.fields[name].label, _words(form.fields[name], value), left.urlencode()))
    return found


def _words(field: Any, value: Any) -> str:
    choices = dict(getattr(field, "choices", ()) or ()) if not isinstance(field, ModelChoiceField | PickerField) else {}
    if isinstance(value, list):
        return ", ".join(str(choices.get(v, v)) for v in value)
    return str(choices.get(value, value))


def active_params(params: QueryDict, drop: Iterable[str]) -> str:
    """The query string without the parameters `drop`, for links that change one of them."""
    left = params.copy()
    for name in drop:
        left.pop(name, None)
    return left.urlencode()
