"""Official documents and seals through an approval flow (spec office 5.8.2, X-06 to X-08)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from oa.approvals.services import approve, reject, resubmit, send_back, submit
from oa.official.models import Seal
from oa.official.services import outgoing, seals, writing
from oa.official.services.turns import open_turns
from tests import approving
from tests.invariants import assert_books
from tests.oa import official
from tests.oa.official import fresh, people
from tests.oa.world import client_of
from tests.refusals import refused

pytestmark = pytest.mark.django_db

KIND = "oa.outgoingdocument"


@pytest.fixture
def o(db: Any) -> SimpleNamespace:
    return official.office()


def checked(o: SimpleNamespace) -> Any:
    document = outgoing.submit(official.draft(o.ann), by=o.ann, hands=people(o.ben))
    return outgoing.check(document, by=o.ben)


def test_the_last_approval_signs_and_numbers(o: SimpleNamespace) -> None:
    """5.8.2 会签, 签发: the flow's steps co-sign and sign; the number comes in its last transaction."""
    approving.flow(approving.step(1, o.cid, o.kit, how="all"), approving.step(2, o.dora), kind=KIND)
    document = checked(o)
    assert document.state == "checked" and open_turns(document).get().user == o.ann
    assert client_of(o.ann).get(f"/official/outgoing/{document.pk}/").content.decode().count("/approvals/submit/") == 1
    request = submit(document, kind=KIND, by=o.ann)
    document = fresh(document)
    assert document.state == "approving" and not open_turns(document).exists()
    with refused("not yours"):
        writing.save_outgoing(document, by=o.ann)
    for person in (o.cid, o.kit, o.dora):
        assert fresh(document).number is None
        approve(approving.task(request, person), by=person)
    document = fresh(document)
    assert document.state == "numbered" and document.number and document.signed_by == o.dora
    assert open_turns(document).get().department == o.east
    assert_books()


def test_nobody_signs_past_a_flow(o: SimpleNamespace) -> None:
    """5.8.2: with a flow in force only the flow signs, and it needs a checked document."""
    waiting = official.checked(o, official.draft(o.ann))
    approving.flow(approving.step(1, o.dora), kind=KIND)
    with refused("approval flow"):
        outgoing.sign(waiting, by=o.dora)
    document = outgoing.submit(official.draft(o.ann), by=o.ann, hands=people(o.ben))
    with refused("approval flow says"):
        outgoing.check(document, by=o.ben, hands=people(more=(o.dora,)))
    with refused("not possible"):
        submit(document, kind=KIND, by=o.ann)
    returned = outgoing.send_back(document, by=o.ben, text="no")
    with refused("checked first"):
        submit(returned, kind=KIND, by=o.ann)


def test_a_rejected_document_comes_back_to_its_drafter(o: SimpleNamespace) -> None:
    """X-03, X-06: returned and changed it takes the way again."""
    approving.flow(approving.step(1, o.dora), kind=KIND)
    document = checked(o)
    request = submit(document, kind=KIND, by=o.ann)
    send_back(approving.task(request, o.dora), by=o.dora, stage=0, text="shorter")
    document = fresh(document)
    assert document.state == "returned" and open_turns(document).get().user == o.ann
    document.body = "Short."
    writing.save_outgoing(document, by=o.ann)
    resubmit(request, by=o.ann)
    reject(approving.task(request, o.dora), by=o.dora, text="no")
    assert fresh(document).state == "returned"
    assert_books()


def test_a_seal_request_through_a_flow(o: SimpleNamespace) -> None:
    """5.8.3: approval makes it ready to use; without the flow it cannot be submitted plainly."""
    approving.flow(approving.step(1, o.dora), kind="oa.sealrequest")
    wish = official.seal_request(o)
    with refused("approval flow"):
        seals.submit(wish, by=o.ann)
    request = submit(wish, kind="oa.sealrequest", by=o.ann)
    assert fresh(wish).state == "approving"
    approve(approving.task(request, o.dora), by=o.dora)
    wish = fresh(wish)
    assert (wish.state, wish.decided_by) == ("touse", o.dora)
    assert seals.use(wish, by=o.kit).state == "used" and Seal.objects.count() == 1
    other = official.seal_request(o)
    request = submit(other, kind="oa.sealrequest", by=o.ann)
    reject(approving.task(request, o.dora), by=o.dora, text="no")
    assert fresh(other).state == "rejected"
    assert_books()
