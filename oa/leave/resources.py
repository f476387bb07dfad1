"""Pages of leave: requests, ledger, types, calendars, employments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Q
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from kit.pages.actions import Command
from kit.pages.columns import Column
from kit.pages.nav import Link, tree
from kit.pages.panels import Figure
from kit.pages.resources import Resource, register
from oa.approvals.services.submission import version_in_force
from oa.leave.approving import when
from oa.leave.forms import LeaveForm
from oa.leave.models import (
    CalendarAssignment,
    CalendarDay,
    Employment,
    GrantStep,
    LeaveEntry,
    LeaveRequest,
    LeaveType,
    WorkCalendar,
)
from oa.leave.rules import course_of, with_unit
from oa.leave.services import calendars, ledger, requests
from oa.leave.services.requests import CANCEL, KIND, MANAGES

tree.group("leave", _("Leave"), "calendar-off", 82, _("Office"))
tree.add("leave", Link(_("My leave"), "leave-home", 1, "oa.view_leaverequest"))

OWN = ("submit", "withdraw", "cancel")  # of whoever asked
DECISIONS = ("approve", "reject", "agree", "keep", "recall")  # of somebody else


@register
class LeaveRequestResource(Resource):
    model = LeaveRequest
    path = "leave/requests"
    group = "leave"
    order = 10
    icon = "calendar-off"
    create_key = "l"
    columns = (
        Column("number", phone="no"),
        Column("person", phone="cust"),
        "type",
        Column("first_day", phone="amt"),
        "last_day",
        "units",
        "substitute",
        "state",
    )
    filters = ("person", "type", "department", "state", "first_day")
    search_fields = ("number", "person__name", "reason")
    ordering = ("-first_day", "-id")
    sections = (
        (_("Leave"), ("person", "type")),
        (pgettext_lazy("leave", "Time"), ("first_day", "first_part", "last_day", "last_part", "from_time", "to_time")),
        (_("Who stands in, and why"), ("substitute", "reason")),
    )
    extra_fields = ("units", "returned", "back_on", "recounted")
    quiet: ClassVar = {**Resource.quiet, "returned": 0, "first_part": "am", "last_part": "pm"}
    related = ("person", "type", "substitute", "department")
    views: ClassVar = {"affected": (_("Concerned by a calendar"), Q(recounted__isnull=False))}
    importable = False
    form_class = LeaveForm
    save = staticmethod(requests.save_leave)
    run: ClassVar = {
        "submit": requests.submit_leave,
        "withdraw": requests.withdraw_leave,
        "approve": requests.approve_leave,
        "reject": requests.reject_leave,
        "cancel": requests.ask_cancel,
        "agree": requests.agree_cancel,
        "keep": requests.keep_leave,
    }
    commands = (
        Command(
            "recall", _("Back at work early"), requests.recall_leave, "oa.approve_leaverequest", icon="undo-2",
            when=lambda obj: obj.state in ("approved", "taken") and obj.first_day < obj.last_day, menu=True,
            fields=("date",), confirm=_("From this day on the leave is given back."),
        ),
        Command(
            "take-count", _("Give back by the present calendar"), requests.take_over_count, MANAGES, icon="calculator",
            when=lambda obj: obj.recounted is not None and obj.recounted < obj.net,
        ),
        Command(
            "leave-count", _("Leave it as agreed"), requests.leave_count, MANAGES, icon="check",
            when=lambda obj: obj.recounted is not None,
        ),
    )  # fmt: skip

    def commands_for(self, obj: Any, user: Any) -> list[Command]:
        """Asking is for the person, deciding for somebody else; a flow in force decides instead."""
        found = super().commands_for(obj, user)
        names = {command.name for command in found}
        hidden: set[str] = set()
        if obj.person_id != user.pk and not user.has_perm(MANAGES):
            hidden.update(OWN)
        if names.intersection(DECISIONS) and not requests.decides(obj, user):
            hidden.update(DECISIONS)
        if obj.state in ("approving", "cancelling") and requests.running(obj):
            hidden.update(("withdraw", "approve", "reject", "agree", "keep"))
        if "submit" in names and version_in_force(KIND) is not None:
            hidden.add("submit")
        if "cancel" in names and version_in_force(CANCEL) is not None:
            hidden.add("cancel")
        return [command for command in found if command.name not in hidden]

    def editable(self, obj: Any, user: Any) -> bool:
        """A draft, by whoever asks or manages leave."""
        return obj.state == "draft" and self.may(user, "change") and _concerns(obj, user)

    def deletable(self, obj: Any, user: Any) -> bool:
        """A draft of one's own."""
        return super().deletable(obj, user) and obj.number is None and _concerns(obj, user)

    def initial(self, request: Any) -> dict[str, Any]:
        """One's own leave, unless whoever manages leave names another person."""
        return {"person": str(request.user.pk), **super().initial(request)}

    def heading(self, obj: Any) -> str:
        """The number, and whose it is."""
        return str(obj)

    def subtitle(self, obj: Any) -> Sequence[Any]:
        """The time, and that the calendar changed."""
        return [when(obj), *([_("calendar changed")] if obj.recounted is not None else [])]

    def figures(self, obj: Any, user: Any) -> Sequence[Figure]:
        """What it costs, and what is left of the balance."""
        made = [Figure(gettext("Days or hours"), with_unit(obj.type, obj.net))]
        if obj.type.limited and obj.state in ("draft", "approving"):
            course = course_of(obj)
            left = course.on(obj.last_day)
            made.append(
                Figure(gettext("Balance afterwards"), with_unit(obj.type, left), tone="bad" if left < 0 else "")
            )
        return made


def _concerns(obj: Any, user: Any) -> bool:
    return bool(obj.person_id == user.pk or user.has_perm(MANAGES))


@register
class LeaveEntryResource(Resource):
    model = LeaveEntry
    path = "leave/ledger"
    group = "leave"
    order = 20
    key = "pk"
    icon = "scroll-text"
    columns = (
        "date", Column("person", phone="cust"), Column("type", phone="more"), Column("kind", phone="st"),
        Column("units", phone="amt"), "expires_on", "request", "reason",
    )  # fmt: skip
    filters = ("person", "type", "kind", "date")
    search_fields = ("person__name", "reason")
    ordering = ("-date", "-id")
    fields = ("person", "type", "kind", "date", "units", "expires_on", "reason")
    extra_fields = ("request", "grant", "created_at", "created_by")
    related = ("person", "type", "request", "grant", "created_by")
    importable = False
    can_edit = False
    save = staticmethod(ledger.save_entry)


@register
class LeaveTypeResource(Resource):
    model = LeaveType
    path = "leave/types"
    group = "leave"
    order = 40
    small = True
    icon = "tags"
    columns = ("code", Column("name", phone="cust"), "name_zh", "unit", "paid", "limited", "notice_days", "active")
    filters = ("unit", "paid", "limited", "active")
    search_fields = ("code", "name", "name_zh")
    sections = (
        ("", ("code", "name", "name_zh", "unit", "paid", "active")),
        (_("Balance"), ("limited", "overdraft", "carry_limit", "carry_months")),
        (_("Length and notice"), ("minimum", "maximum", "notice_days", "certificate_after")),
        (_("Counting"), ("counts_holidays", "sandwich")),
        (_("Who may"), ("gender", "service_months")),
    )
    save = staticmethod(ledger.save_type)


@register
class GrantStepResource(Resource):
    model = GrantStep
    path = "leave/grants"
    group = "leave"
    order = 42
    key = "pk"
    icon = "gift"
    columns = (Column("type", phone="cust"), "months", Column("units", phone="amt"))
    filters = ("type",)
    fields = ("type", "months", "units")
    related = ("type",)
    import_key = ("type", "months")


@register
class WorkCalendarResource(Resource):
    model = WorkCalendar
    path = "leave/calendars"
    group = "leave"
    order = 50
    key = "pk"
    small = True
    icon = "calendar-range"
    columns = (Column("name", phone="cust"), "monday", "saturday", "sunday", "standard", "active")
    filters = ("active",)
    search_fields = ("name",)
    sections = (
        ("", ("name", "country", "standard", "active")),
        (_("Working hours"), ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")),
    )
    import_key = ("name",)
    save = staticmethod(calendars.save_calendar_part)
    commands = (
        Command(
            "holidays", _("Enter public holidays"), calendars.enter_holidays, "oa.add_calendarday",
            when=lambda calendar: bool(calendar.country), icon="calendar-plus",
            confirm=_("Enter the public holidays of this year and the next? Days that are there stay as they are."),
        ),
    )  # fmt: skip

    def deletable(self, obj: Any, user: Any) -> bool:
        """The standard is what everybody falls back on."""
        return not obj.standard and super().deletable(obj, user)


@register
class CalendarDayResource(Resource):
    model = CalendarDay
    path = "leave/days"
    group = "leave"
    order = 52
    key = "pk"
    icon = "calendar-days"
    columns = (Column("date", phone="amt"), Column("name", phone="cust"), "calendar", "kind", "hours")
    filters = ("calendar", "kind", "date")
    search_fields = ("name",)
    ordering = ("-date",)
    fields = ("calendar", "date", "kind", "hours", "name")
    related = ("calendar",)
    import_key = ("calendar", "date")
    save = staticmethod(calendars.save_calendar_part)


@register
class CalendarAssignmentResource(Resource):
    model = CalendarAssignment
    path = "leave/calendar-assignments"
    group = "leave"
    order = 54
    key = "pk"
    icon = "users"
    columns = (Column("calendar", phone="cust"), "department", "person", Column("since", phone="amt"))
    filters = ("calendar", "department", "person")
    ordering = ("-since", "-id")
    fields = ("calendar", "department", "person", "since")
    related = ("calendar", "department", "person")
    importable = False
    save = staticmethod(calendars.save_calendar_part)


@register
class EmploymentResource(Resource):
    model = Employment
    path = "leave/employments"
    group = "leave"
    order = 56
    key = "pk"
    icon = "id-card"
    columns = (Column("person", phone="cust"), "gender", Column("worked_since", phone="amt"))
    filters = ("gender", "person")
    search_fields = ("person__name",)
    fields = ("person", "gender", "worked_since")
    related = ("person",)
    import_key = ("person",)
