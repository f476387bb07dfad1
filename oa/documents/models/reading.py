"""Receipts of required reading (spec office 5.8.2, rule N-02)."""

from __future__ import annotations

from typing import Any, Self

import pgtrigger
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from kit.rules.permissions import VisibleQuerySet
from oa.documents.models.documents import LibraryDocument
from oa.documents.models.rights import ADMINISTER, MANAGE, VIEW, folders_with
from oa.records.models import Receipt
from oa.records.models.audiences import receipt_guards


def _kept() -> list[pgtrigger.Trigger]:
    """Receipts are evidence; like the versions they go with a document from the bin only."""
    body = """
        IF EXISTS (SELECT 1 FROM oa_librarydocument d WHERE d.id = OLD.record_id AND d.deleted_at IS NULL) THEN
            RAISE EXCEPTION 'Who has read a document is kept with it.' USING ERRCODE = '23001';
        END IF;
        RETURN OLD;
    """
    guards = [guard for guard in receipt_guards() if guard.name != "no_delete"]
    return [*guards, pgtrigger.Trigger(name="kept", when=pgtrigger.Before, operation=pgtrigger.Delete, func=body)]


class ReadingReceipt(Receipt):
    """That a person was asked to read a document, and when that was done; `edition` is the number of the version."""

    record = models.ForeignKey(
        LibraryDocument, models.CASCADE, related_name="receipts", editable=False, verbose_name=_("document")
    )

    class Rows(VisibleQuerySet):
        def visible_to(self, user: Any) -> Self:
            """Own ones, and those of documents that a person owns or manages; replaced ones for administrators."""
            rows = super().visible_to(user)
            managed = Q(record__folder__in=folders_with(user, MANAGE))
            owned = Q(record__owner=user.pk, record__folder__in=folders_with(user, VIEW))
            rows = rows.filter(managed | owned | Q(user=user.pk), record__deleted_at=None)
            return rows if user.has_perm(ADMINISTER) else rows.filter(superseded_at=None)

    objects = Rows.as_manager()

    class Meta(Receipt.Meta):
        verbose_name = _("reader of a document")
        verbose_name_plural = _("readers of documents")
        default_permissions = ("view",)
        triggers = _kept()

    def __str__(self) -> str:
        return f"{self.record} · {self.user}"
