"""What the shell shows of the company and of what waits for the person."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest

from oa.organisation.models import CompanyProfile
from oa.records.models import Notification


def shell_values(request: HttpRequest) -> dict[str, Any]:
    """Company name in the language of the page, and unread notifications (two statements)."""
    company = CompanyProfile.current()
    chinese = getattr(request, "LANGUAGE_CODE", "en").startswith("zh")
    name = (company.name_zh if chinese else company.name) or company.name
    made: dict[str, Any] = {"company": SimpleNamespace(name=name, initial=name[:1])}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        made["unread"] = Notification.objects.filter(user=user, read_at=None)[:100].count()
    return made
