"""Delivery and reading of texts that are circulated; each step is a statement for any number of people (N-02, N-03)."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from typing import Any

from django.conf import settings
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone, translation

from kit.pages.views.shell import counts_anew
from oa.records.audiences import pairs_sql
from oa.records.models import Circulated, Receipt
from oa.records.models.audiences import Device

Model = type[Receipt]

_COLUMNS = "(record_id, user_id, edition, delivered_at, read_count, device, reminders)"
_COUNTED = """
, counted AS (
    UPDATE {records} r SET recipients = {before} m.n FROM (SELECT record_id, count(*) AS n FROM made GROUP BY 1) m
     WHERE r.id = m.record_id RETURNING r.id
)
SELECT (SELECT count(*) FROM made), (SELECT count(*) FROM counted)
"""
# The audience is resolved now; who has a receipt for the present text keeps it.
_DELIVER = """
WITH made AS (
    INSERT INTO {receipts} {columns}
    SELECT p.record_id, p.user_id, r.major_edition, %s, 0, '', 0 FROM ({pairs}) p JOIN {records} r ON r.id = p.record_id
     WHERE NOT EXISTS (SELECT 1 FROM {receipts} x WHERE x.record_id = p.record_id AND x.user_id = p.user_id
                          AND x.superseded_at IS NULL)
    ON CONFLICT DO NOTHING RETURNING record_id
)
"""
_BOTH = "SELECT m.record_id, m.user_id FROM ({pairs}) m WHERE (m.record_id, m.user_id) IN ({seen_by})"
_RETRACT = """
WITH gone AS (
    UPDATE {receipts} x SET superseded_at = %s
     WHERE x.record_id = %s AND x.superseded_at IS NULL AND x.first_read_at IS NULL
       AND (x.record_id, x.user_id) NOT IN (SELECT m.record_id, m.user_id FROM ({pairs}) m)
    RETURNING x.id
)
UPDATE {records} SET recipients = recipients - (SELECT count(*) FROM gone) WHERE id = %s
"""
_RENEW = """
WITH old AS (
    UPDATE {receipts} SET superseded_at = %s WHERE record_id = %s AND superseded_at IS NULL RETURNING user_id
), made AS (
    INSERT INTO {receipts} {columns}
    SELECT %s, o.user_id, %s, %s, 0, '', 0 FROM old o JOIN oa_user u ON u.id = o.user_id AND u.is_active
    RETURNING record_id
)
"""
# Everybody who may read such records still, in their own language; `{title}` and `{key}` are those of the record.
_TELL = """
INSERT INTO oa_notification (user_id, text, url, content_type_id, object_id, created_at)
SELECT t.user_id, left(replace(w.text, '{{title}}', r.title), 300), replace(%s, '{{key}}', r.id::text), %s, r.id, %s
  FROM ({people}) t JOIN {records} r ON r.id = t.record_id
  JOIN oa_user u ON u.id = t.user_id AND u.is_active AND (u.is_superuser OR EXISTS (
        SELECT 1 FROM oa_user_groups g JOIN auth_group_permissions p ON p.group_id = g.group_id
          JOIN auth_permission x ON x.id = p.permission_id
         WHERE g.user_id = u.id AND x.content_type_id = {kind} AND x.codename = '{right}'))
  JOIN (VALUES {texts}) w(language, text)
    ON w.language = CASE WHEN u.language = ANY(%s) THEN u.language ELSE %s END
"""
_REMIND = """
WITH due AS (
    UPDATE {receipts} x SET reminders = x.reminders + 1, reminded_at = %s
      FROM {records} r WHERE r.id = x.record_id AND r.id = ANY(%s) AND x.superseded_at IS NULL
       AND (x.first_read_at IS NULL OR r.must_confirm AND x.confirmed_at IS NULL) AND ({when}) AND {seen}
    RETURNING x.record_id, x.user_id
)
"""
# By itself: every n hours, m times at most, whoever reminded before.
_BY_ITSELF = """
x.reminders < r.remind_most
AND coalesce(x.reminded_at, x.delivered_at) + make_interval(hours => r.remind_every) <= %s
"""


def current(model: Model, record: Circulated | None = None) -> QuerySet[Any]:
    """Receipts for present texts: of all records or of one."""
    rows = model._default_manager.filter(superseded_at=None)
    return rows if record is None else rows.filter(record=record.pk)


def open_for(user: Any) -> Q:
    """Receipts of `user` that something is left to do for: to read, or to confirm."""
    return Q(user=user.pk, superseded_at=None) & (
        Q(first_read_at=None) | Q(record__must_confirm=True, confirmed_at=None)
    )


def deliver(model: Model, keys: Collection[int], at: dt.datetime, *, seen_by: str = "") -> int:
    """Make receipts for everybody whom the records `keys` address and who has none yet; returns how many.

    `seen_by`: a SELECT of (record, user) pairs, where not everybody who is addressed may see a record.
    """
    if not keys:
        return 0
    records = _records(model)
    pairs = pairs_sql(records, keys)
    if seen_by:
        pairs = _BOTH.format(pairs=pairs, seen_by=seen_by)
    return _run(model, _DELIVER, [at], before="r.recipients +", pairs=pairs)


def renew(model: Model, record: Circulated, at: dt.datetime) -> int:
    """Replace the receipts of a record by unread ones for its present text; old ones stay, with their version."""
    return _run(model, _RENEW, [at, record.pk, record.pk, record.major_edition, at], before="")


def replace(model: Model, record: Circulated, at: dt.datetime, *, seen_by: str = "") -> int:
    """Ask everybody anew whom `record` addresses now; the receipts there are stay, as replaced ones."""
    current(model, record).update(superseded_at=at)
    type(record)._default_manager.filter(pk=record.pk).update(recipients=0)
    return deliver(model, [record.pk], at, seen_by=seen_by)


def retract(model: Model, record: Circulated, at: dt.datetime, *, seen_by: str = "") -> None:
    """Ask nobody any more who has not read `record` and is not meant by now (one statement)."""
    pairs = pairs_sql(type(record), [record.pk])
    if seen_by:
        pairs = _BOTH.format(pairs=pairs, seen_by=seen_by)
    with connection.cursor() as cursor:
        cursor.execute(
            _RETRACT.format(receipts=model._meta.db_table, records=_records(model)._meta.db_table, pairs=pairs),
            [at, record.pk, record.pk],
        )


def tell(receipts: QuerySet[Any], text: Any, url: str, *, at: dt.datetime) -> int:
    """Notify the people of `receipts`; `{title}` in the lazy `text` and `{key}` in `url` are those of the record."""
    sql, params = receipts.order_by().values("record_id", "user_id").query.sql_with_params()
    insert, more, between = _tell_sql(receipts.model, sql, text, url, at)
    with connection.cursor() as cursor:
        cursor.execute(insert, [*more, *params, *between])
        return cursor.rowcount


def remind(
    model: Model, keys: Collection[int], text: Any, url: str, *, by_itself: bool = False, seen_by: str = ""
) -> int:
    """Remind who has not read (or confirmed) yet, in one statement that has its effect once; returns how many.

    `seen_by`: a SELECT of (record, user) pairs, where who was asked may not see a record any more.
    """
    now = timezone.now()
    insert, more, between = _tell_sql(model, "SELECT record_id, user_id FROM due", text, url, now)
    update = _REMIND.format(
        receipts=model._meta.db_table,
        records=_records(model)._meta.db_table,
        when=_BY_ITSELF if by_itself else "TRUE",
        seen=f"(x.record_id, x.user_id) IN ({seen_by})" if seen_by else "TRUE",
    )
    with connection.cursor() as cursor:
        cursor.execute(update + insert, [now, list(keys), *([now] if by_itself else []), *more, *between])
        return cursor.rowcount


def note_seen(model: Model, record: Circulated, user: Any, device: str, **which: Any) -> bool:
    """The body was displayed to `user`: read now, once more (N-02). False for who is no recipient.

    `which` narrows the receipts, to those for a text that is not newer than the one that was displayed.
    """
    now = timezone.now()
    counts_anew(user.pk)
    changed = (
        current(model, record)
        .filter(user=user.pk, **which)
        .update(
            first_read_at=Coalesce("first_read_at", now),
            last_read_at=Greatest("first_read_at", "last_read_at", now),
            read_count=F("read_count") + 1,
            device=device,
        )
    )
    return bool(changed)


def note_confirmed(model: Model, record: Circulated, user: Any, device: str, **which: Any) -> bool:
    """`user` confirms to have read, once; who confirms has read. False for who is no recipient."""
    now = timezone.now()
    mine = current(model, record).filter(user=user.pk, **which)
    unread = mine.filter(first_read_at=None).update(
        first_read_at=now, last_read_at=now, read_count=1, device=device, confirmed_at=now
    )
    return bool(unread or mine.update(confirmed_at=Coalesce("confirmed_at", now)))


def device_of(user_agent: str) -> str:
    """Where a browser runs, in one word."""
    return Device.PHONE if "Mobi" in user_agent or "Android" in user_agent else Device.DESK


def _records(model: Model) -> type[Circulated]:
    found: Any = model._meta.get_field("record").related_model
    return found


def _run(model: Model, statement: str, params: list[Any], **parts: str) -> int:
    sql = (statement + _COUNTED).format(
        receipts=model._meta.db_table, records=_records(model)._meta.db_table, columns=_COLUMNS, **parts
    )
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return int(cursor.fetchone()[0])


def _tell_sql(model: Model, people: str, text: Any, url: str, at: dt.datetime) -> tuple[str, list[Any], list[Any]]:
    """The INSERT of notifications for the people of a SELECT; parameters before and after those of the SELECT."""
    records = _records(model)
    texts = []
    for code, _name in settings.LANGUAGES:
        with translation.override(code):
            texts.append((code, str(text)))
    kind = ContentType.objects.get_for_model(records)
    sql = _TELL.format(
        people=people,
        records=records._meta.db_table,
        kind=kind.pk,
        right=f"view_{records._meta.model_name}",
        texts=", ".join(["(%s::text, %s::text)"] * len(texts)),
    )
    spoken = [code for code, _text in texts]
    here = translation.get_language()  # as `notify` does for who chose none
    default = here if here in spoken else settings.LANGUAGE_CODE
    return sql, [url, kind.pk, at], [*(part for pair in texts for part in pair), spoken, default]
