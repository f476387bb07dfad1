"""Who a text is for, and who has read it: abstract models for announcements and required reading (N-01, N-02)."""

from __future__ import annotations

from typing import Any

import pgtrigger
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from oa.records.guards import no_truncate

ADDRESS_ALL = "oa.address_everyone"  # who holds it may address the whole company


class Chosen(models.ManyToManyField):
    """A set whose members cannot be deleted: an audience that lost an exclusion would reach too many."""

    def contribute_to_class(self, cls: Any, name: str, **kwargs: Any) -> None:
        """Set up as usual, but protect the members instead of dropping them."""
        super().contribute_to_class(cls, name, **kwargs)
        if not cls._meta.abstract:
            through: Any = self.remote_field.through
            _owner, member = [field for field in through._meta.fields if field.is_relation]
            member.remote_field.on_delete = models.PROTECT

    def deconstruct(self) -> Any:
        """A set like any other for migrations: the protection is not in the database."""
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.ManyToManyField", args, kwargs


class Addressed(models.Model):
    """An audience as people think of it; `oa.records.audiences` resolves it into people (rule N-01)."""

    to_everyone = models.BooleanField(_("everyone"), default=False)
    to_departments = Chosen(
        "oa.Department",
        blank=True,
        related_name="+",
        verbose_name=_("departments"),
        help_text=_("With all departments below them."),
    )
    to_positions = Chosen("oa.Position", blank=True, related_name="+", verbose_name=_("positions"))
    to_roles = Chosen("oa.Role", blank=True, related_name="+", verbose_name=_("roles"))
    to_people = Chosen("oa.User", blank=True, related_name="+", verbose_name=_("people"))
    except_departments = Chosen(
        "oa.Department",
        blank=True,
        related_name="+",
        verbose_name=_("departments left out"),
        help_text=_("With all departments below them; the main post of a person counts."),
    )
    except_people = Chosen("oa.User", blank=True, related_name="+", verbose_name=_("people left out"))
    include_later = models.BooleanField(_("also people who join later"), default=False)

    class Meta:
        abstract = True


class Circulated(Addressed):
    """A text that is delivered to its audience, with a receipt for everybody (rules N-02 to N-04).

    `edition` counts its texts; `major_edition` is the one that receipts are for: a minor change keeps them.
    """

    must_confirm = models.BooleanField(_("must be confirmed"), default=False)
    remind_every = models.PositiveSmallIntegerField(
        _("remind every (hours)"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1), MaxValueValidator(720)],
        help_text=_("Empty: nobody is reminded by itself."),
    )
    remind_most = models.PositiveSmallIntegerField(
        _("reminders at most"), default=3, validators=[MinValueValidator(1), MaxValueValidator(20)]
    )
    edition = models.PositiveIntegerField(_("version"), default=1, editable=False)
    major_edition = models.PositiveIntegerField(default=1, editable=False)
    recipients = models.PositiveIntegerField(_("recipients"), default=0, editable=False)
    reminded_at = models.DateTimeField(_("reminded at"), null=True, editable=False)

    class Meta:
        abstract = True


class Device(models.TextChoices):
    DESK = "desk", pgettext_lazy("device", "desk")
    PHONE = "phone", pgettext_lazy("device", "phone")


def _evidence_lost() -> pgtrigger.Condition:
    """What a receipt never does: change its person or text, or undo a reading or a confirmation."""
    fixed = "(OLD.record_id, OLD.user_id, OLD.edition, OLD.delivered_at)"
    once = ("first_read_at", "confirmed_at", "superseded_at")
    undone = [f"OLD.{name} IS NOT NULL AND NEW.{name} IS DISTINCT FROM OLD.{name}" for name in once]
    undone += [f"NEW.{name} < OLD.{name}" for name in ("read_count", "reminders")]
    changes = " OR ".join([f"{fixed} IS DISTINCT FROM {fixed.replace('OLD', 'NEW')}", *undone])
    return pgtrigger.Condition(f"({changes})")


def receipt_guards() -> list[pgtrigger.Trigger]:
    """Receipts are evidence: they are not deleted, and what was read or confirmed stays so."""
    return [
        pgtrigger.Trigger(
            name="evidence_stays",
            when=pgtrigger.Before,
            operation=pgtrigger.Update,
            condition=_evidence_lost(),
            func="RAISE EXCEPTION 'What a person has read cannot be changed.' USING ERRCODE = '23001';",
        ),
        pgtrigger.Protect(name="no_delete", operation=pgtrigger.Delete),
        no_truncate(),
    ]


class Receipt(models.Model):
    """That a text was delivered to a person, and when it was read; a subclass adds the foreign key `record`.

    A major change of the text supersedes the receipts: the old ones stay for auditors, with their version.
    """

    record: Any
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", editable=False, verbose_name=_("person")
    )
    edition = models.PositiveIntegerField(_("version"), editable=False)
    delivered_at = models.DateTimeField(_("delivered at"), default=timezone.now, editable=False)
    first_read_at = models.DateTimeField(_("first read at"), null=True, editable=False)
    last_read_at = models.DateTimeField(_("last read at"), null=True, editable=False)
    read_count = models.PositiveIntegerField(_("times read"), default=0, editable=False)
    device = models.CharField(_("device"), max_length=5, choices=Device, blank=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed at"), null=True, editable=False)
    reminders = models.PositiveSmallIntegerField(_("reminders"), default=0, editable=False)
    reminded_at = models.DateTimeField(_("reminded at"), null=True, editable=False)
    superseded_at = models.DateTimeField(_("replaced at"), null=True, editable=False)

    class Meta:
        abstract = True
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["record", "user"], condition=Q(superseded_at=None), name="%(class)s_current"
            ),
            models.CheckConstraint(
                condition=Q(first_read_at=None, last_read_at=None, read_count=0, confirmed_at=None)
                | Q(read_count__gt=0, first_read_at__isnull=False, last_read_at__gte=F("first_read_at")),
                name="%(class)s_read",
            ),
        ]
        indexes = [
            models.Index(
                fields=["user", "record"],
                name="%(class)s_mine",
                condition=Q(superseded_at=None, first_read_at=None),
            ),
            models.Index(
                fields=["record", "user"],
                name="%(class)s_open",
                condition=Q(superseded_at=None, first_read_at=None),
            ),
        ]
