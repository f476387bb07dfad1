"""What people typed into forms and did not save yet (UX 6.5.9)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

LONGEST = 400_000  # characters of one draft


class FormDraft(models.Model):
    """The fields of one form as one person typed them, for that person only."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    form = models.CharField(max_length=100)
    data = models.CharField(max_length=LONGEST)
    saved_at = models.DateTimeField(_("saved at"), db_index=True)

    class Meta:
        verbose_name = _("unsaved input")
        verbose_name_plural = _("unsaved input")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "form"], name="formdraft_once")]
