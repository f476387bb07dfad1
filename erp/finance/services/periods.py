"""Closing and reopening periods (rules F-30, F-31)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from erp.finance.models import Period
from erp.finance.models.ledger import PeriodState
from erp.finance.rights import allow
from kit.values.errors import BusinessError


@transaction.atomic
def close_period(period: Period, *, by: Any) -> Period:
    """Close a period; waits for postings in flight, since they hold its row. Earlier ones must be closed."""
    allow(by, "erp.close_period", _("Close period"))
    period = Period.objects.select_for_update().get(pk=period.pk)
    if period.state == PeriodState.CLOSED:
        raise BusinessError(_("%s is closed already.") % period)
    earlier = Period.objects.filter(start__lt=period.start, state=PeriodState.OPEN).filter(entries__isnull=False)
    first = earlier.order_by("start").first()
    if first is not None:
        raise BusinessError(_("Close %s first.") % first)
    period.state, period.closed_at = PeriodState.CLOSED, timezone.now()
    period.version += 1
    period.save()
    return period


@transaction.atomic
def reopen_period(period: Period, *, by: Any) -> Period:
    """Reopen a period and with it all later ones (rule F-31)."""
    allow(by, "erp.close_period", _("Reopen period"))
    rows = Period.objects.filter(start__gte=period.start, state=PeriodState.CLOSED).order_by("pk").select_for_update()
    for row in rows:
        row.state, row.closed_at = PeriodState.OPEN, None
        row.version += 1
        row.save()
    period.refresh_from_db()
    return period
