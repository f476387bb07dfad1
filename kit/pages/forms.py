"""Edit forms made from a resource's declaration, rendered by crispy-forms."""

from __future__ import annotations

from collections.abc import Container, Iterable
from functools import partial
from typing import Any, cast

from crispy_forms.helper import FormHelper
from crispy_forms.layout import HTML, Div, Field, Layout
from django import forms
from django.db import models
from django.forms.models import ModelChoiceField, ModelMultipleChoiceField, construct_instance, modelform_factory
from django.forms.utils import ErrorDict
from django.utils.html import escape
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from kit.pages.pickmany import PickManyField, PickManyWidget
from kit.pages.resources import Resource, by_model
from kit.pages.rows import RowsWidget
from kit.pages.widgets import DayField, NumberField, PickerField, form_field, name_choices
from kit.rules.permissions import beyond_reach
from kit.values.errors import BusinessError

# The box of likely duplicates follows what is typed.
TWINS = {"hx-trigger": "input changed delay:300ms", "hx-target": "#similar", "hx-sync": "closest form:replace"}


class KitForm(forms.ModelForm):
    """A model form that knows its user: choices show only what that user may see (S-03)."""

    error_css_class = "err"
    required_css_class = "required"

    def __init__(self, *args: Any, user: Any, resource: Resource, **kwargs: Any) -> None:
        self.user, self.resource = user, resource
        self.computing = False
        super().__init__(*args, **kwargs)
        self.filled: set[str] = set()  # what the server has just put in (UX 6.5.7)
        fixed = set(resource.fixed(self.instance)) if self.instance.pk else set()
        for name, field in self.fields.items():
            current = getattr(self.instance, name, None) if self.instance.pk else None
            field.disabled = name in fixed
            if isinstance(field.widget, forms.Textarea):
                field.widget.attrs["rows"] = 3
            if name in resource.recompute:
                field.widget.attrs["data-recompute"] = True
            if name in resource.twins_by and not self.instance.pk:
                field.widget.attrs |= TWINS | {"hx-post": resource.url("similar")}
            if name in resource.depends:
                field.widget.attrs["data-depends"] = resource.depends[name]
            if isinstance(field, PickerField):
                field.user, field.current = user, current
                if current is not None:
                    self.initial[name] = current
            elif isinstance(field, PickManyField):
                field.user, field.queryset = user, field.resource.queryset(user)
            elif isinstance(field, ModelChoiceField):
                field.queryset = narrowed(field.queryset, user, current)
                if current is not None and not isinstance(field, ModelMultipleChoiceField):
                    field.to_python = partial(_present_or, field, current)  # type: ignore[method-assign]
            name_choices(field)

    def _post_clean(self) -> None:
        """A form that is only computed fills its document and stores nothing: the rules wait for saving."""
        if not self.computing:
            super()._post_clean()
            return
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)

    def show_typed(self) -> None:
        """Show what was typed without a word about it: it was not sent yet."""
        if self.resource.lines is not None:  # lines are computed from what stands in the head
            self.computing = True
            self.full_clean()
        self._errors = ErrorDict()

    def clean(self) -> dict[str, Any]:
        """A picker's value belongs to the record that narrows it: no contact of another customer."""
        cleaned = super().clean() or self.cleaned_data
        for name, parent in self.resource.depends.items():
            value, owner = cleaned.get(name), cleaned.get(parent)
            if value is not None and owner is not None and getattr(value, f"{parent}_id", owner.pk) != owner.pk:
                self.add_error(name, _("%(value)s does not belong to %(owner)s.") % {"value": value, "owner": owner})
        stored = self.instance if self.instance.pk else None
        given = {
            name: value
            for name in ("owner", "department", "customer")
            if (value := cleaned.get(name)) is not None and getattr(stored, f"{name}_id", None) != value.pk
        }
        for name in beyond_reach(self.user, self._meta.model, given):
            self.add_error(name, _("%s is not in your part of the company.") % given[name])
        return cleaned

    def _save_m2m(self) -> None:
        """A set of records keeps those of its members that the person does not see (rule G-21)."""
        hidden = {}
        for name, field in self.fields.items():
            if isinstance(field, ModelMultipleChoiceField):
                members: Any = getattr(self.instance, name).all()
                if hasattr(members, "visible_to"):
                    hidden[name] = list(members.exclude(pk__in=members.visible_to(self.user).values("pk")))
        super()._save_m2m()
        for name, kept in hidden.items():
            if kept:
                getattr(self.instance, name).add(*kept)

    def follow(self, names: Iterable[str], typed: Container[str]) -> None:
        """Fill the fields that follow from the changed fields `names`; what a person typed stays.

        A field that the changed one narrows (`depends`) is replaced in any case: its value belongs elsewhere.
        """
        data: Any = self.data
        data = data.copy()
        for name in names:
            for target, value in self.resource.fill(self.instance, name, self.user).items():
                field = self.fields.get(target)
                narrowed_by = self.resource.depends.get(target) == name
                if field is None or (target in typed and data.get(target) and not narrowed_by):
                    continue
                self.filled.add(target)
                setattr(self.instance, target, value)
                shown = field.prepare_value(value)
                if isinstance(field, PickerField):
                    data[target], data[f"{target}_text"] = shown or ("", "")
                else:
                    data[target] = "" if shown is None else str(shown)
        self.data = data

    @property
    def helper(self) -> FormHelper:
        """Crispy layout: the resource's sections, fields in a grid."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        parts: list[Any] = []
        for label, names in self.resource.sections or (("", tuple(self.fields)),):
            fields = [Field(name, wrapper_class=wide(self.fields[name])) for name in names if name in self.fields]
            heading = [HTML(f"<h2>{escape(label)}</h2>")] if label else []
            if fields:
                parts.append(Div(*heading, Div(*fields, css_class="fgrid"), css_class="cd pad sec-b"))
        helper.layout = Layout(*parts)
        return helper

    def add_problems(self, error: BusinessError) -> None:
        """Show what a command refused at the fields it names."""
        for problem in error:
            known = problem.field if problem.field in self.fields else None
            self.add_error(known, str(problem.message))


def wide(field: forms.Field) -> str:
    """Text areas take the whole row."""
    return "w4" if isinstance(field.widget, forms.Textarea | PickManyWidget | RowsWidget) else ""


def _present_or(field: ModelChoiceField, current: Any, value: Any) -> Any:
    """What is chosen; the present value may stay and is not looked up again."""
    return current if str(value) == str(current.pk) else type(field).to_python(field, value)


def narrowed(rows: Any, user: Any, current: Any) -> Any:
    """Choices a user may see; archived ones only when they are the present value."""
    model = rows.model
    if hasattr(rows, "visible_to"):
        seen = rows.visible_to(user)
        if any(f.name == "active" for f in model._meta.fields):
            keep = models.Q(active=True)
            if isinstance(current, models.Model):
                keep |= models.Q(pk=current.pk)
            seen = seen.filter(keep)
        return seen
    return rows


def _field(db_field: models.Field[Any, Any], **kwargs: Any) -> forms.Field | None:
    """The form field of a model field; sets of records that are not few are searched."""
    resource = by_model.get(db_field.related_model) if isinstance(db_field, models.ManyToManyField) else None
    if resource is None or resource.small:
        return form_field(db_field, **kwargs)
    words = {"label": capfirst(db_field.verbose_name), "help_text": db_field.help_text}
    return PickManyField(resource, required=not db_field.blank, **words)


def form_class(resource: Resource) -> type[KitForm]:
    """The form class of a resource, made once."""
    cache = resource.__dict__
    if "_form_class" not in cache:
        cache["_form_class"] = form_for(resource, resource.fields, resource.form_class or KitForm)
    return cache["_form_class"]


def form_for(resource: Resource, fields: Iterable[str], base: type[KitForm]) -> type[KitForm]:
    """A form of some fields of a resource, for a page of its own."""
    made: Any = modelform_factory(resource.model, form=base, fields=list(fields), formfield_callback=_field)
    return cast("type[KitForm]", made)


class ReasonForm(forms.Form):
    """What a command asks for before it runs: a reason, a date, how much and how long."""

    reason = forms.CharField(label=_("Reason"), widget=forms.Textarea(attrs={"rows": 2}), max_length=300)
    date = DayField(label=_("Date"))
    amount = NumberField(
        label=_("Up to amount (base currency)"), required=False, max_digits=18, decimal_places=2, shown=2
    )
    until = DayField(label=_("Valid until"), required=False)

    def __init__(self, *args: Any, names: tuple[str, ...], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in list(self.fields):
            if name not in names:
                del self.fields[name]
