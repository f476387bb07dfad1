"""What happened to people: joining, transfer, leaving, coming back."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.permissions import VisibleQuerySet
from oa.organisation.models.people import Department, Position


class ChangeKind(models.TextChoices):
    JOINING = "joining", _("joining")
    TRANSFER = "transfer", pgettext_lazy("person", "transfer")
    LEAVING = "leaving", _("leaving")
    RETURN = "return", pgettext_lazy("person", "return")


class PersonnelChange(models.Model):
    """One joining, transfer, leaving or return of a person, with the post before and after it."""

    Kind = ChangeKind

    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="personnel_changes", verbose_name=_("person")
    )
    kind = models.CharField(_("what"), max_length=8, choices=ChangeKind)
    on = models.DateField(_("effective on"))
    department_before = models.ForeignKey(
        Department, models.PROTECT, null=True, related_name="+", verbose_name=_("department before")
    )
    department = models.ForeignKey(
        Department, models.PROTECT, null=True, related_name="+", verbose_name=_("department")
    )
    position_before = models.ForeignKey(
        Position, models.PROTECT, null=True, related_name="+", verbose_name=_("position before")
    )
    position = models.ForeignKey(Position, models.PROTECT, null=True, related_name="+", verbose_name=_("position"))
    successor = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("successor")
    )
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    moved = models.PositiveIntegerField(_("records handed over"), default=0)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name=_("created by")
    )

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("personnel change")
        verbose_name_plural = _("personnel changes")
        ordering = ["-on", "-id"]
        triggers = [pgtrigger.Protect(name="stays_as_it_is", operation=pgtrigger.Update)]
        indexes = [models.Index(fields=["person", "-on"], name="personnel_change_person")]

    def __str__(self) -> str:
        return f"{self.person}: {self.get_kind_display()}"
