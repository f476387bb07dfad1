"""Facade: lets Django find the models. Import from the sections instead."""

from oa.documents.models import (
    DocumentUse,
    DocumentVersion,
    Favourite,
    Folder,
    FolderGrant,
    LibraryDocument,
    Publication,
    ShareLink,
    VersionText,
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
    "Attachment",
    "Comment",
    "CompanyProfile",
    "Counter",
    "Department",
    "DocumentUse",
    "DocumentVersion",
    "Favourite",
    "Folder",
    "FolderGrant",
    "IdempotencyKey",
    "Job",
    "LibraryDocument",
    "Notification",
    "NumberSequence",
    "OutboxMail",
    "Position",
    "Post",
    "Publication",
    "ReportRun",
    "ReportSchedule",
    "ReportSubscription",
    "Role",
    "ShareLink",
    "User",
    "VersionText",
]
