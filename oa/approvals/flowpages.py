"""Pages of flows beyond the kit's: making a draft, and the simulator."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kit.pages.resources import by_model, url_of
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page
from kit.pages.views.records import go
from kit.pages.widgets import NumberField, PickerField
from oa.approvals.conditions import CHOICE, FLAG, NUMBER, Fact
from oa.approvals.contents import departments_up
from oa.approvals.forecast import forecast
from oa.approvals.forms import with_user
from oa.approvals.models import Flow, FlowVersion
from oa.approvals.registry import COMMON, approvables
from oa.approvals.services.flows import draft_of
from oa.organisation.models import User


@require_POST
def draft_view(request: HttpRequest, code: str) -> HttpResponse:
    """Begin a new version of a flow, or go on with the draft there is."""
    flow = get_object_or_404(Flow.objects.visible_to(request.user), code=code)
    if not request.user.has_perm("oa.change_flow"):
        raise PermissionDenied
    draft_of(flow, by=request.user)
    return go(request, url_of(flow))


class SimulationForm(forms.Form):
    """A person and made-up facts."""

    def __init__(self, *args: Any, facts: tuple[Fact, ...], user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["applicant"] = PickerField(by_model[User], label=_("Applicant"))
        for fact in facts:
            self.fields[f"fact_{fact.name}"] = _fact_field(fact)
        with_user(self, user)


def _fact_field(fact: Fact) -> forms.Field:
    words: dict[str, Any] = {"label": fact.label, "required": False}
    if fact.kind == NUMBER:
        return NumberField(max_digits=18, decimal_places=4, **words)
    if fact.person:
        return PickerField(by_model[User], **words)
    if fact.kind == FLAG:
        return forms.BooleanField(**words)
    choices = list(fact.choices())
    if choices or fact.kind == CHOICE:
        return forms.ChoiceField(choices=[("", "—"), *choices], **words)
    return forms.CharField(**words)


def simulate_view(request: HttpRequest, code: str) -> HttpResponse:
    """Who would approve a document with these facts by this person? Nothing is stored."""
    flow = get_object_or_404(Flow.objects.visible_to(request.user), code=code)
    if not request.user.has_perm("oa.change_flow"):
        raise PermissionDenied
    version = get_object_or_404(
        FlowVersion.objects.filter(flow=flow).select_related("flow__admin", "fallback"),
        state="draft" if request.GET.get("version") == "draft" else "published",
    )
    approvable = approvables.get(flow.kind)
    form = SimulationForm(
        request.GET if "applicant" in request.GET else None, facts=approvable.fields, user=request.user
    )
    path = None
    if form.is_bound and form.is_valid():
        person: Any = form.cleaned_data["applicant"]
        facts = {fact.name: _value(fact, form.cleaned_data[f"fact_{fact.name}"]) for fact in approvable.fields}
        facts |= {COMMON[0].name: departments_up(person.department_id), COMMON[1].name: str(person.position_id or "")}
        path = forecast(version, approvable, facts, person, person.department_id)
    head = Head(title=_("Who would approve?"), crumbs=[(_("Approval flows"), ""), (str(flow), url_of(flow))])
    context = {"head": head, "form": form, "path": path, "flow": flow, "version": version}
    return fragment_or_page(request, "oa/approvals/simulate.html", context)


def _value(fact: Fact, value: Any) -> Any:
    if value in (None, "", False):
        return [] if fact.department else None if fact.kind == NUMBER else ""
    if fact.kind == NUMBER:
        return format(value, "f")
    if fact.department:
        return departments_up(int(value))
    return "yes" if value is True else str(getattr(value, "pk", value))
