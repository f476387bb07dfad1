"""Facade: lets Django find the models. Import from the sections instead."""

from oa.organisation.models import CompanyProfile, Department, DutyConflict, PersonnelChange, Position, Post, Role, User
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

__all__ = [
    "Attachment",
    "Comment",
    "CompanyProfile",
    "Counter",
    "Department",
    "DutyConflict",
    "IdempotencyKey",
    "Job",
    "Notification",
    "NumberSequence",
    "OutboxMail",
    "PersonnelChange",
    "Position",
    "Post",
    "ReportRun",
    "ReportSchedule",
    "ReportSubscription",
    "Role",
    "User",
]
