"""Who sees which official documents: people in them, scopes, and clearance above everything (N-10, G-21)."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import IntegrityError, transaction
from django.urls import reverse

from kit.pages import panels
from kit.pages.resources import registry
from oa.approvals.models import ApprovalRequest
from oa.approvals.services import submit
from oa.official.clearing import give_clearance
from oa.official.models import Clearance, IncomingDocument, OutgoingDocument
from oa.official.services import outgoing, writing
from oa.records.attachments import store_attachment
from oa.records.comments import add_comment
from oa.records.models import Notification
from tests import approving
from tests import factories as make
from tests.oa import official
from tests.oa.official import fresh, people
from tests.oa.world import client_of
from tests.refusals import refused

pytestmark = pytest.mark.django_db

WORD = "Zaunkönig"
SLUGS = ("outgoingdocument", "incomingdocument", "supervision", "officialnumber", "officialopinion", "outgoingtext",
         "outgoingreceipt", "approvalrequest")  # fmt: skip


@pytest.fixture
def o(db: Any) -> SimpleNamespace:
    return official.office()


def sees(user: Any, document: Any) -> bool:
    return type(document).objects.visible_to(fresh(user)).filter(pk=document.pk).exists()


def classified(o: SimpleNamespace, secrecy: int = 2) -> tuple[OutgoingDocument, OutgoingDocument, IncomingDocument]:
    """A draft that waits for Dora, one on its way to Cid, and an incoming one that Ben handles."""
    for person in (o.ann, o.ben, o.dora, o.eva, o.kit, o.cid):
        official.clear(person, 2)
    columns = {"secrecy": secrecy, "title": f"{WORD} plan", "body": f"{WORD} body", "keywords": WORD}
    waiting = official.checked(o, official.draft(o.ann, **columns))
    sent = official.distributed(o, to=[o.cid], **columns)
    came = official.instructed(o, o.ben, sender=WORD, **columns)
    return waiting, sent, came


def test_people_in_it_see_it_and_nobody_else(o: SimpleNamespace) -> None:
    """G-21: drafter, whoever is asked, scopes by department, and recipients once it was distributed."""
    document = official.checked(o, official.draft(o.ann, to=[o.kit]))
    assert [sees(user, document) for user in (o.ann, o.ben, o.dora, o.cid, o.kit)] == [True, True, True, False, False]
    assert sees(o.eva, document)  # the registrar may see every one
    manager = make.make_user("mia", "sales-manager", department=o.east)
    assert sees(manager, document)
    accountant = make.make_user("acc", "accountant")  # "all records" alone is not enough
    assert not sees(accountant, document)
    document = official.fresh(document)
    document = outgoing.sign(document, by=o.dora, hands=people(o.eva))
    document = outgoing.format_document(document, by=o.eva, hands=people(o.kit))
    document = outgoing.seal(document, by=o.kit, hands=people(o.eva), stamp=o.seal)
    outsider = make.make_user("out", "sales")
    document.to_people.set([outsider])
    assert not sees(outsider, document)
    outgoing.distribute(document, by=o.eva)
    assert sees(outsider, document)


def test_recipients_read_no_opinions_and_no_earlier_texts(o: SimpleNamespace) -> None:
    """N-12: what was said on the way is no business of recipients."""
    document = official.draft(o.ann, to=[o.cid], body=f"Half of {WORD} is dismissed.")
    document.body = "All doors are closed at six."
    document = official.distributed(o, writing.save_outgoing(document, by=o.ann))
    page = client_of(o.cid).get(f"/official/outgoing/{document.pk}/").content.decode()
    assert "All doors" in page and "agreed" not in page and WORD not in page
    assert client_of(o.cid).get(f"/official/outgoing/{document.pk}/compare/").status_code == 404
    for slug in ("officialopinion", "outgoingtext", "outgoingreceipt"):
        assert not registry[slug].queryset(o.cid).exists(), slug
        assert registry[slug].queryset(o.ben).exists(), slug


@pytest.mark.parametrize("who", ["registrar", "administrator", "asked", "recipient", "drafter"])
def test_without_clearance_it_looks_like_missing_everywhere(o: SimpleNamespace, who: str) -> None:
    """N-10: lists, search, pickers, exports, pages, files, prints, messages, the desk; whoever the person is."""
    documents = classified(o)
    file = store_attachment(documents[1], ContentFile(b"%PDF-1.7\n%%EOF\n", f"{WORD}.pdf"), by=o.ann)
    person = {
        "registrar": o.eva, "administrator": make.make_user("root", "administrator"), "asked": o.ben,
        "recipient": o.cid, "drafter": o.ann,
    }[who]  # fmt: skip
    Clearance.objects.filter(user=person).update(level=1)
    person, client = fresh(person), client_of(fresh(person))
    add_comment(documents[1], f"{WORD} @{person.username}", by=o.dora)
    urls = ["/", "/todo/", "/notifications/", f"/search/?q={WORD}"]
    for slug in SLUGS:
        resource = registry[slug]
        urls += [resource.url(), f"{resource.url()}?q=plan", f"/ui/pick/{slug}/", f"/ui/pick/{slug}/?q=plan",
                 f"{resource.url('export')}?format=csv"]  # fmt: skip
    leaks = []
    for url in urls:
        body = client.get(url).content.decode("utf-8", "replace")
        body = re.sub(rf'value="{WORD}"|q={WORD}|Search: {WORD}|“{WORD}”', "", body)
        if WORD in body:
            leaks.append((url, re.findall(rf".{{60}}{WORD}.{{20}}", body)[:1]))
    assert leaks == []
    for document in documents:
        side = "incoming" if isinstance(document, IncomingDocument) else "outgoing"
        verb = "handle" if side == "incoming" else "sign"
        for tail in ("", "edit/", "print/", "print/?format=pdf", f"step/{verb}/", "compare/"):
            here = client.get(f"/official/{side}/{document.pk}/{tail}").status_code
            assert here == client.get(f"/official/{side}/999999/{tail}").status_code, (side, tail)
            assert here in (403, 404), (side, tail)
    assert client.get(reverse("attachment", args=[file.key])).status_code == 404
    assert not any(WORD in task.title for task in panels.queue(person, 50))
    assert not Notification.objects.filter(user=person, text__contains=WORD).exists()


def test_with_clearance_it_is_there(o: SimpleNamespace) -> None:
    """The control of the test above: cleared people find it."""
    documents = classified(o)
    client = client_of(o.eva)
    assert WORD in client.get("/official/outgoing/").content.decode()
    assert client.get(f"/official/outgoing/{documents[1].pk}/print/").status_code == 200
    assert any(WORD in task.title for task in panels.queue(o.dora, 50))
    assert sees(o.cid, documents[1])


def test_people_without_clearance_are_not_named(o: SimpleNamespace) -> None:
    """N-10: they could not read what they are asked about, nor receive it."""
    official.clear(o.ann, 2)
    document = official.draft(o.ann, secrecy=1)
    with refused("not cleared"):
        outgoing.submit(document, by=o.ann, hands=people(o.ben))
    for person in (o.ben, o.dora, o.eva, o.kit):
        official.clear(person, 1)
    document = official.sealed(o, document)
    document.to_people.set([o.cid])
    with refused("not cleared"):
        outgoing.distribute(document, by=o.eva)
    document.to_people.clear()
    document.to_departments.set([o.west, o.east])
    document = outgoing.distribute(document, by=o.eva)
    assert {row.user for row in document.receipts.select_related("user")} == {o.ann, o.ben}


def test_nobody_writes_beyond_the_own_clearance(o: SimpleNamespace) -> None:
    """N-10: and a document is not classified over the head of who is to act on it."""
    official.clear(o.ann, 1)
    open_one = official.draft(o.ann)
    open_one.secrecy = 2
    with refused("not cleared for this"):
        writing.save_outgoing(open_one, by=o.ann)
    document = outgoing.submit(official.draft(o.ann), by=o.ann, hands=people(o.ben))
    document.secrecy = 1
    with refused("not cleared"):
        writing.save_outgoing(document, by=None)
    form = client_of(o.ann).get("/official/outgoing/new/").content.decode()
    choices = form.split('name="secrecy"')[1].split("</select>")[0]
    assert '<option value="1"' in choices and '<option value="2"' not in choices


def test_nobody_clears_themselves(o: SimpleNamespace) -> None:
    """N-10: somebody else gives a clearance; the database insists."""
    with refused("Nobody clears themselves"):
        give_clearance(Clearance(user=o.eva, level=2), by=o.eva)
    row = give_clearance(Clearance(user=o.eva, level=1), by=o.dora)
    with pytest.raises(IntegrityError), transaction.atomic():
        Clearance.objects.filter(pk=row.pk).update(given_by=o.eva.pk)


def test_a_flow_tells_nothing_of_a_classified_document(o: SimpleNamespace) -> None:
    """N-10: neither the request nor its stored content names it; the approver reads it at its own page."""
    for person in (o.ann, o.ben):
        official.clear(person, 2)
    boss = make.make_user("boss", "sales-manager")
    approving.flow(approving.step(1, boss), kind="oa.outgoingdocument")
    document = official.draft(o.ann, secrecy=2, title=f"{WORD} plan", body=WORD)
    document = outgoing.submit(document, by=o.ann, hands=people(o.ben))
    document = outgoing.check(document, by=o.ben)
    request = submit(document, kind="oa.outgoingdocument", by=o.ann)
    assert WORD not in f"{request.title} {request.content}"
    page = client_of(boss).get(f"/approvals/requests/{request.pk}/")
    assert WORD not in page.content.decode() and not sees(boss, document)
    official.clear(boss, 2)
    assert sees(boss, document) and ApprovalRequest.objects.count() == 1
