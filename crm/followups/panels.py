"""Follow-ups on the customer's timeline and on the desk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext as _

from crm.customers.models import Customer
from crm.followups.models import FollowUp
from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Event, Task, actions, events, tasks
from kit.pages.resources import by_model
from kit.rules.days import business_day

ICONS = {
    "note": "pencil",
    "call": "phone",
    "visit": "map-pin",
    "wechat": "message-circle",
    "email": "mail",
    "meeting": "users",
}


def followups(customer: Any, user: Any, limit: int) -> Sequence[Event]:
    """What was said, newest first."""
    rows = FollowUp.objects.visible_to(user).filter(customer=customer).select_related("owner", "contact")[:limit]
    return [
        Event(
            row.happened_at,
            str(row.owner),
            " · ".join(p for p in (row.get_channel_display(), str(row.contact or "")) if p),
            ICONS[row.channel],
            body=row.text,
            kind="notes",
            chips=[("clock", _("Next contact %s") % formats.iso_date(row.next_on))] if row.next_on else [],
        )
        for row in rows
    ]


def log_action(customer: Any, user: Any) -> Sequence[Action]:
    """The main action of the customer page: it leads to the composer."""
    if not user.has_perm("crm.add_followup"):
        return []
    return [
        Action(
            _("Log follow-up"),
            "#composer",
            "pencil-line",
            primary=True,
            key="f",
            name="follow-up",
            focus="composer-text",
        )
    ]


def due(user: Any, limit: int) -> Sequence[Task]:
    """My customers whose next contact is today or late, with what was said last; two statements."""
    if not user.has_perm("crm.view_customer"):
        return []
    rows = Customer.objects.filter(owner=user, active=True, next_contact_on__lte=business_day())
    found = list(rows.order_by("next_contact_on", "pk")[:limit])
    said = FollowUp.objects.filter(customer__in=found).order_by("customer_id", "-happened_at").distinct("customer_id")
    last = {row.customer_id: row.text for row in said} if found else {}
    resource = by_model[Customer]
    return [
        Task(
            _("Follow-up"),
            "info",
            str(row),
            resource.url_for(row),
            last.get(row.pk, ""),
            row.next_contact_on,
            _("Log follow-up"),
            f"{resource.url_for(row)}#composer",
        )
        for row in found
    ]


actions["crm.customer"].append(log_action)
tasks.append(due)
events["crm.customer"].append(followups)
