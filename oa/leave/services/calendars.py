"""Changes of calendars, and what they do to leave: open requests are counted anew, approved ones listed (rule H-02)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from kit.pages.resources import by_model
from kit.rules.days import business_day
from oa.leave.models import LeaveRequest
from oa.leave.reading import counted
from oa.leave.services.requests import MANAGES
from oa.organisation.models import User
from oa.records.bulk import bulk_set
from oa.records.notifications import notify


@transaction.atomic
def save_calendar_part(row: Any, *, by: Any) -> Any:
    """Store a calendar, a special day or an assignment, and count anew what it concerns."""
    row.save()
    recount()
    return row


@transaction.atomic
def recount() -> int:
    """Count drafts and requests in approval anew and tell their people; list approved leave that would differ.

    What is approved and not over is never changed silently: `recounted` says what it would cost, human resources
    decides. Leave that is over stays as it was. The number of statements does not depend on the number of requests.
    """
    rows = LeaveRequest.objects.filter(state__in=("draft", "approving", "approved", "cancelling"))
    found = list(
        rows.filter(last_day__gte=business_day())
        .select_for_update(of=("self",))
        .select_related("type", "person")
        .order_by("pk")
    )
    units = counted(found)
    opened = [r for r in found if r.state in ("draft", "approving") and units[r.pk] not in (r.units, 0)]
    for request in opened:
        request.units = units[request.pk]
        request.version += 1
    bulk_set(opened, ["units", "version"])
    decided = [r for r in found if r.state in ("approved", "cancelling") and r.back_on is None]
    changed = [r for r in decided if r.recounted != _differs(r, units)]
    for request in changed:
        request.recounted = _differs(request, units)
    bulk_set(changed, ["recounted"])
    _tell(opened, [r for r in changed if r.recounted is not None])
    return len(opened) + len(changed)


def _differs(request: LeaveRequest, units: Any) -> Any:
    return None if units[request.pk] == request.net else units[request.pk]


def _tell(opened: list[LeaveRequest], listed: list[LeaveRequest]) -> None:
    url = by_model[LeaveRequest].url()
    if opened:
        text = gettext_lazy("The working calendar changed, your open leave requests were counted anew.")
        notify([request.person for request in opened], text, url=url)
    if listed:
        rows = User.objects.filter(is_active=True, groups__permissions__codename=MANAGES.partition(".")[2]).distinct()
        text = gettext_lazy("The working calendar changed. Approved leave requests that are concerned: {count}")
        notify(rows, format_lazy(text, count=len(listed)), url=f"{url}?view=affected")
