"""Follow-ups on the customer's timeline and on the desk."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Sequence
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from crm.customers.models import Customer
from crm.followups.models import FollowUp
from kit.pages import formats
from kit.pages.actions import Action
from kit.pages.panels import Event, Task, Waiting, actions, events, waiting
from kit.pages.resources import by_model
from kit.rules.days import business_day, business_zone
from oa.records.calendar import CalendarEntry, sources

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


def _due(user: Any) -> Sequence[QuerySet[Customer]]:
    if not user.has_perm("crm.view_customer"):
        return []
    return [Customer.objects.filter(owner=user, active=True, next_contact_on__lte=business_day())]


def due(user: Any, limit: int) -> Sequence[Task]:
    """My customers whose next contact is today or late, with what was said last; two statements."""
    found = [row for rows in _due(user) for row in rows.order_by("next_contact_on", "pk")[:limit]]
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


def contacts_between(
    user: Any, people: Collection[int], start: dt.datetime, end: dt.datetime
) -> Sequence[CalendarEntry]:
    """Customers of these people who are to be spoken to in the period, as far as `user` may see them; one statement."""
    if not user.has_perm("crm.view_customer"):
        return []
    zone = business_zone()
    first, last = start.astimezone(zone).date(), (end - dt.timedelta(microseconds=1)).astimezone(zone).date()
    rows = Customer.objects.visible_to(user).filter(owner__in=people, active=True)
    resource = by_model[Customer]
    return [
        CalendarEntry(
            f"contact-{row.pk}-{row.next_contact_on:%Y%m%d}",
            row.owner_id,
            str(row),
            row.next_contact_on,
            row.next_contact_on,
            _("Follow-up"),
            "info",
            resource.url_for(row),
        )
        for row in rows.filter(next_contact_on__range=(first, last))[:1000]
    ]


actions["crm.customer"].append(log_action)
sources.append(contacts_between)
waiting.append(Waiting(_due, due))
events["crm.customer"].append(followups)
