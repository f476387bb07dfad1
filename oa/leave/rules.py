"""What a leave request must fulfil: the rules of its type, and that the balance suffices (rules H-01, H-03, H-04)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.utils.translation import gettext as _

from kit.pages.formats import trimmed
from kit.rules.days import business_day
from kit.values.errors import BusinessError, Problem
from oa.leave.course import Course, Fact
from oa.leave.granting import months_between
from oa.leave.models import Employment, LeaveRequest
from oa.leave.models.requests import AWAY, BOOKED
from oa.leave.reading import course_with
from oa.records.models import Attachment


def own_fact(request: LeaveRequest) -> Fact:
    """What the request takes, as the last one of its day."""
    return Fact(0, request.first_day, -request.units)


def course_of(request: LeaveRequest) -> Course:
    """The balance with this request and all that waits for approval."""
    return course_with(request.person_id, request.type, [own_fact(request)], but=request.pk)


def problems_of(request: LeaveRequest, course: Course | None = None) -> list[Problem]:
    """Everything that keeps the request from being submitted, in words."""
    return [*type_problems(request), *balance_problems(request, course), *time_problems(request)]


def check(request: LeaveRequest) -> None:
    """Refuse a request that breaks a rule; the person's balance is locked by the caller."""
    found = problems_of(request)
    if found:
        raise BusinessError(problems=found)


def type_problems(request: LeaveRequest) -> Iterator[Problem]:
    """What the type asks for: length, notice, certificate, gender and service (H-03)."""
    leave, units = request.type, request.units
    if not leave.active:
        yield Problem(_("%s is not used any more.") % leave, "type")
    if leave.hourly and (request.from_time is None or request.to_time is None):
        yield Problem(_("Say from when to when: this leave is counted by the hour."), "from_time")
    elif units <= 0:
        yield Problem(_("There is no working time in this period."), "last_day")
    elif leave.minimum is not None and units < leave.minimum:
        yield Problem(_("%(type)s is taken for %(least)s at least.") % _words(leave, least=leave.minimum), "last_day")
    elif leave.maximum is not None and units > leave.maximum:
        yield Problem(_("%(type)s is taken for %(most)s at most.") % _words(leave, most=leave.maximum), "last_day")
    if leave.notice_days and (request.first_day - business_day()).days < leave.notice_days:
        given = {"type": leave, "days": leave.notice_days}
        yield Problem(_("%(type)s is requested %(days)s days before at the latest.") % given, "first_day")
    if leave.certificate_after is not None and units > leave.certificate_after and not _has_file(request):
        yield Problem(
            _("%(type)s of more than %(most)s needs a certificate: attach it as a file.")
            % _words(leave, most=leave.certificate_after),
            "type",
        )
    yield from _person_problems(request)


def _words(leave: Any, **units: Any) -> dict[str, Any]:
    return {"type": leave, **{name: with_unit(leave, value) for name, value in units.items()}}


def with_unit(leave: Any, units: Any) -> str:
    """So many days or hours."""
    return (_("%s hours") if leave.hourly else _("%s days")) % trimmed(units)


def _has_file(request: LeaveRequest) -> bool:
    kind = ContentType.objects.get_for_model(LeaveRequest)
    return request.pk is not None and Attachment.objects.filter(content_type=kind, object_id=request.pk).exists()


def _person_problems(request: LeaveRequest) -> Iterator[Problem]:
    leave = request.type
    if not leave.gender and not leave.service_months:
        return
    known = Employment.objects.filter(person=request.person_id).first()
    if leave.gender and (known is None or known.gender != leave.gender):
        yield Problem(_("%(type)s is for: %(who)s.") % {"type": leave, "who": leave.get_gender_display()}, "type")
    if leave.service_months:
        since = (known.worked_since if known else None) or request.person.joined_on
        if since is None or months_between(since, request.first_day) < leave.service_months:
            given = {"type": leave, "months": leave.service_months}
            yield Problem(_("%(type)s needs %(months)s months of service.") % given, "type")


def balance_problems(request: LeaveRequest, course: Course | None = None) -> Iterator[Problem]:
    """The balance suffices on the first day and on every later one, for whatever was booked since (H-01)."""
    leave = request.type
    if not leave.limited:
        return
    if request.first_day.year != request.last_day.year:
        yield Problem(_("Make one request for each year, so that each takes from its own grant."), "last_day")
    course = course or course_of(request)
    lowest, day = course.lowest(request.first_day)
    if lowest < -leave.overdraft:
        yield Problem(
            _("The balance of %(type)s does not suffice: on %(day)s it would be %(balance)s.")
            % {"type": leave, "day": day, "balance": with_unit(leave, lowest)},
            "type",
        )


def time_problems(request: LeaveRequest) -> Iterator[Problem]:
    """No other leave at the time, and somebody suited stands in (H-04)."""
    other = overlapping(request).first()
    if other is not None:
        yield Problem(_("There is other leave at this time: %s.") % other, "first_day")
    if request.substitute is not None:
        if request.substitute_id == request.person_id:
            yield Problem(_("Nobody stands in for themselves."), "substitute")
        elif not request.substitute.is_active:
            yield Problem(_("%s does not work here any more.") % request.substitute, "substitute")


def overlapping(request: LeaveRequest) -> Any:
    """Other requests of the person that take the same time."""
    rows = LeaveRequest.objects.filter(person=request.person_id, state__in=BOOKED).exclude(pk=request.pk)
    return rows.filter(starts_at__lt=request.ends_at, ends_at__gt=request.starts_at).select_related("person")


def warnings_of(request: LeaveRequest) -> list[str]:
    """What does not keep it from being submitted: the substitute is away, too."""
    if request.substitute is None:
        return []
    away = LeaveRequest.objects.filter(person=request.substitute_id, state__in=AWAY)
    if not away.filter(starts_at__lt=request.ends_at, ends_at__gt=request.starts_at).exists():
        return []
    return [_("%s is away at this time, too.") % request.substitute]


def team_away(request: LeaveRequest) -> list[LeaveRequest]:
    """Colleagues of the same department who are away or asked to be at that time; without saying why."""
    department = request.person.department_id
    if department is None:
        return []
    rows = LeaveRequest.objects.filter(state__in=BOOKED, person__department=department, person__is_active=True)
    rows = rows.filter(starts_at__lt=request.ends_at, ends_at__gt=request.starts_at).exclude(person=request.person_id)
    return list(rows.select_related("person").order_by("first_day", "pk")[:20])
