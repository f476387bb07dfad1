"""Messages to people."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import transaction
from django.db.models import Model
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from kit.pages.resources import url_of
from kit.pages.views.shell import counts_anew
from oa.organisation.models import User
from oa.organisation.models.people import NoticeMails
from oa.organisation.zones import next_at, zone_of
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
    counts_anew(*(person.pk for person in people))
    return Notification.objects.bulk_create(
        [addressed(person, text, url, kind, record.pk if record is not None else None) for person in people]
    )


def addressed(person: Any, text: Any, url: str, kind: ContentType | None, key: int | None) -> Notification:
    """A message to `person` that is not stored yet, in that person's language."""
    with translation.override(person.language or translation.get_language()):
        return Notification(
            user=person,
            text=str(text)[:300],
            url=url[:300],
            content_type=kind,
            object_id=key,
            mail_due=mail_due(person, timezone.now()),
        )


def mail_due(person: Any, now: dt.datetime) -> dt.datetime | None:
    """When a message of `now` goes to `person` by mail: at once, at the time of the daily mail, or never (X-12)."""
    if not person.email or person.notice_mails == NoticeMails.NONE:
        return None
    return now if person.notice_mails == NoticeMails.EACH else next_at(person.digest_at, zone_of(person), now)


@transaction.atomic
def choose_mails(person: User, mails: str, digest_at: dt.time | None = None) -> User:
    """How `person` gets messages by mail from now on; those that wait follow at once."""
    person = User.objects.select_for_update(no_key=True).get(pk=person.pk)
    person.notice_mails = NoticeMails(mails)
    person.digest_at = digest_at or person.digest_at
    person.save(update_fields=["notice_mails", "digest_at"])
    waiting = Notification.objects.filter(user=person, mail_due__isnull=False)
    waiting.update(mail_due=mail_due(person, timezone.now()))
    return person


def may_see(person: Any, record: Model) -> bool:
    """Whether a person may see a record: the same rule as lists and pages."""
    rows: Any = type(record)._default_manager.all()
    return bool(rows.visible_to(person).filter(pk=record.pk).exists())


def mark_answered(keys: Iterable[int], record: Model) -> int:
    """What the people `keys` were told of `record` needs no attention any more; returns how many were unread."""
    kind, keys = ContentType.objects.get_for_model(record), list(keys)
    counts_anew(*keys)
    rows = Notification.objects.filter(user__in=keys, content_type=kind, object_id=record.pk, read_at=None)
    return rows.update(read_at=timezone.now())


def visible_to(person: Any, rows: Iterable[Notification]) -> list[Notification]:
    """Messages about what `person` may see now, and those about no record (rule G-21).

    One statement for each kind of record.
    """
    found = list(rows)
    about: dict[int, set[int]] = defaultdict(set)
    for row in found:
        if row.content_type_id is not None and row.object_id is not None:
            about[row.content_type_id].add(row.object_id)
    seen = {(kind, key) for kind, keys in about.items() for key in _seen(person, kind, keys)}
    return [row for row in found if row.content_type_id is None or (row.content_type_id, row.object_id) in seen]


def as_seen_by(person: Any, rows: Iterable[Notification]) -> list[Notification]:
    """Messages as `person` may read them now: of a record that is out of sight since, not a word (rule G-21)."""
    found = list(rows)
    seen = {row.pk for row in visible_to(person, found)}
    for row in found:
        if row.pk not in seen:
            row.text, row.url = _("About something that you do not see any more."), ""
    return found


def _seen(person: Any, kind: int, keys: set[int]) -> set[int]:
    manager: Any = getattr(ContentType.objects.get_for_id(kind).model_class(), "_default_manager", None)
    if not hasattr(manager, "visible_to"):
        return set()
    return set(manager.visible_to(person).filter(pk__in=keys).values_list("pk", flat=True))


def mark_read(person: Any, keys: Iterable[int] | None = None) -> int:
    """Mark messages of a person as read, all of them without `keys`; returns how many were unread."""
    rows = Notification.objects.filter(user=person, read_at=None)
    if keys is not None:
        rows = rows.filter(pk__in=list(keys))
    counts_anew(person.pk)
    return rows.update(read_at=timezone.now())
