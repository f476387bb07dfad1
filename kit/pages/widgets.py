"""Form fields and widgets of the kit: pickers searched on the server, numbers and dates as people type them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.urls import reverse
from django.utils.text import capfirst

from kit.pages import formats
from kit.pages.resolving import resolve_texts
from kit.pages.resources import Resource, by_model, name_of
from kit.values.keys import is_key


def pick_url(resource: Resource) -> str:
    """Address of the search behind a picker."""
    return reverse("kit:pick", args=(resource.slug,))


def resolve_text(resource: Resource, rows: models.QuerySet[Any], text: str) -> Any:
    """The one row that a typed text means: its exact key, code or name, else the only search hit.

    Raises ValidationError in words when there is none or more than one.
    """
    meant = resolve_texts(resource, rows, [text])[text]
    if meant.obj is None:
        raise ValidationError(meant.problem(text))
    return meant.obj


class PickerWidget(forms.Widget):
    """A text input with server search and a hidden key; without JavaScript the text alone decides."""

    template_name = "kit/widgets/picker.html"

    def __init__(self, resource: Resource, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.resource = resource

    def value_from_datadict(self, data: Any, files: Any, name: str) -> tuple[str, str] | None:
        if name not in data and f"{name}_text" not in data:
            return None
        return data.get(name, ""), data.get(f"{name}_text", "")

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return name not in data and f"{name}_text" not in data

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, "", attrs)
        key, text = value if isinstance(value, tuple) else ("", "")
        given = context["widget"]["attrs"]
        box = {attr: given.pop(attr) for attr in ("data-recompute", "data-depends") if attr in given}
        context["widget"].update(key=key, text=text, url=pick_url(self.resource), box=box)
        return context

    def id_for_label(self, id_: str) -> str:
        return id_


class PickerField(forms.Field):
    """A foreign key chosen by search. The form sets `user`; rows start from what that user may see."""

    def __init__(self, resource: Resource, *, rows: models.Q | None = None, **kwargs: Any) -> None:
        self.resource = resource
        self.limit = rows
        self.user: Any = None
        self.current: Any = None  # the present value may stay although it is archived (rule G-24)
        kwargs.setdefault("widget", PickerWidget(resource))
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        if isinstance(value, models.Model):
            return str(value.pk), self.resource.pick_label(value)
        if isinstance(value, tuple) or value in (None, ""):
            return value
        found = self.resource.queryset(self.user).filter(pk=value).first() if is_key(str(value)) else None
        return (str(found.pk), self.resource.pick_label(found)) if found else ("", "")

    def clean(self, value: Any) -> Any:
        if isinstance(value, models.Model):
            return value  # a field that is shown only
        key, text = value if isinstance(value, tuple) else ("", "")
        text = text.strip()
        if not text:
            if self.required:
                raise ValidationError(self.error_messages["required"], code="required")
            return None
        if self.current is not None and key == str(self.current.pk):
            return self.current
        rows = self.resource.pick_queryset(self.user, {})
        if self.limit is not None:
            rows = rows.filter(self.limit)
        if is_key(key):
            found = rows.filter(pk=key).first()
            if found is not None and text == self.resource.pick_label(found):
                return found
        return resolve_text(self.resource, rows, text)

    def has_changed(self, initial: Any, data: Any) -> bool:
        before = str(initial.pk if isinstance(initial, models.Model) else initial or "")
        return before != str(data[0] if isinstance(data, tuple) else data or "")


class NumberField(forms.DecimalField):
    """A number as people type it, with full-width digits, thousands or a calculation."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "class": "num", "autocomplete": "off"})

    def __init__(self, *, shown: int = 0, **kwargs: Any) -> None:
        """`shown`: decimals that are written even where they are zeros."""
        self.shown = shown
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return formats.trimmed(value, self.shown) if isinstance(value, Decimal) else value

    def to_python(self, value: Any) -> Decimal | None:
        if value is None or isinstance(value, Decimal):
            return value
        try:
            return formats.parse_number(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None


class DayInput(forms.DateInput):
    """A text field for dates in ISO form, with the browser's calendar behind a button."""

    template_name = "kit/widgets/date.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        given = {"data-date": True, "inputmode": "numeric", "autocomplete": "off", "placeholder": "yyyy-mm-dd"}
        super().__init__({**given, **(attrs or {})}, format="%Y-%m-%d")


class DayField(forms.DateField):
    """A date, typed or from the browser's calendar."""

    widget = DayInput()

    def to_python(self, value: Any) -> dt.date | None:
        if value is None or isinstance(value, dt.date):
            return value
        try:
            return formats.parse_date(str(value))
        except ValueError as error:
            raise ValidationError(str(error)) from None


def form_field(db_field: models.Field[Any, Any], **kwargs: Any) -> forms.Field | None:
    """The kit's form field for a model field (for `modelform_factory`)."""
    if isinstance(db_field, models.ForeignKey):
        resource = by_model.get(db_field.related_model)
        if resource is not None and not resource.small:
            limit = db_field.remote_field.limit_choices_to
            rows = models.Q(**limit) if isinstance(limit, dict) and limit else None
            return PickerField(
                resource,
                rows=rows,
                required=not db_field.blank,
                label=capfirst(db_field.verbose_name),
                help_text=db_field.help_text,
            )
    if isinstance(db_field, models.ManyToManyField):
        kwargs["widget"] = forms.CheckboxSelectMultiple
    if isinstance(db_field, models.DecimalField) and not db_field.choices:
        kwargs |= {"form_class": NumberField, "shown": getattr(db_field, "shown", 0)}
    if isinstance(db_field, models.DateField) and not isinstance(db_field, models.DateTimeField):
        kwargs["form_class"] = DayField
    return db_field.formfield(**kwargs)


def name_choices(field: forms.Field) -> None:
    """Choices begin with a capital as their cells do, and the empty one is a dash."""
    if isinstance(field, forms.ModelChoiceField):
        if field.empty_label is not None:
            field.empty_label = "—"
        field.label_from_instance = name_of  # type: ignore[method-assign,assignment]
    elif isinstance(field, forms.ChoiceField):
        choices = cast("Iterable[tuple[Any, Any]]", field.choices)  # reading evaluates what was given as a function
        field.choices = [(value, _choice_name(value, label)) for value, label in choices]


def _choice_name(value: Any, label: Any) -> Any:
    if isinstance(label, list | tuple):  # a group of choices
        return label
    return "—" if value == "" and "---" in str(label) else capfirst(str(label))
