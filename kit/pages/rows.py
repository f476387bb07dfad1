"""A small table in a form whose rows are stored together, such as the conditions of a rule.

It works without scripts: some empty rows wait at the end, rows that are left empty are dropped.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django import forms

SPARE = 3
MOST = 60

Row = Mapping[str, Any]


@dataclass(frozen=True)
class RowColumn:
    """A column: `kind` is text, select or check; `choices` gives (value, label) pairs of a select."""

    name: str
    label: Any
    kind: str = "text"
    choices: Callable[[], Sequence[tuple[str, Any]]] = field(default=tuple)


class RowsWidget(forms.Widget):
    """Inputs named `<field>-<row>-<column>`."""

    template_name = "kit/widgets/rows.html"

    def __init__(self, columns: Sequence[RowColumn], attrs: dict[str, Any] | None = None) -> None:
        super().__init__(attrs)
        self.columns = list(columns)

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, str]]:
        rows = []
        for number in range(MOST):
            keys = {column.name: f"{name}-{number}-{column.name}" for column in self.columns}
            if not any(key in data for key in keys.values()):
                continue
            rows.append({column: str(data.get(key, "")).strip() for column, key in keys.items()})
        return rows

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        context = super().get_context(name, "", attrs)
        rows = [*(value or []), *({} for _spare in range(SPARE))][:MOST]
        cells = [
            [(column, f"{name}-{number}-{column.name}", str(row.get(column.name, ""))) for column in self.columns]
            for number, row in enumerate(rows)
        ]
        context["widget"].update(columns=self.columns, rows=cells, choices={c.name: c.choices() for c in self.columns})
        return context


class RowsField(forms.Field):
    """A list of dictionaries, without the rows whose `needed` column is empty."""

    def __init__(self, columns: Sequence[RowColumn], *, needed: str, **kwargs: Any) -> None:
        self.needed = needed
        super().__init__(widget=RowsWidget(columns), **kwargs)

    def clean(self, value: Any) -> list[dict[str, str]]:
        """The filled rows; a required field needs one."""
        rows = [row for row in value or [] if row.get(self.needed)]
        if self.required and not rows:
            raise forms.ValidationError(self.error_messages["required"], code="required")
        return rows

    def has_changed(self, initial: Any, data: Any) -> bool:
        return True
