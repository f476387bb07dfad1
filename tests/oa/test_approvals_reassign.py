"""The administrator gives an open task to another; what is approved is what was seen (spec approvals X-04, X-08, X-11)."""

from __future__ import annotations

import re

import pytest

from kit.values.errors import BusinessError
from oa.approvals import services
from oa.approvals.models import ApprovalAction
from oa.records.models import Notification
from tests import approving as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def test_the_administrator_reassigns_a_task_on_the_page_with_a_reason() -> None:
    """X-04: offered to the flow's administrator only, logged as such with the reason; both people are told."""
    boss, a, b, admin = make.people("boss", "a", "b", "admin1x")
    request = make.request(make.flow(make.step(1, a), admin=admin), boss)
    task = make.task(request, a)
    url = f"/approvals/act/{request.pk}/reassign/"
    for stranger in (boss, a):
        assert url not in client_of(stranger).get(f"/approvals/requests/{request.pk}/").content.decode()
    client = client_of(admin)
    assert url in client.get(f"/approvals/requests/{request.pk}/").content.decode()
    form = client.get(url).content.decode()
    assert "Stage 1 · A" in form and 'name="reason"' in form
    given = {"task": task.pk, "to": b.pk, "to_text": b.username}
    assert client.post(url, {**given, "reason": " "}).status_code == 422
    assert client.post(url, {**given, "reason": "A is ill"}).status_code == 302
    assert make.asked(request) == {b}
    logged = ApprovalAction.objects.get(request=request, act="transfer")
    assert (logged.by, logged.target, logged.text, logged.task) == (admin, b, "A is ill", task)
    assert Notification.objects.filter(user=a, text__contains="instead of you").count() == 1
    assert Notification.objects.filter(user=b, text__contains="asks for your approval").count() == 1
    services.approve(make.task(request, b), by=b)
    request.refresh_from_db()
    assert request.state == "approved"


def test_others_cannot_reassign_whatever_they_send() -> None:
    """X-04, G-21: neither the applicant nor a colleague at the same step; nothing changes."""
    boss, a, b, c = make.people("boss", "a", "b", "c")
    request = make.request(make.flow(make.step(1, a, b, how="all")), boss)
    task = make.task(request, a)
    for somebody in (boss, b):
        client_of(somebody).post(
            f"/approvals/act/{request.pk}/reassign/", {"task": task.pk, "to": c.pk, "reason": "please"}
        )
        with pytest.raises(BusinessError):
            services.transfer(task, c, by=somebody, text="please")
    assert make.asked(request) == {a, b}


def test_nobody_chooses_as_administrator_who_decides_on_their_own_request() -> None:
    """X-11: the administrator's own request is reassigned by somebody else who oversees approvals."""
    admin, a, b = make.people("adminx", "a", "b")
    request = make.request(make.flow(make.step(1, a), admin=admin), admin)
    assert "/reassign/" not in client_of(admin).get(f"/approvals/requests/{request.pk}/").content.decode()
    with pytest.raises(BusinessError, match="your own request"):
        services.transfer(make.task(request, a), b, by=admin, text="faster")
    assert make.asked(request) == {a}


def test_reassigning_needs_a_person_who_may_decide() -> None:
    """X-11: not the applicant, nobody who is asked at this step already, and never without a reason."""
    boss, a, b, admin = make.people("boss", "a", "b", "adminy")
    request = make.request(make.flow(make.step(1, a, b, how="all"), admin=admin), boss)
    for to, text in ((boss, "ill"), (b, "ill"), (admin, "")):
        with pytest.raises(BusinessError):
            services.transfer(make.task(request, a), to, by=admin, text=text)
    assert make.asked(request) == {a, b}
    services.transfer(make.task(request, a), admin, by=admin, text="ill")
    assert make.asked(request) == {admin, b}


def test_a_row_is_approved_only_as_it_was_shown() -> None:
    """X-08: a change between the list and the click is refused with words: by the row, by the box, by the dialog."""
    boss, a, b = make.people("boss", "a", "b")
    flow = make.flow(make.step(1, a, b, how="all", editable=["reason"]))
    request = make.request(flow, boss, amount="900", reason="trip")
    client, task = client_of(a), make.task(request, a)
    desk, page = (client.get(address).content.decode() for address in ("/", "/todo/"))
    row = re.search(rf'formaction="(/approvals/act/{request.pk}/approve/[^"]+)"', desk)
    box = re.search(rf'name="ids" value="({task.pk}[^"]*)"', page)
    assert row and box
    url = row[1].replace("&amp;", "&")
    services.edit(make.task(request, b), {"reason": "A far longer trip"}, by=b)
    for answer in (
        client.post(url, {"back": "/todo/"}, follow=True),
        client.post("/approvals/batch/", {"ids": [box[1]]}),
        client.post(url, {"opinion": "fine"}),
    ):
        assert "was changed meanwhile" in answer.content.decode()
    assert a in make.asked(request)
    fresh = client.get("/todo/").content.decode()
    again = re.search(rf'name="ids" value="({task.pk}[^"]*)"', fresh)
    assert again and again[1] != box[1]
    client.post("/approvals/batch/", {"ids": [again[1]]})
    assert make.asked(request) == {b}
