"""What the pages of schedules and mails show below their fields."""

from __future__ import annotations

from typing import Any

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from kit.pages import panels
from kit.pages.panels import Panel


def _mail(mail: Any, user: Any) -> dict[str, Any]:
    """The text, and the files that people open (pictures belong to the HTML part)."""
    files = [
        (file["name"], reverse("mail-file", args=[mail.key, position]))
        for position, file in enumerate(mail.files)
        if not file.get("cid")
    ]
    return {"text": mail.text, "files": files}


panels.panels["oa.reportschedule"].append(
    Panel(
        "runs", _("runs"), where="main", resource="reportrun", by="schedule",
        columns=("starts_on", "created_at", "job__state", "mails", "log"), permission="oa.view_reportrun",
    )
)  # fmt: skip
panels.panels["oa.outboxmail"].append(
    Panel("text", _("text"), where="main", template="mail/shown.html", context=_mail, permission="oa.view_outboxmail")
)
