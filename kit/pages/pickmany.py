"""A set of records in a form: those chosen can be ticked off, others are searched and added.

Nothing is preloaded, so there may be thousands to choose from (UX 6.5.4), and nothing needs JavaScript.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from kit.pages.resources import Resource
from kit.pages.widgets import PickerField, pick_url
from kit.values.keys import is_key

BOXES = 3  # searches beside each other, so that several can be added at once

Typed = tuple[list[str], list[tuple[str, str]]]  # keys that stayed ticked; key and text of each search


class PickManyWidget(forms.Widget):
    """Ticked boxes for what is chosen, and searches for more."""

    template_name = "kit/widgets/pick_many.html"

    def __init__(self, resource: Resource, attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.resource = resource

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Typed:
        sent = data.getlist if hasattr(data, "getlist") else lambda key: data.get(key) or []
        texts = sent(f"{name}_add_text")
        keys = [*sent(f"{name}_add"), *[""] * len(texts)]
        return list(sent(name)), list(zip(keys, texts, strict=False))

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # nothing ticked is nothing sent

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, "", attrs)
        chosen, added = value if isinstance(value, tuple) else ([], [])
        boxes = [*added, *[("", "")] * BOXES][: max(BOXES, len(added))]
        context["widget"].update(chosen=chosen, boxes=boxes, url=pick_url(self.resource))
        return context

    def id_for_label(self, id_: str) -> str:
        return id_


class PickManyField(forms.ModelMultipleChoiceField):
    """Many records, chosen by search among those that the person may see. The form sets `user` and `queryset`."""

    def __init__(self, resource: Resource, **kwargs: Any) -> None:
        self.resource = resource
        self.user: Any = None
        super().__init__(resource.model._default_manager.all(), widget=PickManyWidget(resource), **kwargs)

    def prepare_value(self, value: Any) -> Any:
        """The chosen as (key, label), and what was typed into the searches."""
        keys, added = value if isinstance(value, tuple) else (value or [], [])
        rows = self._rows(getattr(key, "pk", key) for key in keys)
        return [(str(row.pk), self.resource.pick_label(row)) for row in rows], added

    def clean(self, value: Any) -> Any:
        """The records that stayed ticked and the added ones."""
        keys, added = value if isinstance(value, tuple) else (value or [], [])
        search = PickerField(self.resource, required=False)
        search.user = self.user
        more = [found for typed in added if (found := search.clean(typed)) is not None]
        if self.required and not keys and not more:
            raise ValidationError(self.error_messages["required"], code="required")
        kept = self._rows(keys)
        if len(kept) < len(set(keys)):
            raise ValidationError(_("Somebody removed one of these records meanwhile. Choose again."))
        return list({row.pk: row for row in (*kept, *more)}.values())

    def _rows(self, keys: Iterable[Any]) -> list[Any]:
        wanted = {key for key in map(str, keys) if is_key(key)}
        rows: Any = self.queryset
        return list(rows.filter(pk__in=wanted)) if wanted else []

    def has_changed(self, initial: Any, data: Any) -> bool:
        keys, added = data if isinstance(data, tuple) else (data or [], [])
        before = {str(getattr(row, "pk", row)) for row in initial or []}
        return before != set(keys) or any(text.strip() for _key, text in added)
