"""Facade: lets Django find the models. Import from the sections instead."""

from oa.approvals.models import (
    ApprovalAction,
    ApprovalCopy,
    ApprovalNode,
    ApprovalRequest,
    ApprovalTask,
    Flow,
    FlowStep,
    FlowStepPerson,
    FlowVersion,
    FormRequest,
    Proxy,
    RequestForm,
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
    "ApprovalAction",
    "ApprovalCopy",
    "ApprovalNode",
    "ApprovalRequest",
    "ApprovalTask",
    "Attachment",
    "Comment",
    "CompanyProfile",
    "Counter",
    "Department",
    "Flow",
    "FlowStep",
    "FlowStepPerson",
    "FlowVersion",
    "FormRequest",
    "IdempotencyKey",
    "Job",
    "Notification",
    "NumberSequence",
    "OutboxMail",
    "Position",
    "Post",
    "Proxy",
    "ReportRun",
    "ReportSchedule",
    "ReportSubscription",
    "RequestForm",
    "Role",
    "User",
]
