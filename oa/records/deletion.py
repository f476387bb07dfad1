"""What goes with a record that is deleted: its files, comments and notifications (invariant I-33)."""

from __future__ import annotations

from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.db import DEFAULT_DB_ALIAS, connection, models, transaction
from django.db.models.deletion import Collector
from django.utils.translation import gettext as _
from psycopg import sql

from kit.values.errors import BusinessError
from oa.records.models import Attachment, Comment, Notification

_HELD = sql.SQL("SELECT 1 FROM {table} WHERE {key} = %s FOR KEY SHARE")


def held(obj: models.Model) -> None:
    """Keep a record from being deleted until the transaction ends, for something is about to be hung on it (I-33).

    Others may change it meanwhile. Raises BusinessError where it is gone.
    """
    meta = obj._meta
    statement = _HELD.format(table=sql.Identifier(meta.db_table), key=sql.Identifier(str(meta.pk.column)))
    with connection.cursor() as cursor:
        cursor.execute(statement.as_string(), [obj.pk])
        if cursor.fetchone() is None:
            raise BusinessError(_("%s was deleted meanwhile.") % obj)


@transaction.atomic
def delete_record(obj: models.Model) -> None:
    """Delete a record with what hangs on it and on the rows that go with it; file contents go with the commit.

    Raises ProtectedError, and changes nothing, where the record is in use (rule G-24). Whoever is hanging something on
    it is waited for (see `held`).
    """
    list(type(obj)._base_manager.select_for_update(of=("self",)).filter(pk=obj.pk).values_list("pk"))
    for model, keys in _going(obj).items():
        on_record: dict[str, Any] = {"content_type": ContentType.objects.get_for_model(model), "object_id__in": keys}
        files = Attachment.objects.filter(**on_record)
        for file in files:
            transaction.on_commit(lambda file=file.file: file.storage.delete(file.name))
        files.delete()
        Comment.objects.filter(**on_record).delete()
        Notification.objects.filter(**on_record).delete()
    obj.delete()


def _going(obj: models.Model) -> dict[type[models.Model], set[Any]]:
    """Keys of all rows, by model, that are deleted with `obj`."""
    collector = Collector(using=DEFAULT_DB_ALIAS)
    collector.collect([obj])
    going = {model: {row.pk for row in rows} for model, rows in collector.data.items()}
    for rows in collector.fast_deletes:
        going.setdefault(rows.model, set()).update(rows.values_list("pk", flat=True))
    return going
