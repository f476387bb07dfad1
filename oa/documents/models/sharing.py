"""What people keep, share and link of the library."""

from __future__ import annotations

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oa.documents.models import rights
from oa.documents.models.documents import LibraryDocument


class Favourite(models.Model):
    """A document that a person keeps at hand."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    document = models.ForeignKey(LibraryDocument, models.CASCADE, related_name="favourites")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("favourite")
        verbose_name_plural = _("favourites")
        ordering = ["-id"]
        constraints = [models.UniqueConstraint(fields=["user", "document"], name="favourite_unique")]

    def __str__(self) -> str:
        return str(self.document)


class ShareRight(models.IntegerChoices):
    VIEW = rights.VIEW, pgettext_lazy("right", "view")
    DOWNLOAD = rights.VIEW | rights.DOWNLOAD, _("view and download")


class ShareLink(models.Model):
    """A secret address of one document for colleagues; only a digest of its secret is stored (S-11)."""

    document = models.ForeignKey(LibraryDocument, models.CASCADE, related_name="shares")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    rights = models.PositiveSmallIntegerField(_("rights"), choices=ShareRight, default=ShareRight.VIEW)
    expires_at = models.DateTimeField(_("valid until"))
    revoked_at = models.DateTimeField(_("revoked at"), null=True, editable=False)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("share link")
        verbose_name_plural = _("share links")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="sharelink_expires"),
            models.CheckConstraint(condition=Q(rights__in=ShareRight.values), name="sharelink_rights"),
        ]

    def __str__(self) -> str:
        return str(self.document)


class DocumentUse(models.Model):
    """A record of any kind that a document belongs to."""

    document = models.ForeignKey(LibraryDocument, models.CASCADE, related_name="uses")
    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("use of a document")
        verbose_name_plural = _("uses of documents")
        ordering = ["-id"]
        indexes = [models.Index(fields=["content_type", "object_id"], name="documentuse_record")]
        constraints = [
            models.UniqueConstraint(fields=["document", "content_type", "object_id"], name="documentuse_unique")
        ]

    def __str__(self) -> str:
        return str(self.document)
