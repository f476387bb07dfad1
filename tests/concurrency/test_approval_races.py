"""Two people at one approval: one effect, one verdict a step, whoever is quicker (F-06, F-02, X-02, X-04, X-07).

Each lock has a control which takes it away and shows that the race is real.
"""

from __future__ import annotations

import uuid
from collections import Counter
from typing import Any

import pytest

from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask, FormRequest
from tests import approving
from tests.invariants import assert_books
from tests.oa.signing import keep

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.concurrency]

CODES = ["I-27", "I-28", "I-29", "I-34"]


def total(outcomes: list[Counter[str]]) -> Counter[str]:
    return sum(outcomes, Counter())


def any_one_of(count: int) -> list[int]:
    """The tasks of a request that any one of `count` people may approve."""
    applicant, *people = approving.people(*(f"racer{uuid.uuid4().hex[:6]}{n}" for n in range(count + 1)))
    request = approving.request(approving.flow(approving.step(1, *people)), applicant)
    return list(request.tasks.filter(state="running").values_list("pk", flat=True))


def test_eight_approvers_of_one_step_have_one_effect(crowd: Any) -> None:
    """F-06, X-02, X-07: one decides, the others read that it is decided."""
    for _round in range(5):
        tasks = any_one_of(8)
        outcome = total(crowd.run("decide", [{"task": key} for key in tasks]))
        assert outcome == Counter(ok=1, refused=7)
    assert ApprovalAction.objects.filter(act="effect").count() == 5
    assert ApprovalTask.objects.filter(state="approved").count() == 5
    assert_books(CODES)


def test_eight_approvers_collide_without_the_lock(crowd: Any) -> None:
    """The control: everybody finds the step open, and the state machines of the database alone stop the others."""
    outcome = total(crowd.run("decide", [{"task": key} for key in any_one_of(8)], control=True))
    assert outcome["ok"] >= 1 and outcome["refused"] < 7
    assert sum(outcome.values()) - outcome["ok"] - outcome["refused"] > 0  # errors instead of words


def signer() -> tuple[int, int]:
    """A task of somebody who keeps a signature, and the person."""
    [task] = any_one_of(1)
    person = ApprovalTask.objects.select_related("user").get(pk=task).user
    keep(person)
    return task, person.pk


def test_a_signature_is_given_up_before_or_after_a_decision(crowd: Any) -> None:
    """X-13, F-06: both go through; the decision carries the signature or none, as if one had come first."""
    for _round in range(5):
        task, person = signer()
        given = [{"task": task, "person": 0}, {"task": 0, "person": person}]
        assert total(crowd.run("decide_or_give_up", given)) == Counter(ok=2)
        row = ApprovalAction.objects.select_related("signature").get(task=task, act="approve")
        assert row.signature is None or row.signature.user_id == person
    assert_books([*CODES, "I-33"])


def test_a_signature_is_given_up_amid_a_decision_without_the_lock(crowd: Any) -> None:
    """The control: the guard of the database alone stops a decision with what is no signature any more."""
    task, person = signer()
    given = [{"task": task, "person": 0}, {"task": 0, "person": person}]
    assert total(crowd.run("decide_or_give_up", given, control=True)) == Counter(ok=1, CheckViolation=1)
    assert not ApprovalAction.objects.filter(task=task, act="approve").exists()


def test_a_decision_and_a_withdrawal_exclude_each_other(crowd: Any) -> None:
    """F-06, X-04: either it is approved or withdrawn, and the document knows the same."""
    for _round in range(6):
        [task] = any_one_of(1)
        request = ApprovalTask.objects.get(pk=task).request
        given = [{"task": task, "request": 0}, {"task": 0, "request": request.pk}]
        assert total(crowd.run("decide_or_withdraw", given)) == Counter(ok=1, refused=1)
        request.refresh_from_db()
        document = FormRequest.objects.get(pk=request.object_id)
        assert (request.state, document.state) in {("approved", "approved"), ("withdrawn", "draft")}
    assert_books(CODES)


def test_a_decision_and_a_withdrawal_collide_without_the_lock(crowd: Any) -> None:
    """The control: both go on, and only the state machine in the database stops the second one, without words."""
    [task] = any_one_of(1)
    request = ApprovalTask.objects.get(pk=task).request_id
    given = [{"task": task, "request": 0}, {"task": 0, "request": request}]
    outcome = total(crowd.run("decide_or_withdraw", given, control=True))
    assert outcome["refused"] == 0 and sum(outcome.values()) == 2


def drafts() -> FormRequest:
    applicant, person = approving.people(f"a{uuid.uuid4().hex[:6]}", f"p{uuid.uuid4().hex[:6]}")
    return approving.draft(approving.flow(approving.step(1, person)), applicant)


def test_a_doubled_submit_makes_one_request(crowd: Any) -> None:
    """F-02, I-31: the same form eight times is one request, and everybody gets it."""
    draft, key = drafts(), str(uuid.uuid4())
    outcome = total(crowd.run("submit_request", [{"draft": draft.pk, "key": key}] * 8))
    assert outcome == Counter(ok=8) and ApprovalRequest.objects.filter(object_id=draft.pk).count() == 1


def test_two_tabs_submit_once(crowd: Any) -> None:
    """F-02: different forms of the same draft: one is submitted, the others are told."""
    draft = drafts()
    given = [{"draft": draft.pk, "key": str(uuid.uuid4())} for _ in range(8)]
    assert total(crowd.run("submit_request", given)) == Counter(ok=1, refused=7)
    assert ApprovalRequest.objects.filter(object_id=draft.pk).count() == 1


def test_two_tabs_meet_the_constraint_without_the_lock(crowd: Any) -> None:
    """The control: without the lock the database alone keeps it to one, and the others get an error."""
    draft = drafts()
    given = [{"draft": draft.pk, "key": str(uuid.uuid4())} for _ in range(8)]
    outcome = total(crowd.run("submit_request", given, control=True))
    assert outcome["ok"] <= 1 and outcome["refused"] < 7
