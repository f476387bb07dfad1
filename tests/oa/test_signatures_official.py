"""Handwriting beside opinions of official documents (rule N-12)."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext

from oa.official.models import OfficialOpinion
from oa.official.services import outgoing
from oa.records.signatures import give_up_signature
from tests.oa import official
from tests.oa.official import people
from tests.oa.signing import keep
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def o(db: object) -> SimpleNamespace:
    return official.office()


def test_an_opinion_keeps_the_signature_of_its_moment(o: SimpleNamespace) -> None:
    """N-12: name, time and handwriting; none where the person keeps none."""
    mark = keep(o.ben)
    document = official.signed(o)
    keep(o.ben, slope=40)
    said = {row.verb: row.signature for row in document.officialopinions.select_related("signature")}
    assert said["check"] == mark and said["submit"] is None and said["sign"] is None
    page = client_of(o.dora).get(f"/official/outgoing/{document.pk}/").content.decode()
    assert f"/signature/{mark.key}/" in page and 'alt="Signature of Ben"' in page
    opinion = document.officialopinions.get(verb="check")
    assert f"/signature/{mark.key}/" in client_of(o.dora).get(f"/official/opinions/{opinion.pk}/").content.decode()


def test_incoming_documents_carry_them_too(o: SimpleNamespace) -> None:
    """N-12: instruction of the leader."""
    mark = keep(o.dora)
    document = official.instructed(o, o.ben)
    assert document.officialopinions.get(verb="instruct").signature == mark
    assert f"/signature/{mark.key}/" in client_of(o.eva).get(f"/official/incoming/{document.pk}/").content.decode()


def test_only_who_works_on_the_document_sees_them(o: SimpleNamespace) -> None:
    """N-12, G-21: recipients read the document and no opinions, so no signatures either."""
    mark = keep(o.ben)
    document = official.distributed(o, to=[o.cid])
    assert document.officialopinions.filter(signature=mark).exists()
    for user in (o.ben, o.ann, o.dora, o.eva):
        assert client_of(user).get(f"/signature/{mark.key}/").status_code == 200
    for user in (o.cid, official.make.make_user("out", "sales")):
        assert client_of(user).get(f"/signature/{mark.key}/").status_code == 404
    assert client_of(o.cid).get(f"/official/outgoing/{document.pk}/").status_code == 200


def test_nobody_signs_with_a_foreign_or_given_up_signature(o: SimpleNamespace) -> None:
    """N-12: the database refuses it, and changes nothing afterwards."""
    old, foreign = keep(o.ben), keep(o.cid)
    document = official.draft(o.ann)
    give_up_signature(by=o.ben)
    for mark in (old, foreign):
        with pytest.raises(DatabaseError, match="signature"), transaction.atomic():
            OfficialOpinion.objects.create(outgoing=document, verb="check", text="x", by=o.ben, signature=mark)
    own = keep(o.ben, slope=40)
    row = OfficialOpinion.objects.create(outgoing=document, verb="check", text="x", by=o.ben, signature=own)
    with pytest.raises(DatabaseError), transaction.atomic():
        OfficialOpinion.objects.filter(pk=row.pk).update(signature=None)


def test_many_signatures_take_no_more_statements(o: SimpleNamespace) -> None:
    """PERFORMANCE: a document with two and with six signed opinions."""
    counts = []
    for signers in ((o.cid,), (o.cid, o.kit, o.ben, o.eva, o.ann)):
        document = official.draft(o.ann)
        for person in signers:
            keep(person)
            OfficialOpinion.objects.create(
                outgoing=document, verb="check", text="fine", by=person, signature=keep(person)
            )
        client = client_of(o.ann)
        client.get(f"/official/outgoing/{document.pk}/")
        with CaptureQueriesContext(connection) as queries:
            page = client.get(f"/official/outgoing/{document.pk}/").content.decode()
        assert page.count('alt="Signature of') == len(signers)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_all_opinions_stand_behind_a_tab(o: SimpleNamespace) -> None:
    """N-12: the page shows the newest, the tab all of them."""
    document = official.draft(o.ann)
    OfficialOpinion.objects.bulk_create(
        OfficialOpinion(outgoing=document, verb="check", text=f"word {n}", by=o.ben) for n in range(25)
    )
    page = client_of(o.ann).get(f"/official/outgoing/{document.pk}/").content.decode()
    assert "word 24" in page and "word 3<" not in page and "?tab=opinions-all" in page
    assert "word 3" in client_of(o.ann).get(f"/official/outgoing/{document.pk}/?tab=opinions-all").content.decode()
    outgoing.submit(document, by=o.ann, hands=people(o.ben))
