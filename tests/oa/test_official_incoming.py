"""The way of an incoming document, supervision and reminders (spec office 5.8.2, N-13, N-14)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kit.pages import panels
from kit.rules.days import business_day
from oa.official.models import IncomingDocument, OfficialReminder, OfficialTurn, SealRequest
from oa.official.services import incoming, supervision
from oa.official.services.turns import Hands, open_turns
from oa.organisation.handover import handovers
from oa.records.models import Notification
from tests.invariants import assert_books
from tests.oa import official
from tests.oa.official import fresh, people
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def o(db: Any) -> SimpleNamespace:
    return official.office()


def asked(document: Any) -> set[Any]:
    return {turn.user or turn.department for turn in open_turns(document).select_related("user", "department")}


def test_the_whole_way_from_the_register_to_the_file(o: SimpleNamespace) -> None:
    """5.8.2: registered, proposed, instructed, handled, fed back, closed, filed; everything said is kept."""
    document = official.registered(o)
    assert document.state == "registered" and document.number and asked(document) == {o.eva}
    document = incoming.propose(document, by=o.eva, text="for East", hands=people(o.dora))
    document = incoming.instruct(document, by=o.dora, text="do it", hands=Hands(department=o.east, more=(o.cid,)))
    assert asked(document) == {o.east, o.cid}
    document = incoming.handle(document, by=o.ben, text="done")
    assert document.state == "handled" and asked(document) == {o.ben, o.cid}
    document = incoming.circulate(document, by=o.cid)
    document = incoming.feed_back(document, by=o.ben, text="paid")
    assert document.state == "fedback" and document.feedback == "paid" and asked(document) == {o.eva}
    document = incoming.file(incoming.close(document, by=o.eva), by=o.eva, text="box 2")
    assert document.state == "filed" and document.closed_at and document.filed_at
    said = list(document.officialopinions.values_list("verb", "text"))
    assert said == [("propose", "for East"), ("instruct", "do it"), ("handle", "done"), ("circulate", ""),
                    ("feedback", "paid"), ("close", ""), ("file", "box 2")]  # fmt: skip
    assert_books()


def test_every_handler_has_to_be_done(o: SimpleNamespace) -> None:
    """5.8.2 承办: it is handled after the last of them."""
    document = official.instructed(o, o.ann, o.ben)
    document = incoming.handle(document, by=o.ann, text="my part")
    assert document.state == "instructed" and asked(document) == {o.ben}
    assert incoming.handle(document, by=o.ben, text="mine").state == "handled"


def test_readers_one_after_the_other(o: SimpleNamespace) -> None:
    """N-14 传阅: the next one sees it after the one before has signed; then the registrar feeds back."""
    document = official.instructed(o, readers=(o.cid, o.ann), serial=True)
    assert asked(document) == {o.cid}
    assert not IncomingDocument.objects.visible_to(o.ann).filter(pk=document.pk).exists()
    with refused("does not wait for you"):
        incoming.circulate(document, by=o.ann)
    document = incoming.circulate(document, by=o.cid, text="seen")
    assert document.state == "instructed" and asked(document) == {o.ann}
    document = incoming.circulate(document, by=o.ann)
    assert document.state == "circulated" and asked(document) == {o.eva}


def test_nothing_is_closed_without_feedback(o: SimpleNamespace) -> None:
    """N-13: by the service, and by the database itself."""
    document = incoming.handle(official.instructed(o, o.ben), by=o.ben, text="done")
    with refused("not possible"):
        incoming.close(document, by=o.eva)
    with refused("Enter a text"):
        incoming.feed_back(document, by=o.ben, text=" ")
    with pytest.raises(IntegrityError), transaction.atomic():
        IncomingDocument.objects.filter(pk=document.pk).update(state="fedback")


def test_it_goes_back_with_a_reason(o: SimpleNamespace) -> None:
    """5.8.2: a handler gives it back to who instructed, who instructs to who proposed."""
    document = official.instructed(o, o.ben)
    document = incoming.send_back(document, by=o.ben, text="not ours")
    assert document.state == "proposed" and asked(document) == {o.dora}
    document = incoming.send_back(document, by=o.dora, text="unclear")
    assert document.state == "registered" and asked(document) == {o.eva}


def test_a_mistake_keeps_its_number(o: SimpleNamespace) -> None:
    """5.8.2: cancelled, not deleted, and only before a proposal."""
    document = official.registered(o)
    document = incoming.cancel(document, by=o.eva, text="twice")
    assert document.state == "cancelled" and document.number
    other = official.instructed(o, o.ben)
    with refused("not possible"):
        incoming.cancel(other, by=o.eva, text="x")


def late(document: Any, days: int = 2) -> Any:
    """The document, overdue."""
    day = business_day() - dt.timedelta(days=days)
    type(document).objects.filter(pk=document.pk).update(due_on=day, date=day)
    return fresh(document)


def test_late_documents_remind_each_person_once_a_day(o: SimpleNamespace) -> None:
    """N-13: one row a person and day, however often the timer runs; the next day again."""
    document = late(official.instructed(o, o.ann, o.ben))
    official.instructed(o, o.ann)  # not late
    Notification.objects.all().delete()
    assert supervision.remind() == 2 and supervision.remind() == 0
    assert OfficialReminder.objects.count() == 2 == Notification.objects.filter(text__startswith="Overdue").count()
    assert supervision.remind(business_day() + dt.timedelta(days=1)) == 2
    incoming.handle(document, by=o.ann, text="done")
    assert supervision.remind(business_day() + dt.timedelta(days=2)) == 1


def test_a_late_department_is_reminded_as_a_whole(o: SimpleNamespace) -> None:
    """N-13: everybody of the department who could do it."""
    document = incoming.propose(official.registered(o), by=o.eva, text="x", hands=people(o.dora))
    late(incoming.instruct(document, by=o.dora, text="x", hands=Hands(department=o.east)))
    Notification.objects.all().delete()
    assert supervision.remind() == 2
    assert set(Notification.objects.values_list("user", flat=True)) == {o.ann.pk, o.ben.pk}


def test_urging_tells_whoever_is_asked_and_pauses_an_hour(o: SimpleNamespace) -> None:
    """N-13: by supervisors and by the owner; nobody is urged twice within the hour."""
    document = official.instructed(o, o.ben)
    Notification.objects.all().delete()
    with refused("may not supervise"):
        supervision.urge(document, by=o.ann)
    supervision.urge(document, by=o.eva)
    assert Notification.objects.get().user == o.ben and Notification.objects.get().text.startswith("Urged")
    with refused("within the last hour"):
        supervision.urge(document, by=o.eva)
    sent = official.distributed(o)
    Notification.objects.all().delete()
    supervision.urge(sent, by=o.eva)
    assert Notification.objects.get().user == o.cid


def test_supervision_is_begun_and_ended(o: SimpleNamespace) -> None:
    """N-13 督办."""
    document = official.registered(o)
    with refused("may not supervise"):
        supervision.supervise(document, by=o.ben)
    assert supervision.supervise(document, by=o.eva).supervised
    assert not supervision.supervise(document, by=o.eva).supervised


def test_the_queue_of_the_desk_shows_my_turns_only(o: SimpleNamespace) -> None:
    """Spec: my turn stands in the one queue, until it is done."""
    document = official.instructed(o, o.ben, title="Tax letter")
    assert [t.title for t in panels.queue(o.ben, 20) if "Tax letter" in t.title] == [str(document)]
    assert not [t for t in panels.queue(o.ann, 20) if "Tax letter" in t.title]
    incoming.feed_back(incoming.handle(document, by=o.ben, text="x"), by=o.ben, text="y")
    assert not [t for t in panels.queue(fresh(o.ben), 20) if "Tax letter" in t.title]
    sent = official.distributed(o, title="Doors")
    assert [t.title for t in panels.queue(fresh(o.cid), 20) if "Doors" in t.title] == [str(sent)]


def test_who_leaves_hands_over_open_steps(o: SimpleNamespace) -> None:
    """5.4: a successor takes them up."""
    document = official.instructed(o, o.ben)
    found = next(h for h in handovers if h.rows(o.ben).model is OfficialTurn)
    assert found.move(o.ben, o.ann) == 1
    assert incoming.handle(document, by=o.ann, text="x").state == "handled"


def test_reminders_take_as_many_statements_for_many_documents(o: SimpleNamespace) -> None:
    """PERFORMANCE: messages are written by record, everything else at once."""
    counts = []
    for size in (1, 6):
        OfficialReminder.objects.all().delete()
        for _ in range(size):
            late(official.instructed(o, o.ben))
        with CaptureQueriesContext(connection) as queries:
            supervision.remind()
        counts.append(len(queries) - sum("oa_notification" in q["sql"] for q in queries.captured_queries))
    assert counts[0] == counts[1]


def test_seals_that_are_not_back_are_reminded_of(o: SimpleNamespace) -> None:
    """5.8.3: borrower and keeper, once a day."""
    from oa.official.services import seals

    today = business_day()
    lent = seals.lend(official.to_use(o, lend=True, back_on=today), by=o.kit, date=today)
    assert supervision.remind() == 0
    SealRequest.objects.filter(pk=lent.pk).update(back_on=today - dt.timedelta(days=1))
    Notification.objects.all().delete()
    assert supervision.remind() == 2 and supervision.remind() == 0
    assert set(Notification.objects.values_list("user", flat=True)) == {o.ann.pk, o.kit.pk}
