"""One effect per submitted form (rule G-19)."""

from __future__ import annotations

import datetime as dt
import uuid

import pghistory
import pytest
from django.db import OperationalError, connection
from django.utils import timezone
from pghistory.models import Context

from crm.customers.models import Customer, Tag
from crm.customers.services import save_customer
from kit.values.errors import BusinessError
from oa.records.commands import command
from oa.records.idempotency import forget_old_keys, once
from oa.records.models import IdempotencyKey
from tests import factories as make
from tests.invariants import assert_books, broken

pytestmark = pytest.mark.django_db


def test_a_repeat_gets_the_first_record_and_has_no_effect() -> None:
    """G-19: the form sent twice makes one customer."""
    user, key = make.make_user(), str(uuid.uuid4())

    def effect() -> Customer:
        return save_customer(Customer(name="Mingrui"), by=user)

    first, repeated = once(key, user, "customer.save", effect)
    assert not repeated
    again, repeated = once(key, user, "customer.save", effect)
    assert (again, repeated, Customer.objects.count()) == (first, True, 1)
    assert_books(["I-31"])


def test_an_answer_without_a_record_is_repeated_in_words() -> None:
    """An effect that returns text or nothing is remembered too."""
    user, key, silent = make.make_user(), str(uuid.uuid4()), str(uuid.uuid4())
    calls: list[str] = []
    assert once(key, user, "x", lambda: calls.append("x") or "3 rows") == ("3 rows", False)  # type: ignore[func-returns-value]
    assert once(key, user, "x", lambda: calls.append("x") or "4 rows") == ("3 rows", True)  # type: ignore[func-returns-value]
    assert once(silent, user, "x", lambda: None) == (None, False)
    assert once(silent, user, "x", lambda: 1) == (None, True)
    assert calls == ["x"]


def test_a_refused_effect_leaves_no_key_and_can_be_sent_again() -> None:
    """The corrected form carries the same key."""
    user, key = make.make_user(), str(uuid.uuid4())

    def refused() -> None:
        Tag.objects.create(code="gone", name="gone")
        raise BusinessError("no")

    with pytest.raises(BusinessError):
        once(key, user, "x", refused)
    assert not IdempotencyKey.objects.exists() and not Tag.objects.exists()
    assert once(key, user, "x", lambda: "yes") == ("yes", False)


def test_a_key_belongs_to_one_person_and_one_command() -> None:
    """Nobody gets another one's answer by guessing a key."""
    user, other, key = make.make_user(), make.make_user(), str(uuid.uuid4())
    once(key, user, "x", lambda: "secret")
    for person, name in ((other, "x"), (user, "y")):
        with pytest.raises(BusinessError, match="something else"):
            once(key, person, name, lambda: "mine")


def test_without_a_key_every_call_has_its_effect() -> None:
    """Calls that come from no form are not remembered."""
    user = make.make_user()
    for wrong in ("", "no-uuid"):
        assert once(wrong, user, "x", lambda: "done") == ("done", False)
    assert not IdempotencyKey.objects.exists()


def test_a_deleted_record_is_named_in_the_repeat() -> None:
    """What the first submit made was deleted since."""
    user, key = make.make_user(), str(uuid.uuid4())
    made, _repeated = once(key, user, "x", lambda: Tag.objects.create(code="vip", name="VIP"))
    made.delete()
    with pytest.raises(BusinessError, match="VIP was deleted meanwhile"):
        once(key, user, "x", lambda: None)


def test_rows_held_by_others_are_told_in_words() -> None:
    """G-19: a deadlock or a lock that does not come is no error page; anything else stays one."""
    user = make.make_user()

    def fail_with(state: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"DO $$ BEGIN RAISE EXCEPTION 'held' USING ERRCODE = '{state}'; END $$")

    for state in ("40P01", "40001", "55P03"):
        with pytest.raises(BusinessError, match="Try again"):
            once(str(uuid.uuid4()), user, "x", lambda state=state: fail_with(state))  # type: ignore[misc]
    with pytest.raises(OperationalError):
        once("", user, "x", lambda: fail_with("53100"))


def test_what_a_form_changed_names_the_form() -> None:
    """I-31, the other way: an effect in the history has its key, and one that lost it is found."""
    user, customer, key = make.make_user(), make.make_customer(), str(uuid.uuid4())

    def rename() -> Customer:
        customer.name = "Mingrui"
        customer.save()
        return customer

    with pghistory.context(user=user.pk, url="/"):  # as in a request
        once(key, user, "customer.save", rename)
    context = Context.objects.get()
    assert context.metadata == {"user": user.pk, "url": "/", "submit": key}
    assert_books(["I-31"])
    IdempotencyKey.objects.all().delete()
    assert list(broken(["I-31"])) == ["I-31"]
    Context.objects.update(created_at=timezone.now() - dt.timedelta(days=30))
    assert_books(["I-31"])  # keys are kept as long as a form may stay open


def test_what_a_request_does_after_a_refusal_is_no_effect_of_its_form() -> None:
    """I-31: the form may be sent again."""
    user, customer = make.make_user(), make.make_customer()

    def fail() -> None:
        raise BusinessError("no")

    with pghistory.context(user=user.pk, url="/"):
        with pytest.raises(BusinessError):
            once(str(uuid.uuid4()), user, "customer.save", fail)
        Customer.objects.filter(pk=customer.pk).update(name="Mingrui")
    assert Context.objects.get().metadata["submit"] == ""
    assert_books(["I-31"])


def test_old_keys_are_forgotten() -> None:
    """Keys live longer than any form stays open, not for ever."""
    user = make.make_user()
    for _ in range(3):
        once(str(uuid.uuid4()), user, "x", lambda: None)
    old = IdempotencyKey.objects.first()
    IdempotencyKey.objects.filter(pk=old.pk).update(created_at=old.created_at - dt.timedelta(days=31))
    assert forget_old_keys() == 1 and IdempotencyKey.objects.count() == 2


def test_a_refused_command_leaves_no_trace_on_the_record() -> None:
    """Key, version and number of a record that was rolled back are what they were before."""

    @command
    def save(tag: Tag, fail: bool) -> Tag:
        tag.version += 1
        tag.save()
        if fail:
            raise BusinessError("no")
        return tag

    tag = Tag(code="vip", name="VIP")
    with pytest.raises(BusinessError):
        save(tag, True)
    assert (tag.pk, tag.version, tag._state.adding) == (None, 1, True)
    assert save(tag, False).pk == tag.pk
    with pytest.raises(BusinessError):
        save(tag, True)
    assert (tag.version, Tag.objects.get().version, tag._state.adding) == (2, 2, False)
