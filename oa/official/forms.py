"""Input of official documents: drafts, incoming ones, seal requests, and the form of a step."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout
from django import forms
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _

from kit.pages.forms import KitForm
from kit.pages.pickmany import PickManyField
from kit.pages.resources import by_model
from kit.pages.widgets import PickerField
from oa.official.models import Seal
from oa.official.models.levels import level_of
from oa.official.sealable import hindrance, seen_record
from oa.official.steps import NEXT, Step, by_flow
from oa.organisation.models import Department, User


class OfficialForm(KitForm):
    """Nobody chooses a secrecy beyond their own clearance."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs["rows"] = 16
        highest = max(level_of(self.user), self.instance.secrecy or 0)
        field: Any = self.fields["secrecy"]
        field.choices = [choice for choice in field.choices if int(choice[0]) <= highest]


class SealRequestForm(KitForm):
    """A request; the page it was opened from names the record that is to be sealed."""

    about = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def helper(self) -> FormHelper:
        """The declared fields, and the hidden one."""
        helper = super().helper
        helper.layout.append(Field("about"))
        return helper

    def clean(self) -> dict[str, Any]:
        """A new request takes over what it is about; refused while that may not be sealed."""
        cleaned = super().clean()
        record = seen_record(cleaned.get("about", ""), self.user) if not self.instance.pk else None
        if record is not None:
            why = hindrance(record)
            if why:
                self.add_error(None, why)
            self.instance.content_type = ContentType.objects.get_for_model(record)
            self.instance.object_id = record.pk
        return cleaned


class InOrder(PickManyField):
    """People in the order they were chosen."""

    def clean(self, value: Any) -> Any:
        """The chosen ones as they stand, added ones behind them."""
        found = super().clean(value)
        keys = [str(key) for key in (value[0] if isinstance(value, tuple) else value or [])]
        place = {key: number for number, key in enumerate(keys)}
        return sorted(found, key=lambda row: place.get(str(row.pk), len(place)))


class StepForm(forms.Form):
    """What somebody says at a step, and who acts next."""

    error_css_class = "err"

    def __init__(self, *args: Any, step: Step, verb: str, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        signing = verb == "check" and by_flow()
        self.fields["text"] = forms.CharField(
            label=step.text, required=step.needed, max_length=4000, widget=forms.Textarea(attrs={"rows": 4})
        )
        if step.stamp:
            mine = Seal.objects.filter(active=True, keeper=user.pk)
            self.fields["stamp"] = forms.ModelChoiceField(mine, label=_("Seal"), required=False)
        if step.people and not signing:
            self._people("people", step.people, user)
        if step.department and not signing:
            label = _("or a department") if step.people else NEXT
            picker = PickerField(by_model[Department], label=label, required=False)
            picker.user = user
            self.fields["department"] = picker
        if step.more and not signing:
            self._people("more", step.more, user)
        if step.serial and not signing:
            self.fields["serial"] = forms.BooleanField(label=_("One after the other"), required=False)

    def _people(self, name: str, label: Any, user: Any) -> None:
        field = InOrder(by_model[User], label=label, required=False)
        field.user, field.queryset = user, User.objects.visible_to(user).filter(is_active=True)
        self.fields[name] = field

    @property
    def helper(self) -> FormHelper:
        """All of it in one card."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        fields = [Field(name, wrapper_class="" if name in ("department", "stamp", "serial") else "w4")
                  for name in self.fields]  # fmt: skip
        helper.layout = Layout(Div(Div(*fields, css_class="fgrid"), css_class="cd pad sec-b"))
        return helper
