"""Duties that are kept apart (rule G-22)."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet


class DutyMode(models.TextChoices):
    PERSON = "person", _("no person holds both")
    DOCUMENT = "document", _("nobody does both on the same document")


@tracked()
class DutyConflict(models.Model):
    """Two sets of rights that do not belong into one hand; rights are written `erp.post_voucher`."""

    Mode = DutyMode

    code = models.CharField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    name_zh = models.CharField(_("Chinese name"), max_length=120, blank=True)
    first = models.TextField(_("one duty"))
    second = models.TextField(_("other duty"))
    mode = models.CharField(_("rule"), max_length=8, choices=DutyMode, default=DutyMode.PERSON)
    active = models.BooleanField(_("active"), default=False)
    note = models.TextField(_("note"), blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("duty conflict")
        verbose_name_plural = _("duty conflicts")
        ordering = ["code"]

    def __str__(self) -> str:
        chinese = (get_language() or "").startswith("zh") and self.name_zh
        return str(chinese or self.name)

    @property
    def first_set(self) -> set[str]:
        """The rights of the one duty."""
        return set(self.first.split())

    @property
    def second_set(self) -> set[str]:
        """The rights of the other duty."""
        return set(self.second.split())
