"""Leave in the approval engine: what is decided about, and what approval means (rules H-01, X-06 to X-08)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext

from kit.pages import formats
from oa.approvals.conditions import FLAG, NUMBER, RECORD, Fact
from oa.approvals.contents import departments_up
from oa.approvals.registry import Approvable, approvables
from oa.leave.models import LeaveRequest, LeaveType
from oa.leave.rules import course_of, with_unit
from oa.leave.services.requests import CANCEL, KIND, begin, begin_cancel, take_effect, undo
from oa.organisation.models import Department
from oa.records.bulk import locked

WORKING_DAY = Decimal(8)  # hours, where conditions compare leave by the hour with days


def days_of(request: LeaveRequest) -> Decimal:
    """The length in days, leave by the hour in days of eight hours."""
    return request.units / WORKING_DAY if request.type.hourly else request.units


def facts(request: LeaveRequest) -> dict[str, Any]:
    """What conditions may ask."""
    return {
        "days": format(days_of(request).normalize(), "f"),
        "type": str(request.type_id),
        "paid": "yes" if request.type.paid else "",
        "department": departments_up(request.department_id),
    }


def content(request: LeaveRequest) -> dict[str, Any]:
    """All that is decided about."""
    names = ("first_day", "first_part", "last_day", "last_part", "from_time", "to_time", "reason")
    values = {name: str(getattr(request, name) or "") for name in names}
    return {
        "type": request.type.code,
        "units": format(request.units.normalize(), "f"),
        "substitute": str(request.substitute or ""),
        **values,
    }


def summary(request: LeaveRequest) -> list[tuple[Any, Any]]:
    """What an approver reads first, with the balance that is left."""
    made = [
        (_("Leave type"), request.type),
        (pgettext("leave", "Time"), when(request)),
        (_("Days or hours"), with_unit(request.type, request.units)),
        (_("Substitute"), request.substitute or ""),
        (_("Reason"), request.reason),
    ]
    if request.type.limited and request.state == "approving":
        left = course_of(request).on(request.last_day)
        made.insert(3, (_("Balance afterwards"), with_unit(request.type, left)))
    return made


def when(request: LeaveRequest) -> str:
    """The time asked for."""
    first, last = formats.iso_date(request.first_day), formats.iso_date(request.last_day)
    if request.from_time is not None and request.to_time is not None:
        end = f"{request.to_time:%H:%M}"
        return f"{first} {request.from_time:%H:%M} – {end if first == last else f'{last} {end}'}"
    start = str(request.get_first_part_display()) if request.first_part == "pm" else ""
    end = str(request.get_last_part_display()) if request.last_part == "am" else ""
    if first == last:
        return f"{first} {start or end}".strip()
    return " – ".join([f"{first} {start}".strip(), f"{last} {end}".strip()])


def _locked(request: LeaveRequest) -> LeaveRequest:
    rows = LeaveRequest.objects.select_related("type", "person", "substitute")
    return locked(rows, request.pk)


def unlock(request: LeaveRequest) -> None:
    """Rejected, returned or withdrawn: a draft again, and the balance is as before."""
    _back(request, "approving", "draft")


def unlock_cancel(request: LeaveRequest) -> None:
    """Not cancelled: approved as before."""
    _back(request, "cancelling", "approved")


def _back(request: LeaveRequest, source: str, target: str) -> None:
    if request.state == source:
        request.state = target
        request.version += 1
        request.save()


def _types() -> list[tuple[str, str]]:
    return [(str(row.pk), str(row)) for row in LeaveType.objects.all()]


def _departments() -> list[tuple[str, str]]:
    return [(str(pk), name) for pk, name in Department.objects.values_list("pk", "name")]


FACTS = (
    Fact("days", gettext_lazy("days"), NUMBER),
    Fact("type", gettext_lazy("leave type"), RECORD, _types),
    Fact("paid", gettext_lazy("paid"), FLAG),
    Fact("department", gettext_lazy("department"), RECORD, _departments, department=True),
)

approvables.register(
    Approvable(
        kind=KIND,
        label=gettext_lazy("Leave request"),
        model=LeaveRequest,
        fields=FACTS,
        facts=facts,
        content=content,
        lock=lambda request: begin(request, "submit"),
        unlock=unlock,
        effect=lambda request, by: take_effect(_locked(request), by),
        summary=summary,
        title=lambda request: f"{request.person} · {request.type} · {when(request)}",
        icon="calendar-off",
    )
)
approvables.register(
    Approvable(
        kind=CANCEL,
        label=gettext_lazy("Cancellation of leave"),
        model=LeaveRequest,
        fields=FACTS,
        facts=facts,
        content=content,
        lock=begin_cancel,
        unlock=unlock_cancel,
        effect=lambda request, by: undo(_locked(request), by),
        summary=summary,
        title=lambda request: _("Cancel: %s") % f"{request.person} · {request.type} · {when(request)}",
        icon="calendar-x",
    )
)
