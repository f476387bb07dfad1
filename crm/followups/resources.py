"""The list of follow-ups."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from crm.followups.models import FollowUp
from kit.pages.columns import Column
from kit.pages.resources import Resource, register


@register
class FollowUpResource(Resource):
    model = FollowUp
    path = "crm/follow-ups"
    group = "crm"
    order = 30
    key = "pk"
    icon = "message-square"
    columns = (
        Column("happened_at", _("When")),
        Column("customer", phone="cust"),
        "channel",
        Column("text", phone="more"),
        "owner",
        "next_on",
    )
    filters = ("channel", "customer", "owner", "next_on")
    search_fields = ("customer__search",)
    ordering = ("-happened_at", "-id")
    extra_fields = ("customer", "contact", "channel", "text", "happened_at", "next_on", "owner")
    related = ("customer", "contact", "owner")
    can_create = can_edit = importable = False
