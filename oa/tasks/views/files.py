"""Calendar files: one entry, and the address that a calendar program fetches."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_safe

from kit.pages.resources import by_model
from kit.pages.views.heads import Head
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from kit.values.keys import is_key
from oa.records.calendar import entries_between
from oa.tasks.calendar import meeting_entry, task_entry
from oa.tasks.forms import AddressForm
from oa.tasks.ical import CONTENT_TYPE, calendar_file
from oa.tasks.models import CalendarAddress, Meeting, Task
from oa.tasks.services import feed
from oa.tasks.views.acting import act

BACK, AHEAD = dt.timedelta(days=90), dt.timedelta(days=400)


@require_GET
def entry_view(request: HttpRequest, slug: str, key: str) -> HttpResponse:
    """One task or meeting as a calendar file, if the person may see it."""
    model: Any = {"task": Task, "meeting": Meeting}.get(slug)
    if model is None:
        raise Http404
    resource = by_model[model]
    require(request.user, resource, "view")
    record = find(request, resource, key)
    if isinstance(record, Meeting):
        entry = meeting_entry(record, record.owner_id, record.rooms.values_list("name", flat=True))
    elif record.due_on is not None:
        entry = task_entry(record)
    else:
        raise Http404
    return _file(calendar_file([entry], str(record), timezone.now()), f"{slug}-{record.pk}.ics")


@login_not_required
@require_safe
def feed_view(request: HttpRequest, secret: str) -> HttpResponse:
    """The calendar behind a secret address, with what its person may see at this moment; else 404 as if nothing was."""
    person = feed.person_of(secret)
    if person is None or not person.has_perm("oa.view_meeting"):
        raise Http404
    now = timezone.now()
    with translation.override(person.language or translation.get_language()):
        name = _("Calendar of %s") % person
        body = calendar_file(entries_between(person, [person.pk], now - BACK, now + AHEAD), name, now)
    return _file(body, "")


def _file(body: bytes, name: str) -> HttpResponse:
    response = HttpResponse(body, content_type=CONTENT_TYPE)
    response.headers["Cache-Control"] = "private, no-cache"
    response.headers["X-Robots-Tag"] = "noindex"
    if name:
        response.headers["Content-Disposition"] = content_disposition_header(True, name) or "attachment"
    return response


def addresses_view(request: HttpRequest) -> HttpResponse:
    """My calendar addresses: a new one is shown once, any of them can be revoked."""
    user: Any = request.user
    if not user.has_perm("oa.view_meeting"):
        raise PermissionDenied
    form = AddressForm(request.POST or None)
    context: dict[str, Any] = {
        "head": Head(title=_("Subscribe"), crumbs=[(_("Calendar"), reverse("calendar")), (_("Subscribe"), "")]),
        "form": form,
    }
    status = 200
    if request.method == "POST":
        gone = request.POST.get("revoke", "")
        if is_key(gone):
            url = reverse("calendar-addresses")
            return act(
                request, f"address.{gone}", lambda: feed.revoke_address(int(gone), by=user), url,
                _("The address opens nothing any more."),
            )  # fmt: skip
        status = _new_address(request, user, form, context)
    rows = CalendarAddress.objects.filter(user=user, revoked_at=None)
    context |= {"rows": list(rows), "today": business_day()}
    answer = fragment_or_page(request, "oa/calendar/addresses.html", context, status)
    answer.headers["Cache-Control"] = "no-store"  # a new address stands on it
    return answer


def _new_address(request: HttpRequest, user: Any, form: AddressForm, context: dict[str, Any]) -> int:
    if not form.is_valid():
        return 422
    try:
        made, secret = feed.new_address(form.cleaned_data["name"], form.cleaned_data["expires_on"], by=user)
    except BusinessError as error:
        for problem in error:
            form.add_error(problem.field if problem.field in form.fields else None, str(problem.message))
        return 422
    context["made"] = made
    context["address"] = f"{settings.SANHE_URL}{reverse('calendar-feed', args=[secret])}"
    messages.success(request, _("The address was made."))
    return 200
