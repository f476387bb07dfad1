"""Forms of people and the company."""

from __future__ import annotations

from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.utils.translation import gettext_lazy as _

from kit.pages.forms import KitForm
from kit.pages.widgets import name_choices
from oa.organisation.people import GIVES_ROLES


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
        if not self.user.has_perm(GIVES_ROLES):
            self.fields["groups"].disabled = True


class CompanyForm(KitForm):
    """The company."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        zone_field(self, required=True)
