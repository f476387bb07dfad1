"""One effect per submitted form (rule G-19, invariant I-31)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import pghistory
from django.apps import apps
from django.db import OperationalError, connection, models, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from kit.rules.prepared import Prepared
from kit.values.errors import BusinessError
from oa.records.models import IdempotencyKey

KEPT = dt.timedelta(days=30)  # longer than any form stays open

# Two people at the same rows: a deadlock, a serialisation failure, or a lock that did not come in time.
BUSY = {"40001", "40P01", "55P03"}

_effects: ContextVar[set[uuid.UUID] | None] = ContextVar("effects", default=None)

_TAKE = """
INSERT INTO oa_idempotencykey (key, user_id, command, effect, answer, created_at)
VALUES (%s, %s, %s, '', '', now()) ON CONFLICT (key) DO NOTHING
"""


def once(key: str, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]:
    """Run `effect` and remember its result under `key`, in one transaction: (result, is it a repeat).

    A repeat waits for the first one and gets its record, or what its answer says in words. An effect that
    fails leaves no key. Without a key in `key` nothing is remembered. Raises BusinessError when the key was
    used for another command or by another person, and when others hold the same rows for too long.
    """
    if (uid := _uuid(key)) is None:
        return _undisturbed(effect), False
    pghistory.context(submit=str(uid))  # in a request: its history rows name the form they come from (I-31)
    try:
        return _undisturbed(lambda: _once(uid, user, command[:100], effect))
    except BaseException:
        pghistory.context(submit="")  # what the request still does is no effect of the form
        raise


def _once(key: uuid.UUID, user: Any, command: str, effect: Callable[[], Any]) -> tuple[Any, bool]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, [key, user.pk, command])  # waits while another one holds the same key
            fresh = cursor.rowcount == 1
        if not fresh:
            return _repeated(IdempotencyKey.objects.get(pk=key), user, command), True
        result = effect()
        answer = {"answer": "" if result is None else str(result)[:500]}
        if isinstance(result, models.Model):
            answer |= {"effect": result._meta.label_lower, "effect_id": result.pk}
        IdempotencyKey.objects.filter(pk=key).update(**answer)
        if (noted := _effects.get()) is not None:
            noted.add(key)
        return result, False


def _repeated(row: IdempotencyKey, user: Any, command: str) -> Any:
    if row.user_id != user.pk or row.command != command:
        raise BusinessError(_("This form was sent already for something else. Reload the page."))
    if not row.effect:
        return row.answer or None
    record = apps.get_model(row.effect)._default_manager.filter(pk=row.effect_id).first()
    if record is None:
        raise BusinessError(_("%s was deleted meanwhile.") % row.answer)
    return record


def earlier(key: str, user: Any, command: str) -> Any:
    """The record that this very form made before, None when it was not sent yet (no validation needed again)."""
    if (uid := _uuid(key)) is None:
        return None
    row = IdempotencyKey.objects.filter(pk=uid, user=user, command=command[:100]).first()
    return _repeated(row, user, command[:100]) if row is not None and row.effect else None


@contextmanager
def noting_effects() -> Iterator[set[uuid.UUID]]:
    """The keys of the forms that have their effect in here."""
    noted: set[uuid.UUID] = set()
    token = _effects.set(noted)
    try:
        yield noted
    finally:
        _effects.reset(token)


def place_of(key: str, user: Any, path: str) -> str:
    """Where this very form led when it was sent to `path` before, an empty string when it was not."""
    if (uid := _uuid(key)) is None:
        return ""
    return next((place for (place,) in _places.rows(key=uid, user=user.pk, path=path)), "")


def _led(key: uuid.UUID, user: int, path: str) -> QuerySet[Any, Any]:
    return IdempotencyKey.objects.filter(pk=key, user=user, path=path).values_list("led_to")


_places = Prepared(_led, key=uuid.UUID(int=7_310_001), user=-7_310_002, path="-7310003")


def remember_place(key: str, user: Any, path: str, place: str) -> None:
    """Keep where a form led that had its effect."""
    if (uid := _uuid(key)) is not None and len(path) <= 200 and len(place) <= 500:
        IdempotencyKey.objects.filter(pk=uid, user=user, path="").update(path=path, led_to=place)


def _uuid(key: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(str(key))
    except ValueError:
        return None


def _undisturbed(effect: Callable[[], Any]) -> Any:
    """Tell a person in words when others hold the same rows; nothing was changed, the form can be sent again."""
    try:
        return effect()
    except OperationalError as error:
        if getattr(error.__cause__, "sqlstate", "") not in BUSY:
            raise
        raise BusinessError(_("Somebody is working on the same records at this moment. Try again.")) from error


def forget_old_keys() -> int:
    """Delete keys that no open form can send any more; returns how many."""
    deleted, _details = IdempotencyKey.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted
