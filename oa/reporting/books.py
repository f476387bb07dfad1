"""The nightly check of the books."""

from __future__ import annotations

import logging

from django.db.models import Q
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kit.rules import checks
from oa.organisation.models import User
from oa.records.notifications import notify

logger = logging.getLogger(__name__)


def check_books() -> int:
    """Run every invariant; tell the administrators which ones do not hold. Returns how many."""
    broken = {code: rows for code, rows in checks.run().items() if rows}
    for code, rows in broken.items():
        logger.error("invariant %s is broken: %s", code, "; ".join(rows[:20]))
    if broken:
        names = ", ".join(sorted(broken))
        text = _("The nightly check of the books found violations of {names}. Run “manage.py verify” for the rows.")
        notify(administrators(), format_lazy(text, names=names))
    return len(broken)


def administrators() -> list[User]:
    """Everybody who keeps the installation running."""
    chosen = Q(is_superuser=True) | Q(groups__role__code="administrator")
    return list(User.objects.filter(chosen, is_active=True).distinct().order_by("pk"))
