"""Changes of calendars, and what they do to leave: open requests are counted anew, approved ones listed (rule H-02)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from kit.pages.resources import by_model
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.leave.holidays import PublicDay, public_days
from oa.leave.models import CalendarDay, LeaveRequest, WorkCalendar
from oa.leave.models.calendars import DayKind
from oa.leave.reading import counted
from oa.leave.services.requests import MANAGES
from oa.organisation.models import User
from oa.records.bulk import bulk_set, locked
from oa.records.commands import command
from oa.records.notifications import notify


@transaction.atomic
def save_calendar_part(row: Any, *, by: Any) -> Any:
    """Store a calendar, a special day or an assignment, and count anew what it concerns."""
    row.save()
    recount()
    return row


@command
def enter_holidays(calendar: WorkCalendar, *, by: Any) -> WorkCalendar:
    """Enter the public holidays of this year and the next, and what is worked in exchange; days that are there stay.

    Leave is counted anew. The result carries a warning where nothing is known yet of exchanged days.
    """
    if by is not None and not by.has_perm("oa.add_calendarday"):
        raise BusinessError(_("Calendars are changed by human resources."))
    calendar = locked(WorkCalendar.objects.all(), calendar.pk)
    this = business_day().year
    there = set(calendar.days.filter(date__year__in=(this, this + 1)).values_list("date", flat=True))
    known = {year: public_days(calendar.country, year) for year in (this, this + 1)}
    fresh = [day for days in known.values() for day in days if day.date not in there]
    if not fresh:
        raise BusinessError(
            _("The public holidays of %(first)s and %(last)s are there.") % {"first": this, "last": this + 1}
        )
    rows = [
        CalendarDay(
            calendar=calendar,
            date=day.date,
            kind=DayKind.WORK if day.works else DayKind.HOLIDAY,
            name=day.name[:60],
        )
        for day in fresh
    ]
    CalendarDay.objects.bulk_create(rows, ignore_conflicts=True)  # somebody may enter one of them at this moment
    recount()
    calendar.warning = _unknown_exchange(calendar.country, known)  # type: ignore[attr-defined]
    return calendar


def _unknown_exchange(country: str, known: dict[int, list[PublicDay]]) -> str:
    """China says each autumn which weekends of the coming year are worked; until then only the law is known."""
    open_years = [year for year, days in known.items() if country == "CN" and not any(day.works for day in days)]
    if not open_years:
        return ""
    text = _("Which weekends are worked in exchange in %s is not known yet; enter them when they are announced.")
    return text % ", ".join(map(str, open_years))


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
