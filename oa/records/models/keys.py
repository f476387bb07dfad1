"""Numbers and idempotency keys."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet


class Reset(models.TextChoices):
    YEAR = "year", _("every year")
    MONTH = "month", _("every month")
    NEVER = "never", _("never")


@tracked()
class NumberSequence(models.Model):
    """How the numbers of one document type look, such as SO-2611-0187."""

    key = models.CharField(_("document type"), max_length=40, unique=True)
    prefix = models.CharField(_("prefix"), max_length=12)
    digits = models.PositiveSmallIntegerField(_("digits"), default=4)
    reset = models.CharField(_("starts again"), max_length=5, choices=Reset, default=Reset.MONTH)
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("number sequence")
        verbose_name_plural = _("number sequences")
        ordering = ["key"]

    def __str__(self) -> str:
        return self.key


class Counter(models.Model):
    """The last number given in a sequence and period; only `numbering.next_number` writes it (rule G-07)."""

    key = models.CharField(max_length=80, primary_key=True)
    last = models.PositiveIntegerField()

    def __str__(self) -> str:
        return f"{self.key}: {self.last}"


class IdempotencyKey(models.Model):
    """A submitted form and what came of it: a repeat gets the first answer and has no second effect."""

    key = models.UUIDField(primary_key=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    command = models.CharField(max_length=100)
    effect = models.CharField(max_length=60, blank=True)
    effect_id = models.BigIntegerField(null=True)
    answer = models.CharField(max_length=500, blank=True)
    path = models.CharField(max_length=200, blank=True, default="", db_default="")
    led_to = models.CharField(max_length=500, blank=True, default="", db_default="")
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(effect="", effect_id=None)
                | ~models.Q(effect="") & models.Q(effect_id__isnull=False),
                name="key_names_its_effect",
            )
        ]

    def __str__(self) -> str:
        return f"{self.command} {self.key}"
