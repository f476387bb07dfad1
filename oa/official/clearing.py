"""Clearances: given by somebody else, never by oneself (N-10)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.official.models import Clearance


@transaction.atomic
def give_clearance(clearance: Clearance, *, by: Any) -> Clearance:
    """Clear a person up to a level; who did it is kept, and every change in the history."""
    if by is not None and by.pk == clearance.user.pk:
        raise BusinessError(_("Nobody clears themselves."), field="user")
    clearance.given_by = by
    clearance.created_by = clearance.created_by or by
    clearance.save()
    return clearance
