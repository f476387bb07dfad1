"""Messages to people."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone, translation

from kit.pages.resources import url_of
from oa.records.models import Notification


def notify(
    people: Iterable[Any], text: Any, *, record: Model | None = None, url: str = "", involved: bool = False
) -> list[Notification]:
    """Tell `people` something, each in their own language (`text` may be lazy), in one statement.

    With a `record`, only those who may see it are told (rule G-21): one statement a person, unless the caller knows
    that they are `involved` and therefore see it.
    """
    people = list({person.pk: person for person in people if person.is_active}.values())
    if record is not None and not involved:
        people = [person for person in people if may_see(person, record)]
    url = url or (url_of(record) if record is not None else "")
    kind = ContentType.objects.get_for_model(record) if record is not None else None
    rows = []
    for person in people:
        with translation.override(person.language or translation.get_language()):
            rows.append(
                Notification(
                    user=person,
                    text=str(text)[:300],
                    url=url[:300],
                    content_type=kind,
                    object_id=record.pk if record is not None else None,
                )
            )
    return Notification.objects.bulk_create(rows)


def may_see(person: Any, record: Model) -> bool:
    """Whether a person may see a record: the same rule as lists and pages."""
    rows: Any = type(record)._default_manager.all()
    return bool(rows.visible_to(person).filter(pk=record.pk).exists())


def mark_read(person: Any, keys: Iterable[int] | None = None) -> int:
    """Mark messages of a person as read, all of them without `keys`; returns how many were unread."""
    rows = Notification.objects.filter(user=person, read_at=None)
    if keys is not None:
        rows = rows.filter(pk__in=list(keys))
    return rows.update(read_at=timezone.now())
