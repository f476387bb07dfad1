"""Follow-ups on the customer's timeline and on the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crm.followups.models import FollowUp
from kit.pages.panels import Event, Panel, events, panels

ICONS = {"note": "pencil", "call": "phone", "visit": "map-pin", "wechat": "message-circle", "email": "mail", "meeting": "users"}


def followups(customer: Any, user: Any, limit: int) -> Sequence[Event]:
    """What was said, newest first."""
    rows = FollowUp.objects.visible_to(user).filter(customer=customer).select_related("owner", "contact")[:limit]
    return [
        Event(row.happened_at, str(row.owner), " · ".join(p for p in (row.get_channel_display(), str(row.contact or "")) if p),
              ICONS[row.channel], body=row.text, kind="notes",
              more=[(_("Next contact"), "", str(row.next_on))] if row.next_on else [])
        for row in rows
    ]




events["crm.customer"].append(followups)
panels["desk"].append(
    Panel("contact-due", gettext_lazy("Follow-ups due"), "main", "customer", "owner", ("name", "next_contact_on"),
          permission="crm.view_customer", order=10, filters=(("next_contact_on__isnull", False),))
)
