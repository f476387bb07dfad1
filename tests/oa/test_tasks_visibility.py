"""Private tasks and meetings leak nowhere (spec office 5.8.3, G-21, S-02, S-04, F-28)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from oa.organisation.models import Department
from oa.records.comments import add_comment
from oa.records.models import Notification
from oa.tasks.models import Meeting, Task, TaskSeries
from oa.tasks.services.tasks import set_needs
from tests import factories as make
from tests.oa.office import hour, invited, make_room, make_task
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db
SECRET = "Zaunkönig"


@pytest.fixture
def people(db: Any) -> dict[str, Any]:
    """Ann in the east under Mia; Bob beside her; Acc sees all records of the books; Aud and Adm all there is."""
    east = Department.objects.create(code="EAST", name="East", parent=Department.objects.get(code="HQ"))
    found = {"ann": make.make_user("ann", "sales", department=east)}
    found["bob"] = make.make_user("bob", "sales", department=east)
    found["mia"] = make.make_user("mia", "sales-manager", department=east)
    found["acc"] = make.make_user("acc", "accountant")
    found["aud"] = make.make_user("aud", "auditor")
    found["adm"] = make.make_user("adm", "administrator")
    return found


def seen(people: dict[str, Any], model: Any) -> set[str]:
    return {name for name, user in people.items() if model.objects.visible_to(user).exists()}


def test_who_sees_a_task(people: dict[str, Any]) -> None:
    """Owner, giver and participants; by scope superiors, and all only with the right to see every task."""
    task = make_task(people["ann"])
    assert seen(people, Task) == {"ann", "mia", "aud", "adm"}
    task.participants.add(people["acc"])
    assert seen(people, Task) == {"ann", "mia", "aud", "adm", "acc"}
    Task.objects.update(private=True, created_by=people["bob"])
    assert seen(people, Task) == {"ann", "acc", "bob"}
    people["ann"].is_active = False
    assert "ann" not in seen(people, Task)


def test_who_sees_a_recurring_task(people: dict[str, Any]) -> None:
    """The same as its tasks."""
    series = TaskSeries.objects.create(title="s", owner=people["ann"], every="day")
    assert seen(people, TaskSeries) == {"ann", "mia", "aud", "adm"}
    series.participants.add(people["bob"])
    TaskSeries.objects.update(private=True)
    assert seen(people, TaskSeries) == {"ann", "bob"}


def test_who_sees_a_meeting(people: dict[str, Any]) -> None:
    """The organiser and who is invited, once it is no draft; private ones nobody else."""
    meeting = invited(people["ann"], people["bob"])
    assert seen(people, Meeting) == {"ann", "bob", "mia", "aud", "adm"}
    Meeting.objects.filter(pk=meeting.pk).update(private=True)
    assert seen(people, Meeting) == {"ann", "bob"}
    draft = Meeting(title="d", owner=people["acc"], starts_at=hour(), ends_at=hour(2), private=True)
    draft.save()
    draft.attendee_rows.create(user=people["ann"])
    assert not Meeting.objects.visible_to(people["ann"]).filter(pk=draft.pk).exists()


@pytest.mark.parametrize("who", ["bob", "mia", "acc", "aud", "adm"])
def test_nothing_of_what_is_private_comes_out_anywhere(people: dict[str, Any], who: str) -> None:
    """Lists, search, pickers, exports, panels, board, calendars, files, notifications and record pages."""
    ann, today = people["ann"], timezone.localdate()
    customer = make.make_customer("Mingrui", owner=people["mia"], department=ann.department)
    kind = ContentType.objects.get_for_model(customer)
    task = make_task(
        ann, title=f"{SECRET} task", due_on=today, private=True, labels=SECRET, content_type=kind, object_id=customer.pk
    )
    open_task = make_task(ann, by=people["bob"], title="Open")
    open_task.participants.add(people["acc"])
    set_needs(open_task, [task], by=ann)
    room, guest = make_room(), make.make_user("guest", "sales")
    start = hour(0, 12)
    meeting = invited(
        ann, guest, title=f"{SECRET} meeting", agenda=SECRET, place=SECRET, private=True, rooms=[room], start=start
    )
    for record in (task, meeting):
        add_comment(record, f"{SECRET} @{who}", by=ann)
    client = client_of(people[who])
    urls = ["/search/?q=Zaunk", "/", "/notifications/", "/tasks/board/?view=all", f"/tasks/{open_task.pk}/"]
    urls += [
        f"/crm/customers/{customer.code}/",
        f"/crm/customers/{customer.code}/?panel=record-tasks",
        f"/rooms/{room.pk}/",
    ]
    urls += [
        f"/{base}/{more}" for base in ("tasks", "meetings", "rooms") for more in ("", "export/?format=csv", "?view=all")
    ]
    urls += [f"/ui/pick/{slug}/?q=Zaunk" for slug in ("task", "meeting")]
    urls += [f"/tasks/new/?parent={task.pk}&needs={task.pk}&about=task:{task.pk}"]
    urls += [
        f"/calendar/?view={v}&who={w}&date={today}"
        for v in ("day", "week", "month", "agenda")
        for w in ("mine", "team", "rooms")
    ]
    busy = 0
    for url in urls:
        body = client.get(url).content.decode()
        assert SECRET not in body, url
        busy += "Busy" in body or "Booked by Ann" in body
    assert busy >= 4, "that Ann and the room have no time is told"
    assert not Notification.objects.filter(user=people[who], text__contains=SECRET).exists()
    missing = client.get("/tasks/999999/")
    for url in (f"/tasks/{task.pk}/", f"/meetings/{meeting.pk}/", f"/calendar/task/{task.pk}.ics"):
        assert client.get(url).status_code == missing.status_code == 404, url
    for url in (f"/tasks/{task.pk}/move/start/", f"/tasks/{task.pk}/checklist/", f"/meetings/{meeting.pk}/answer/",
                f"/meetings/{meeting.pk}/sign-in/", f"/meetings/{meeting.pk}/decisions/"):  # fmt: skip
        assert client.post(url).status_code in (403, 404), url


def test_a_task_tells_nothing_of_a_record_that_its_reader_may_not_see(people: dict[str, Any]) -> None:
    """The linked record is a link only for who may see it; nobody links what they may not see."""
    customer = make.make_customer(SECRET, owner=people["mia"], department=people["mia"].department)
    kind = ContentType.objects.get_for_model(customer)
    task = make_task(people["bob"], by=people["mia"], content_type=kind, object_id=customer.pk)
    assert SECRET in client_of(people["mia"]).get(f"/tasks/{task.pk}/").content.decode()
    assert SECRET not in client_of(people["bob"]).get(f"/tasks/{task.pk}/").content.decode()
    form = {
        "title": "x",
        "owner": people["bob"].pk,
        "owner_text": "bob",
        "priority": 3,
        "about": f"customer:{customer.pk}",
    }
    client_of(people["bob"]).post("/tasks/new/", form)
    assert Task.objects.get(title="x").object_id is None
    client_of(people["mia"]).post("/tasks/new/", {**form, "title": "y"})
    assert Task.objects.get(title="y").object_id == customer.pk


def test_a_hidden_dependency_stays_when_somebody_else_edits(people: dict[str, Any]) -> None:
    """What a person does not see they do not remove."""
    hidden = make_task(people["ann"], title="hidden", private=True)
    task = make_task(people["ann"], by=people["bob"])
    set_needs(task, [hidden], by=people["ann"])
    form = {"title": "renamed", "owner": people["ann"].pk, "owner_text": "ann", "priority": 3, "version": task.version}
    assert client_of(people["bob"]).post(f"/tasks/{task.pk}/edit/", form).status_code == 302
    task.refresh_from_db()
    assert task.title == "renamed" and list(task.needs.all()) == [hidden]


def test_superiors_by_manager_are_no_spies(people: dict[str, Any]) -> None:
    """A team calendar shows who is below and beside; tasks and meetings in it as each may see them."""
    chief = make.make_user("chief", "sales")
    people["ann"].manager = chief
    people["ann"].save()
    invited(people["ann"], people["bob"], title=SECRET, start=timezone.now() + dt.timedelta(minutes=1))
    body = client_of(chief).get("/calendar/?view=agenda&who=team").content.decode()
    assert "Ann: Busy" in body and SECRET not in body and "Bob" not in body


def test_a_part_does_not_tell_what_it_is_a_part_of(people: dict[str, Any]) -> None:
    """G-21: who does a part of a private task reads no word of that, and changing the part leaves it where it is."""
    whole = make_task(people["bob"], title=SECRET, private=True)
    part = make_task(people["ann"], title="Part", by=people["bob"], parent=whole)
    client, other = client_of(people["ann"]), client_of(people["bob"])
    pages = [f"/tasks/{part.pk}/", f"/tasks/{part.pk}/edit/", "/tasks/export/?format=csv&full=1", "/tasks/"]
    assert [page for page in pages if SECRET in client.get(page).content.decode()] == []
    assert [page for page in pages[:2] if SECRET in other.get(page).content.decode()] == pages[:2]
    given = {"title": "Part of it", "owner": people["ann"].pk, "owner_text": str(people["ann"]), "priority": "3"}
    make_ann_manage = Task.objects.filter(pk=part.pk).update(created_by=people["ann"])
    version = Task.objects.get(pk=part.pk).version
    answer = client.post(f"/tasks/{part.pk}/edit/", {**given, "version": version, "submit_id": str(uuid.uuid4())})
    assert make_ann_manage and answer.status_code == 302
    part.refresh_from_db()
    assert (part.title, part.parent_id) == ("Part of it", whole.pk)
