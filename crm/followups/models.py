"""Follow-ups: what was said to a customer, and when to speak next."""

from __future__ import annotations

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from crm.customers.models import Contact, Customer
from kit.rules.history import tracked
from kit.rules.permissions import scoped
from kit.rules.search import search_column
from oa.records.models import Record


class Channel(models.TextChoices):
    NOTE = "note", _("note")
    CALL = "call", _("call")
    VISIT = "visit", _("visit")
    WECHAT = "wechat", _("WeChat")
    EMAIL = "email", pgettext_lazy("channel", "e-mail")
    MEETING = "meeting", _("meeting")


@tracked()
class FollowUp(Record):
    """One talk with a customer; the newest one tells the customer's last and next contact."""

    customer = models.ForeignKey(Customer, models.CASCADE, related_name="followups", verbose_name=_("customer"))
    contact = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("contact")
    )
    channel = models.CharField(_("channel"), max_length=7, choices=Channel, default=Channel.NOTE)
    text = models.TextField(_("what was said"))
    happened_at = models.DateTimeField(_("when"), default=timezone.now)
    next_on = models.DateField(_("next contact"), null=True, blank=True)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("by"))
    search = search_column("text")

    objects = scoped("customer__").as_manager()

    class Meta:
        verbose_name = _("follow-up")
        verbose_name_plural = _("follow-ups")
        ordering = ["-happened_at", "-id"]
        indexes = [
            models.Index(fields=["customer", "-happened_at"], name="followup_customer"),
            models.Index(fields=["-happened_at", "-id"], name="followup_moment"),
            GinIndex(fields=["search"], name="followup_search"),
        ]

    def __str__(self) -> str:
        return f"{self.get_channel_display()} · {self.text[:40]}"
