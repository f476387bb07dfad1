"""Seals: requests, use, lending, contracts (spec office 5.8.3)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.db import DatabaseError, IntegrityError, transaction

from crm.contracts.models import Contract
from kit.rules.days import business_day
from kit.values.errors import BusinessError
from oa.official.models import Seal, SealRequest
from oa.official.services import seals
from oa.records.attachments import store_attachments
from oa.records.models import Attachment
from tests import factories as make
from tests.invariants import assert_books
from tests.oa import official
from tests.oa.official import fresh
from tests.oa.world import client_of, of_form
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def o(db: Any) -> SimpleNamespace:
    return official.office()


def contract(o: SimpleNamespace, state: str = "draft") -> Contract:
    customer = make.make_customer(owner=o.ann)
    made = Contract.objects.create(customer=customer, title="Frame", owner=o.ann)
    for step in ("signed", "performing", "completed"):
        if made.state != state:
            made.state = step
            made.save()
    return made


def about(wish: SealRequest, record: Any) -> SealRequest:
    SealRequest.objects.filter(pk=wish.pk).update(
        content_type=ContentType.objects.get_for_model(record), object_id=record.pk
    )
    return fresh(wish)


def test_submitted_approved_to_use_used(o: SimpleNamespace) -> None:
    """5.8.3: the states in order, by applicant, somebody else and the keeper; the scan is attached."""
    wish = official.seal_request(o, copies=3, counterpart="City hall")
    wish = seals.submit(wish, by=o.ann)
    assert wish.state == "submitted"
    wish = seals.approve(wish, by=o.dora)
    assert (wish.state, wish.decided_by) == ("touse", o.dora)
    wish = seals.use(wish, by=o.kit)
    assert (wish.state, wish.used_by) == ("used", o.kit) and wish.used_at
    store_attachments(wish, [ContentFile(b"%PDF-1.7\n%%EOF\n", "stamped.pdf")], by=o.kit)
    assert Attachment.objects.get().name == "stamped.pdf"
    with pytest.raises(BusinessError):
        store_attachments(wish, [ContentFile(b"%PDF-1.7\n%%EOF\n", "x.pdf")], by=o.cid)
    history = SealRequest.pgh_event_model.objects.order_by("pgh_id").values_list("state", flat=True)
    assert list(history) == ["draft", "submitted", "approved", "touse"]
    assert_books()


def test_nobody_approves_the_own_request(o: SimpleNamespace) -> None:
    """5.8.3: somebody else decides, with the right to; the database insists."""
    own = seals.submit(official.seal_request(o, by=o.dora), by=o.dora)
    with refused("else than the applicant"):
        seals.approve(own, by=o.dora)
    with refused("may not decide"):
        seals.approve(own, by=o.ann)
    with pytest.raises(IntegrityError), transaction.atomic():
        SealRequest.objects.filter(pk=own.pk).update(decided_by=o.dora)
    refusal = seals.reject(own, by=o.eva, reason="no")
    assert (refusal.state, refusal.decision) == ("rejected", "no")
    assert seals.submit(refusal, by=o.dora).state == "submitted"


@pytest.mark.parametrize("name", ["use", "lend", "give_back"])
def test_only_the_keeper_uses_and_lends(o: SimpleNamespace, name: str) -> None:
    """5.8.3: whatever rights somebody else has."""
    lend = name != "use"
    wish = official.to_use(o, lend=lend, back_on=business_day() if lend else None)
    if name == "give_back":
        wish = seals.lend(wish, by=o.kit, date=business_day())
    more = {"date": business_day()} if name == "lend" else {}
    with refused("Only Kit"):
        getattr(seals, name)(wish, by=o.eva, **more)
    getattr(seals, name)(wish, by=o.kit, **more)


def test_a_seal_is_lent_to_one_at_a_time_and_comes_back(o: SimpleNamespace) -> None:
    """5.8.3 lent out, returned: neither lent nor used meanwhile; the database has the last word."""
    today = business_day()
    first, second = (official.to_use(o, lend=True, back_on=today) for _ in range(2))
    stamping = official.to_use(o)
    first = seals.lend(first, by=o.kit, date=today)
    for try_it in (lambda: seals.lend(second, by=o.kit, date=today), lambda: seals.use(stamping, by=o.kit)):
        with refused("lent out to Ann"):
            try_it()
    with pytest.raises(IntegrityError), transaction.atomic():
        SealRequest.objects.filter(pk=second.pk).update(state="lent", used_at=first.used_at)
    first = seals.give_back(first, by=o.kit)
    assert first.state == "returned" and first.returned_at
    assert seals.use(stamping, by=o.kit).state == "used"
    assert seals.lend(second, by=o.kit, date=today + dt.timedelta(days=1)).back_on == today + dt.timedelta(days=1)
    assert_books()


def test_a_contract_is_sealed_only_after_its_approval(o: SimpleNamespace) -> None:
    """5.8.3: only after contract approval, asked at every step."""
    draft = contract(o)
    wish = about(official.seal_request(o), draft)
    with refused("only approved contracts"):
        seals.submit(wish, by=o.ann)
    draft.state = "signed"
    draft.save()
    wish = seals.submit(wish, by=o.ann)
    draft.state = "terminated"
    draft.save()
    wish = seals.approve(wish, by=o.dora)
    assert wish.state == "approved"  # approved, and not to be used
    with refused("only approved contracts"):
        seals.ready(wish, by=o.kit)


def test_a_seal_is_asked_for_from_the_page_of_a_contract(o: SimpleNamespace) -> None:
    """5.8.3: only where it may be sealed and where the applicant sees the contract."""
    agreed, client = contract(o, "signed"), client_of(o.ann)
    page = client.get(f"/crm/contracts/{agreed.url_key}/").content.decode()
    assert f"/official/seal-requests/new/?about=contract:{agreed.pk}" in page
    given = of_form(None, title="Frame", seal=o.seal.pk, copies=2, date=business_day(), about=f"contract:{agreed.pk}")  # type: ignore[arg-type]
    assert client.post("/official/seal-requests/new/", given).status_code == 302
    wish = SealRequest.objects.get()
    assert seals.linked(wish) == agreed and wish.copies == 2 and wish.owner == o.ann
    page = client.get(f"/official/seal-requests/{wish.pk}/").content.decode()
    assert f"/crm/contracts/{agreed.url_key}/" in page
    client_of(o.kit).get(f"/official/seal-requests/{wish.pk}/")
    draft = contract(o)
    assert "seal-requests/new" not in client.get(f"/crm/contracts/{draft.url_key}/").content.decode()
    stranger = client_of(o.cid)  # who does not see the contract cannot name it
    stranger.post("/official/seal-requests/new/", of_form(None, title="x", seal=o.seal.pk, copies=1, date=business_day(),  # type: ignore[arg-type]
                                                          about=f"contract:{agreed.pk}"))  # fmt: skip
    assert SealRequest.objects.get(owner=o.cid).object_id is None


def test_who_sees_a_seal_request(o: SimpleNamespace) -> None:
    """G-21: the applicant, the keeper once it is submitted, who decides; nobody else."""
    wish = official.seal_request(o)

    def seen(user: Any) -> bool:
        return SealRequest.objects.visible_to(fresh(user)).filter(pk=wish.pk).exists()

    assert [seen(u) for u in (o.ann, o.kit, o.dora, o.cid)] == [True, False, False, False]
    seals.submit(wish, by=o.ann)
    assert [seen(u) for u in (o.ann, o.kit, o.dora, o.cid)] == [True, True, True, False]
    missing = client_of(o.cid).get("/official/seal-requests/999999/").status_code
    assert client_of(o.cid).get(f"/official/seal-requests/{wish.pk}/").status_code == missing == 404


def test_the_list_shows_seals_that_should_be_back(o: SimpleNamespace) -> None:
    """5.8.3: the overdue alarm on the list, for the keeper too."""
    today = business_day()
    lent = seals.lend(official.to_use(o, lend=True, back_on=today, title="Bank papers"), by=o.kit, date=today)
    page = client_of(o.kit).get("/official/seal-requests/?view=late")
    assert page.status_code == 200 and "Bank papers" not in page.content.decode()
    SealRequest.objects.filter(pk=lent.pk).update(back_on=today - dt.timedelta(days=1))
    assert "Bank papers" in client_of(o.kit).get("/official/seal-requests/?view=late").content.decode()


def test_what_was_asked_for_is_fixed(o: SimpleNamespace) -> None:
    """5.8.3: an approved request is not changed under the approval, a used one not deleted."""
    wish = official.to_use(o)
    for values in ({"copies": 9}, {"title": "x"}, {"seal": Seal.objects.create(code="X", name="X", keeper=o.eva)}):
        with pytest.raises(DatabaseError), transaction.atomic():
            SealRequest.objects.filter(pk=wish.pk).update(**values)
    with pytest.raises(DatabaseError), transaction.atomic():
        wish.delete()
    with refused("not yours"):
        seals.save_request(wish, by=o.ann)
    with pytest.raises(BusinessError, match="when the seal comes back"):
        official.seal_request(o, lend=True)
    cancelled = seals.cancel(wish, by=o.kit, reason="late")
    assert cancelled.state == "cancelled"
