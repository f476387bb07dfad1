"""What a page shows of the document behind a request: a summary to decide by, its files, a link if it may be seen."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ObjectDoesNotExist
from django.urls import reverse

from oa.approvals.contents import document_of
from oa.approvals.models import ApprovalRequest
from oa.approvals.registry import approvables
from oa.records.models import Attachment
from oa.records.notifications import may_see


def shown(request: ApprovalRequest, user: Any) -> dict[str, Any]:
    """`summary` (label, text) pairs, `lines`, `files`, and `url` of the document."""
    try:
        approvable = approvables.get(request.kind)
        document: Any = document_of(request)
    except (LookupError, ObjectDoesNotExist):  # a draft that was given back may be deleted
        return {"summary": [], "lines": None, "files": [], "url": ""}
    summary = [(label, value) for label, value in approvable.summary(document) if value not in ("", None)]
    visible = may_see(user, document)
    kind = ContentType.objects.get_for_model(document)
    files = Attachment.objects.filter(content_type=kind, object_id=document.pk)
    return {
        "summary": summary,
        "lines": approvable.lines(document),
        "files": [(file.name, reverse("attachment", args=(file.key,))) for file in files] if visible else [],
        "url": approvable.url(document) if visible else "",
        "icon": approvable.icon,
    }
