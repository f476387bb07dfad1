"""Pages of tasks and meetings: list, board, forms, panels, desk (UX 6.1 to 6.4, 6.22)."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.celery import app, task_packages
from kit.rules.days import business_day
from oa.tasks.models import Meeting, Task, TaskSeries
from oa.tasks.services import tasks as services
from tests import factories as make
from tests.oa.office import hour, invited, make_meeting, make_room, make_task
from tests.oa.world import client_of, of_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales")


def test_a_task_is_made_from_any_record_and_shown_beside_it(ann: Any) -> None:
    """UX 6.22: from any record; the record's page lists its tasks, the task's page leads back."""
    customer, client = make.make_customer("Mingrui", owner=ann), client_of(ann)
    page = client.get(f"/crm/customers/{customer.code}/").content.decode()
    url = f"/tasks/new/?about=customer:{customer.pk}"
    assert url in page and "record-tasks" not in page
    form = client.get(url).content.decode()
    assert f'value="customer:{customer.pk}"' in form
    data = of_form(
        None, title="Send samples", owner=ann.pk, owner_text="ann", priority=2, about=f"customer:{customer.pk}"
    )  # type: ignore[arg-type]
    first, again = client.post("/tasks/new/", data), client.post("/tasks/new/", data)
    task = Task.objects.get()
    assert first.status_code == again.status_code == 302, "one effect per submitted form (G-19)"
    assert (task.content_type, task.object_id) == (ContentType.objects.get_for_model(customer), customer.pk)
    assert "Send samples" in client.get(f"/crm/customers/{customer.code}/").content.decode()
    assert f"/crm/customers/{customer.code}/" in client.get(f"/tasks/{task.pk}/").content.decode()


def test_the_list_has_the_views_people_ask_for(ann: Any) -> None:
    """Mine, given by me, overdue, all."""
    bob, past = make.make_user("bob", "sales"), business_day() - dt.timedelta(days=1)
    make_task(ann, title="Alpha", due_on=past)
    make_task(bob, by=ann, title="Beta")
    make_task(ann, by=bob, title="Gamma")
    done = make_task(ann, title="Delta", due_on=past)
    services.finish_task(done, by=ann)
    found = {}
    for view in ("", "mine", "given", "overdue"):
        body = client_of(ann).get(f"/tasks/?view={view}").content.decode()
        found[view] = {name for name in ("Alpha", "Beta", "Gamma", "Delta") if f">{name}<" in body}
    assert found == {
        "": {"Alpha", "Beta", "Gamma", "Delta"},
        "mine": {"Alpha", "Gamma", "Delta"},
        "given": {"Alpha", "Beta", "Delta"},
        "overdue": {"Alpha"},
    }


def test_the_board_moves_cards_without_dragging(ann: Any) -> None:
    """UX 6.3, WCAG 2.5.7: buttons do what dragging would; refusals are told, and one form has one effect."""
    client, task = client_of(ann), make_task(ann, title="Alpha")
    body = client.get("/tasks/board/").content.decode()
    assert f"/tasks/{task.pk}/move/start/" in body and f"/tasks/{task.pk}/move/finish/" in body
    data = of_form(None, view="mine")  # type: ignore[arg-type]
    assert client.post(f"/tasks/{task.pk}/move/start/", data)["Location"] == "/tasks/board/?view=mine"
    task.refresh_from_db()
    assert task.state == "progress"
    services.add_steps(task, "one", by=ann)
    told = client.post(f"/tasks/{task.pk}/move/finish/", of_form(None), follow=True).content.decode()  # type: ignore[arg-type]
    assert "The checklist is not done: one" in told
    told = client.post(f"/tasks/{task.pk}/move/start/", of_form(None), follow=True).content.decode()  # type: ignore[arg-type]
    assert "not possible any more" in told
    client.post(f"/tasks/{task.pk}/checklist/", {"do": "tick", "step": task.checklist.get().pk})
    client.post(f"/tasks/{task.pk}/move/finish/", of_form(None))  # type: ignore[arg-type]
    task.refresh_from_db()
    assert task.state == "done"


def test_the_board_takes_as_many_statements_for_sixty_cards_as_for_three(ann: Any) -> None:
    """UX section 9 and 6.3: fifty cards a column, more by a link."""
    client, counts = client_of(ann), []
    for size in (3, 60):
        for n in range(size):
            services.add_steps(make_task(ann, title=f"T{n}"), "one\ntwo", by=ann)
        client.get("/tasks/board/")
        with CaptureQueriesContext(connection) as queries:
            body = client.get("/tasks/board/").content.decode()
        counts.append(len(queries))
    assert counts[0] == counts[1] and body.count("card2") == 50 and "more=2" in body
    assert client.get("/tasks/board/?more=2").content.decode().count("card2") == 63


def test_my_open_tasks_wait_on_the_desk(ann: Any) -> None:
    """UX 6.1: badge Task, from whom, inline Done; and what I gave waits to be verified."""
    bob = make.make_user("bob", "sales")
    task = make_task(ann, by=bob, title="Alpha", due_on=business_day())
    make_task(ann, title="Far", due_on=business_day() + dt.timedelta(days=30))
    services.finish_task(make_task(bob, by=ann, title="Beta"), by=bob)
    body = client_of(ann).get("/").content.decode()
    assert "Alpha" in body and "from Bob" in body and f"/tasks/{task.pk}/do/finish/" in body and ">Far<" not in body
    assert "done by Bob, to be verified" in body
    asked = client_of(ann).get(f"/tasks/{task.pk}/do/finish/")
    assert asked.status_code == 200
    client_of(ann).post(f"/tasks/{task.pk}/do/finish/", of_form(None))  # type: ignore[arg-type]
    task.refresh_from_db()
    assert task.state == "done"


def test_a_person_is_offered_only_what_they_may_do(ann: Any) -> None:
    """UX 6.4: the server decides; verifying is for the giver."""
    bob = make.make_user("bob", "sales")
    task = services.finish_task(make_task(ann, by=bob), by=ann)
    assert "do/verify/" in client_of(bob).get(f"/tasks/{task.pk}/").content.decode()
    assert "do/verify/" not in client_of(ann).get(f"/tasks/{task.pk}/").content.decode()


def test_a_recurring_task_is_entered_with_its_weekdays(ann: Any) -> None:
    """The rule is shown in words."""
    client = client_of(ann)
    given = {
        "title": "Back up", "owner": ann.pk, "owner_text": "ann", "priority": 3, "every": "week", "interval": 2,
        "weekdays": ["MO", "FR"], "starts_on": "2030-01-01", "makes": "due", "lead_days": 0, "active": "on",
    }  # fmt: skip
    answer = client.post("/tasks-recurring/new/", of_form(None, **given))  # type: ignore[arg-type]
    made = TaskSeries.objects.get()
    assert answer.status_code == 302 and (made.weekdays, made.next_on) == ("MO,FR", dt.date(2030, 1, 4))
    assert "every 2 weeks on Monday, Friday" in client.get(f"/tasks-recurring/{made.pk}/").content.decode()
    assert client.post("/tasks-recurring/new/", of_form(None, **{**given, "weekdays": []})).status_code == 422  # type: ignore[arg-type]
    assert 'value="FR" ' in client.get(f"/tasks-recurring/{made.pk}/edit/").content.decode()


def test_a_meeting_is_entered_with_people_and_rooms(ann: Any) -> None:
    """One form: time, people, rooms; a taken room is told at the field when the meeting is called already."""
    bob, room, client = make.make_user("bob", "sales"), make_room(), client_of(ann)
    form = client.get("/meetings/new/?starts_at=2030-01-01T09:00&ends_at=2030-01-01T10:00").content.decode()
    assert 'value="2030-01-01T09:00"' in form
    start = hour(3).strftime("%Y-%m-%dT%H:%M")
    end = hour(3, 11).strftime("%Y-%m-%dT%H:%M")
    given = {"title": "Weekly", "starts_at": start, "ends_at": end, "attendees": [bob.pk], "rooms": [room.pk]}
    answer = client.post("/meetings/new/", of_form(None, **given))  # type: ignore[arg-type]
    meeting = Meeting.objects.get()
    assert answer.status_code == 302 and meeting.owner == ann and meeting.starts_at == hour(3)
    assert set(meeting.attendees.all()) == {ann, bob} and list(meeting.rooms.all()) == [room]
    client.post(f"/meetings/{meeting.pk}/do/invite/", of_form(None))  # type: ignore[arg-type]
    other = make_meeting(ann, bob, start=hour(4), rooms=[room])
    client.post(f"/meetings/{other.pk}/do/invite/", of_form(None))  # type: ignore[arg-type]
    other.refresh_from_db()
    moved = client.post(f"/meetings/{other.pk}/edit/", {**of_form(None, **given), "version": other.version})  # type: ignore[arg-type]
    assert moved.status_code == 422 and "is taken from" in moved.content.decode()
    wrong = client.post("/meetings/new/", of_form(None, **{**given, "ends_at": start}))  # type: ignore[arg-type]
    assert wrong.status_code == 422 and "The end lies before the start" in wrong.content.decode()


def test_people_answer_sign_in_and_decide_on_the_page_of_a_meeting(ann: Any) -> None:
    """5.8.3 on the page: answer buttons, decisions with person and day, make task."""
    bob = make.make_user("bob", "sales")
    meeting = invited(ann, bob)
    url = f"/meetings/{meeting.pk}/"
    assert 'value="declined"' in client_of(bob).get(url).content.decode()
    client_of(bob).post(f"{url}answer/", {"answer": "tentative"})
    client_of(ann).post(f"{url}decisions/", {"do": "add", "text": "Call", "owner": bob.pk, "due_on": "2030-01-01"})
    decision = meeting.decisions.get()
    assert (decision.owner, decision.due_on) == (bob, dt.date(2030, 1, 1))
    client_of(ann).post(f"{url}decisions/", {"do": "task", "decision": decision.pk})
    body = client_of(ann).get(url).content.decode()
    assert "Tentative" in body and f"/tasks/{Task.objects.get().pk}/" in body
    assert client_of(bob).post(f"{url}decisions/", {"do": "add", "text": "x"}, follow=True).status_code == 200
    assert meeting.decisions.count() == 1


def test_celery_finds_the_room_and_not_the_section_of_that_name() -> None:
    """`oa.tasks` is a section whose room is `oa.tasks.tasks`; nothing is loaded twice."""
    assert {"oa.tasks", "oa.records", "oa.reporting"} <= set(task_packages()) and "oa" not in task_packages()
    app.loader.import_default_modules()
    assert "oa.tasks.sweep" in app.tasks
