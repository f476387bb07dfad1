"""Answers, signing in and decisions on the page of a meeting."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kit.pages.resources import by_model
from kit.pages.views.lists import require
from kit.pages.views.records import find, go
from kit.values.keys import is_key
from oa.organisation.models import User
from oa.tasks.forms import DecisionForm
from oa.tasks.models import Meeting
from oa.tasks.services import decisions, meetings
from oa.tasks.views.acting import act


def _meeting(request: HttpRequest, key: str) -> tuple[Any, Meeting]:
    resource = by_model[Meeting]
    require(request.user, resource, "view")
    return resource, find(request, resource, key)


@require_POST
def answer_view(request: HttpRequest, key: str) -> HttpResponse:
    """Accept, decline or leave open an invitation."""
    resource, meeting = _meeting(request, key)
    answer = request.POST.get("answer", "")
    return act(
        request,
        f"meeting.answer.{meeting.pk}",
        lambda: meetings.answer_invitation(meeting, answer, by=request.user),
        resource.url_for(meeting),
        _("Your answer is noted."),
    )


@require_POST
def sign_in_view(request: HttpRequest, key: str) -> HttpResponse:
    """Sign in: oneself, or as the organiser somebody else."""
    resource, meeting = _meeting(request, key)
    number = request.POST.get("person", "")
    person = User.objects.filter(pk=int(number)).first() if is_key(number) else None
    return act(
        request,
        f"meeting.sign.{meeting.pk}",
        lambda: meetings.sign_in(meeting, person, by=request.user),
        resource.url_for(meeting),
    )


@require_POST
def decision_view(request: HttpRequest, key: str) -> HttpResponse:
    """Write down a decision, take it back, or make its task."""
    resource, meeting = _meeting(request, key)
    by, url = request.user, f"{resource.url_for(meeting)}#decisions"
    step = request.POST.get("decision", "")
    number = int(step) if is_key(step) else 0
    name = f"meeting.decision.{meeting.pk}"
    match request.POST.get("do", ""):
        case "task":
            return act(request, name, lambda: decisions.make_task(meeting, number, by=by), url, _("The task is made."))
        case "drop":
            return act(request, name, lambda: decisions.drop_decision(meeting, number, by=by), url)
        case "add":
            form = DecisionForm(request.POST)
            if not form.is_valid():
                messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
                return go(request, url)
            key_of = request.POST.get("owner", "")
            invited = User.objects.filter(pk__in=meeting.attendee_rows.values("user"))
            owner = invited.filter(pk=int(key_of)).first() if is_key(key_of) else None
            text, due = form.cleaned_data["text"], form.cleaned_data["due_on"]
            return act(request, name, lambda: decisions.add_decision(meeting, text, owner, due, by=by), url)
    raise Http404
