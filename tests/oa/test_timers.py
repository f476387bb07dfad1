"""What the clock does: one step that fails does not keep the others from their turn (RELIABILITY F-11)."""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, connection

from oa.documents import tasks as library_tasks
from oa.leave.models import LeaveEntry
from oa.leave.services.yearly import nightly
from oa.records.timers import each_step
from oa.tasks import tasks as timers
from oa.tasks.models import Task
from tests import factories as make
from tests.oa.office import make_task

pytestmark = pytest.mark.django_db


def test_every_step_has_its_turn_and_no_failure_is_lost(caplog: pytest.LogCaptureFixture) -> None:
    """The steps behind a failure are done; the first one is raised, all of them are in the log."""
    done: list[str] = []

    def fails(words: str) -> int:
        raise ValueError(words)

    with pytest.raises(ValueError, match="first"):
        each_step(a=lambda: fails("first"), b=lambda: done.append("b") or 1, c=lambda: fails("second"))
    assert done == ["b"] and [record.args for record in caplog.records] == [("a",), ("c",)]
    assert each_step(a=lambda: 1, b=lambda: 0) == {"a": 1, "b": 0}


@pytest.mark.django_db(transaction=True)
def test_tasks_come_back_although_a_series_cannot_be_made() -> None:
    """Every minute: the database refuses the tasks of series, what was put off comes back nevertheless."""
    from oa.tasks.models import TaskSeries
    from oa.tasks.services.series import save_series

    author = make.make_user("author")
    save_series(TaskSeries(title="Water", every="day", starts_on=make.today(), owner=author), by=author)
    later = make_task(author, title="Later")
    Task.objects.filter(pk=later.pk).update(state="deferred", deferred_until=make.today())
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE oa_task ADD CONSTRAINT test_no_series CHECK (series_id IS NULL)")
    try:
        with pytest.raises(DatabaseError, match="test_no_series"):
            timers.sweep()
        later.refresh_from_db()
        assert later.state == "open"
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE oa_task DROP CONSTRAINT test_no_series")
    assert timers.sweep()["made"] == 1


def test_a_night_in_december_grants_the_coming_year_too() -> None:
    """H-01: so that leave of January can be planned; another night grants nothing more."""
    make.make_user("ann", "sales", joined_on=dt.date(2015, 1, 1))
    assert nightly(dt.date(2026, 11, 30))["granted"] == 1
    assert nightly(dt.date(2026, 12, 1))["granted"] == 1 and nightly(dt.date(2026, 12, 2))["granted"] == 0
    assert list(LeaveEntry.objects.order_by("date").values_list("date", flat=True)) == [
        dt.date(2026, 1, 1),
        dt.date(2027, 1, 1),
    ]
    assert nightly(dt.date(2027, 1, 1)) == {"granted": 0, "expired": 1, "taken": 0, "recounted": 0}


def test_timers_tell_what_they_did() -> None:
    """A quiet minute does nothing."""
    assert library_tasks.ask_readers() == {"later": 0, "reminded": 0}
