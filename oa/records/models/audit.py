"""What people took out of the system: papers and files (rule G-20)."""

from __future__ import annotations

import pgtrigger
from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.permissions import VisibleQuerySet
from oa.records.guards import append_only

# What an entry is sealed with: everything it says, and the seal of the one before it.
_SAID = ("id", "user_id", "ip", "action", "what", "content_type_id", "object_id")


def seal(row: str, before: str) -> str:
    """The seal of `row` that follows an entry with the seal `before`, both as SQL."""
    said = ", ".join(f"{row}.{column}" for column in _SAID)
    parts = f"jsonb_build_array({before}, extract(epoch FROM {row}.at), {said})"
    return f"encode(sha256(convert_to({parts}::text, 'UTF8')), 'hex')"


# One after the other until each transaction ends, so that the order of the keys is that of the chain.
_CHAIN = f"""
    PERFORM pg_advisory_xact_lock(hashtext('oa_auditentry'));
    NEW.id := nextval(pg_get_serial_sequence('oa_auditentry', 'id'));
    NEW.digest := {seal("NEW", "coalesce((SELECT digest FROM oa_auditentry ORDER BY id DESC LIMIT 1), '')")};
    RETURN NEW;
"""


class AuditAction(models.TextChoices):
    PRINT = "print", pgettext_lazy("audit", "printed")
    EXPORT = "export", pgettext_lazy("audit", "exported")
    DOWNLOAD = "download", pgettext_lazy("audit", "downloaded")
    REMOVE = "remove", pgettext_lazy("audit", "deleted")


class AuditEntry(models.Model):
    """Who took what, when and from where; nobody changes or deletes it. Changes are in the history of the records.

    Each entry is sealed together with the one before it (I-30); those of before the seals have none.
    """

    at = models.DateTimeField(_("when"), auto_now_add=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("person")
    )
    ip = models.GenericIPAddressField(_("IP address"), null=True, editable=False)
    action = models.CharField(_("action"), max_length=8, choices=AuditAction, editable=False)
    what = models.CharField(_("what"), max_length=500, editable=False)
    content_type = models.ForeignKey(ContentType, models.PROTECT, null=True, editable=False, related_name="+")
    object_id = models.BigIntegerField(null=True, editable=False)
    digest = models.CharField(max_length=64, default="", editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit entries")
        default_permissions = ("view",)
        ordering = ["-at", "-id"]
        indexes = [
            models.Index(fields=["-at", "-id"], name="audit_at"),
            models.Index(fields=["content_type", "object_id"], name="audit_object"),
        ]
        triggers = [
            *append_only(),
            pgtrigger.Trigger(name="chained", when=pgtrigger.Before, operation=pgtrigger.Insert, func=_CHAIN),
        ]

    def __str__(self) -> str:
        return f"{self.get_action_display()}: {self.what}"
