"""What a draft would post: the posting itself, rolled back (rule F-08)."""

from __future__ import annotations

from typing import Any

from django.db import transaction

from erp.finance.models import JournalEntry, JournalLine
from kit.pages.views.records import resource_for
from kit.rules.states import command_permission
from kit.values.errors import BusinessError


def preview(document: Any, user: Any) -> tuple[list[JournalLine], str]:
    """The ledger lines that posting `document` now would write, and why it would be refused, if so.

    Runs the very command in a transaction that is always undone, so the preview cannot differ from the
    posting; numbers and locks are given back at once. Who may only look sees what would be posted as well.
    """
    resource = resource_for(document)
    command = resource.run.get("post") if resource is not None else None
    if command is None or document.state != "draft":
        return [], ""
    right = command_permission(document, document.STATES.transition("post"))
    try:
        with transaction.atomic():
            posted = command(document, by=user if user.has_perm(right) else None)
            entries = JournalEntry.objects.filter(source=document._meta.label_lower, source_id=posted.pk)
            rows = JournalLine.objects.filter(entry__in=entries)
            lines = list(rows.select_related("account", "customer", "supplier").order_by("pk"))
            transaction.set_rollback(True)
            return lines, ""
    except BusinessError as error:
        return [], str(error)
