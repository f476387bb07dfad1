"""Who decides for whom during an absence (rule X-05)."""

from __future__ import annotations

import datetime as dt
from typing import Any, Self

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from kit.rules.days import business_day
from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from oa.records.models.base import Record


class ProxyQuerySet(VisibleQuerySet):
    """Proxies are the matter of the two people; who administers flows sees all."""

    def visible_to(self, user: Any) -> Self:
        """Rows `user` may see."""
        rows = super().visible_to(user)
        if user.has_perm("oa.manage_approvalrequest"):
            return rows
        return rows.filter(Q(principal=user.pk) | Q(proxy=user.pk))

    def on(self, day: dt.date) -> Self:
        """In force on `day`."""
        return self.filter(revoked_at=None, since__lte=day, until__gte=day)


@tracked()
class Proxy(Record):
    """`proxy` may decide for `principal` from `since` to `until`, both days included; both see the items.

    It is not passed on: who decides for a person does not decide for those this person stands in for. `kinds` limits
    it to some kinds of documents, empty means all. It is never deleted, decisions name it; it is revoked.
    """

    principal = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="proxies", verbose_name=_("absent person")
    )
    proxy = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="proxy_for", verbose_name=_("decides for them")
    )
    since = models.DateField(_("from"), default=business_day)
    until = models.DateField(_("until"))
    kinds = ArrayField(models.CharField(max_length=100), default=list, blank=True, verbose_name=_("only for"))
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)

    objects = ProxyQuerySet.as_manager()

    class Meta:
        verbose_name = _("absence proxy")
        verbose_name_plural = _("absence proxies")
        ordering = ["-since", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(until__gte=F("since")),
                name="proxy_period",
                violation_error_message=_("The last day lies before the first."),
            ),
            models.CheckConstraint(
                condition=~Q(principal=F("proxy")),
                name="proxy_other",
                violation_error_message=_("Nobody stands in for themselves."),
            ),
        ]
        indexes = [
            models.Index(fields=["proxy", "until"], name="proxy_of", condition=Q(revoked_at=None)),
            models.Index(fields=["principal", "until"], name="proxy_for", condition=Q(revoked_at=None)),
        ]

    def __str__(self) -> str:
        return f"{self.proxy} → {self.principal}"
