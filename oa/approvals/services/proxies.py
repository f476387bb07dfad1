"""Absence proxies (rule X-05)."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.approvals.models import Proxy
from oa.records.bulk import locked


def save_proxy(proxy: Proxy, *, by: Any) -> Proxy:
    """Store a proxy: one's own, or somebody else's by who oversees approvals; not for two who are away together."""
    if by is not None and proxy.principal_id != by.pk and not by.has_perm("oa.manage_approvalrequest"):
        raise BusinessError(_("Only your own absence is yours to arrange."), field="principal")
    if proxy.revoked_at is not None:
        raise BusinessError(_("This proxy was revoked; make a new one."))
    if not proxy.proxy.is_active:
        raise BusinessError(_("%s does not work here any more.") % proxy.proxy, field="proxy")
    away = Proxy.objects.filter(
        principal=proxy.proxy, proxy=proxy.principal, revoked_at=None, since__lte=proxy.until, until__gte=proxy.since
    )
    if away.exists():
        raise BusinessError(
            _("%(proxy)s is away in these days and relies on %(person)s.")
            % {"proxy": proxy.proxy, "person": proxy.principal},
            field="proxy",
        )
    proxy.save()
    return proxy


@transaction.atomic
def revoke_proxy(proxy: Proxy, *, by: Any) -> Proxy:
    """End a proxy now; decisions that were taken under it stay."""
    proxy = locked(Proxy.objects.all(), proxy.pk)
    if by is not None and by.pk != proxy.principal_id and not by.has_perm("oa.manage_approvalrequest"):
        raise BusinessError(_("Only your own absence is yours to arrange."))
    if proxy.revoked_at is None:
        proxy.revoked_at, proxy.version = timezone.now(), proxy.version + 1
        proxy.save()
    return proxy
