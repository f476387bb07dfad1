"""Input of tasks, recurring tasks and meetings."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Field
from django import forms
from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.pages.forms import KitForm
from kit.pages.resources import registry
from kit.pages.widgets import DayField
from kit.values.keys import is_key
from oa.tasks.recurrence import WEEKDAYS
from oa.tasks.services.meetings import seat
from oa.tasks.services.tasks import set_needs

WEEKDAY_NAMES = tuple(
    zip(
        WEEKDAYS,
        (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
        strict=True,
    )
)
TIME = {"type": "time"}
MOMENT = {"type": "datetime-local"}


def about(slug: str, key: int) -> str:
    """What an address says of the record that a task is about."""
    return f"{slug}:{key}"


def seen_record(text: str, user: Any) -> Any:
    """The record that `about` names, None when there is none that `user` may see."""
    slug, _colon, key = text.partition(":")
    resource = registry.get(slug)
    if resource is None or not is_key(key) or not resource.may(user, "view"):
        return None
    return resource.queryset(user).filter(pk=int(key)).first()


class TaskForm(KitForm):
    """A task; it may be about a record, which the page it was opened from names."""

    about = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_at"].widget = forms.TimeInput(attrs=TIME, format="%H:%M")
        if self.instance.parent_id is not None and self.instance.parent is None:
            del self.fields["parent"]  # it stays a part of what this person does not see

    @property
    def helper(self) -> FormHelper:
        """The declared fields, and the hidden one."""
        helper = super().helper
        helper.layout.append(Field("about"))
        return helper

    def clean(self) -> dict[str, Any]:
        """A new task takes over what it is about; what the person may not see counts as nothing."""
        cleaned = super().clean()
        text = cleaned.get("about", "")
        if text and not self.instance.pk:
            record = seen_record(text, self.user)
            if record is not None:
                self.instance.content_type = ContentType.objects.get_for_model(record)
                self.instance.object_id = record.pk
        return cleaned

    def _save_m2m(self) -> None:
        needs = self.cleaned_data.pop("needs", None)
        super()._save_m2m()
        if needs is not None:
            hidden = self.instance.needs.exclude(pk__in=type(self.instance).objects.visible_to(self.user).values("pk"))
            set_needs(self.instance, [*needs, *hidden], by=self.user)


class SeriesForm(KitForm):
    """A recurring task with the days of its rule."""

    weekdays = forms.MultipleChoiceField(
        label=_("On weekdays"), choices=WEEKDAY_NAMES, required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["due_at"].widget = forms.TimeInput(attrs=TIME, format="%H:%M")
        if self.instance.pk:
            self.initial["weekdays"] = self.instance.weekdays.split(",")

    @property
    def helper(self) -> FormHelper:
        """The weekdays stand with the rule."""
        helper = super().helper
        helper.layout[1][-1].append(Field("weekdays", wrapper_class="w4"))
        return helper

    def clean(self) -> dict[str, Any]:
        """Days of the week as the rule writes them."""
        cleaned = super().clean()
        self.instance.weekdays = ",".join(cleaned.get("weekdays", ()))
        return cleaned


class MeetingForm(KitForm):
    """A meeting with its people and rooms."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("starts_at", "ends_at"):
            self.fields[name].widget = forms.DateTimeInput(attrs=MOMENT, format="%Y-%m-%dT%H:%M")

    def _save_m2m(self) -> None:
        seat(self.instance, self.cleaned_data["attendees"], self.cleaned_data["rooms"], by=self.user)


class DecisionForm(forms.Form):
    """One decision of a meeting."""

    text = forms.CharField(label=_("Decision"), max_length=300)
    due_on = DayField(label=_("Due on"), required=False)


class AddressForm(forms.Form):
    """A further calendar address."""

    name = forms.CharField(label=pgettext_lazy("calendar address", "For which program"), max_length=60, required=False)
    expires_on = DayField(label=_("Valid until"), required=False)
