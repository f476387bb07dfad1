"""Files, comments and notifications on any record."""

from __future__ import annotations

import uuid
from typing import Any, Self

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.rules.permissions import ALL, VisibleQuerySet


class OnRecordQuerySet(VisibleQuerySet):
    """Rows about records: seen by who sees the record (rule G-21)."""

    def visible_to(self, user: Any) -> Self:
        """The rows of records `user` may see, whatever their model."""
        rows = super().visible_to(user)
        return rows if user.is_superuser else rows.filter(self.about_visible(user))

    def about_visible(self, user: Any) -> models.Q:
        """The condition that the record behind a row is one `user` may see."""
        found = models.Q(pk__in=[])
        for kind in ContentType.objects.filter(pk__in=self.model._default_manager.values("content_type")):
            manager: Any = getattr(kind.model_class(), "_default_manager", None)
            if hasattr(manager, "visible_to"):
                found |= models.Q(content_type=kind, object_id__in=manager.visible_to(user).values("pk"))
        return found


class NotificationQuerySet(OnRecordQuerySet):
    """Messages are personal; who sees all of them may read those about records they see."""

    def visible_to(self, user: Any) -> Self:
        """The messages to `user`, and with the scope "all" those about visible records."""
        if user.data_scope(self.model) != ALL:
            return self.filter(user=user.pk) if user.is_active else self.none()
        own = models.Q(user=user.pk, content_type=None)  # one's own, too, are not read about what is out of sight
        return self if user.is_superuser else self.filter(self.about_visible(user) | own)


class OnRecord(models.Model):
    """A row that belongs to some record: `content_type` and `object_id` name it."""

    content_type = models.ForeignKey(ContentType, models.CASCADE, related_name="+")
    object_id = models.BigIntegerField()
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OnRecordQuerySet.as_manager()

    class Meta:
        abstract = True


class Attachment(OnRecord):
    """A file of a record; stored under a random name, always sent as a download."""

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.FileField(upload_to="attachments/%Y/%m/")
    name = models.CharField(_("file name"), max_length=255)
    size = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")

    class Meta:
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        ordering = ["-id"]
        indexes = [models.Index(fields=["content_type", "object_id"], name="attachment_record")]

    def __str__(self) -> str:
        return self.name


class Comment(OnRecord):
    """A note on a record; notes never change the record's version."""

    text = models.TextField(_("text"))
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")

    class Meta:
        verbose_name = _("comment")
        verbose_name_plural = _("comments")
        ordering = ["-id"]
        indexes = [models.Index(fields=["content_type", "object_id", "-id"], name="comment_record")]

    def __str__(self) -> str:
        return self.text[:60]


class Notification(models.Model):
    """A message to one person, with the record it is about."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notifications")
    text = models.CharField(_("text"), max_length=300)
    url = models.CharField(max_length=300, blank=True)
    content_type = models.ForeignKey(ContentType, models.CASCADE, null=True, related_name="+")
    object_id = models.BigIntegerField(null=True)
    read_at = models.DateTimeField(_("read at"), null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = NotificationQuerySet.as_manager()

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        ordering = ["-id"]
        indexes = [models.Index(fields=["user", "-id"], name="notification_unread", condition=models.Q(read_at=None))]

    def __str__(self) -> str:
        return self.text
