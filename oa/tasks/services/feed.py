"""Secret addresses of calendars."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.records.bulk import locked
from oa.tasks.models import CalendarAddress

SECRET_BYTES = 32  # 256 bits: nobody guesses it
MOST = 10


def hashed(secret: str) -> str:
    """What is stored of a secret; long random ones need no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


@transaction.atomic
def new_address(name: str, expires_on: dt.date | None = None, *, by: User) -> tuple[CalendarAddress, str]:
    """A further address of one's own calendar with its secret, which is shown this once."""
    locked(User.objects.all(), by.pk)
    if expires_on is not None and expires_on < business_day():
        raise BusinessError(_("This day lies in the past."), field="expires_on")
    if CalendarAddress.objects.filter(user=by, revoked_at=None).count() >= MOST:
        raise BusinessError(_("You have %s addresses already. Revoke one first.") % MOST)
    secret = secrets.token_urlsafe(SECRET_BYTES)
    made = CalendarAddress.objects.create(
        user=by, name=name.strip()[:60] or _("Calendar"), secret_hash=hashed(secret), expires_on=expires_on
    )
    return made, secret


@transaction.atomic
def revoke_address(key: int, *, by: User) -> None:
    """Make one of one's own addresses worthless."""
    CalendarAddress.objects.filter(pk=key, user=by, revoked_at=None).update(revoked_at=timezone.now())


def person_of(secret: str) -> Any:
    """Whose calendar an address opens; None for one that is unknown, revoked or expired, and for who has left."""
    found = CalendarAddress.objects.select_related("user").filter(secret_hash=hashed(secret), revoked_at=None).first()
    if found is None or not found.user.is_active:
        return None
    return None if found.expires_on is not None and found.expires_on < business_day() else found.user
