"""Absence and leaving, versions of flows, and what the database itself refuses (spec approvals X-05, I-27, 5.9.1)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kit.values.errors import BusinessError, VersionConflict
from oa.approvals import services
from oa.approvals.leaving import hand_over_flows, hand_over_tasks
from oa.approvals.models import ApprovalAction, ApprovalRequest, FormRequest
from oa.approvals.services import approve
from oa.approvals.services.flows import draft_of, publish
from oa.approvals.services.forms import save_request
from oa.organisation.models import User
from oa.organisation.moves import leave
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


# ---- X-05 ----


def test_a_proxy_decides_for_an_absent_person() -> None:
    """X-05: both see the item; the decision says who decided for whom."""
    request, _boss, a = simple("a")
    b = make.person("b")
    make.stand_in(a, b)
    for user in (a, b):
        assert ApprovalRequest.objects.visible_to(user).get() == request
    approve(make.task(request, a), by=b, text="for a")
    row = ApprovalAction.objects.get(act="approve")
    assert (row.by, row.behalf, row.task.user, row.task.decided_by) == (b, a, a, b)
    assert_books(["I-27"])


@pytest.mark.parametrize("columns", [
    {"until": 1, "since": 9},
    {"kinds": ["form:OTHER"]},
    {"revoked_at": timezone.now()},
])  # fmt: skip
def test_a_proxy_holds_for_its_days_and_kinds(columns: Any) -> None:
    """X-05: date range, process type, revocation."""
    request, _boss, a = simple("a")
    b = make.person("b")
    columns = {name: make.make.days_ago(v) if isinstance(v, int) else v for name, v in columns.items()}
    make.stand_in(a, b, **columns)
    assert not ApprovalRequest.objects.visible_to(b).exists()
    with pytest.raises(BusinessError, match="for A to decide"):
        approve(make.task(request, a), by=b)


def test_a_proxy_is_not_passed_on_and_never_the_applicant() -> None:
    """X-05, I-27: no circle, no chain, and nobody decides about the own request in somebody's place."""
    request, boss, a = simple("a")
    b, c = make.people("b", "c")
    make.stand_in(a, b)
    make.stand_in(b, c)
    make.stand_in(a, boss)
    for by in (c, boss):
        with pytest.raises(BusinessError):
            approve(make.task(request, a), by=by)


def test_one_person_is_one_voice() -> None:
    """X-11: who stands in for a colleague at the same step has decided already."""
    request, _boss, a, b = simple("a", "b", how="all")
    make.stand_in(a, b)
    approve(make.task(request, b), by=b)
    with pytest.raises(BusinessError, match="decided at this step"):
        approve(make.task(request, a), by=b)


def test_leaving_hands_tasks_and_flows_to_the_successor() -> None:
    """X-05, I-34: running and waiting tasks, and what names the person in a flow."""
    boss, a, heir, b = make.people("boss", "a", "heir", "b")
    flow = make.flow(make.step(1, b, a, how="sequence"), make.step(2, a), admin=a)
    waiting = make.request(flow, boss)
    running = make.request(make.flow(make.step(1, a)), boss)
    User.objects.filter(pk=a.pk).update(is_active=False, successor=heir)
    assert hand_over_tasks(a, heir) == 2 and hand_over_flows(a, heir) == 1
    assert make.asked(running) == {heir}
    assert make.task(waiting, heir, "waiting")
    approve(make.task(waiting, b), by=b)
    approve(make.task(waiting, heir), by=heir)
    assert make.asked(waiting) == {heir}  # stage 2 names a, whom the successor follows
    assert_books(["I-27", "I-28", "I-29", "I-34"])


def test_a_successor_who_may_not_decide_is_passed_over() -> None:
    """X-05, X-11: the successor is the applicant, so the administrator of the flow decides."""
    request, boss, a = simple("a")
    User.objects.filter(pk=a.pk).update(is_active=False, successor=boss)
    hand_over_tasks(a, boss)
    assert make.asked(request) == {request.flow_version.flow.admin}


@pytest.mark.parametrize("heir", [True, False])
def test_what_is_returned_after_the_applicant_has_left_is_asked_of_the_successor(heir: bool) -> None:
    """I-34, X-03, X-05: whoever took over revises it and submits it again; where nobody did, the administrator."""
    boss, a, b = make.people("boss", "a", "b")
    admin = make.make.make_user("overseer")
    request = make.request(make.flow(make.step(1, a), admin=admin), boss)
    leave(boss, by=None, successor=b)
    User.objects.filter(pk=boss.pk).update(successor=b if heir else None)
    services.send_back(make.task(request, a), by=a, stage=0, text="unclear")
    reviser = b if heir else admin
    assert make.asked(request) == {reviser}
    assert_books(["I-27", "I-28", "I-29", "I-34"])
    assert Notification.objects.filter(user=reviser, text__startswith="Returned to you").exists()
    services.resubmit(request, by=reviser)
    assert make.asked(request) == {a}


# ---- the engine and its tables ----


def test_a_form_sent_by_the_wrong_person_is_refused_by_the_database() -> None:
    """I-27: whoever writes the history by other ways than the commands is stopped as well."""
    request, boss, a = simple("a")
    task = make.task(request, a)
    columns: dict[str, Any] = {
        "request": request, "task": task, "node": task.node, "act": "approve", "facts_hash": "", "content_hash": "",
        "day": make.make.today(),
    }  # fmt: skip
    for by in (boss, make.person("x")):
        with pytest.raises(DatabaseError), transaction.atomic():
            ApprovalAction.objects.create(by=by, **columns)
    row = ApprovalAction.objects.filter(request=request).latest("pk")
    for change in (lambda: ApprovalAction.objects.update(text="x"), row.delete):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()


def test_versions_in_force_do_not_change_under_running_requests() -> None:
    """5.9.1: a running instance stays on its version; a published version is fixed."""
    boss, a, b = make.people("boss", "a", "b")
    flow = make.flow(make.step(1, a), make.step(2, a))
    old = make.request(flow, boss)
    draft = draft_of(flow, by=None)
    draft.steps.all().delete()
    make.add_steps(draft, [make.step(1, b)])
    publish(draft, by=None)
    assert make.asked(make.request(flow, boss)) == {b}
    approve(make.task(old, a), by=a)
    assert make.asked(old) == {a}
    with pytest.raises(DatabaseError), transaction.atomic():
        old.flow_version.steps.update(name="x")
    with pytest.raises(DatabaseError), transaction.atomic():
        make.add_steps(old.flow_version, [make.step(3, b)])


def test_a_flow_nobody_could_decide_is_not_put_into_force() -> None:
    """5.9.1: what is wrong is told in words."""
    a = make.person("a")
    flow = make.flow(make.step(1, a))
    draft = draft_of(flow, by=None)
    draft.steps.all().delete()
    with pytest.raises(BusinessError, match="no step"):
        publish(draft, by=None)
    make.add_steps(
        draft, [make.step(1), make.step(2, a, conditions=[[{"field": "nonsense", "op": "=", "value": "1"}]])]
    )
    with pytest.raises(BusinessError, match="at least one person") as caught:
        publish(draft, by=None)
    assert "compares" in str(caught.value)


def test_a_conflicting_edit_of_a_draft_is_told() -> None:
    """G-19."""
    boss, a = make.people("boss", "a")
    draft = make.draft(make.flow(make.step(1, a)), boss)
    with pytest.raises(VersionConflict):
        save_request(FormRequest.objects.get(pk=draft.pk), {}, by=boss, version=draft.version + 1)


@pytest.mark.parametrize("many", [2, 40])
def test_statements_do_not_grow_with_the_people_asked(many: int) -> None:
    """DESIGN 4: asking 40 people takes as many statements as asking 2, and so does deciding."""
    boss, *people = make.people("boss", *(f"m{n}" for n in range(many)))
    flow = make.flow(make.step(1, *people, how="all"))
    draft = make.draft(flow, boss)
    with CaptureQueriesContext(connection) as submitting:
        request = services.submit(draft, kind=flow.kind, by=boss)
    with CaptureQueriesContext(connection) as deciding:
        approve(make.task(request, people[0]), by=people[0])
    assert (len(submitting), len(deciding)) == STATEMENTS, [q["sql"][:90] for q in submitting.captured_queries]


STATEMENTS = (21, 14)  # submitting, deciding with or without a signature


def test_leaving_by_the_command_hands_approvals_over() -> None:
    """X-05, I-34: the command of personnel reaches them; an order in approval goes on with its new owner."""
    from oa.organisation.moves import leave
    from tests.erp.test_order_approval import BIG, KIND

    mia, ann, heir = make.people("mia", "ann", "heir")
    flow = make.flow(make.step(1, mia, conditions=BIG), kind=KIND, admin=mia, on_repeat="other")
    product = make.make.make_product(tax=None, price="1000")
    order = make.make.make_order(
        make.make.make_customer(owner=ann),
        make.make.line(product, 60),
        by=ann,
        owner=ann,
        warehouse=make.make.warehouse(),
    )
    request = services.submit(order, kind=KIND, by=ann)
    leave(mia, by=None, successor=heir)
    leave(ann, by=None, successor=heir)
    flow.refresh_from_db()
    assert flow.admin == heir
    assert {u.username for u in make.asked(request)} == {"heir"}
    approve(make.task(request, heir), by=heir)
    order.refresh_from_db()
    assert (order.state, order.owner) == ("confirmed", heir)
    assert_books(["I-27", "I-28", "I-29", "I-34"])
