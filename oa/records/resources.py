"""The page of the audit trail."""

from __future__ import annotations

from kit.pages.columns import Column
from kit.pages.resources import Resource, register
from oa.records.models import AuditEntry


@register
class AuditEntryResource(Resource):
    model = AuditEntry
    path = "office/audit-trail"
    group = "office"
    order = 70
    icon = "scroll-text"
    key = "pk"
    columns = (
        Column("at", phone="no"),
        Column("user", phone="cust"),
        Column("action", phone="amt"),
        Column("what", phone="more"),
        "ip",
    )
    filters = ("user", "action", "at")
    search_fields = ("what",)
    ordering = ("-at", "-id")
    extra_fields = ("at", "user", "action", "what", "ip")
    related = ("user",)
    can_create = can_edit = importable = False
