"""Forms of people and the company."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from crispy_forms.layout import HTML, Div, Field
from django import forms
from django.utils.html import escape
from django.utils.translation import gettext_lazy as _

from kit.pages.forms import KitForm
from kit.pages.widgets import name_choices
from kit.values.keys import is_key
from oa.organisation.people import GIVES_ROLES
from oa.organisation.rights import give_roles
from oa.organisation.words import Area, areas, choices


def _zones() -> list[tuple[str, str]]:
    return [("", "—"), *((zone, zone) for zone in sorted(available_timezones()))]


def zone_field(form: forms.ModelForm, *, required: bool) -> None:
    """Offer the time zones there are: a name that does not exist would break every page of that person."""
    form.fields["time_zone"] = forms.ChoiceField(label=_("Time zone"), choices=_zones, required=required)
    name_choices(form.fields["time_zone"])


class PersonForm(KitForm):
    """A person; roles are given only by who may give roles (rule G-22)."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone_field(self, required=False)
        roles: Any = self.fields["groups"]
        roles.label, roles.help_text = _("Roles"), ""
        roles.queryset = roles.queryset.select_related("role")
        self.fields["is_active"].help_text = ""  # Django's words tell to untick it where we have a command
        if not self.user.has_perm(GIVES_ROLES):
            self.fields["groups"].disabled = True

    def _save_m2m(self) -> None:
        """Roles are given by the command that looks at duties."""
        if "groups" in self.changed_data:
            give_roles(self.instance, self.cleaned_data["groups"], by=self.user)


class RightsWidget(forms.Widget):
    """Boxes to tick, by area and thing."""

    template_name = "oa/widgets/rights.html"

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[str]:
        return data.getlist(name) if hasattr(data, "getlist") else data.get(name) or []

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # nothing ticked is nothing sent

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        chosen = {int(key) for key in value or [] if is_key(str(key))}
        listed: list[tuple[Area, int]] = [(area, len(area.keys & chosen)) for area in areas()]
        return {"widget": {"name": name, "areas": listed, "chosen": chosen, "attrs": attrs or {}}}


class RightsField(forms.TypedMultipleChoiceField):
    """Keys of permissions."""

    widget = RightsWidget

    def valid_value(self, value: Any) -> bool:
        """The command keeps of the keys what a role can hold."""
        return is_key(str(value))


class RoleForm(KitForm):
    """A role: name, scope and what it may do, in words."""

    name = forms.CharField(label=_("Name"), max_length=150)
    rights = RightsField(label="", coerce=int, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.order_fields(["code", "name", "name_zh", "scope", "second_factor", "rights"])
        if self.instance.pk:
            self.initial["name"] = self.instance.group.name
            self.initial["rights"] = list(self.instance.group.permissions.values_list("pk", flat=True))

    def _post_clean(self) -> None:
        super()._post_clean()
        self.instance.given = self.cleaned_data.get("name", ""), self.cleaned_data.get("rights", [])

    @property
    def helper(self) -> Any:
        """The fields, and the rights in a card of their own."""
        helper = super().helper
        fields = [Field(name) for name in self.fields if name != "rights"]
        helper.layout.fields = [
            Div(Div(*fields, css_class="fgrid"), css_class="cd pad sec-b"),
            Div(HTML(f"<h2>{escape(str(_('Rights')))}</h2>"), Field("rights"), css_class="cd pad sec-b"),
        ]
        return helper


class DutyField(forms.MultipleChoiceField):
    """Rights, chosen in words and stored by their names."""

    widget = forms.SelectMultiple(attrs={"size": 10})

    def prepare_value(self, value: Any) -> Any:
        return value.split() if isinstance(value, str) else value

    def clean(self, value: Any) -> str:
        return " ".join(super().clean(value))

    def has_changed(self, initial: Any, data: Any) -> bool:
        return set((initial or "").split()) != set(data or [])


class DutyForm(KitForm):
    """Two duties that do not go together."""

    first = DutyField(label=_("One duty"), help_text=_("One of these rights …"), choices=choices)
    second = DutyField(label=_("Other duty"), help_text=_("… does not go with one of these."), choices=choices)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update(first=self.instance.first, second=self.instance.second)
        self.order_fields(["code", "name", "name_zh", "mode", "first", "second", "active", "note"])

    def _post_clean(self) -> None:
        for name in ("first", "second"):
            setattr(self.instance, name, self.cleaned_data.get(name) or getattr(self.instance, name))
        super()._post_clean()


class CompanyForm(KitForm):
    """The company."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone_field(self, required=True)
