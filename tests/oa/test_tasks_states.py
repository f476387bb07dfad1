"""The life of a task (spec office 5.8.3): open, in progress, done, verified; cancelled, deferred."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from kit.rules.days import business_day
from oa.records.models import Comment, Notification
from oa.tasks.models import ChecklistItem, Task, TaskNeed
from oa.tasks.services import tasks as services
from tests import factories as make
from tests.oa.office import make_task
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def ann(db: Any) -> Any:
    return make.make_user("ann", "sales")


@pytest.fixture
def boss(db: Any) -> Any:
    return make.make_user("boss", "sales")


def told(person: Any) -> list[str]:
    return list(Notification.objects.filter(user=person).order_by("pk").values_list("text", flat=True))


def test_a_task_is_done_by_one_and_verified_by_who_gave_it(ann: Any, boss: Any) -> None:
    """5.8.3: open → in progress → done → verified, and each is told what concerns them."""
    task = make_task(ann, by=boss)
    assert (task.state, task.created_by) == ("open", boss) and told(ann) == ["Boss gave you a task: Count the stock"]
    task = services.start_task(task, by=ann)
    task = services.finish_task(task, by=ann)
    assert (task.state, task.done_by) == ("done", ann) and task.done_at is not None
    assert told(boss) == ["Ann has done: Count the stock"]
    task = services.verify_task(task, by=boss)
    assert (task.state, task.verified_by) == ("verified", boss)


def test_nobody_verifies_what_they_did_themselves(ann: Any, boss: Any) -> None:
    """5.8.3: by who gave it, never by the doer; the database refuses it as well."""
    own = services.finish_task(make_task(ann), by=ann)
    with refused("did themselves"):
        services.verify_task(own, by=ann)
    helped = services.finish_task(make_task(ann, by=boss), by=boss)
    with refused("did themselves"):
        services.verify_task(helped, by=boss)
    other = make.make_user("root")
    done = services.finish_task(make_task(ann, by=boss), by=ann)
    with refused("Only Boss"):
        services.verify_task(done, by=other)
    with pytest.raises(IntegrityError, match="task_verified_by_another"), transaction.atomic():
        Task.objects.filter(pk=done.pk).update(state="verified", verified_by=ann)
    with pytest.raises(IntegrityError, match="task_verified_by"), transaction.atomic():
        Task.objects.filter(pk=done.pk).update(state="verified")


def test_a_task_that_is_not_done_well_is_sent_back_with_the_reason(ann: Any, boss: Any) -> None:
    """5.8.3: the doer learns why; the reason stays as a note."""
    task = services.finish_task(make_task(ann, by=boss), by=ann)
    task = services.reopen_task(task, "Row 7 is missing", by=boss)
    assert (task.state, task.done_at, task.done_by) == ("open", None, None)
    assert told(ann)[-1] == "Count the stock: open. Row 7 is missing"
    assert Comment.objects.get(object_id=task.pk).text == "Row 7 is missing"


def test_every_other_change_of_state_is_refused_in_words_and_by_the_database(ann: Any) -> None:
    """5.8.3: the table of states is the only way."""
    task = services.cancel_task(make_task(ann), "no need", by=ann)
    for name in ("start", "finish", "resume", "verify"):
        with refused("not possible any more"):
            getattr(services, f"{name}_task")(task, by=ann)
    with pytest.raises(DatabaseError), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(state="open")


def test_a_deferred_task_comes_back_by_itself(ann: Any) -> None:
    """5.8.3: deferred until a day."""
    today = business_day()
    task = make_task(ann)
    with refused("day to come"):
        services.defer_task(task, today, by=ann)
    task = services.defer_task(task, today + dt.timedelta(days=3), by=ann)
    assert services.resume_due(today + dt.timedelta(days=2)) == 0
    assert services.resume_due(today + dt.timedelta(days=3)) == 1
    task.refresh_from_db()
    assert (task.state, task.deferred_until) == ("open", None)
    assert services.resume_due(today + dt.timedelta(days=3)) == 0


def test_what_waits_for_others_is_not_done_before_them(ann: Any) -> None:
    """5.8.3 dependency: neither begun nor finished while a task it needs is open."""
    first, second = make_task(ann, title="First"), make_task(ann, title="Second")
    services.set_needs(second, [first], by=ann)
    for command in (services.start_task, services.finish_task):
        with refused("First"):
            command(second, by=ann)
    services.finish_task(first, by=ann)
    assert services.finish_task(second, by=ann).state == "done"


def test_tasks_never_wait_for_each_other(ann: Any) -> None:
    """5.8.3: the dependency is acyclic, in words and in the database."""
    a, b, c = (make_task(ann, title=name) for name in "abc")
    services.set_needs(a, [b], by=ann)
    services.set_needs(b, [c], by=ann)
    with refused("wait for each other"):
        services.set_needs(c, [a], by=ann)
    with refused("wait for each other"):
        services.set_needs(c, [c], by=ann)
    with pytest.raises(IntegrityError, match="wait for each other"), transaction.atomic():
        TaskNeed.objects.create(task=c, needs=a)
    with pytest.raises(IntegrityError, match="wait for each other"), transaction.atomic():
        TaskNeed.objects.filter(task=a).update(needs=a)
    a.refresh_from_db()
    a.parent = b
    services.save_task(a, by=ann)
    b.parent = a
    with refused("part of itself"):
        services.save_task(b, by=ann)
    with pytest.raises(IntegrityError, match="part of itself"), transaction.atomic():
        Task.objects.filter(pk=b.pk).update(parent=a)


def test_a_checklist_is_ticked_off_before_the_task_is_done(ann: Any) -> None:
    """5.8.3 checklist: ordered steps, each with who did it and when."""
    task = services.add_steps(make_task(ann), "one\n\n two \nthree", by=ann)
    assert list(task.checklist.values_list("text", flat=True)) == ["one", "two", "three"]
    one, two, three = task.checklist.all()
    services.move_step(task, three.pk, True, by=ann)
    assert list(task.checklist.values_list("text", flat=True)) == ["one", "three", "two"]
    with refused("The checklist is not done: one, three, two"):
        services.finish_task(task, by=ann)
    services.drop_step(task, two.pk, by=ann)
    for step in (one, three):
        services.tick(task, step.pk, True, by=ann)
    services.tick(task, one.pk, False, by=ann)
    services.tick(task, one.pk, True, by=ann)
    assert ChecklistItem.objects.get(pk=one.pk).done_by == ann
    assert services.finish_task(task, by=ann).state == "done"
    with refused("has ended"):
        services.add_steps(task, "four", by=ann)


def test_parts_come_before_the_whole(ann: Any) -> None:
    """5.8.3: a task is done when its parts are."""
    whole = make_task(ann, title="Whole")
    part = make_task(ann, title="Part", parent=whole)
    with refused("First finish the parts: Part"):
        services.finish_task(whole, by=ann)
    services.finish_task(part, by=ann)
    assert services.finish_task(whole, by=ann).state == "done"


def test_who_takes_part_works_on_a_task_and_does_not_rule_it(ann: Any, boss: Any) -> None:
    """G-21: participants start, tick and finish; changing and giving up is for who gave or owns it."""
    guest, stranger = make.make_user("guest", "sales"), make.make_user("stranger", "sales")
    task = make_task(ann, by=boss)
    task.participants.add(guest)
    with refused("owns or gave"):
        services.cancel_task(task, "x", by=guest)
    task.title = "Other"
    with refused("owns or gave"):
        services.save_task(task, by=guest)
    with refused("not among the records"):
        services.start_task(task, by=stranger)
    reader = make.make_user("reader", "auditor")
    task.participants.add(reader)
    with refused("do not have the right"):
        services.start_task(task, by=reader)
    assert services.start_task(task, by=guest).state == "progress"


def test_a_time_needs_a_day_and_reminders_have_one_form(ann: Any) -> None:
    """5.8.3: due date and optional time; reminders as lengths of time, in both languages."""
    with refused("needs a day"):
        make_task(ann, due_at=dt.time(9))
    with refused("1d 2h 30m"):
        make_task(ann, due_on=business_day(), reminders="soon")
    task = make_task(ann, due_on=business_day() + dt.timedelta(days=9), reminders="30 分钟、1天 120m")
    assert task.reminders == "1d 2h 30m"
    with pytest.raises(IntegrityError, match="task_time_has_day"), transaction.atomic():
        Task.objects.filter(pk=task.pk).update(due_on=None, due_at=dt.time(9))


def test_finishing_takes_as_many_statements_with_many_steps_as_with_one(ann: Any, boss: Any) -> None:
    """Statements of a step do not grow with rows."""
    counts = []
    for size in (1, 40):
        task = make_task(ann, by=boss)
        services.add_steps(task, "\n".join(map(str, range(size))), by=ann)
        ChecklistItem.objects.filter(task=task).update(done_at=task.created_at)
        others = [make_task(ann) for _ in range(size)]
        services.set_needs(task, others, by=boss)
        for other in others:
            services.finish_task(other, by=ann)
        with CaptureQueriesContext(connection) as queries:
            services.finish_task(task, by=ann)
        counts.append(len(queries))
    assert counts[0] == counts[1] and counts[0] <= 12
