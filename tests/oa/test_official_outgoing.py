"""The way of an outgoing document (spec office 5.8.2, N-10 to N-12, N-14)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.official.models import OfficialNumber, OutgoingDocument, OutgoingText, UrgencyTerm
from oa.official.services import outgoing, receiving, writing
from oa.official.services.turns import NOBODY, open_turns
from oa.organisation.models import User
from oa.records.models import Notification
from tests import factories as make
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


def test_the_whole_way_from_the_draft_to_the_file(o: SimpleNamespace) -> None:
    """5.8.2: every state in order, each step naming who acts next, everything said kept with its name."""
    document = official.draft(o.ann, to=[o.cid], copies=[o.ben])
    document = outgoing.submit(document, by=o.ann, text="please", hands=people(o.ben))
    assert document.state == "submitted" and asked(document) == {o.ben}
    document = outgoing.check(document, by=o.ben, text="fine", hands=people(o.cid, more=(o.dora,)))
    assert document.state == "checked" and asked(document) == {o.cid}
    document = outgoing.cosign(document, by=o.cid, text="West agrees")
    assert document.state == "cosigned" and asked(document) == {o.dora}
    document = outgoing.sign(document, by=o.dora, text="agreed", hands=people(o.eva))
    year = business_day().year
    assert (document.state, document.number) == ("numbered", f"华辰发〔{year}〕1号") and asked(document) == {o.eva}
    document = outgoing.format_document(document, by=o.eva, hands=people(o.kit))
    assert document.state == "formatted" and asked(document) == {o.kit}
    document = outgoing.seal(document, by=o.kit, hands=people(o.eva), stamp=o.seal)
    assert document.state == "sealed" and document.seal == o.seal
    document = outgoing.distribute(document, by=o.eva, hands=people(o.eva))
    assert document.state == "distributed" and document.recipients == 2
    document = receiving.receive(document, by=o.ben)
    assert document.state == "distributed"
    document = receiving.receive(document, by=o.cid)
    assert document.state == "received" and asked(document) == {o.eva}
    document = outgoing.file(document, by=o.eva, text="box 7")
    assert document.state == "filed" and not asked(document)
    said = [(row.by, row.verb, row.text) for row in document.officialopinions.select_related("by")]
    assert said[:4] == [(o.ann, "submit", "please"), (o.ben, "check", "fine"), (o.cid, "cosign", "West agrees"),
                        (o.dora, "sign", "agreed")]  # fmt: skip
    assert said[-1] == (o.eva, "file", "box 7")
    history = list(OutgoingDocument.pgh_event_model.objects.order_by("pgh_id").values_list("state", flat=True))
    assert history == ["drafted", "submitted", "checked", "cosigned", "approved", "numbered", "formatted", "sealed",
                       "distributed", "received"]  # fmt: skip
    assert_books()


def test_everybody_who_is_asked_is_told(o: SimpleNamespace) -> None:
    """N-10: each step names who acts next, and they read of it."""
    official.signed(o, title="Doors")
    told = {row.user.username: row.text for row in Notification.objects.select_related("user")}
    assert told["ben"] == "Check: Doors" and told["dora"] == "Sign and number: Doors"
    assert told["eva"].startswith("Format with red head: 华辰发")


@pytest.mark.parametrize("who", ["ann", "cid", "eva"])
def test_only_who_is_asked_does_a_step(o: SimpleNamespace, who: str) -> None:
    """5.8.2: nobody else checks, whatever rights they hold."""
    document = outgoing.submit(official.draft(o.ann), by=o.ann, hands=people(o.ben))
    with refused("wait for you|drafter"):
        outgoing.check(document, by=getattr(o, who), hands=people(more=(o.dora,)))


def test_a_department_may_be_asked_instead_of_a_person(o: SimpleNamespace) -> None:
    """5.8.2: anybody of the department does it, and then nobody is asked any more."""
    document = official.draft(o.cid)
    document = outgoing.submit(document, by=o.cid, hands=official.Hands(department=o.east))
    assert asked(document) == {o.east}
    document = outgoing.check(document, by=o.ben, hands=people(more=(o.dora,)))
    assert asked(document) == {o.dora}


def test_nobody_signs_or_checks_alone_what_they_drafted(o: SimpleNamespace) -> None:
    """5.8.2: four eyes, in the service and in the database."""
    own = official.draft(o.ann)
    with refused("drafter"):
        outgoing.submit(own, by=o.ann, hands=people(o.ann))
    document = official.draft(o.dora)
    document = outgoing.submit(document, by=o.dora, hands=people(o.ben))
    with refused("drafter"):
        outgoing.check(document, by=o.ben, hands=people(more=(o.dora,)))
    signed = official.signed(o)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE oa_outgoingdocument SET created_by_id = signed_by_id WHERE id = %s", [signed.pk])


def test_who_signs_must_be_able_to(o: SimpleNamespace) -> None:
    """5.8.2: a person without the right of a step is not named for it."""
    document = outgoing.submit(official.draft(o.ann), by=o.ann, hands=people(o.ben))
    with refused("may not do this step"):
        outgoing.check(document, by=o.ben, hands=people(more=(o.cid,)))
    with refused("who signs"):
        outgoing.check(document, by=o.ben, hands=NOBODY)
    other = official.draft(o.ann)
    with refused("who acts next"):
        outgoing.submit(other, by=o.ann)


def test_co_signers_one_after_the_other(o: SimpleNamespace) -> None:
    """N-14: with a serial order the second one is asked after the first has signed."""
    document = official.checked(o, official.draft(o.ann), o.cid, o.kit, serial=True)
    assert asked(document) == {o.cid}
    assert not OutgoingDocument.objects.visible_to(o.kit).filter(pk=document.pk).exists()
    document = outgoing.cosign(document, by=o.cid)
    assert document.state == "checked" and asked(document) == {o.kit}
    document = outgoing.cosign(document, by=o.kit)
    assert document.state == "cosigned" and asked(document) == {o.dora}


def test_a_returned_document_is_changed_and_submitted_again(o: SimpleNamespace) -> None:
    """N-12: with a reason; the opinions and the texts of both rounds stay."""
    document = official.checked(o, official.draft(o.ann, body="one"))
    with refused("Enter a text"):
        outgoing.send_back(document, by=o.dora)
    document = outgoing.send_back(document, by=o.dora, text="too short")
    assert document.state == "returned" and asked(document) == {o.ann}
    document.body = "one\ntwo"
    document = official.checked(o, writing.save_outgoing(document, by=o.ann))
    assert [row.body for row in document.texts.order_by("number")] == ["one", "one\ntwo"]
    assert [row.verb for row in document.officialopinions.all()] == ["submit", "check", "return", "submit", "check"]
    assert_books()


def test_who_checks_may_change_the_text_and_it_is_kept(o: SimpleNamespace) -> None:
    """N-12: a version for each text, with its author; the same text makes none."""
    document = outgoing.submit(official.draft(o.ann, body="old"), by=o.ann, hands=people(o.ben))
    document.body = "new"
    with refused("not yours to change"):
        writing.save_outgoing(document, by=o.ann)
    document = writing.save_outgoing(document, by=o.ben)
    document.keywords = "doors"
    writing.save_outgoing(document, by=o.ben)
    assert list(document.texts.order_by("number").values_list("number", "body", "by")) == [
        (1, "old", o.ann.pk), (2, "new", o.ben.pk)]  # fmt: skip


@pytest.mark.parametrize("column", ["title", "body", "number", "secrecy", "unit_word_id", "signed_by_id", "outside"])
def test_a_signed_text_is_frozen_by_the_database(o: SimpleNamespace, column: str) -> None:
    """N-12: after 签发 no statement changes it."""
    document = official.signed(o)
    value = {"secrecy": 2, "unit_word_id": official.UnitWord.objects.create(word="其他").pk}.get(column)
    value = o.eva.pk if column == "signed_by_id" else value if value is not None else "x"
    with pytest.raises(DatabaseError, match="signed document"), transaction.atomic():
        OutgoingDocument.objects.filter(pk=document.pk).update(**{column: value})
    document.body = "other"
    with refused("not yours"):
        writing.save_outgoing(document, by=o.ann)


def test_opinions_texts_and_receipts_are_append_only(o: SimpleNamespace) -> None:
    """N-12, N-14: what was said, written and received stays."""
    document = official.distributed(o)
    for sql in (
        "UPDATE oa_officialopinion SET text = 'x'", "DELETE FROM oa_officialopinion",
        "UPDATE oa_outgoingtext SET body = 'x'", "DELETE FROM oa_outgoingtext", "DELETE FROM oa_outgoingreceipt",
        "UPDATE oa_officialnumber SET running = 9", "DELETE FROM oa_officialnumber",
        "DELETE FROM oa_outgoingdocument", "UPDATE oa_outgoingdocument SET state = 'drafted'",
    ):  # fmt: skip
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
    assert fresh(document).officialopinions.count() == 6


def test_the_urgency_sets_the_deadline(o: SimpleNamespace) -> None:
    """N-10: days per urgency are data; a day that was given stays."""
    today = business_day()
    UrgencyTerm.objects.filter(urgency="urgent").update(days=3)
    assert official.draft(o.ann, urgency="urgent").due_on == today + dt.timedelta(days=3)
    assert official.draft(o.ann).due_on == today + dt.timedelta(days=15)
    assert official.draft(o.ann, due_on=today).due_on == today
    with pytest.raises(BusinessError, match="deadline"):
        official.draft(o.ann, due_on=today - dt.timedelta(days=1))


def test_recipients_are_people_of_departments_and_names_each_once(o: SimpleNamespace) -> None:
    """N-10, N-14: main recipients before copies; who is both gets one, the main one."""
    far = make.make_user("far", "sales", department=o.east)
    document = official.sealed(o, units=[o.east], to=[o.cid], copies=[o.cid, o.kit])
    document = outgoing.distribute(document, by=o.eva)
    found = [(row.user, row.copy) for row in document.receipts.order_by("position").select_related("user")]
    assert found == [(o.ann, False), (o.ben, False), (far, False), (o.cid, False), (o.kit, True)]
    assert document.recipients == 5


def test_a_serial_circulation_reaches_the_next_after_the_signature(o: SimpleNamespace) -> None:
    """N-14: the next one sees it after the one before has signed, and who left is passed over."""
    document = official.distributed(o, to=[o.ben, o.cid, o.kit], order="serial")
    order = [row.user for row in document.receipts.order_by("position").select_related("user")]
    seen = [OutgoingDocument.objects.visible_to(user).filter(pk=document.pk).exists() for user in order]
    assert order == [o.ben, o.kit, o.cid] and seen == [True, True, False]  # Ben checked it, Kit sealed it
    with refused("does not wait for you"):
        receiving.receive(document, by=o.cid)
    document = receiving.receive(document, by=o.ben)
    User.objects.filter(pk=o.kit.pk).update(is_active=False)
    assert receiving.settle() == 1 and receiving.settle() == 0
    assert OutgoingDocument.objects.visible_to(o.cid).filter(pk=document.pk).exists()
    document = receiving.receive(document, by=o.cid)
    assert document.state == "received"
    assert_books()


def test_a_document_for_outside_only_is_received_at_once(o: SimpleNamespace) -> None:
    """N-10: outside recipients are text; without any recipient nothing is distributed."""
    document = outgoing.distribute(official.sealed(o, outside="City hall"), by=o.eva)
    assert document.state == "received" and document.recipients == 0
    nobody = official.sealed(o)
    with refused("no recipients"):
        outgoing.distribute(nobody, by=o.eva)
    assert_books()


def test_only_the_keeper_seals_with_a_seal_that_is_here(o: SimpleNamespace) -> None:
    """5.8.2 用印: by the keeper."""
    document = outgoing.format_document(official.signed(o), by=o.eva, hands=official.Hands(department=o.kit.department))
    with refused("Only Kit"):
        outgoing.seal(document, by=o.eva, hands=people(o.eva), stamp=o.seal)
    with refused("Choose the seal"):
        outgoing.seal(document, by=o.kit, hands=people(o.eva))


def test_a_cancelled_signed_document_leaves_a_void_number(o: SimpleNamespace) -> None:
    """N-11: no gap, with the reason; only by who may declare numbers void."""
    document = official.signed(o)
    with refused("void"):
        outgoing.cancel(document, by=o.ann, text="mistake")
    document = outgoing.cancel(document, by=o.eva, text="mistake")
    number = OfficialNumber.objects.get()
    assert (document.state, number.state, number.reason) == ("cancelled", "void", "mistake")
    assert official.signed(o).number.endswith("〕2号")
    assert_books()


def test_the_way_takes_as_many_statements_for_many_recipients(o: SimpleNamespace) -> None:
    """PERFORMANCE: distribution to 40 people takes what it takes for 2."""
    counts = []
    for size in (2, 40):
        to = [make.make_user("", "sales") for _ in range(size)]
        document = official.sealed(o, to=to)
        with CaptureQueriesContext(connection) as queries:
            outgoing.distribute(document, by=fresh(o.eva))
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 30


def test_a_draft_goes_with_its_texts(o: SimpleNamespace) -> None:
    """G-01: what was never submitted may be deleted."""
    document = official.draft(o.ann)
    document.delete()
    assert not OutgoingText.objects.exists()
    with pytest.raises(BusinessError):
        official.draft(o.ann, body=" ")
