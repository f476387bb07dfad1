"""When a step is decided, and what follows (spec approvals X-01, X-02, X-03, X-10, X-11)."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kit.values.errors import BusinessError
from oa.approvals import outcome
from oa.approvals.services import approve, edit, reject, resubmit, send_back
from oa.approvals.services.forms import save_request
from oa.organisation.models import Department
from tests import approving as make
from tests import factories
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db

BIG = [[{"field": "amount", "op": ">", "value": "50000"}]]


# ---- how many must approve (X-02) ----


@given(st.lists(st.sampled_from(["approved", "rejected", "pending"]), min_size=1, max_size=9), st.integers(1, 9))
def test_a_step_is_decided_exactly_when_nothing_can_change_it(results: list[str], needed: int) -> None:
    """X-02: the outcome is certain when, whatever the rest will say, it stays the same."""
    needed = min(needed, len(results))
    open_slots = results.count("pending")
    finals = {results.count("approved") + more >= needed for more in range(open_slots + 1)}
    said = outcome.step_result(results, needed)
    assert said == ("pending" if len(finals) == 2 else "approved" if finals == {True} else "rejected")


@pytest.mark.parametrize(
    ("how", "slots", "ratio", "needed"),
    [("any", 5, None, 1), ("all", 5, None, 5), ("ratio", 3, 50, 2), ("ratio", 5, 60, 3), ("ratio", 4, 1, 1),
     ("ratio", 3, D("66.67"), 3), ("sequence", 3, None, 3), ("any", 0, None, 0)],
)  # fmt: skip
def test_how_many_must_approve(how: str, slots: int, ratio: Any, needed: int) -> None:
    """X-02: a share is rounded up, and never less than one."""
    assert outcome.required(how, slots, None if ratio is None else D(ratio)) == needed


def test_one_rejection_does_not_end_a_ratio_step() -> None:
    """X-02: 2 of 3 must approve: after one rejection the others still decide, and approve it."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    flow = make.flow(make.step(1, a, b, c, how="ratio", ratio=60))
    request = make.request(flow, boss)
    reject(make.task(request, a), by=a, text="too dear")
    request.refresh_from_db()
    assert request.state == "running" and make.asked(request) == {b, c}
    approve(make.task(request, b), by=b)
    approve(make.task(request, c), by=c)
    request.refresh_from_db()
    assert request.state == "approved" and make.document(request).state == "approved"


def test_a_ratio_step_is_rejected_as_soon_as_it_cannot_be_approved() -> None:
    """X-02: 2 of 3 must approve: the second rejection ends it, the third person need not decide."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    request = make.request(make.flow(make.step(1, a, b, c, how="ratio", ratio=60)), boss)
    reject(make.task(request, a), by=a, text="no")
    reject(make.task(request, b), by=b, text="no")
    request.refresh_from_db()
    assert request.state == "rejected" and make.document(request).state == "draft"
    assert make.task(request, c, "cancelled").decided_by is None


def test_decided_tasks_of_others_leave_their_inbox() -> None:
    """X-02: any one decides: the others' tasks are cancelled and are not "done by me"."""
    a, b, boss = make.people("a", "b", "boss")
    request = make.request(make.flow(make.step(1, a, b)), boss)
    approve(make.task(request, a), by=a)
    gone = make.task(request, b, "cancelled")
    assert (gone.decided_by, gone.state) == (None, "cancelled")
    with pytest.raises(BusinessError):
        approve(gone, by=b)


def test_all_of_them_one_after_the_other() -> None:
    """5.9.2: a sequence asks the next one only after the one before approved."""
    a, b, boss = make.people("a", "b", "boss")
    request = make.request(make.flow(make.step(1, a, b, how="sequence")), boss)
    assert make.asked(request) == {a}
    with pytest.raises(BusinessError, match="turn"):
        approve(make.task(request, b, "waiting"), by=b)
    approve(make.task(request, a), by=a)
    assert make.asked(request) == {b}
    approve(make.task(request, b), by=b)
    request.refresh_from_db()
    assert request.state == "approved"


def test_steps_of_one_stage_run_at_the_same_time() -> None:
    """5.9.2 parallel: the next stage begins when all steps of this one are approved."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(1, b), make.step(2, c)), boss)
    assert make.asked(request) == {a, b}
    approve(make.task(request, b), by=b)
    assert make.asked(request) == {a}
    approve(make.task(request, a), by=a)
    assert make.asked(request) == {c}


def test_a_rejected_step_ends_its_neighbours() -> None:
    """5.9.2: on rejection the process ends; nobody is asked any more."""
    a, b, boss = make.people("a", "b", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(1, b)), boss)
    reject(make.task(request, a), by=a, text="no")
    request.refresh_from_db()
    assert request.state == "rejected" and not make.asked(request)
    assert sorted(make.nodes(request)) == [(1, "cancelled"), (1, "rejected")]


@pytest.mark.parametrize(("rule", "state", "asks"), [("applicant", "returned", "boss"), ("stage", "running", "a")])
def test_a_rejection_may_return_instead_of_ending(rule: str, state: str, asks: str) -> None:
    """5.9.2: on rejection return to the applicant or to an earlier stage."""
    a, b, boss = make.people("a", "b", "boss")
    back = {"on_reject": rule} | ({"reject_to": 1} if rule == "stage" else {})
    request = make.request(make.flow(make.step(1, a), make.step(2, b, **back)), boss)
    approve(make.task(request, a), by=a)
    reject(make.task(request, b), by=b, text="not like this")
    request.refresh_from_db()
    assert request.state == state and {u.username for u in make.asked(request)} == {asks}


# ---- conditions and ladders (X-01, X-10) ----


def test_conditions_decide_which_steps_are_run() -> None:
    """X-01: a step is run only if one of its alternatives holds, by value in base currency, choice or department."""
    a, b, boss = make.people("a", "b", "boss")
    flow = make.flow(make.step(1, a), make.step(2, b, conditions=BIG))
    small, large = make.request(flow, boss, amount="50000"), make.request(flow, boss, amount="50000.01")
    for request in (small, large):
        approve(make.task(request, a), by=a)
        request.refresh_from_db()
    assert (small.state, large.state) == ("approved", "running")
    assert make.task(large, b).node.why == BIG[0]


def test_a_ladder_lets_nothing_take_effect_before_the_last_level() -> None:
    """X-10: 80,000 needs three levels: the document is not approved before the third."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    levels = [(a, "0"), (b, "10000"), (c, "50000")]
    steps = [make.step(n, u, conditions=[[{"field": "amount", "op": ">", "value": least}]])
             for n, (u, least) in enumerate(levels, 1)]  # fmt: skip
    request = make.request(make.flow(*steps), boss, amount="80000")
    for user in (a, b):
        approve(make.task(request, user), by=user)
        assert make.document(request).state == "approving"
    approve(make.task(request, c), by=c)
    assert make.document(request).state == "approved"


def test_a_change_during_the_run_lets_the_ladder_be_climbed_again() -> None:
    """X-01, X-10: whoever raises the amount on the way cannot skip the level that it now needs."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    small = [[{"field": "amount", "op": "<=", "value": "1000"}]]
    flow = make.flow(
        make.step(1, a, conditions=BIG),
        make.step(2, b, conditions=small, editable=["amount"]),
        make.step(3, c),
    )
    request = make.request(flow, boss, amount="900")
    assert make.asked(request) == {b}
    edit(make.task(request, b), {"amount": "80000"}, by=b)
    approve(make.task(request, b), by=b)
    assert make.asked(request) == {a}  # the level for big amounts, before the last step
    approve(make.task(request, a), by=a)
    approve(make.task(request, c), by=c)
    request.refresh_from_db()
    assert request.state == "approved" and request.amount == 80000


def test_a_changed_amount_makes_earlier_approvals_void() -> None:
    """X-08, I-28: who approved 900 has not approved 80,000."""
    a, b, boss = make.people("a", "b", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(2, b, editable=["amount"])), boss, amount="900")
    approve(make.task(request, a), by=a)
    edit(make.task(request, b), {"amount": "80000"}, by=b)
    approve(make.task(request, b), by=b)
    assert make.asked(request) == {a} and make.document(request).state == "approving"


def test_only_fields_of_the_step_can_be_changed() -> None:
    """X-06: field rights of the step."""
    a, boss = make.people("a", "boss")
    request = make.request(make.flow(make.step(1, a, editable=["reason"])), boss, amount="900")
    with pytest.raises(BusinessError):
        edit(make.task(request, a), {"amount": "1"}, by=a)
    edit(make.task(request, a), {"reason": "checked"}, by=a)
    assert make.document(request).values["reason"] == "checked"
    approve(make.task(request, a), by=a)
    assert make.document(request).state == "approved"


# ---- return (X-03) ----


def test_a_return_to_a_countersign_step_asks_all_its_people_again() -> None:
    """X-03: fresh tasks for all assignees, though only one of them had to be asked again."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    request = make.request(make.flow(make.step(1, a, b, how="all"), make.step(2, c)), boss)
    for user in (a, b):
        approve(make.task(request, user), by=user)
    send_back(make.task(request, c), by=c, stage=1, text="look again")
    assert make.asked(request) == {a, b}
    assert make.nodes(request) == [(1, "void"), (2, "returned"), (1, "running")]
    for user in (a, b):
        approve(make.task(request, user), by=user)
    assert make.asked(request) == {c}


def test_a_return_out_of_a_countersign_step_cancels_the_others() -> None:
    """X-03: the source is multi-person: nobody else of it is asked any more, all are asked afresh later."""
    a, b, c, boss = make.people("a", "b", "c", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(2, b, c, how="all")), boss)
    approve(make.task(request, a), by=a)
    approve(make.task(request, b), by=b)
    send_back(make.task(request, c), by=c, stage=1, text="again")
    assert make.asked(request) == {a}
    approve(make.task(request, a), by=a)
    assert make.asked(request) == {b, c}


@pytest.mark.parametrize(("rule", "next_one"), [("again", "a"), ("back", "b")])
def test_after_a_return_to_the_applicant(rule: str, next_one: str) -> None:
    """X-03: on re-submission from the beginning, or at the step that returned it, as the flow says."""
    a, b, boss = make.people("a", "b", "boss")
    flow = make.flow(make.step(1, a), make.step(2, b), resubmit=rule)
    request = make.request(flow, boss, amount="900")
    approve(make.task(request, a), by=a)
    send_back(make.task(request, b), by=b, stage=0, text="why?")
    request.refresh_from_db()
    document = make.document(request)
    assert (request.state, document.state, make.asked(request)) == ("returned", "draft", {boss})
    save_request(document, {**document.values, "reason": "because"}, by=boss)
    resubmit(request, by=boss)
    assert {u.username for u in make.asked(request)} == {next_one}


def test_changed_facts_begin_anew_although_the_flow_would_go_on() -> None:
    """X-03, X-08: what the first approver agreed to is not what is asked now."""
    a, b, boss = make.people("a", "b", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(2, b), resubmit="back"), boss, amount="900")
    approve(make.task(request, a), by=a)
    send_back(make.task(request, b), by=b, stage=0, text="too low")
    document = make.document(request)
    save_request(document, {**document.values, "amount": "9000"}, by=boss)
    resubmit(request, by=boss)
    assert make.asked(request) == {a}


def test_a_return_goes_only_to_steps_that_were_passed() -> None:
    """X-03: any earlier step, no later one and no other."""
    a, b, boss = make.people("a", "b", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(2, b)), boss)
    for stage in (1, 2, 7):
        with pytest.raises(BusinessError):
            send_back(make.task(request, a), by=a, stage=stage, text="x")
    with pytest.raises(BusinessError, match="reason"):
        send_back(make.task(request, a), by=a, stage=0, text="  ")


# ---- who may not decide (X-11) ----


def departments() -> tuple[Department, Department]:
    root = Department.objects.get(code="HQ")
    return root, Department.objects.create(code="E", name="East", parent=root)


def test_the_applicant_does_not_approve_and_the_next_head_does() -> None:
    """X-11, "approver = applicant": a head's own request goes to the head above."""
    root, east = departments()
    head, top = make.person("head", east), make.person("top", root)
    Department.objects.filter(pk=east.pk).update(head=head)
    Department.objects.filter(pk=root.pk).update(head=top)
    request = make.request(make.flow(make.step(1, who="head")), head)
    assert make.asked(request) == {top}


def test_who_is_left_out_as_applicant_cannot_be_the_only_one() -> None:
    """X-11: the step passes for the applicant, but somebody else decides before it takes effect."""
    boss = make.person("boss")
    flow = make.flow(make.step(1, boss), on_self="skip")
    request = make.request(flow, boss)
    assert request.state == "running" and make.asked(request) == {flow.admin}


def test_an_applicant_who_may_decide_is_not_the_only_approver() -> None:
    """X-11: even where the flow lets the applicant decide."""
    boss = make.person("boss")
    flow = make.flow(make.step(1, boss), on_self="allow")
    request = make.request(flow, boss)
    approve(make.task(request, boss), by=boss)
    assert make.asked(request) == {flow.admin}
    approve(make.task(request, flow.admin), by=flow.admin)
    assert make.document(request).state == "approved"


def test_one_person_does_not_satisfy_two_levels() -> None:
    """X-11: by default the second level goes to the next head above."""
    root, east = departments()
    head, top, sales = make.person("head", east), make.person("top", root), make.person("s", east)
    Department.objects.filter(pk=east.pk).update(head=head)
    Department.objects.filter(pk=root.pk).update(head=top)
    request = make.request(make.flow(make.step(1, who="head"), make.step(2, head), on_repeat="other"), sales)
    approve(make.task(request, head), by=head)
    assert make.asked(request) == {top}


@pytest.mark.parametrize(("rule", "asks"), [("ask", True), ("pass", False), ("consecutive", False)])
def test_the_same_person_again(rule: str, asks: bool) -> None:
    """5.9.2 "same person again": asked each time, or passed."""
    a, boss = make.people("a", "boss")
    request = make.request(make.flow(make.step(1, a), make.step(2, a), on_repeat=rule), boss)
    approve(make.task(request, a), by=a)
    request.refresh_from_db()
    assert (request.state == "running") == asks
    passed = request.actions.filter(act="system", target=a, node__stage=2)  # the history tells every step
    assert [row.data["note"] for row in passed] == ([] if asks else ["repeat-pass"])


def test_consecutive_passes_only_what_follows_directly() -> None:
    """5.9.2: a comes again after b decided in between, and is asked."""
    a, b, boss = make.people("a", "b", "boss")
    flow = make.flow(make.step(1, a), make.step(2, b), make.step(3, a), on_repeat="consecutive")
    request = make.request(flow, boss)
    approve(make.task(request, a), by=a)
    approve(make.task(request, b), by=b)
    assert make.asked(request) == {a}


@pytest.mark.parametrize(
    ("rule", "state"), [("approve", "approved"), ("reject", "rejected"), ("admin", "running"), ("person", "running")]
)
def test_where_nobody_is_found(rule: str, state: str) -> None:
    """5.9.2 "nobody found": pass, reject, ask the administrator or a named person."""
    other, boss = make.people("other", "boss")
    vacant = factories.make_user("gone", "sales", is_active=True)
    flow = make.flow(make.step(1, vacant), on_empty=rule, fallback=other)
    type(vacant).objects.filter(pk=vacant.pk).update(is_active=False)
    request = make.request(flow, boss)
    assert request.state == state
    if state == "running":
        assert make.asked(request) == {flow.admin if rule == "admin" else other}


@pytest.mark.parametrize(("on_reject", "state"), [("end", "rejected"), ("applicant", "returned"), ("stage", "running")])
def test_a_step_that_a_rule_rejects_leaves_the_others_of_its_stage_alone(on_reject: str, state: str) -> None:
    """5.9.2, X-03: the request is decided or on its way back, so nobody beside it is asked any more (I-29)."""
    first, other, boss, vacant = make.people("first", "other", "boss", "vacant")
    turned = make.step(2, vacant, on_reject=on_reject, reject_to=1 if on_reject == "stage" else None)
    request = make.request(make.flow(make.step(1, first), turned, make.step(2, other), on_empty="reject"), boss)
    type(vacant).objects.filter(pk=vacant.pk).update(is_active=False)
    approve(make.task(request, first), by=first)
    request.refresh_from_db()
    asked = {"rejected": set(), "returned": {boss}, "running": {first}}[state]
    assert (request.state, make.asked(request)) == (state, asked)
    assert_books(["I-27", "I-29"])
