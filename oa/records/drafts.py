"""Keeping unsaved input: the kit's `DraftMemory` in the database (UX 6.5.9)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import QueryDict
from django.utils import timezone

from kit.pages.drafts import Draft
from oa.records.models import FormDraft
from oa.records.models.drafts import LONGEST

KEPT = dt.timedelta(days=30)
MOST = 100  # drafts of one person; the oldest make room


class StoredDrafts:
    """`kit.pages.drafts.DraftMemory` over one table. Nobody else reads it, and nobody inherits it."""

    def recall(self, user: Any, form: str) -> Draft | None:
        """What `user` typed into `form` and did not save."""
        row = FormDraft.objects.filter(user=user.pk, form=form, saved_at__gt=timezone.now() - KEPT).first()
        return Draft(QueryDict(row.data), row.saved_at) if row is not None else None

    def keep(self, user: Any, form: str, data: QueryDict) -> bool:
        """Keep it in place of what was kept before; False where it is too long (two statements)."""
        text = data.urlencode().replace("%00", "")
        if len(text) > LONGEST:
            return False
        row = FormDraft(user_id=user.pk, form=form, data=text, saved_at=timezone.now())
        FormDraft.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=["user", "form"], update_fields=["data", "saved_at"]
        )
        mine = FormDraft.objects.filter(user=user.pk)
        FormDraft.objects.filter(pk__in=mine.order_by("-saved_at", "-pk").values("pk")[MOST:]).delete()
        return True

    def drop(self, user: Any, form: str) -> None:
        """Forget it."""
        FormDraft.objects.filter(user=user.pk, form=form).delete()


def forget_old_drafts() -> int:
    """Delete what nobody came back to; returns how many."""
    deleted, _details = FormDraft.objects.filter(saved_at__lte=timezone.now() - KEPT).delete()
    return deleted
