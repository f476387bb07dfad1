"""What a request would cost and who is away, while it is filled in; nothing is stored."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.leave.models import LeaveRequest
from oa.leave.reading import course_with
from oa.leave.rules import course_of, problems_of, team_away, warnings_of, with_unit
from oa.leave.services.requests import measure


@dataclass
class Preview:
    """Texts for the page; `away` are (person, from, to)."""

    cost: str = ""
    before: str = ""
    after: str = ""
    problems: list[str] = field(default_factory=list)
    away: list[tuple[str, Any, Any]] = field(default_factory=list)


def preview_of(request: LeaveRequest) -> Preview | None:
    """The preview of a request, None while type or days are missing."""
    if request.type_id is None or request.first_day is None or request.last_day is None:
        return None
    made = Preview()
    try:
        measure(request)
    except BusinessError as error:
        made.problems = [str(problem.message) for problem in error]
        return made
    leave = request.type
    made.cost = with_unit(leave, request.units)
    course = None
    if leave.limited:
        made.before = with_unit(leave, course_with(request.person_id, leave, but=request.pk).on(request.last_day))
        course = course_of(request)
        made.after = with_unit(leave, course.on(max(request.last_day, business_day())))
    made.problems = [str(problem.message) for problem in problems_of(request, course)] + warnings_of(request)
    made.away = [(str(row.person), row.first_day, row.last_day) for row in team_away(request)]
    return made
