"""Messages about tasks and meetings to many people, in a number of statements that does not grow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model, Q, QuerySet

from kit.pages.resources import url_of
from oa.organisation.models import User
from oa.records.models import Notification
from oa.records.notifications import addressed

Message = tuple[int, Any, Model]  # key of the person, text (may be lazy), record


def readers(keys: Iterable[int | None], model: type[Model]) -> QuerySet[User]:
    """Those of the people `keys` who are active and may see records of `model` at all."""
    meta = model._meta
    wanted = {key for key in keys if key is not None}
    holds = Q(
        groups__permissions__codename=f"view_{meta.model_name}",
        groups__permissions__content_type__app_label=meta.app_label,
    )
    return User.objects.filter(Q(is_superuser=True) | holds, pk__in=wanted, is_active=True).distinct()


def tell(messages: Sequence[Message]) -> list[Notification]:
    """Tell people who take part in the records, each in their own language (rule G-21: only who may read them)."""
    if not messages:
        return []
    model = type(messages[0][2])
    people = {person.pk: person for person in readers((key for key, _text, _record in messages), model)}
    kind = ContentType.objects.get_for_model(model)
    rows = []
    for key, text, record in messages:
        if (person := people.get(key)) is None:
            continue
        rows.append(addressed(person, text, url_of(record), kind, record.pk))
    return Notification.objects.bulk_create(rows)
