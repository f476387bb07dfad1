"""Random flows, people and deeds: whatever happens, the invariants of approvals hold after each step.

`--approval-examples N` walks longer than the suite does.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import transaction
from django.db.models import F
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kit.values.errors import BusinessError
from oa.approvals import services
from oa.approvals.models import ApprovalAction, ApprovalRequest, ApprovalTask, Flow
from oa.approvals.services.forms import save_request
from oa.approvals.timeouts import handle_overdue
from oa.organisation.models import Department, User
from oa.organisation.moves import leave
from tests import approving as make
from tests.invariants import broken

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

CODES = ["I-27", "I-28", "I-29", "I-34"]
AMOUNTS = st.sampled_from(["500", "20000", "80000"])
LEAST = ("0", "10000", "50000")  # what the levels of a ladder begin at
PICK = st.integers(0, 30)

STEP = st.fixed_dictionaries(
    {
        "stage": st.integers(1, 3),
        "who": st.sampled_from(["people", "head", "chain", "manager", "members", "applicant"]),
        "how": st.sampled_from(["any", "all", "ratio", "sequence"]),
        "least": st.sampled_from(LEAST),
        "kind": st.sampled_from(["approve", "approve", "approve", "handle", "cc"]),
        "named": st.sets(st.integers(0, 5), min_size=1, max_size=3),
        "on_reject": st.sampled_from(["end", "end", "applicant"]),
        "on_timeout": st.sampled_from(["remind", "approve", "reject"]),
        "timed": st.booleans(),
        "editable": st.sampled_from([[], ["amount"]]),
    }
)
SETTINGS = st.fixed_dictionaries(
    {
        "on_self": st.sampled_from(["head", "skip", "allow"]),
        "on_repeat": st.sampled_from(["other", "ask", "pass", "consecutive"]),
        "on_empty": st.sampled_from(["admin", "approve", "reject"]),
        "resubmit": st.sampled_from(["again", "back"]),
        "withdraw": st.sampled_from(["undecided", "anytime"]),
    }
)


class Office(RuleBasedStateMachine):
    """Six colleagues in three departments, one flow, up to three requests."""

    people: list[User]
    admin: User

    def __init__(self) -> None:
        super().__init__()
        self.savepoint = transaction.atomic()
        self.savepoint.__enter__()
        self.flow: Flow | None = None
        self.requests: list[int] = []
        self.gone: set[int] = set()

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.savepoint.__exit__(None, None, None)

    @initialize(steps=st.lists(STEP, min_size=1, max_size=4), given=SETTINGS)
    def define(self, steps: list[dict[str, Any]], given: dict[str, Any]) -> None:
        rows = []
        for number, drawn in enumerate(steps):
            columns = dict(drawn)
            named = [self.people[i] for i in sorted(columns.pop("named"))]
            conditions = [[{"field": "amount", "op": ">", "value": columns.pop("least")}]]
            columns["hours"] = 8 if columns.pop("timed") else None
            columns |= {"ratio": 60, "department_id": self.people[1].department_id, "name": f"S{number}"}
            if number == 0:
                columns["kind"] = "approve"
            rows.append(make.step(columns.pop("stage"), *named, conditions=conditions, **columns))
        self.flow = make.flow(*rows, admin=self.admin, **given)

    # ---- what people do ----

    def person(self, pick: int) -> User:
        found = [u for u in self.people if u.pk not in self.gone]
        return found[pick % len(found)]

    def task(self, pick: int, **where: Any) -> ApprovalTask | None:
        where.setdefault("state", "running")
        found = list(ApprovalTask.objects.filter(**where).select_related("user", "request").order_by("pk"))
        return found[pick % len(found)] if found else None

    def request(self, pick: int) -> ApprovalRequest:
        return ApprovalRequest.objects.get(pk=self.requests[pick % len(self.requests)])

    def attempt(self, effect: Any) -> Any:
        """A refusal is a sentence; whatever else is raised is a failure."""
        try:
            with transaction.atomic():
                return effect()
        except BusinessError as error:
            assert str(error)
            return None

    @precondition(lambda self: len(self.requests) < 3)
    @rule(pick=PICK, amount=AMOUNTS)
    def submit(self, pick: int, amount: str) -> None:
        made = self.attempt(lambda: make.request(self.flow, self.person(pick), amount=amount))
        if made is not None:
            self.requests.append(made.pk)

    @rule(pick=PICK, other=st.one_of(st.none(), PICK))
    def approve(self, pick: int, other: int | None) -> None:
        task = self.task(pick)
        if task is not None:
            by = task.user if other is None else self.person(other)
            self.attempt(lambda: services.approve(task, by=by, text="ok"))

    @rule(pick=PICK)
    def approve_again(self, pick: int) -> None:
        self.approve(pick, None)

    @rule(pick=PICK)
    def reject(self, pick: int) -> None:
        task = self.task(pick)
        if task is not None:
            self.attempt(lambda: services.reject(task, by=task.user, text="no"))

    @rule(pick=PICK, stage=st.integers(0, 3))
    def send_back(self, pick: int, stage: int) -> None:
        task = self.task(pick)
        if task is not None:
            self.attempt(lambda: services.send_back(task, by=task.user, stage=stage, text="again"))

    @rule(pick=PICK, amount=st.one_of(st.none(), AMOUNTS))
    def resubmit(self, pick: int, amount: str | None) -> None:
        task = self.task(pick, role="revise")
        if task is None:
            return
        document = make.document(task.request)
        if amount is not None:
            save_request(document, {**document.values, "amount": amount}, by=task.user)
        self.attempt(lambda: services.resubmit(task.request, by=task.user))

    @precondition(lambda self: self.requests)
    @rule(pick=PICK)
    def withdraw(self, pick: int) -> None:
        request = self.request(pick)
        self.attempt(lambda: services.withdraw(request, by=request.applicant, reason="changed my mind"))

    @precondition(lambda self: self.requests)
    @rule(pick=PICK, who=PICK)
    def cancel(self, pick: int, who: int) -> None:
        by = self.admin if who % 3 == 0 else self.person(who)
        self.attempt(lambda: services.cancel(self.request(pick), by=by, reason="x"))

    @rule(pick=PICK, to=PICK)
    def transfer(self, pick: int, to: int) -> None:
        task = self.task(pick)
        if task is not None:
            self.attempt(lambda: services.transfer(task, self.person(to), by=task.user, text="yours"))

    @rule(pick=PICK, to=PICK)
    def delegate(self, pick: int, to: int) -> None:
        task = self.task(pick)
        if task is not None:
            self.attempt(lambda: services.delegate(task, self.person(to), by=task.user, text="?"))

    @rule(pick=PICK)
    def advise(self, pick: int) -> None:
        task = self.task(pick, role="advice")
        if task is not None:
            self.attempt(lambda: services.give_advice(task, by=task.user, text="fine"))

    @rule(pick=PICK, to=PICK, where=st.sampled_from(["before", "parallel", "after"]))
    def add(self, pick: int, to: int, where: str) -> None:
        task = self.task(pick)
        if task is not None:
            self.attempt(lambda: services.add_signers(task, [self.person(to)], by=task.user, where=where))

    @rule(pick=PICK)
    def remove(self, pick: int) -> None:
        task = self.task(pick, role="added", state__in=["running", "waiting"])
        if task is not None and task.source is not None:
            self.attempt(lambda: services.remove_signer(task, by=task.source.user))

    @rule(pick=PICK)
    def take_back(self, pick: int) -> None:
        task = self.task(pick, state="approved", node__isnull=False)
        if task is not None:
            self.attempt(lambda: services.take_back(task, by=task.user))

    @rule(pick=PICK, amount=AMOUNTS)
    def edit(self, pick: int, amount: str) -> None:
        task = self.task(pick)
        if task is not None:
            self.attempt(lambda: services.edit(task, {"amount": amount}, by=task.user))

    @rule(principal=PICK, proxy=PICK)
    def stand_in(self, principal: int, proxy: int) -> None:
        a, b = self.person(principal), self.person(proxy)
        if a != b:
            make.stand_in(a, b)

    @rule(hours=st.sampled_from([9, 30]))
    def time_passes(self, hours: int) -> None:
        back = dt.timedelta(hours=hours)
        ApprovalTask.objects.filter(state="running").update(due_at=F("due_at") - back, remind_at=F("remind_at") - back)
        handle_overdue()

    @precondition(lambda self: len(self.gone) < 3)
    @rule(pick=PICK, successor=PICK)
    def leave(self, pick: int, successor: int) -> None:
        user = self.person(pick)
        heir = next(u for u in [self.person(successor), *self.people] if u != user and u.pk not in self.gone)
        self.gone.add(user.pk)
        leave(user, by=None, successor=heir)

    # ---- what must hold ----

    @invariant()
    def books(self) -> None:
        found = broken(CODES)
        assert not found, found

    @invariant()
    def no_level_is_climbed_around(self) -> None:
        """X-10, X-11, told by the history alone: every level of an approved amount was decided, not by the applicant."""
        for request in ApprovalRequest.objects.filter(state="approved").select_related("flow_version"):
            said = ApprovalAction.objects.filter(request=request, facts_hash=request.facts_hash)
            decided = {a.node.step_id for a in said.select_related("node") if a.node is not None}
            for step in request.flow_version.steps.filter(kind="approve"):
                least = step.conditions[0][0]["value"]
                if float(request.amount or 0) > float(least):
                    assert step.pk in decided, (request.pk, step.name)
            people = {a.by_id for a in said if a.act == "approve" and a.by_id is not None}
            assert people != {request.applicant_id}

    @invariant()
    def effect_is_once_and_only_then(self) -> None:
        """X-07: the document is approved exactly when its request is."""
        for key in self.requests:
            request = ApprovalRequest.objects.get(pk=key)
            state = make.document(request).state
            assert (state == "approved") == (request.state == "approved")
            assert (state == "approving") == (request.state == "running")


@pytest.fixture
def office() -> type[Office]:
    """The colleagues: A and B in the shop under C, who reports to D; E and F elsewhere."""
    root = Department.objects.get(code="HQ")
    shop = Department.objects.create(code="S", name="Shop", parent=root)
    users = [make.person(name, shop if name in "abc" else root) for name in "abcdef"]
    Department.objects.filter(pk=shop.pk).update(head=users[2])
    Department.objects.filter(pk=root.pk).update(head=users[3])
    Office.people = [User.objects.get(pk=user.pk) for user in users]
    Office.admin = make.make.make_user("overseer")
    return Office


def test_random_approvals_keep_their_invariants(office: type[Office], request: pytest.FixtureRequest) -> None:
    """I-27, I-28, I-29, I-34, X-07, X-10, X-11 after each of many random deeds."""
    run_state_machine_as_test(
        office,
        settings=settings(
            max_examples=request.config.getoption("--approval-examples"),
            stateful_step_count=14,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
