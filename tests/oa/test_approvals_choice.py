"""Who decides: one at random, or whom the approver before names (spec approvals 5.9.2, X-11)."""

from __future__ import annotations

from typing import Any

import pytest

from kit.values.errors import BusinessError
from oa.approvals import services
from oa.approvals.models import ApprovalRequest, FlowStep, FlowVersion
from oa.approvals.timeouts import handle_overdue
from oa.organisation.models import User
from tests import approving as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def test_one_of_several_is_asked_at_random() -> None:
    """5.9.2 random one: exactly one person is asked, by and by each of them; that one decides the step."""
    boss, *people = make.people("boss", "a", "b", "c")
    flow, asked = make.flow(make.step(1, *people, how="random")), set()
    for _turn in range(40):
        request = make.request(flow, boss)
        (person,) = make.asked(request)
        asked.add(person)
        if asked == set(people):
            break
    assert asked == set(people)
    services.approve(make.task(request, person), by=person)
    request.refresh_from_db()
    assert request.state == "approved"


def test_who_approved_before_is_drawn_last() -> None:
    """X-11: where repeated approvals pass, chance does not wave a request through."""
    boss, a, b = make.people("boss", "a", "b")
    flow = make.flow(make.step(1, a), make.step(2, a, b, how="random"), on_repeat="pass")
    for _turn in range(8):
        request = make.request(flow, boss)
        services.approve(make.task(request, a), by=a)
        assert make.asked(request) == {b}


def chosen(boss: User, *first: User, **settings: Any) -> tuple[ApprovalRequest, FlowStep]:
    """A request at its first stage; who approves it names who decides at the second."""
    flow = make.flow(
        make.step(1, *first, **settings), make.step(2, who="previous", name="Review", how="all"), make.step(3, *first)
    )
    return make.request(flow, boss), FlowStep.objects.get(flow_version__flow=flow, stage=2)


def test_the_approver_names_who_decides_next() -> None:
    """5.9.2 previous approver's choice: on the page, required, and those named are asked."""
    boss, a, b, c = make.people("boss", "ann", "bob", "cat")
    request, step = chosen(boss, a)
    task, client, name = make.task(request, a), client_of(a), f"choice_{step.pk}"
    path = client.get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "Who approves before chooses." in path
    url = f"/approvals/act/{request.pk}/approve/?task={task.pk}"
    assert f'name="{name}_add_text"' in client.get(url).content.decode()
    assert client.post(url, {"opinion": "fine"}).status_code == 422
    assert make.asked(request) == {a}
    assert client.post(url, {"opinion": "fine", name: [b.pk, c.pk]}).status_code == 302
    assert make.asked(request) == {b, c}
    for person in (b, c):
        services.approve(make.task(request, person), by=person)
    assert make.asked(request) == {a}


def test_without_a_choice_nothing_is_approved_by_row_or_box() -> None:
    """5.9.2: the quick ways tell in words what is missing."""
    boss, a = make.people("boss", "ann")
    request, _step = chosen(boss, a)
    task, client = make.task(request, a), client_of(a)
    quick = client.post(f"/approvals/act/{request.pk}/approve/?task={task.pk}", {"back": "/todo/"}, follow=True)
    ticked = client.post("/approvals/batch/", {"ids": [task.pk]})
    assert all("Choose who decides at “Review”" in answer.content.decode() for answer in (quick, ticked))
    assert make.asked(request) == {a}


def test_the_applicant_and_people_who_left_cannot_be_named() -> None:
    """X-11: refused with words; nothing is stored."""
    boss, a = make.people("boss", "ann")
    gone = make.person("gone", is_active=False)
    request, step = chosen(boss, a)
    for somebody in (boss, gone):
        with pytest.raises(BusinessError, match="not the applicant"):
            services.approve(make.task(request, a), by=a, choices={step.pk: [somebody.pk]})
    request.refresh_from_db()
    assert request.choices == {} and make.asked(request) == {a}


def test_of_several_approvers_the_first_names_and_the_last_may_correct() -> None:
    """5.9.2: at a step of all, nobody has to name again what is named, and the last word counts."""
    boss, a, b, c, d = make.people("boss", "ann", "bob", "cat", "dan")
    request, step = chosen(boss, a, b, how="all")
    services.approve(make.task(request, a), by=a, choices={step.pk: [c.pk]})
    page = client_of(b).get(f"/approvals/act/{request.pk}/approve/?task={make.task(request, b).pk}").content.decode()
    assert f'name="choice_{step.pk}" value="{c.pk}"' in page
    services.approve(make.task(request, b), by=b, choices={step.pk: [d.pk]})
    assert make.asked(request) == {d}
    other, _step = chosen(boss, a, b, how="all")
    services.approve(make.task(other, a), by=a, choices={_step.pk: [c.pk]})
    services.approve(make.task(other, b), by=b)
    assert make.asked(other) == {c}


def test_where_the_clock_decides_the_administrator_is_asked() -> None:
    """5.9.2 nobody found: time ran out before anybody was named."""
    boss, a = make.people("boss", "ann")
    request, _step = chosen(boss, a, hours=1, on_timeout="approve")
    make.late(request, 3)
    handle_overdue()
    assert make.asked(request) == {request.flow_version.flow.admin}


@pytest.mark.parametrize("columns", [{"stage": 1}, {"stage": 2, "kind": "cc"}])
def test_such_a_step_needs_an_approver_before_it(columns: dict[str, Any]) -> None:
    """5.9.1: a flow that nobody could go on with is not put into force."""
    a = make.person()
    flow = make.flow(make.step(1, a))
    version = FlowVersion.objects.create(flow=flow)
    make.add_steps(version, [make.step(2, a), {**make.step(columns["stage"], who="previous"), **columns}])
    with pytest.raises(BusinessError, match="right before it"):
        make.publish(version, by=None)
