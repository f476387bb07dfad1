"""What tasks and meetings have in common: who sees them, and how they remind."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from kit.rules.permissions import ALL, DEPARTMENT, SUBTREE, VisibleQuerySet
from oa.records.models.notes import OnRecord


class Priority(models.IntegerChoices):
    URGENT = 1, _("urgent")
    HIGH = 2, _("high")
    NORMAL = 3, _("normal")
    LOW = 4, _("low")


class InvolvedQuerySet(VisibleQuerySet):
    """Rows seen by the people in them, and by scope through the department of their owner.

    Private ones are seen by the people in them only. "All records" counts here only together with the right
    `every`: an accountant sees all vouchers, and not the tasks of the whole company.
    """

    every: ClassVar[str] = ""  # the right to see all that is not private

    def visible_to(self, user: Any) -> Self:
        """What `user` takes part in, and what the data scope adds to that."""
        return self._seen(user, self.involving(user.pk))

    def managed_by(self, user: Any) -> Self:
        """What `user` has a say in: as owner, as who gave it, or by the data scope; not as one who takes part."""
        return self._seen(user, models.Q(owner=user.pk) | models.Q(created_by=user.pk))

    def involving(self, key: Any) -> models.Q:
        """The condition that a person has a part in a row."""
        raise NotImplementedError

    def _seen(self, user: Any, own: models.Q) -> Self:
        scope = user.data_scope(self.model)
        if scope is None:
            return self.none()
        if user.is_superuser:
            return self
        if scope == ALL and user.has_perm(self.every):
            return self.filter(own | models.Q(private=False))
        if scope in (DEPARTMENT, SUBTREE):
            near = user.department_ids if scope == SUBTREE else user.own_department_ids
            return self.filter(own | models.Q(private=False, owner__department__in=near))
        return self.filter(own)


class Reminded(models.Model):
    """Something that reminds people before it is due or begins; `remind_at` is the next moment, None for never."""

    reminders = models.CharField(
        _("reminders"),
        max_length=60,
        blank=True,
        help_text=_("How long before, such as “1d 2h 30m”: weeks, days, hours, minutes; 0m at the moment itself."),
    )
    remind_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True


class Reminder(OnRecord):
    """That a person was reminded of a record for one moment: the row is the intent, and it is there once."""

    moment = models.DateTimeField(_("moment"))
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")

    class Meta:
        verbose_name = _("reminder")
        verbose_name_plural = _("reminders")
        constraints = [
            models.UniqueConstraint(fields=["content_type", "object_id", "moment", "user"], name="reminder_once")
        ]

    def __str__(self) -> str:
        return f"{self.user} {self.moment:%Y-%m-%d %H:%M}"
