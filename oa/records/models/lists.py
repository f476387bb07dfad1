"""Views of lists that people keep, and share (UX 6.2)."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy


class Share(models.TextChoices):
    PRIVATE = "private", pgettext_lazy("view of a list", "Only me")
    DEPARTMENT = "department", pgettext_lazy("view of a list", "My department")
    EVERYONE = "everyone", pgettext_lazy("view of a list", "Everyone")


class ListView(models.Model):
    """Filters, order and columns of a list under a name; who opens it sees the rows that person may see anyway."""

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="list_views", verbose_name=_("owner")
    )
    page = models.CharField(_("list"), max_length=60)
    name = models.CharField(_("name"), max_length=60)
    query = models.TextField(blank=True)
    columns = models.JSONField(default=list)
    share = models.CharField(_("for whom"), max_length=10, choices=Share, default=Share.PRIVATE)
    department = models.ForeignKey("oa.Department", models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("view of a list")
        verbose_name_plural = _("views of lists")
        default_permissions = ()
        ordering = ["name", "id"]
        constraints = [
            models.UniqueConstraint(fields=["owner", "page", "name"], name="listview_once"),
            models.CheckConstraint(condition=~models.Q(name=""), name="listview_named"),
        ]
        indexes = [models.Index(fields=["page", "share"], name="listview_page")]

    def __str__(self) -> str:
        return self.name


class ListChoice(models.Model):
    """How a person wants a list to open: with which columns, and with which view."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+", verbose_name=_("person"))
    page = models.CharField(_("list"), max_length=60)
    columns = models.JSONField(default=list)
    opens = models.ForeignKey(ListView, models.SET_NULL, null=True, related_name="+")

    class Meta:
        verbose_name = _("choice for a list")
        verbose_name_plural = _("choices for lists")
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["user", "page"], name="listchoice_once")]
