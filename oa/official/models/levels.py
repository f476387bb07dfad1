"""Secrecy, urgency, classes and unit words of official documents, and who is cleared for what (N-10)."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kit.rules.history import tracked
from kit.rules.permissions import VisibleQuerySet
from oa.records.models import Master, Record


class Secrecy(models.IntegerChoices):
    PUBLIC = 0, pgettext_lazy("secrecy", "public")
    CONFIDENTIAL = 1, pgettext_lazy("secrecy", "confidential")
    SECRET = 2, pgettext_lazy("secrecy", "secret")


class Urgency(models.TextChoices):
    NORMAL = "normal", pgettext_lazy("urgency", "normal")
    URGENT = "urgent", pgettext_lazy("urgency", "urgent")
    EXPRESS = "express", pgettext_lazy("urgency", "extra urgent")


@tracked()
class UrgencyTerm(models.Model):
    """In how many days a document of an urgency has to be done."""

    urgency = models.CharField(_("urgency"), max_length=7, choices=Urgency, unique=True)
    days = models.PositiveSmallIntegerField(_("days"))
    version = models.PositiveIntegerField(default=1, editable=False)

    objects = VisibleQuerySet.as_manager()

    class Meta:
        verbose_name = _("deadline by urgency")
        verbose_name_plural = _("deadlines by urgency")
        default_permissions = ("view", "change")
        ordering = ["-days"]

    def __str__(self) -> str:
        return str(capfirst(self.get_urgency_display()))


@tracked()
class DocumentClass(Master):
    """A class of official documents, such as notice, decision, request, reply."""

    class Meta(Master.Meta):
        verbose_name = _("document class")
        verbose_name_plural = _("document classes")


@tracked()
class UnitWord(Record):
    """What the number of a document begins with, such as 华辰发; each word counts by itself in every year (N-11)."""

    word = models.CharField(_("unit word"), max_length=30, unique=True)
    name = models.CharField(_("used for"), max_length=100, blank=True)
    heading = models.CharField(
        _("red head"), max_length=60, blank=True, help_text=_("Over the document; empty: the name of the company.")
    )
    active = models.BooleanField(_("active"), default=True)

    LIST_NAME: ClassVar[str] = "word"  # `name` says what it is used for, or nothing

    class Meta:
        verbose_name = _("unit word")
        verbose_name_plural = _("unit words")
        ordering = ["word"]

    def __str__(self) -> str:
        return self.word


@tracked()
class Clearance(Record):
    """Up to which secrecy a person reads official documents; without a row public ones only (N-10)."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="clearance", verbose_name=_("person")
    )
    level = models.PositiveSmallIntegerField(
        _("cleared up to"),
        choices=[choice for choice in Secrecy.choices if choice[0]],
        default=Secrecy.CONFIDENTIAL,
    )
    given_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, editable=False, related_name="+",
        verbose_name=_("given by"),
    )  # fmt: skip
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("clearance")
        verbose_name_plural = _("clearances")
        ordering = ["user"]
        constraints = [
            models.CheckConstraint(condition=Q(level__in=[1, 2]), name="clearance_level"),
            models.CheckConstraint(
                condition=Q(given_by=None) | ~Q(given_by=F("user")),
                name="clearance_by_another",
                violation_error_message=_("Nobody clears themselves."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} · {self.get_level_display()}"


def level_of(user: Any) -> int:
    """Up to which secrecy `user` reads; the system itself (None) reads all (one statement)."""
    if user is None:
        return Secrecy.SECRET
    return Clearance.objects.filter(user=user.pk).values_list("level", flat=True).first() or Secrecy.PUBLIC


def readable_by(user: Any, path: str = "secrecy") -> Q:
    """The condition that `user` is cleared for what stands at `path`, whatever else the person may do."""
    level = Clearance.objects.filter(user=user.pk).values("level")[:1]
    return Q(**{f"{path}__lte": Coalesce(models.Subquery(level), Secrecy.PUBLIC.value)})


def cleared(people: models.QuerySet[Any], secrecy: int) -> models.QuerySet[Any]:
    """Those of `people` who may read documents of `secrecy`."""
    return people if secrecy == Secrecy.PUBLIC else people.filter(clearance__level__gte=secrecy)
