"""Facade: lets Django find the models. Import from the sections instead."""

from oa.announcements.models import (
    Announcement,
    AnnouncementCategory,
    AnnouncementEdition,
    AnnouncementReceipt,
)
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

__all__ = [
    "Announcement",
    "AnnouncementCategory",
    "AnnouncementEdition",
    "AnnouncementReceipt",
    "Attachment",
    "Comment",
    "CompanyProfile",
    "Counter",
    "Department",
    "IdempotencyKey",
    "Job",
    "Notification",
    "NumberSequence",
    "OutboxMail",
    "Position",
    "Post",
    "ReportRun",
    "ReportSchedule",
    "ReportSubscription",
    "Role",
    "User",
]
