"""Forms of the back room of approvals: flows, their versions and steps, and user-defined forms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.forms import KitForm
from kit.pages.rows import RowColumn, RowsField
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.approvals.conditions import OPERATORS, checked
from oa.approvals.models import FlowVersion
from oa.approvals.models.forms import FieldType
from oa.approvals.registry import Approvable, approvables

_NAME = re.compile(r"[^a-z0-9]+")


class FlowForm(KitForm):
    """A flow; what it approves is chosen once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kind"] = forms.ChoiceField(
            label=gettext_lazy("Approves"), choices=[("", "—"), *approvables.choices()], disabled=bool(self.instance.pk)
        )


class FlowVersionForm(KitForm):
    """Settings of a draft."""


class FlowStepForm(KitForm):
    """A step of a draft, with conditions over the facts of what the flow approves."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        version: Any = self.fields["flow_version"]
        version.widget = forms.HiddenInput()
        version.queryset = FlowVersion.objects.visible_to(self.user).filter(state="draft").select_related("flow")
        approvable = self._approvable()
        known = list(approvable.known.values()) if approvable is not None else []
        self.fields["conditions"] = RowsField(
            [
                RowColumn("join", gettext_lazy("or, and"), "select", lambda: [("or", _("or")), ("and", _("and"))]),
                RowColumn("field", gettext_lazy("what"), "select", lambda: [(f.name, f.label) for f in known]),
                RowColumn("op", gettext_lazy("compared"), "select", lambda: list(OPERATORS.items())),
                RowColumn("value", gettext_lazy("with")),
            ],
            needed="field",
            required=False,
            label=gettext_lazy("Only if"),
            help_text=gettext_lazy("Empty: always. Rows joined by “and” hold together; “or” begins an alternative."),
        )
        self.initial["conditions"] = rows_of(self.instance.conditions)
        offered = [(fact.name, fact.label) for fact in known if fact.person or fact.department]
        self.fields["field"] = forms.ChoiceField(
            label=gettext_lazy("Field of the document"), choices=[("", "—"), *offered], required=False
        )
        self.fields["editable"] = forms.MultipleChoiceField(
            label=_("Fields they may change"),
            choices=approvable.editable if approvable is not None else (),
            required=False,
            widget=forms.CheckboxSelectMultiple,
        )

    def _approvable(self) -> Approvable | None:
        """What the flow of this step approves."""
        key = self.data.get("flow_version") or self.initial.get("flow_version") or self.instance.flow_version_id
        key = str(getattr(key, "pk", key))
        versions = FlowVersion.objects.visible_to(self.user).select_related("flow")
        version = versions.filter(pk=key).first() if is_key(key) else None
        if version is None:
            return None
        try:
            return approvables.get(version.flow.kind)
        except LookupError:
            return None

    def clean_conditions(self) -> list[list[dict[str, Any]]]:
        """The rows as alternatives, each comparison checked."""
        approvable = self._approvable()
        try:
            return checked(
                groups_of(self.cleaned_data["conditions"]), approvable.known if approvable is not None else {}
            )
        except BusinessError as error:
            raise forms.ValidationError(str(error)) from None


def groups_of(rows: Iterable[dict[str, str]]) -> list[list[dict[str, str]]]:
    """Rows of the form as alternatives of comparisons."""
    groups: list[list[dict[str, str]]] = []
    for row in rows:
        if not groups or row.get("join") == "or":
            groups.append([])
        groups[-1].append({"field": row["field"], "op": row["op"], "value": row["value"]})
    return groups


def rows_of(conditions: Any) -> list[dict[str, str]]:
    """Alternatives of comparisons as rows of the form."""
    rows: list[dict[str, str]] = []
    for number, group in enumerate(conditions or []):
        for place, comparison in enumerate(group):
            value = comparison["value"]
            text = ", ".join(value) if isinstance(value, list) else value
            join = "" if not rows else "or" if place == 0 and number else "and"
            rows.append({"join": join, "field": comparison["field"], "op": comparison["op"], "value": text})
    return rows


# Names that the page of a request has for itself.
RESERVED = frozenset({"version", "then", "submit_id", "csrfmiddlewaretoken"})


class RequestFormForm(KitForm):
    """A user-defined form: one row a field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["fields"] = RowsField(
            [
                RowColumn("label", gettext_lazy("label")),
                RowColumn("label_zh", gettext_lazy("Chinese label")),
                RowColumn("type", gettext_lazy("type"), "select", lambda: list(FieldType.choices)),
                RowColumn("required", gettext_lazy("required"), "check"),
                RowColumn("options", gettext_lazy("options, separated by commas")),
            ],
            needed="label",
            label=gettext_lazy("Fields"),
        )
        self.initial["fields"] = [
            {
                **field,
                "options": ", ".join(field.get("options", [])),
                "required": "yes" if field.get("required") else "",
            }
            for field in self.instance.fields
        ]

    def clean_fields(self) -> list[dict[str, Any]]:
        """The fields; a label that was there before keeps its name, so that conditions go on to mean it."""
        before = {field["label"]: field["name"] for field in self.instance.fields}
        made: list[dict[str, Any]] = []
        for number, row in enumerate(self.cleaned_data["fields"], start=1):
            options = [part.strip() for part in re.split("[,，]", row["options"]) if part.strip()]
            if row["type"] not in FieldType.values:
                raise forms.ValidationError(_("Choose the type of “%s”.") % row["label"])
            if row["type"] == FieldType.CHOICE and len(options) < 2:
                raise forms.ValidationError(_("“%s” needs at least two options.") % row["label"])
            taken = {field["name"] for field in made} | RESERVED
            name = before.get(row["label"]) or _NAME.sub("_", row["label"].lower()).strip("_") or f"field_{number}"
            while name in taken:
                name = f"{name}_{number}"
            made.append(
                {
                    "name": name,
                    "label": row["label"],
                    "label_zh": row["label_zh"],
                    "type": row["type"],
                    "required": row["required"] == "yes",
                    "options": options,
                }
            )
        return made
