"""Messages to people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db.models import Model
from django.utils import timezone, translation
from django.utils.translation import gettext as _

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


def as_seen_by(person: Any, rows: Iterable[Notification]) -> list[Notification]:
    """Messages as `person` may read them now: of a record that is out of sight since, not a word (rule G-21).

    One statement for each kind of record.
    """
    found = list(rows)
    about: dict[int, set[int]] = defaultdict(set)
    for row in found:
        if row.content_type_id is not None and row.object_id is not None:
            about[row.content_type_id].add(row.object_id)
    seen = {kind: _seen(person, kind, keys) for kind, keys in about.items()}
    for row in found:
        if row.object_id not in seen.get(row.content_type_id or 0, {row.object_id}):
            row.text, row.url = _("About something that you do not see any more."), ""
    return found


def _seen(person: Any, kind: int, keys: set[int]) -> set[int]:
    manager: Any = getattr(ContentType.objects.get_for_id(kind).model_class(), "_default_manager", None)
    if not hasattr(manager, "visible_to"):
        return keys
    return set(manager.visible_to(person).filter(pk__in=keys).values_list("pk", flat=True))


def mark_read(person: Any, keys: Iterable[int] | None = None) -> int:
    """Mark messages of a person as read, all of them without `keys`; returns how many were unread."""
    rows = Notification.objects.filter(user=person, read_at=None)
    if keys is not None:
        rows = rows.filter(pk__in=list(keys))
    return rows.update(read_at=timezone.now())
