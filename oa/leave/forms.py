"""Input of leave requests."""

from __future__ import annotations

from typing import Any

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Layout, LayoutObject
from crispy_forms.utils import TEMPLATE_PACK
from django import forms
from django.template.loader import render_to_string

from kit.pages.forms import KitForm
from oa.leave.models import LeaveRequest
from oa.leave.services.requests import MANAGES

TIME = {"type": "time"}


class Beside(LayoutObject):
    """The preview as a part of a form's layout."""

    def __init__(self, form: LeaveForm) -> None:
        self.fields: list[Any] = []
        self.form = form

    def render(self, form: Any, context: Any, template_pack: Any = TEMPLATE_PACK, **kwargs: Any) -> str:
        """The fragment that scripts ask for, too."""
        found = {"preview": self.form.preview, "key": self.form.instance.pk, "start": True}
        return render_to_string("oa/leave/preview.html", found)


class LeaveForm(KitForm):
    """A request; beside it stands what it costs and who is away, computed by the server after every change."""

    preview: Any = None  # what `oa.leave.preview` found, where the page was asked for it

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("from_time", "to_time"):
            self.fields[name].widget = forms.TimeInput(attrs=TIME, format="%H:%M")
        if not self.user.has_perm(MANAGES):
            del self.fields["person"]

    @property
    def helper(self) -> FormHelper:
        """The declared fields, and below the time what follows from it."""
        helper = super().helper
        what, time, *rest = helper.layout
        helper.layout = Layout(what, time, Beside(self), *rest)
        return helper

    def draft(self) -> LeaveRequest:
        """The request as it is filled in, for somebody; not stored."""
        made: LeaveRequest = self.instance
        if made.person_id is None:
            made.person = self.user
        return made
