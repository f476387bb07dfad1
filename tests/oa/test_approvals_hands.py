"""Who decides changes hands; absence; locks and effects (spec approvals X-04 to X-09, X-12, X-14)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.utils import timezone

from kit.values.errors import BusinessError
from oa.approvals import services
from oa.approvals.forecast import forecast
from oa.approvals.models import ApprovalAction, ApprovalCopy, ApprovalRequest, FlowVersion, FormRequest
from oa.approvals.registry import approvables
from oa.approvals.services import approve, reject
from oa.approvals.services.forms import save_request
from oa.approvals.timeouts import handle_overdue
from oa.organisation.models import Department, User
from oa.records.models import Notification
from tests import approving as make
from tests.invariants import assert_books

pytestmark = pytest.mark.django_db


def simple(*names: str, **columns: Any) -> tuple[Any, ...]:
    """(request, applicant, *people) with the people at one step."""
    boss, *people = make.people("boss", *names)
    request = make.request(make.flow(make.step(1, *people, **columns)), boss, amount="900")
    return request, boss, *people


def acts(request: ApprovalRequest) -> list[str]:
    return list(request.actions.values_list("act", flat=True))


# ---- X-04 ----


def test_transfer_lets_another_person_decide() -> None:
    """X-04: the new person decides, the old one cannot any more; logged with the reason."""
    request, _boss, a = simple("a")
    b = make.person("b")
    task = make.task(request, a)
    services.transfer(task, b, by=a, text="you know this better")
    with pytest.raises(BusinessError):
        approve(task, by=a)
    approve(make.task(request, b), by=b)
    assert make.document(request).state == "approved"
    row = ApprovalAction.objects.get(act="transfer")
    assert (row.by, row.target, row.text) == (a, b, "you know this better")


def test_a_decision_is_not_handed_to_the_applicant_or_to_who_is_asked_already() -> None:
    """X-04, X-11."""
    request, boss, a, b = simple("a", "b", how="all")
    for to in (boss, b, a):
        with pytest.raises(BusinessError):
            services.transfer(make.task(request, a), to, by=a)


def test_a_decision_is_not_handed_to_who_approved_an_earlier_level() -> None:
    """X-11: where one person must not decide twice, a transfer is no way around."""
    boss, a, b = make.people("boss", "a", "b")
    request = make.request(make.flow(make.step(1, a), make.step(2, b), on_repeat="other"), boss)
    approve(make.task(request, a), by=a)
    with pytest.raises(BusinessError, match="earlier step"):
        services.transfer(make.task(request, b), a, by=b)


def test_advice_comes_back_to_who_asked() -> None:
    """X-04 delegate: the colleague's opinion decides nothing."""
    request, _boss, a = simple("a")
    b = make.person("b")
    services.delegate(make.task(request, a), b, by=a, text="is the price right?")
    assert make.asked(request) == {b}
    with pytest.raises(BusinessError):
        approve(make.task(request, b), by=b)
    services.give_advice(make.task(request, b), by=b, text="yes")
    assert make.asked(request) == {a}
    approve(make.task(request, a), by=a)
    assert make.document(request).state == "approved"


@pytest.mark.parametrize(
    ("where", "first", "then"), [("before", {"b"}, {"a"}), ("parallel", {"a", "b"}, {"b"}), ("after", {"a"}, {"b"})]
)
def test_added_signers(where: str, first: set[str], then: set[str]) -> None:
    """X-04 add-sign: before me, beside me, after me; the step is approved when both are for it."""
    request, _boss, a = simple("a")
    b = make.person("b")
    services.add_signers(make.task(request, a), [b], by=a, where=where)
    assert {u.username for u in make.asked(request)} == first
    decider = b if where == "before" else a
    approve(make.task(request, decider), by=decider)
    assert {u.username for u in make.asked(request)} == then and make.document(request).state == "approving"
    other = a if decider == b else b
    approve(make.task(request, other), by=other)
    assert make.document(request).state == "approved"


def test_an_added_signer_can_reject() -> None:
    """X-04: who was added to sign counts as who added them."""
    request, _boss, a = simple("a")
    b = make.person("b")
    services.add_signers(make.task(request, a), [b], by=a)
    reject(make.task(request, b), by=b, text="no")
    request.refresh_from_db()
    assert request.state == "rejected"


def test_removing_a_signer_gives_the_decision_back() -> None:
    """X-04 remove-sign: by who added; the waiting decision goes on."""
    request, _boss, a = simple("a")
    b, c = make.people("b", "c")
    services.add_signers(make.task(request, a), [b], by=a, where="before")
    with pytest.raises(BusinessError, match="Only who added"):
        services.remove_signer(make.task(request, b), by=c)
    services.remove_signer(make.task(request, b), by=a)
    assert make.asked(request) == {a}


def test_copies_are_told_once_and_only_when_reached() -> None:
    """X-04 cc, UX 6.12: a copy step tells people when it is reached, a second copy tells nobody again."""
    boss, a, reader = make.people("boss", "a", "reader")
    request = make.request(make.flow(make.step(1, a), make.step(2, reader, kind="cc")), boss)
    assert not ApprovalCopy.objects.exists()
    approve(make.task(request, a), by=a)
    assert [row.user for row in ApprovalCopy.objects.all()] == [reader]
    services.send_copy(request, [reader], by=boss)
    assert Notification.objects.filter(user=reader).count() == 1
    assert ApprovalRequest.objects.visible_to(reader).get() == request


def test_urging_is_limited() -> None:
    """X-04 urge, UX 6.12: at most once in four hours; those who wait are told."""
    request, boss, a = simple("a")
    services.urge(request, by=boss)
    assert "urges" in Notification.objects.filter(user=a).latest("pk").text
    with pytest.raises(BusinessError, match="minutes"):
        services.urge(request, by=boss)
    ApprovalRequest.objects.update(urged_at=timezone.now() - dt.timedelta(hours=4, minutes=1))
    services.urge(request, by=boss)
    assert acts(request).count("urge") == 2


@pytest.mark.parametrize(("rule", "possible"), [("undecided", False), ("anytime", True)])
def test_withdrawing(rule: str, possible: bool) -> None:
    """X-04, X-06: while nobody has decided, or at any time if the flow allows; the document is free again."""
    boss, a, b = make.people("boss", "a", "b")
    request = make.request(make.flow(make.step(1, a), make.step(2, b), withdraw=rule), boss)
    with pytest.raises(BusinessError, match="Only"):
        services.withdraw(request, by=a)
    approve(make.task(request, a), by=a)
    if possible:
        services.withdraw(request, by=boss, reason="not needed")
    else:
        with pytest.raises(BusinessError, match="decided"):
            services.withdraw(request, by=boss)
    assert (make.document(request).state == "draft") == possible
    early = make.request(make.flow(make.step(1, a), withdraw=rule), boss)
    services.withdraw(early, by=boss)
    assert make.document(early).state == "draft" and not make.asked(early)


def test_taking_an_approval_back() -> None:
    """X-04: while the next has not acted; the next is not asked any more until I decide again."""
    boss, a, b = make.people("boss", "a", "b")
    request = make.request(make.flow(make.step(1, a), make.step(2, b)), boss)
    approve(make.task(request, a), by=a)
    services.take_back(make.task(request, a, "approved"), by=a)
    assert make.asked(request) == {a}
    approve(make.task(request, a), by=a)
    services.add_signers(make.task(request, b), [make.person("c")], by=b)
    with pytest.raises(BusinessError, match="acted"):
        services.take_back(make.task(request, a, "approved"), by=a)
    assert_books(["I-27", "I-28", "I-29"])


def test_taking_back_asks_those_again_who_did_not_need_to_decide() -> None:
    """X-04, X-02: one of two was enough; taken back, both are asked."""
    boss, a, b, c = make.people("boss", "a", "b", "c")
    request = make.request(make.flow(make.step(1, a, b), make.step(2, c)), boss)
    approve(make.task(request, a), by=a)
    services.take_back(make.task(request, a, "approved"), by=a)
    assert make.asked(request) == {a, b}


def test_an_administrator_cancels_with_a_reason() -> None:
    """X-04."""
    request, _boss, a = simple("a")
    admin = request.flow_version.flow.admin
    for by, reason in ((a, "x"), (admin, " ")):
        with pytest.raises(BusinessError):
            services.cancel(request, by=by, reason=reason)
    services.cancel(request, by=admin, reason="the project was stopped")
    request.refresh_from_db()
    assert (request.state, request.reason) == ("cancelled", "the project was stopped")
    assert make.document(request).state == "draft"


# ---- X-08 ----


def test_the_document_is_locked_while_it_runs() -> None:
    """X-06: no change, no deletion, no second submission; a rejection unlocks."""
    request, boss, a = simple("a")
    document = make.document(request)
    with pytest.raises(BusinessError):
        save_request(document, document.values, by=boss)
    with pytest.raises(BusinessError, match="in approval already"):
        services.submit(document, kind=request.kind, by=boss)
    with pytest.raises(DatabaseError), transaction.atomic():
        FormRequest.objects.filter(pk=document.pk).delete()
    reject(make.task(request, a), by=a, text="no")
    document = make.document(request)
    save_request(document, {**document.values, "amount": "1"}, by=boss)


def test_a_refused_effect_takes_the_decision_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-07: the last decision and the effect are one transaction, and the person reads why."""
    request, _boss, a = simple("a")

    def refuse(document: Any, by: Any) -> None:
        raise BusinessError("The period is closed.")

    kind = approvables.get(request.kind)
    object.__setattr__(kind, "effect", refuse)
    monkeypatch.setitem(approvables.fixed, request.kind, kind)
    with pytest.raises(BusinessError, match="period is closed"):
        approve(make.task(request, a), by=a)
    request.refresh_from_db()
    assert request.state == "running" and make.asked(request) == {a} and "approve" not in acts(request)
    monkeypatch.undo()
    approve(make.task(request, a), by=a)
    assert acts(request).count("effect") == 1


def test_the_approved_content_is_stored_and_stays() -> None:
    """X-08: data, hash and files of what was approved; the document cannot change any more."""
    request, boss, a = simple("a")
    approve(make.task(request, a), by=a)
    request.refresh_from_db()
    assert request.content["amount"] == "900.00" and len(request.content_hash) == 64
    document = make.document(request)
    with pytest.raises(BusinessError):
        save_request(document, {**document.values, "amount": "1"}, by=boss)
    with pytest.raises(DatabaseError), transaction.atomic():
        FormRequest.objects.filter(pk=document.pk).update(values={})


def test_who_saw_something_older_does_not_approve_the_newer() -> None:
    """X-08: the page says what it showed."""
    boss, a, b = make.people("boss", "a", "b")
    request = make.request(make.flow(make.step(1, a, editable=["reason"]), make.step(1, b)), boss)
    seen = request.content_hash
    services.edit(make.task(request, a), {"reason": "more precise"}, by=a)
    with pytest.raises(BusinessError, match="Look at it again"):
        approve(make.task(request, b), by=b, content_hash=seen)


def test_a_document_changed_behind_the_back_is_not_approved() -> None:
    """X-08, I-28: what takes effect is what was decided about, or nothing."""
    request, _boss, a = simple("a")
    FormRequest.objects.filter(pk=request.object_id).update(values={"amount": "99999.00"})
    with pytest.raises(BusinessError, match="was changed"):
        approve(make.task(request, a), by=a)


# ---- X-09 ----


def test_the_path_is_known_with_names_before_submitting() -> None:
    """X-09: the very people who are then asked, and why."""
    root = Department.objects.get(code="HQ")
    boss, a, b, c = make.people("boss", "a", "b", "c")
    Department.objects.filter(pk=root.pk).update(head=c)
    User.objects.filter(pk=boss.pk).update(department=root)
    boss.refresh_from_db()
    big = [[{"field": "amount", "op": ">", "value": "50000"}]]
    flow = make.flow(make.step(1, a), make.step(2, who="head", conditions=big), make.step(3, b))
    version = FlowVersion.objects.get(flow=flow, state="published")
    for amount, names in (("80000", ["a", "c", "b"]), ("10", ["a", "b"])):
        draft = make.draft(flow, boss, amount=amount)
        kind = approvables.get(flow.kind)
        path = forecast(version, kind, kind.facts(draft), boss, boss.department_id)
        assert [u.username for planned in path.needed for u in planned.asked.people] == names
        request = services.submit(draft, kind=flow.kind, by=boss)
        for name in names:
            assert {u.username for u in make.asked(request)} == {name}
            user = User.objects.get(username=name)
            approve(make.task(request, user), by=user)
    assert "50,000" in path.steps[1].why


def test_the_applicant_chooses_where_the_flow_says_so() -> None:
    """5.9.2 applicant's choice: required, active, not oneself."""
    boss, a = make.people("boss", "a")
    flow = make.flow(make.step(1, who="choice"))
    step = FlowVersion.objects.get(flow=flow, state="published").steps.get()
    for choices in ({}, {step.pk: [boss.pk]}, {step.pk: [0]}):
        with pytest.raises(BusinessError, match="Choose who decides"), transaction.atomic():
            make.request(flow, boss, choices=choices)
    assert make.asked(make.request(flow, boss, choices={step.pk: [a.pk]})) == {a}


def test_people_named_in_the_document_decide() -> None:
    """5.9.2 field in the form: a person, or the head of a department."""
    root = Department.objects.get(code="HQ")
    boss, a, head = make.people("boss", "a", "head")
    Department.objects.filter(pk=root.pk).update(head=head)
    flow = make.flow(make.step(1, who="field", field="reviewer"), make.step(2, who="field", field="unit"))
    request = make.request(flow, boss, reviewer=a, unit=root)
    assert make.asked(request) == {a}
    approve(make.task(request, a), by=a)
    assert make.asked(request) == {head}


# ---- timeouts ----


@pytest.mark.parametrize(("rule", "state"), [("approve", "approved"), ("reject", "rejected")])
def test_time_that_ran_out_decides_by_rule(rule: str, state: str) -> None:
    """5.9.2 timeout: the decision is the system's, once, however often the timer runs."""
    request, _boss, _a = simple("a", hours=8, on_timeout=rule)
    handle_overdue()
    make.late(request, 9)
    assert (handle_overdue(), handle_overdue()) == (1, 0)
    request.refresh_from_db()
    assert request.state == state and ApprovalAction.objects.get(act=rule).by is None
    assert_books(["I-27", "I-28", "I-29"])


def test_reminders_are_counted() -> None:
    """5.9.2 timeout remind n times."""
    request, _boss, a = simple("a", hours=8, remind_hours=4, remind_most=2)
    told = Notification.objects.filter(user=a).count()
    for _turn in range(5):
        make.late(request, 9)
        handle_overdue()
        handle_overdue()
    assert Notification.objects.filter(user=a).count() == told + 2


def test_what_changed_in_a_request_is_told_field_by_field() -> None:
    """G-20: who changed what from what to what, within the values of a form as well."""
    from oa.records.changes import changes_of

    boss, a = make.people("boss", "a")
    draft = make.draft(make.flow(make.step(1, a)), boss, amount="900", reason="trip")
    save_request(FormRequest.objects.get(pk=draft.pk), {**draft.values, "amount": "950"}, by=boss)
    told = changes_of(FormRequest.objects.get(pk=draft.pk), 10)[0].more
    assert ("amount", "900.00", "950.00") in told and len(told) == 1
