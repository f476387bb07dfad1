"""Input of announcements: the draft with its audience, and a new version."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Div, Field, Layout
from django import forms
from django.utils.translation import gettext_lazy as _

from kit.pages.forms import KitForm
from kit.values.errors import BusinessError
from oa.announcements.models import Announcement
from oa.records.audiences import COMPANY_WIDE, check_audience, chosen_in
from oa.records.models.audiences import ADDRESS_ALL


class MomentInput(forms.DateTimeInput):
    """The browser's own field for a day and a time."""

    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class AnnouncementForm(KitForm):
    """A draft. The audience is refused here already, where a person can still change it."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["body"].widget.attrs["rows"] = 12
        for name in ("starts_at", "expires_at"):
            self.fields[name].widget = MomentInput()
        if not self.user.has_perm(ADDRESS_ALL):
            for name in COMPANY_WIDE:
                del self.fields[name]

    def clean(self) -> dict[str, Any]:
        """Somebody is addressed, and nobody beyond the reach of who writes."""
        cleaned = super().clean()
        stored = chosen_in(self.instance) if self.instance.pk else {}
        try:
            check_audience({**stored, **cleaned}, by=self.user)
        except BusinessError as error:
            self.add_problems(error)
        return cleaned


class Files(forms.ClearableFileInput):
    """Several files at once."""

    allow_multiple_selected = True


class AmendForm(forms.Form):
    """A new version of a published announcement."""

    error_css_class = "err"

    title = forms.CharField(label=_("Title"), max_length=200)
    body = forms.CharField(
        label=_("Text"), max_length=50_000, widget=forms.Textarea(attrs={"rows": 14}),
        help_text=Announcement._meta.get_field("body").help_text,
    )  # fmt: skip
    kind = forms.ChoiceField(
        label=_("Kind of change"),
        choices=[
            ("minor", _("Minor: who has read it need not read it again")),
            ("major", _("Major: everybody is asked to read it again")),
        ],
        widget=forms.RadioSelect,
        initial="minor",
    )
    note = forms.CharField(label=_("What changed"), max_length=300, required=False)
    more_files = forms.FileField(label=_("More files"), required=False, widget=Files())

    @property
    def helper(self) -> FormHelper:
        """Crispy layout in one card."""
        helper = FormHelper()
        helper.form_tag = False
        helper.disable_csrf = True
        fields = [Field(name, wrapper_class="w4") for name in self.fields]
        helper.layout = Layout(Div(Div(*fields, css_class="fgrid"), css_class="cd pad sec-b"))
        return helper
