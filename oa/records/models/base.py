"""Abstract models: record, master and document."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from kit.rules.days import business_day
from kit.rules.permissions import VisibleQuerySet, scoped
from kit.rules.states import StateTable


class Record(models.Model):
    """Anything people open on a page of its own. `version` guards against lost updates (rule G-19)."""

    version = models.PositiveIntegerField(default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("changed at"), auto_now=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )

    objects = VisibleQuerySet.as_manager()

    class Meta:
        abstract = True


class Master(Record):
    """A master record with a code, archived and never deleted once it is in use (rule G-24)."""

    code = models.CharField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=200)
    name_zh = models.CharField(_("Chinese name"), max_length=200, blank=True)
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        abstract = True
        ordering = ["code"]

    def __str__(self) -> str:
        chinese = (get_language() or "").startswith("zh") and self.name_zh
        return str(chinese or self.name)


class Document(Record):
    """A business document: one life-cycle state from a table, a number once it is issued (rule G-01)."""

    STATES: ClassVar[StateTable]
    SEQUENCE: ClassVar[str] = ""  # key of the number sequence

    number = models.CharField(_("number"), max_length=40, null=True, unique=True, editable=False)
    date = models.DateField(_("date"), default=business_day)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("owner")
    )
    department = models.ForeignKey(
        "oa.Department", models.PROTECT, null=True, blank=True, related_name="+", verbose_name=_("department")
    )
    note = models.TextField(_("note"), blank=True)

    objects = scoped("").as_manager()

    class Meta:
        abstract = True
        ordering = ["-date", "-id"]

    def __str__(self) -> str:
        return self.number or f"{self._meta.verbose_name} ({_('draft')} {self.pk or ''})".replace(" )", ")")

    @classmethod
    def state_field(cls, table: StateTable) -> Any:
        """The column for the life-cycle state of `table`."""
        return models.CharField(_("state"), max_length=12, choices=table.choices, default=table.initial, editable=False)

    @property
    def url_key(self) -> str:
        """What stands for the document in a URL: its number, or `d-<id>` while it has none."""
        return self.number or f"d-{self.pk}"


class TitledDocument(Document):
    """A document that people call by its title; the number stands before it once it is issued."""

    title = models.CharField(_("title"), max_length=200)

    class Meta:
        abstract = True
        ordering = ["-date", "-id"]

    def __str__(self) -> str:
        return f"{self.number} {self.title}" if self.number else self.title


class PostedDocument(Document):
    """A document that writes ledgers when it is posted, and is corrected by a reversal (rules G-02 to G-04)."""

    posted_at = models.DateTimeField(_("posted at"), null=True, editable=False)
    posted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.PROTECT,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("posted by"),
    )
    reversal_of = models.OneToOneField(
        "self", models.PROTECT, null=True, editable=False, related_name="reversal", verbose_name=_("reversal of")
    )

    class Meta:
        abstract = True
        ordering = ["-date", "-id"]
