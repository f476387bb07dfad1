"""What every record has: number, files, comments, notifications, history, idempotency, jobs."""

from oa.records.models.audiences import Addressed, Circulated, Receipt
from oa.records.models.audit import AuditAction, AuditEntry
from oa.records.models.base import Document, Master, PostedDocument, Record, TitledDocument
from oa.records.models.drafts import FormDraft
from oa.records.models.jobs import Job
from oa.records.models.keys import Counter, IdempotencyKey, NumberSequence
from oa.records.models.lists import ListChoice, ListView, Share
from oa.records.models.notes import Attachment, Comment, Notification
from oa.records.models.signatures import PersonSignature

__all__ = [
    "Addressed",
    "Attachment",
    "AuditAction",
    "AuditEntry",
    "Circulated",
    "Comment",
    "Counter",
    "Document",
    "FormDraft",
    "IdempotencyKey",
    "Job",
    "ListChoice",
    "ListView",
    "Master",
    "Notification",
    "NumberSequence",
    "PersonSignature",
    "PostedDocument",
    "Receipt",
    "Record",
    "Share",
    "TitledDocument",
]
