"""Leave in calendars: one's own with its kind, that of colleagues as being away and nothing else (rule H-04)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django.utils.translation import gettext as _

from kit.pages.resources import by_model
from kit.rules.days import business_zone
from oa.leave.models import LeaveRequest
from oa.leave.models.requests import AWAY
from oa.records.calendar import CalendarEntry, sources


def leave_between(user: Any, people: Collection[int], start: dt.datetime, end: dt.datetime) -> Sequence[CalendarEntry]:
    """Decided leave of these people: in full where `user` may see the request, of colleagues that they are away."""
    if user.data_scope(LeaveRequest) is None:
        return []
    rows = LeaveRequest.objects.filter(person__in=people, state__in=AWAY, starts_at__lt=end, ends_at__gt=start)
    found = list(rows.select_related("type", "person").order_by("starts_at", "pk")[:2000])
    seen = set(LeaveRequest.objects.visible_to(user).filter(pk__in=[r.pk for r in found]).values_list("pk", flat=True))
    near = {*user.department_ids, *user.own_department_ids} if found else set()
    return [entry_of(row, row.pk in seen) for row in found if row.pk in seen or row.person.department_id in near]


def entry_of(request: LeaveRequest, full: bool) -> CalendarEntry:
    """A leave; without its kind and page unless `full`."""
    starts, ends = _times(request)
    uid = f"leave-{request.pk}"
    if not full:
        return CalendarEntry(uid, request.person_id, _("Away"), starts, ends, tone="mute", busy=True)
    return CalendarEntry(
        uid=uid,
        person=request.person_id,
        title=str(request.type),
        starts=starts,
        ends=ends,
        kind=_("Leave"),
        tone="warn",
        url=by_model[LeaveRequest].url_for(request),
        ended=request.state == "taken",
    )


def _times(request: LeaveRequest) -> tuple[dt.datetime | dt.date, dt.datetime | dt.date]:
    """Whole days as days, anything else as moments."""
    zone = business_zone()
    start, end = request.starts_at.astimezone(zone), request.ends_at.astimezone(zone)
    if start.time() == end.time() == dt.time():
        return start.date(), (end - dt.timedelta(days=1)).date()
    return request.starts_at, request.ends_at


sources.append(leave_between)
