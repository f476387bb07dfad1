"""The usual kinds of leave and the usual week; an administrator changes or archives them."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from oa.leave.models import GrantStep, LeaveType, WorkCalendar
from oa.leave.models.types import Gender, Unit

TYPES: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("ANNUAL", "Annual leave", "年假", {"minimum": Decimal("0.5"), "notice_days": 1}),
    ("SICK", "Sick leave", "病假", {"limited": False, "certificate_after": 1}),
    ("PERSONAL", "Personal leave", "事假", {"limited": False, "paid": False, "maximum": 20}),
    ("MARRIAGE", "Marriage leave", "婚假", {"maximum": 30, "notice_days": 7}),
    (
        "MATERNITY", "Maternity leave", "产假",
        {"limited": False, "maximum": 188, "counts_holidays": True, "gender": Gender.FEMALE, "certificate_after": 0},
    ),
    ("LIEU", "Time off in lieu", "调休", {"unit": Unit.HOUR}),
)  # fmt: skip
# Annual leave by law: months in work, days a year.
ANNUAL = ((12, 5), (120, 10), (240, 15))


def install_leave(using: str) -> None:
    """Make the usual types where there is none, and the standard week where there is no calendar."""
    types = LeaveType.objects.using(using)
    if not types.exists():
        made = types.bulk_create(
            LeaveType(code=code, name=name, name_zh=chinese, **rules) for code, name, chinese, rules in TYPES
        )
        steps = (GrantStep(type=made[0], months=months, units=units) for months, units in ANNUAL)
        GrantStep.objects.using(using).bulk_create(steps)
    calendars = WorkCalendar.objects.using(using)
    if not calendars.exists():
        calendars.create(name="Standard 标准", standard=True)
