"""Commands on follow-ups."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from crm.customers.models import Contact, Customer
from crm.followups.models import Channel, FollowUp
from kit.rules.days import business_day
from kit.values.errors import BusinessError


@transaction.atomic
def log_followup(
    customer: Customer,
    *,
    by: Any,
    text: str,
    channel: str = Channel.NOTE,
    contact: Contact | None = None,
    next_on: dt.date | None = None,
) -> FollowUp:
    """Store what was said; the customer's last and next contact follow, its version does not change."""
    if not text.strip():
        raise BusinessError(_("Enter what was said."), field="text")
    if next_on is not None and next_on < business_day():
        raise BusinessError(_("The next contact lies in the past."), field="next_on")
    made = FollowUp.objects.create(
        customer=customer, contact=contact, channel=channel, text=text.strip(), next_on=next_on, owner=by, created_by=by
    )
    Customer.objects.filter(pk=customer.pk).update(last_contact_at=made.happened_at, next_contact_on=next_on)
    return made
