"""Facade: lets Django find the models. Import from the sections instead."""

from oa.organisation.models import CompanyProfile, Department, Position, Post, Role, User
from oa.records.models import (
    Attachment,
    Comment,
    Counter,
    IdempotencyKey,
    Job,
    Notification,
    NumberSequence,
)
from oa.reporting.models import OutboxMail, ReportRun, ReportSchedule, ReportSubscription
from oa.tasks.models import (
    Attendee,
    Booking,
    CalendarAddress,
    ChecklistItem,
    Decision,
    Meeting,
    Reminder,
    Room,
    Task,
    TaskNeed,
    TaskSeries,
)

__all__ = [
    "Attachment",
    "Attendee",
    "Booking",
    "CalendarAddress",
    "ChecklistItem",
    "Comment",
    "CompanyProfile",
    "Counter",
    "Decision",
    "Department",
    "IdempotencyKey",
    "Job",
    "Meeting",
    "Notification",
    "NumberSequence",
    "OutboxMail",
    "Position",
    "Post",
    "Reminder",
    "ReportRun",
    "ReportSchedule",
    "ReportSubscription",
    "Role",
    "Room",
    "Task",
    "TaskNeed",
    "TaskSeries",
    "User",
]
