"""Somebody hangs a file or a note on a record while somebody else deletes it (I-33, G-24)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection, transaction

from crm.customers.models import Customer
from kit.values.errors import BusinessError
from oa.organisation.models import User
from oa.records import attachments, comments
from oa.records.attachments import store_attachments
from oa.records.comments import add_comment
from oa.records.deletion import delete_record
from oa.records.models import Attachment, Comment
from tests import factories as make
from tests.invariants import broken

pytestmark = [pytest.mark.concurrency, pytest.mark.django_db(transaction=True)]

HANGING: dict[str, Callable[[Customer, User], Any]] = {
    "file": lambda customer, by: store_attachments(customer, [ContentFile(b"words", name="a.txt")], by=by),
    "note": lambda customer, by: add_comment(customer, "words", by=by),
}


def meanwhile(first: Callable[[], Any], second: Callable[[], Any]) -> Exception | None:
    """Run `second` on a connection of its own while `first` has run and is not committed; what `second` raised."""
    raised: list[Exception] = []

    def run() -> None:
        try:
            second()
        except Exception as error:
            raised.append(error)
        finally:
            connection.close()

    other = threading.Thread(target=run)
    with transaction.atomic():
        first()
        other.start()
        other.join(0.5)  # it waits for the lock, or is done where there is none
    other.join(30)
    return raised[0] if raised else None


@pytest.mark.parametrize("what", HANGING)
def test_who_deletes_waits_for_what_is_being_hung_on_it(what: str) -> None:
    """What came in between goes with the record."""
    user, customer = make.make_user(), make.make_customer()
    assert meanwhile(lambda: HANGING[what](customer, user), lambda: delete_record(customer)) is None
    assert not Customer.objects.exists() and not Attachment.objects.exists() and not Comment.objects.exists()
    assert broken(["I-33"]) == {}


@pytest.mark.parametrize("what", HANGING)
def test_nothing_is_hung_on_what_is_being_deleted(what: str) -> None:
    """Whoever comes too late is told."""
    user, customer = make.make_user(), make.make_customer()
    late = Customer.objects.get()
    raised = meanwhile(lambda: delete_record(customer), lambda: HANGING[what](late, user))
    assert isinstance(raised, BusinessError) and "was deleted meanwhile" in str(raised)
    assert broken(["I-33"]) == {}


@pytest.mark.parametrize("what", HANGING)
def test_without_the_lock_something_is_left_hanging(what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: it belongs to nothing afterwards."""
    for module in (attachments, comments):
        monkeypatch.setattr(module, "held", lambda obj: None)
    user, customer = make.make_user(), make.make_customer()
    late = Customer.objects.get()
    assert meanwhile(lambda: delete_record(customer), lambda: HANGING[what](late, user)) is None
    assert broken(["I-33"]) != {}
