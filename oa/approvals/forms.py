"""Forms of approvals: what a deed asks for, submitting, requests of user-defined forms, steps of flows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kit.pages.forms import KitForm
from kit.pages.pickmany import PickManyField
from kit.pages.resources import by_model
from kit.pages.widgets import DayField, NumberField, PickerField
from oa.approvals.forecast import Path, choice_field
from oa.approvals.models import ApprovalTask, FlowStep
from oa.approvals.models.forms import FieldType, field_label
from oa.approvals.models.proxies import Proxy
from oa.approvals.registry import approvables
from oa.approvals.services.hands import AFTER, BEFORE, PARALLEL
from oa.organisation.models import Department, User


def _text(label: Any, *, required: bool) -> forms.CharField:
    return forms.CharField(
        label=label,
        required=required,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "data-autofocus": True}),
    )


def _colleague(label: Any) -> PickerField:
    return PickerField(by_model[User], label=label)


def _colleagues(label: Any, *, required: bool = True) -> PickManyField:
    return PickManyField(by_model[User], label=label, required=required)


class TaskChoice(forms.ModelChoiceField):
    """One of the open tasks of a request, by step and person."""

    def label_from_instance(self, obj: Any) -> str:
        return f"{obj.node} · {obj.user}" if obj.node is not None else str(obj.user)


class DeedForm(forms.Form):
    """What a verb asks for; `stages` are (number, label) pairs to return to, `tasks` those to reassign.

    `steps` are those whose people the person names, `chosen` who was named for them before.
    """

    FIELDS: dict[str, tuple[str, ...]] = {
        "approve": ("opinion",),
        "reject": ("reason",),
        "return": ("stage", "reason"),
        "advise": ("advice",),
        "transfer": ("to", "opinion"),
        "reassign": ("task", "to", "reason"),
        "delegate": ("to", "question"),
        "add": ("people", "where", "opinion"),
        "copy": ("people", "opinion"),
        "withdraw": ("opinion",),
        "cancel": ("reason",),
        "resubmit": ("opinion",),
    }

    def __init__(
        self,
        *args: Any,
        verb: str,
        user: Any,
        stages: Sequence[tuple[int, Any]] = (),
        tasks: Sequence[ApprovalTask] = (),
        steps: Sequence[FlowStep] = (),
        chosen: Mapping[str, Sequence[int]] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        made: dict[str, forms.Field] = {
            "task": TaskChoice(_open_tasks(tasks), label=_("Whose task"), empty_label=None),
            "opinion": _text(_("Opinion"), required=False),
            "reason": _text(_("Reason"), required=True),
            "advice": _text(_("Advice"), required=True),
            "question": _text(_("Question"), required=True),
            "stage": forms.TypedChoiceField(label=_("Return to"), choices=stages, coerce=int),
            "to": _colleague(_("Colleague")),
            "people": _colleagues(_("Colleagues")),
            "where": forms.ChoiceField(
                label=_("They decide"),
                choices=[(BEFORE, _("before me")), (PARALLEL, _("beside me")), (AFTER, _("after me"))],
                initial=PARALLEL,
            ),
        }
        for name in self.FIELDS.get(verb, ()):
            self.fields[name] = made[name]
        for step in steps:
            self.fields[choice_field(step)] = _colleagues(_("Decides at “%s”") % step.name)
            self.initial[choice_field(step)] = (chosen or {}).get(str(step.pk), [])
        with_user(self, user)


def _open_tasks(tasks: Sequence[ApprovalTask]) -> Any:
    rows = ApprovalTask.objects.filter(pk__in=[task.pk for task in tasks])
    return rows.select_related("user", "node__step").order_by("pk")


def with_user(form: forms.Form, user: Any) -> None:
    """Pickers offer what the person may see."""
    for field in form.fields.values():
        if isinstance(field, PickerField):
            field.user = user
        elif isinstance(field, PickManyField):
            field.user, field.queryset = user, field.resource.queryset(user)


class SubmitForm(forms.Form):
    """Approvers that the applicant chooses, copies, urgency and a note."""

    def __init__(self, *args: Any, path: Path, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for step in path.to_choose:
            self.fields[choice_field(step)] = _colleagues(_("Decides at “%s”") % step.name)
        self.fields["copies"] = _colleagues(_("Copies for information"), required=False)
        self.fields["urgent"] = forms.BooleanField(label=_("Urgent"), required=False)
        self.fields["note"] = _text(_("Note for the approvers"), required=False)
        del self.fields["note"].widget.attrs["data-autofocus"]
        with_user(self, user)


class FilledForm(forms.Form):
    """The fields of a user-defined form."""

    def __init__(self, *args: Any, fields: Sequence[dict[str, Any]], user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in fields:
            made = _filled(field)
            made.help_text = field.get("help", "")
            self.fields[field["name"]] = made
        with_user(self, user)

    def texts(self) -> dict[str, str]:
        """The cleaned values as the service stores them."""
        return {name: _as_text(value) for name, value in self.cleaned_data.items()}


def _filled(field: dict[str, Any]) -> forms.Field:
    kind = field["type"]
    words: dict[str, Any] = {"label": field_label(field), "required": bool(field.get("required"))}
    if kind == FieldType.LONG:
        return forms.CharField(widget=forms.Textarea(attrs={"rows": 4}), max_length=5000, **words)
    if kind in (FieldType.NUMBER, FieldType.AMOUNT):
        shown = 2 if kind == FieldType.AMOUNT else 0
        return NumberField(max_digits=18, decimal_places=4 if kind == FieldType.NUMBER else 2, shown=shown, **words)
    if kind == FieldType.DATE:
        return DayField(**words)
    if kind == FieldType.TIME:
        return forms.DateTimeField(widget=forms.DateTimeInput(attrs={"type": "datetime-local"}), **words)
    if kind == FieldType.CHOICE:
        return forms.ChoiceField(choices=[("", "—"), *((o, o) for o in field.get("options", []))], **words)
    if kind == FieldType.FLAG:
        return forms.BooleanField(**words)
    if kind == FieldType.PERSON:
        return PickerField(by_model[User], **words)
    if kind == FieldType.DEPARTMENT:
        return forms.ModelChoiceField(Department.objects.filter(active=True), empty_label="—", **words)
    return forms.CharField(max_length=500, **words)


def _as_text(value: Any) -> str:
    if value is None or value is False:
        return ""
    if value is True:
        return "yes"
    return str(getattr(value, "pk", value))


class ProxyForm(KitForm):
    """An absence: oneself by default; only who oversees approvals names it for others."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["kinds"] = forms.MultipleChoiceField(
            label=_("Only for"),
            required=False,
            choices=approvables.choices(),
            widget=forms.CheckboxSelectMultiple,
            help_text=_("Nothing ticked: for everything."),
        )
        if not self.instance.pk:
            self.initial.setdefault("principal", self.user)
        if not self.user.has_perm("oa.manage_approvalrequest"):
            self.fields["principal"].disabled = True
            self.initial["principal"] = self.instance.principal if self.instance.pk else self.user

    class Meta:
        model = Proxy
        fields = ("principal", "proxy", "since", "until", "kinds", "reason")
