"""One effect per submitted form (rule G-19, invariant I-31)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.utils.translation import gettext as _

from kit.values.errors import BusinessError
from oa.records.models import IdempotencyKey


def once(key: str, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]:
    """Run `effect` and remember its result under `key`, in one transaction: (result, is it a repeat).

    A repeat waits for the first one and gets its result; the same key for another command is refused.
    """
    try:
        uid = uuid.UUID(key)
    except ValueError:
        return effect(), False
    with transaction.atomic():
        row, fresh = IdempotencyKey.objects.get_or_create(key=uid, defaults={"user": user, "command": command[:100]})
        if not fresh:
            return _repeated(row, user, command), True
        result = effect()
        if isinstance(result, models.Model):
            row.effect, row.effect_id = result._meta.label_lower, result.pk
        row.answer = str(result)[:500]
        row.save(update_fields=["effect", "effect_id", "answer"])
        return result, False


def _repeated(row: IdempotencyKey, user: Any, command: str) -> Any:
    if row.user_id != user.pk or row.command != command[:100]:
        raise BusinessError(_("This form was sent already for something else. Reload the page."))
    if not row.effect:
        return None
    return apps.get_model(row.effect)._default_manager.get(pk=row.effect_id)
