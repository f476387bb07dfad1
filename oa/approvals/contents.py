"""What is decided about: the facts and the content of a document with their hashes (rules X-08, I-28)."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import translation

from oa.approvals.models import ApprovalRequest
from oa.approvals.registry import Approvable
from oa.organisation.models import Department, User
from oa.records import attachments
from oa.records.models import Attachment


@dataclass(frozen=True)
class Contents:
    """The facts and content of a document at one moment."""

    facts: dict[str, Any]
    content: dict[str, Any]

    @property
    def facts_hash(self) -> str:
        """SHA-256 of the values that rules read."""
        return digest(self.facts)

    @property
    def content_hash(self) -> str:
        """SHA-256 of everything that is decided about, files included."""
        return digest(self.content)

    @property
    def amount(self) -> Decimal | None:
        """The amount in base currency, where the kind has one."""
        value = self.facts.get("amount")
        return None if value in (None, "") else Decimal(str(value))


def contents_of(approvable: Approvable, document: Any, applicant: User, department_id: int | None) -> Contents:
    """Read a document as it stands now, with its files by name and hash; the same in whatever language one reads."""
    kind = ContentType.objects.get_for_model(document)
    files = Attachment.objects.filter(content_type=kind, object_id=document.pk).order_by("pk")
    with translation.override(settings.LANGUAGE_CODE):
        content = {**approvable.content(document), "files": [list(row) for row in files.values_list("name", "sha256")]}
    return Contents(facts_of(approvable, document, applicant, department_id), content)


def decided_files(document: Any) -> set[tuple[str, str]]:
    """The files, by name and hash, that are being decided about or were approved: they stay (rule X-08)."""
    found = ApprovalRequest.objects.filter(
        content_type=ContentType.objects.get_for_model(document),
        object_id=document.pk,
        state__in=("running", "approved"),
    )
    return {(name, digest) for files in found.values_list("content__files", flat=True) for name, digest in files or ()}


attachments.kept.append(decided_files)


def facts_of(approvable: Approvable, document: Any, applicant: User, department_id: int | None) -> dict[str, Any]:
    """The values that conditions read: the document's own, and what is known of the applicant."""
    about = {
        "applicant_department": departments_up(department_id),
        "applicant_position": "" if applicant.position_id is None else str(applicant.position_id),
    }
    with translation.override(settings.LANGUAGE_CODE):
        return {**approvable.facts(document), **about}


def departments_up(department_id: int | None) -> list[str]:
    """Keys of a department and all above it, itself first: so "is Sales" holds for the teams of Sales."""
    if department_id is None:
        return []
    found = Department.objects.with_tree_fields().filter(pk=department_id).first()
    above = [] if found is None else found.tree_path[:-1]  # from the top
    return [str(department_id), *map(str, above)]


def digest(value: dict[str, Any]) -> str:
    """SHA-256 of a JSON value in canonical form."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def document_of(request: Any) -> models.Model:
    """The document a request is about."""
    model = request.content_type.model_class()
    found: models.Model = model._default_manager.get(pk=request.object_id)
    return found
