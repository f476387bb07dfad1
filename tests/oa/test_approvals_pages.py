"""Pages of approvals: what is offered, what is not, and how many statements they take (spec approvals X-04, X-06, X-12)."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from kit.pages.resources import url_of
from kit.values.errors import BusinessError
from oa.approvals.models import ApprovalRequest, ApprovalTask
from oa.approvals.services import approve
from oa.approvals.timeouts import handle_overdue
from tests import approving as make
from tests.oa.office import make_task
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def deeds(client: Any, request: Any) -> str:
    return str(client.get(f"/approvals/requests/{request.pk}/").content.decode())


def test_the_inbox_takes_as_many_statements_for_forty_requests_as_for_two() -> None:
    """Done means 4, UX section 9: no question to the database per row, in the inbox, on the desk, in the counters."""
    boss, a = make.people("boss", "a")
    flow, client = make.flow(make.step(1, a)), client_of(a)
    counts = []
    for many in (2, 38):
        for _number in range(many):
            make.request(flow, boss, amount="900")
        client.get("/")
        row = []
        for url in ("/todo/", "/", "/ui/counters/"):
            with CaptureQueriesContext(connection) as queries:
                assert client.get(url).status_code == 200
            row.append(len(queries))
        counts.append(row)
    assert counts[0] == counts[1]


def test_what_stands_beside_the_inbox_is_of_the_row_asked_for() -> None:
    """UX 6.12: the first approval, the one asked for, or what another row says; of nobody else's request a word."""
    boss, a, b = make.people("boss", "a", "b")
    flow = make.flow(make.step(1, a))
    first, second = (make.request(flow, boss, amount=amount) for amount in ("901", "902"))
    foreign = make.request(make.flow(make.step(1, b)), boss, amount="999")
    task = make_task(a, title="Count the store")
    client = client_of(a)
    beside = [
        client.get("/todo/", {"open": asked}).context["beside"].url
        for asked in ("", f"/approvals/requests/{second.pk}/", f"/approvals/requests/{foreign.pk}/")
    ]
    assert beside[1] == f"/approvals/requests/{second.pk}/" and beside[0] == beside[2] != beside[1]
    assert {beside[0], beside[1]} == {f"/approvals/requests/{request.pk}/" for request in (first, second)}
    page = client.get("/todo/", {"open": url_of(task)})
    assert page.context["opened"] is None and page.context["beside"].title == "Count the store"


def test_an_approval_can_be_taken_back_on_the_page_while_nobody_acted() -> None:
    """X-04: the button is there for who approved, and goes when the next one acts."""
    boss, a, b = make.people("boss", "a", "b")
    request = make.request(make.flow(make.step(1, a), make.step(2, b), make.step(3, a)), boss)
    client = client_of(a)
    assert "take-back" not in deeds(client, request)
    approve(make.task(request, a), by=a)
    mine = make.task(request, a, "approved")
    assert f"/approvals/act/{request.pk}/take-back/?task={mine.pk}" in deeds(client, request)
    assert "take-back" not in deeds(client_of(b), request)
    client.post(f"/approvals/act/{request.pk}/take-back/?task={mine.pk}")
    assert make.asked(request) == {a}
    approve(make.task(request, a), by=a)
    approve(make.task(request, b), by=b)
    assert "take-back" not in deeds(client, request)


def test_the_fields_of_a_step_are_changed_in_a_dialog() -> None:
    """X-06: only those of the step are offered and taken."""
    boss, a = make.people("boss", "a")
    request = make.request(make.flow(make.step(1, a, editable=["reason"])), boss, amount="900", reason="trip")
    client, task = client_of(a), make.task(request, a)
    url = f"/approvals/act/{request.pk}/edit/?task={task.pk}"
    page = client.get(url).content.decode()
    assert 'name="reason"' in page and 'name="amount"' not in page
    assert client.post(url, {"reason": "Visit", "amount": "1"}).status_code == 302
    assert make.document(request).values["reason"] == "Visit" and make.document(request).values["amount"] == "900.00"
    plain = make.request(make.flow(make.step(1, a)), boss)
    assert "/edit/" not in deeds(client, plain)


def test_one_task_that_fails_does_not_stop_the_others() -> None:
    """5.9.2 timeout: a request nobody can go on with is put off, those behind it have their time."""
    boss, a = make.people("boss", "a")
    broken, sound = (make.request(make.flow(make.step(1, a, hours=8, on_timeout="approve")), boss) for _ in range(2))
    for request, hours in ((broken, 20), (sound, 9)):
        make.late(request, hours)
    ApprovalRequest.objects.filter(pk=broken.pk).update(kind="erp.thing-of-a-module-that-is-gone")
    handle_overdue()
    broken.refresh_from_db()
    sound.refresh_from_db()
    assert (broken.state, sound.state) == ("running", "approved")
    with pytest.raises(ApprovalTask.DoesNotExist):
        make.task(sound, a)


def test_strangers_neither_see_nor_touch_a_request() -> None:
    """G-21: page, dialog and batch answer as if it did not exist."""
    boss, a, stranger = make.people("boss", "a", "stranger")
    request = make.request(make.flow(make.step(1, a)), boss)
    task, client = make.task(request, a), client_of(stranger)
    for url in (f"/approvals/requests/{request.pk}/", f"/approvals/act/{request.pk}/approve/?task={task.pk}"):
        assert client.get(url).status_code == 404
    assert client.post(f"/approvals/act/{request.pk}/approve/?task={task.pk}").status_code == 404
    answer = client.post("/approvals/batch/", {"ids": [task.pk]}).content.decode()
    assert request.title not in answer and make.asked(request) == {a}
    with pytest.raises(BusinessError):
        approve(task, by=stranger)
