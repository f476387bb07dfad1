"""Pages of leave that are not the kit's: my leave, and what a request would cost."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from kit.pages.actions import Action
from kit.pages.forms import form_class
from kit.pages.resources import by_model
from kit.pages.views.heads import Head, crumbs
from kit.pages.views.lists import fragment_or_page, require
from kit.pages.views.records import find
from kit.rules.days import business_day
from kit.values.keys import is_key
from oa.leave.approving import when
from oa.leave.models import LeaveRequest, LeaveType
from oa.leave.models.requests import AWAY
from oa.leave.preview import preview_of
from oa.leave.reading import courses
from oa.leave.rules import with_unit

RECENT = 12


@require_GET
def home_view(request: HttpRequest) -> HttpResponse:
    """Balances by type, own requests, who of the department is away now."""
    user: Any = request.user
    resource = by_model[LeaveRequest]
    require(user, resource, "view")
    today = business_day()
    rows = LeaveRequest.objects.filter(person=user.pk).select_related("type")[:RECENT]
    head = Head(
        title=_("My leave"),
        crumbs=[(_("My leave"), "")],
        actions=[
            Action(_("Team calendar"), f"{reverse('calendar')}?who=team", icon="calendar", name="team"),
            Action(_("New request"), resource.url("new"), icon="plus", primary=True, key="c", name="new"),
        ],
    )
    context = {
        "head": head,
        "today": today,
        "balances": balances_of(user, today),
        "requests": [(row, resource.url_for(row), when(row), with_unit(row.type, row.net)) for row in rows],
        "all_url": f"{resource.url()}?person={user.pk}",
        "away": _away(user),
    }
    return fragment_or_page(request, "oa/leave/home.html", context)


def balances_of(user: Any, today: Any) -> list[dict[str, Any]]:
    """For every type with a balance: now, what is planned, what expires next. Two statements."""
    types = list(LeaveType.objects.filter(active=True, limited=True))
    found = courses(types, [user.pk])
    made = []
    for leave in types:
        course = found.get((user.pk, leave.pk))
        if course is None:
            made.append({"type": leave, "now": with_unit(leave, 0), "later": "", "ends": None})
            continue
        now = course.on(today)
        lapse = min((x for x in course.lapses if x.day > today), key=lambda x: x.day, default=None)
        ends = (with_unit(leave, lapse.units - lapse.carried), lapse.day - dt.timedelta(days=1)) if lapse else None
        planned = [day for day in course.steps if day > today and (lapse is None or day < lapse.day)]
        later = course.on(max(planned)) if planned else now
        made.append(
            {
                "type": leave,
                "now": with_unit(leave, now),
                "later": with_unit(leave, later) if later != now else "",
                "ends": ends if lapse and lapse.units > lapse.carried else None,
            }
        )
    return made


def _away(user: Any) -> list[Any]:
    """Colleagues of the department who are away today or in the next two weeks; no kind, no reason."""
    today = business_day()
    rows = LeaveRequest.objects.filter(
        state__in=AWAY, person__department__in=user.own_department_ids, person__is_active=True,
        last_day__gte=today, first_day__lte=today + dt.timedelta(days=14),
    ).exclude(person=user.pk).exclude(back_on__lte=today)  # fmt: skip
    return list(rows.select_related("person").order_by("first_day", "pk")[:20])


@require_POST
def preview_view(request: HttpRequest) -> HttpResponse:
    """What the request that is being filled in costs: a fragment for scripts, without them the whole form again."""
    user: Any = request.user
    resource = by_model[LeaveRequest]
    require(user, resource, "add")
    key = request.POST.get("key", "")
    obj = find(request, resource, f"d-{key}") if is_key(key) else None
    if obj is not None and (obj.state != "draft" or not resource.editable(obj, user)):
        raise PermissionDenied
    form: Any = form_class(resource)(request.POST, instance=obj, user=user, resource=resource)
    form.computing = True
    form.is_valid()
    draft = form.draft()
    seen = user.has_perm("oa.manage_leaverequest") or draft.person_id == user.pk
    form.preview = preview_of(draft) if seen else None
    if request.headers.get("HX-Target") == "leave-preview":
        return fragment_or_page(request, "oa/leave/preview.html", {"preview": form.preview, "key": draft.pk})
    title = _("New %s") % resource.title if obj is None else str(obj)
    head = Head(title=title, crumbs=crumbs(resource, (title, "")), actions=[Action(_("Cancel"), resource.url())])
    context = {
        "head": head, "form": form, "resource": resource, "object": obj,
        "version": request.POST.get("version", ""), "submit_id": head.submit_id,
    }  # fmt: skip
    return fragment_or_page(request, "kit/form.html", context)
