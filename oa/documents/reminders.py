"""What owners are reminded of: reviews that are due, and documents whose time of keeping is over."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db import transaction
from django.db.models import F, Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from kit.rules.days import business_day
from oa.documents.models import LIVING, LibraryDocument
from oa.records.notifications import notify

AHEAD = dt.timedelta(days=14)  # how long before its review an owner is reminded
BATCH = 500

REVIEW = gettext_lazy("Review {what} by {day}.")
RETENTION = gettext_lazy("{what} had to be kept until {day}; decide whether it is still needed.")


def remind_owners(today: dt.date | None = None) -> int:
    """Tell owners once of each review date and each end of keeping; returns how many were told."""
    today = today or business_day()
    near = Q(review_on__lte=today + AHEAD, state__in=LIVING)
    return _tell(near, "review_on", "review_told", REVIEW) + _tell(
        Q(retain_until__lt=today), "retain_until", "retention_told", RETENTION
    )


@transaction.atomic
def _tell(due: Q, date: str, told: str, words: Any) -> int:
    """Claim the rows first: a second timer finds nothing left to tell (rule F-13)."""
    fresh = Q(**{told: None}) | ~Q(**{told: F(date)})
    rows: Any = LibraryDocument.objects.filter(due & fresh, deleted_at=None, owner__is_active=True)
    found = list(rows.select_related("owner").select_for_update(of=("self",), skip_locked=True).order_by("pk")[:BATCH])
    LibraryDocument.objects.filter(pk__in=[row.pk for row in found]).update(**{told: F(date)})
    for row in found:
        notify([row.owner], format_lazy(words, what=row, day=getattr(row, date)), record=row)
    return len(found)
