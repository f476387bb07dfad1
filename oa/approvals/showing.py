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


def may_read(user: Any, request: ApprovalRequest) -> bool:
    """Whether `user` may read what is decided about; False also where the document is gone."""
    try:
        document = document_of(request)
    except (LookupError, ObjectDoesNotExist):  # a draft that was given back may be deleted
        return False
    return may_see(user, document) or _concerns(user, request)


def _concerns(user: Any, request: ApprovalRequest) -> bool:
    """Who has to do with a request reads what it is about, also where the document itself is closed to them.

    Who oversees approvals sees the course of all of them; what people ask leave or money for is not theirs to read.
    """
    return ApprovalRequest.objects.concerning(user).filter(pk=request.pk).exists()


def shown(request: ApprovalRequest, user: Any) -> dict[str, Any]:
    """`summary` (label, text) pairs, `lines`, `files`, and `url` of the document; nothing for who may not read it."""
    nothing: dict[str, Any] = {"summary": [], "lines": None, "files": [], "url": ""}
    try:
        approvable = approvables.get(request.kind)
        document: Any = document_of(request)
    except (LookupError, ObjectDoesNotExist):
        return nothing
    visible = may_see(user, document)
    if not visible and not _concerns(user, request):
        return nothing
    kind = ContentType.objects.get_for_model(document)
    files = Attachment.objects.filter(content_type=kind, object_id=document.pk)
    return {
        "summary": [pair for pair in approvable.summary(document) if pair[1] not in ("", None)],
        "lines": approvable.lines(document),
        "files": [(file.name, reverse("attachment", args=(file.key,))) for file in files] if visible else [],
        "url": approvable.url(document) if visible else "",
        "icon": approvable.icon,
    }
