"""Input of report schedules, on their page and in the back office."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from kit.exchange import reports
from kit.pages.forms import KitForm
from kit.values.errors import BusinessError
from oa.reporting.models import ReportSchedule
from oa.reporting.services import check_schedule


def as_lines(params: dict[str, Any]) -> str:
    """Parameters as people type them: one `name=value` a line."""
    return "\n".join(f"{name}={value}" for name, value in params.items())


def from_lines(text: str) -> dict[str, str]:
    """What `as_lines` wrote; raises ValidationError for a line without a sign."""
    found = {}
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, sign, value = line.partition("=")
        if not sign:
            raise forms.ValidationError(_("“%s” is not written as name=value.") % line)
        found[name.strip()] = value.strip()
    return found


class ScheduleForm(KitForm):
    """A schedule with its parameters as lines; offers the reports that the person may run."""

    options = forms.CharField(
        label=_("Parameters"), required=False, widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One name=value a line. Dates follow from the period; what is left open has its default."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = [(report.name, report.title) for report in reports.all_for(self.user)]
        if self.instance.pk and self.instance.report not in dict(mine):
            mine.append((self.instance.report, self.instance.get_report_display()))
        self.fields["report"] = forms.ChoiceField(label=_("Report"), choices=[("", "—"), *mine])
        self.fields["at"].widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")
        if self.instance.pk:
            self.initial["options"] = as_lines(self.instance.params)

    def clean(self) -> dict[str, Any]:
        """Refuse at once what the service would refuse."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            self.instance.params = from_lines(cleaned.get("options", ""))
            if cleaned.get("report"):
                check_schedule(cleaned["report"], self.instance.params, by=self.user)
        except forms.ValidationError as error:
            self.add_error("options", error)
        except BusinessError as error:
            for problem in error:
                self.add_error(problem.field if problem.field == "report" else "options", str(problem.message))
        return cleaned


class BackOfficeScheduleForm(forms.ModelForm):
    """The same checks for the back office, where parameters are JSON."""

    class Meta:
        model = ReportSchedule
        fields = ("title", "report", "params", "frequency", "at", "only_if_not_empty", "active")

    def clean(self) -> dict[str, Any]:
        """Parameters must be those of the report."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        if cleaned.get("report"):
            try:
                check_schedule(cleaned["report"], cleaned.get("params") or {}, by=None)
            except BusinessError as error:
                self.add_error(None, str(error))
        return cleaned
