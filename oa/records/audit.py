"""Writes the audit trail."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from axes.helpers import get_client_ip_address
from django.contrib.contenttypes.models import ContentType
from django.http import HttpRequest

from oa.records.models import AuditEntry


def address_of(request: HttpRequest) -> str | None:
    """The address that a request comes from (behind our own proxies); None where it is none."""
    try:
        return str(ip_address(get_client_ip_address(request) or ""))
    except ValueError:
        return None


def note(request: HttpRequest, action: str, what: str, obj: Any = None) -> None:
    """Note that the person of `request` printed or exported `what`, a paper of the record `obj` or a list."""
    kind = ContentType.objects.get_for_model(obj) if obj is not None else None
    AuditEntry.objects.create(
        user=request.user,
        ip=address_of(request),
        action=action,
        what=what[: AuditEntry._meta.get_field("what").max_length],
        content_type=kind,
        object_id=obj.pk if obj is not None else None,
    )
