"""Filters of a list from the resource's declaration (django-filter), and the chips that show them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, cached_property
from html import escape
from typing import Any

import django_filters
from django import forms
from django.db import models
from django.forms.models import ModelChoiceField
from django.http import QueryDict
from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import get_language, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from kit.pages.columns import field_of
from kit.pages.forms import narrowed
from kit.pages.memory import ANCHORS
from kit.pages.periods import PeriodFilter
from kit.pages.resources import Resource, by_model
from kit.pages.widgets import DayField, NumberField, PickerField

capital = lazy(lambda words: capfirst(str(words)), str)  # filters are made once, their words follow the language


IS, NOT, NONE, SOME = "", "not", "none", "some"
OPERATORS = {
    IS: pgettext_lazy("filter", "is"),
    NOT: pgettext_lazy("filter", "is not"),
    NONE: pgettext_lazy("filter", "is empty"),
    SOME: pgettext_lazy("filter", "is not empty"),
}
OR = pgettext_lazy("filter", "or")
OF_OPERATOR, ENOUGH = _("Operator"), _("One of those with this mark is enough")
OPERATOR = "is"  # `state_is=not` beside `state=draft`
EITHER = "any"  # names of filters of which one is enough


@dataclass(frozen=True)
class Chip:
    """An active filter with the query string that removes it; `name` is its field in the filter menu."""

    name: str
    label: Any
    operator: Any  # in words; empty for "is"
    value: str
    remove: str
    otherwise: bool = False  # whether the filter before it is enough as well

    def __str__(self) -> str:
        words = " ".join(filter(None, (str(self.operator), self.value)))
        return f"{OR if self.otherwise else ''} {self.label}: {words}".lstrip()


class PickerFilter(django_filters.Filter):
    """Filter by a row chosen by search."""

    field_class = PickerField


class ListFilters(django_filters.FilterSet):
    """The filters of a list: each with an operator, all of them in force but those of which one is enough."""

    model: type[models.Model]

    def operator(self, name: str) -> str:
        """What a filter does with its value."""
        given = self.data.get(f"{name}_{OPERATOR}", IS)
        return given if given in operators_of(self.model, self.base_filters[name].field_name) else IS

    @cached_property
    def either(self) -> frozenset[str]:
        """Names of the filters of which one is enough."""
        return frozenset(self.data.getlist(EITHER))

    @cached_property
    def conditions(self) -> dict[str, models.Q]:
        """What each filter in force asks of a row. Rows that lack the value are among those that do not have it."""
        found = {}
        for name, kept in self.filters.items():
            operator, value = self.operator(name), self.form.cleaned_data[name]
            if operator in (NONE, SOME):
                empty = _empty(self.model, kept.field_name)
                found[name] = empty if operator == NONE else ~empty
            elif not _nothing(value):
                condition = _condition(self.model, kept, value)
                found[name] = ~condition if operator == NOT else condition
        return found

    def filter_queryset(self, queryset: Any) -> Any:
        either = models.Q()
        for name, condition in self.conditions.items():
            if name in self.either:
                either |= condition
            else:
                queryset = queryset.filter(condition)
        return queryset.filter(either) if either else queryset


def _nothing(value: Any) -> bool:
    return value in (None, "", []) or (isinstance(value, models.QuerySet) and not value)


def _condition(model: type[models.Model], kept: django_filters.Filter, value: Any) -> models.Q:
    if isinstance(kept, PeriodFilter):
        return kept.condition(value)
    expression = "in" if isinstance(value, list) else kept.lookup_expr
    condition = models.Q(**{f"{kept.field_name}__{expression}": value})
    if any(hop.many_to_many or hop.one_to_many for hop in _hops(model, kept.field_name)):
        return models.Q(pk__in=model._default_manager.filter(condition).values("pk"))  # no row comes twice
    return condition


def _hops(model: Any, path: str) -> list[Any]:
    """The fields that a path leads along."""
    found = []
    for name in path.split("__"):
        found.append(model._meta.get_field(name))
        model = found[-1].related_model
    return found


def _empty(model: type[models.Model], path: str) -> models.Q:
    empty = models.Q(**{f"{path}__isnull": True})
    is_text = isinstance(_hops(model, path)[-1], models.CharField | models.TextField)
    return empty | models.Q(**{path: ""}) if is_text else empty


@cache
def operators_of(model: type[models.Model], path: str) -> tuple[str, ...]:
    """The operators that make sense for a filter: only what may be empty is looked for so."""
    hops = _hops(model, path)
    last = hops[-1]
    empty = any(hop.null for hop in hops) or last.many_to_many or (last.blank and last.empty_strings_allowed)
    return (IS, NOT, NONE, SOME) if empty else (IS, NOT)


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
        cache["_filterset"] = type(f"{resource.slug}Filters", (ListFilters,), {"model": resource.model, **filters})
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


_unset: dict[tuple[type, str | None], str] = {}


def is_chosen(resource: Resource, params: QueryDict) -> bool:
    """Whether an address names anything to filter by."""
    names = filterset_class(resource).base_filters
    return any(key in names or key.rpartition("_")[0] in names for key in params)


def menu_of(resource: Resource, filterset: Any, user: Any) -> str:
    """The fields of the filter menu. Where nothing is chosen they are made once, unless records are offered in them."""
    if filterset is not None:
        return "".join(_field(filterset, bound) for bound in filterset.form)
    key = (filterset_class(resource), get_language())
    if key not in _unset:
        filterset = bound_filters(resource, QueryDict(), resource.model._default_manager.none(), user)
        made = "".join(_field(filterset, bound) for bound in filterset.form)
        if any(isinstance(field, ModelChoiceField) for field in filterset.form.fields.values()):
            return made
        _unset[key] = made
    return _unset[key]


def _field(filterset: ListFilters, bound: Any) -> str:
    """A field of the menu with its operators, as HTML: Python writes it in a tenth of the time of a template."""
    name, present = bound.name, filterset.operator(bound.name)
    errors = "".join(f"<li>{escape(str(error))}</li>" for error in bound.errors)
    options = "".join(
        f'<option value="{value}"{" selected" if value == present else ""}>{escape(str(OPERATORS[value]))}</option>'
        for value in operators_of(filterset.model, filterset.base_filters[name].field_name)
    )
    return (
        f'<div class="fld{" err" if errors else ""}" role="group" aria-labelledby="filter-{name}" data-filter="{name}">'
        f'<span class="lbl" id="filter-{name}">{escape(capfirst(str(bound.label)))}</span>{bound}'
        + (f'<ul class="errlist">{errors}</ul>' if errors else "")
        + f'<span class="ops"><select name="{name}_{OPERATOR}" aria-label="{escape(str(OF_OPERATOR))}">{options}'
        f'</select><label title="{escape(str(ENOUGH))}">'
        f'<input type="checkbox" name="{EITHER}" value="{name}"{" checked" if name in filterset.either else ""}>'
        f"{escape(str(OR))}</label></span></div>"
    )


def chips(filterset: ListFilters, params: QueryDict) -> list[Chip]:
    """One chip per filter in force, those of which one is enough side by side."""
    form = filterset.form
    if not form.is_valid():
        return []
    found = list[Chip]()
    for name in sorted(filterset.conditions, key=lambda name: name in filterset.either):
        operator, field = filterset.operator(name), form.fields[name]
        value = "" if operator in (NONE, SOME) else _words(field, form.cleaned_data[name])
        words = OPERATORS[operator] if operator != IS else ""
        otherwise = name in filterset.either and bool(found) and found[-1].name in filterset.either
        found.append(Chip(name, field.label, words, value, _without(params, name), otherwise))
    return found


def _without(params: QueryDict, name: str) -> str:
    """The query string without a filter."""
    left = params.copy()
    for key in list(left):
        if key == name or key in {f"{name}_{part}" for part in ("text", "period", "from", "to", OPERATOR)}:
            del left[key]
    for place in ("page", *ANCHORS):
        left.pop(place, None)
    left.setlist(EITHER, [other for other in left.getlist(EITHER) if other != name])
    return left.urlencode()


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
