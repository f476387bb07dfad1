"""Handwritten signatures of people, kept beside what they decide and say (rules X-13, N-12)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any, Self

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from kit.rules.permissions import VisibleQuerySet
from oa.records.guards import append_only

# Functions of a person that give the rows with a `signature` which that person may see; sections add theirs.
standing_on: list[Callable[[Any], models.QuerySet[Any]]] = []


class SignatureQuerySet(VisibleQuerySet):
    """A signature is seen by its person, and by whoever may see something it stands on."""

    def visible_to(self, user: Any) -> Self:
        """One's own signatures, and those on what `user` may see."""
        seen = Q(user=user.pk)
        for rows in standing_on:
            seen |= Q(Exists(rows(user).filter(signature=OuterRef("pk"))))
        return self.filter(seen)


class PersonSignature(models.Model):
    """A signature as it was kept at a moment; what it stands on points to this row for ever."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name=_("person"))
    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    file = models.FileField(upload_to="signatures/%Y/%m/")
    size = models.PositiveBigIntegerField(_("size in bytes"))
    sha256 = models.CharField(max_length=64)
    made_at = models.DateTimeField(_("kept since"), default=timezone.now, editable=False)
    given_up_at = models.DateTimeField(_("used until"), null=True, editable=False)

    objects = SignatureQuerySet.as_manager()

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        default_permissions = ()
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(fields=["user"], condition=Q(given_up_at=None), name="signature_one_present")
        ]
        triggers = [
            *append_only("given_up_at"),
            pgtrigger.Protect(
                name="given_up_once",
                operation=pgtrigger.Update,
                condition=pgtrigger.Q(old__given_up_at__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{timezone.localtime(self.made_at):%Y-%m-%d %H:%M}"


def own_signature() -> pgtrigger.Trigger:
    """Guard of rows with `by` and `signature`: nobody signs with a foreign signature or with one that was given up."""
    return pgtrigger.Trigger(
        name="own_signature",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert,
        func="""
            IF NEW.signature_id IS NOT NULL AND NOT EXISTS (
                SELECT 1 FROM oa_personsignature s
                 WHERE s.id = NEW.signature_id AND s.user_id = NEW.by_id AND s.given_up_at IS NULL
            ) THEN
                RAISE EXCEPTION 'This is not the present signature of this person.' USING ERRCODE = '23514';
            END IF;
            RETURN NEW;
        """,
    )
