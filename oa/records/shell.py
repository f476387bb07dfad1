"""What the shell shows of the company and of what waits for the person."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from django.http import HttpRequest

from kit.pages.views.shell import known_counters
from oa.organisation.models import CompanyProfile
from oa.records.models import Notification


def shell_values(request: HttpRequest) -> dict[str, Any]:
    """Company name in the language of the page, and unread notifications, as counted within the last minute."""
    user = getattr(request, "user", None)
    name, chinese = getattr(user, "company_name", ""), getattr(user, "company_name_zh", "")
    if not name:  # nobody is logged in, or the person does not come from the request's session
        company = CompanyProfile.current()
        name, chinese = company.name, company.name_zh
    if getattr(request, "LANGUAGE_CODE", "en").startswith("zh"):
        name = chinese or name
    made: dict[str, Any] = {"company": SimpleNamespace(name=name, initial=name[:1])}
    if user is not None and user.is_authenticated:
        made["unread"] = (known_counters(user) or counters(user))["unread"]
    return made


def counters(user: Any) -> dict[str, int]:
    """Unread notifications, none counted beyond a hundred."""
    return {"unread": Notification.objects.filter(user=user, read_at=None)[:100].count()}
