"""The publication as a job: once, whole, however often and by whomever it is started (rule N-01)."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from oa.announcements import publishing, services, tasks
from oa.announcements.models import Announcement, AnnouncementEdition, AnnouncementReceipt
from oa.organisation.models import Department, User
from oa.records import jobs
from oa.records.models import Job, Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.announcing import readers, written

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = dt.timedelta(hours=1)


@pytest.fixture
def c(monkeypatch: pytest.MonkeyPatch) -> Iterator[SimpleNamespace]:
    """Jobs wait until the test runs them."""
    monkeypatch.setattr(jobs, "send_job", lambda key: None)
    c = SimpleNamespace(boss=make.make_user("boss", language="en"))
    c.shop = Department.objects.create(code="SHOP", name="Shop")
    c.ann = make.make_user("ann", "sales", department=c.shop, language="en")
    c.bob = make.make_user("bob", "sales", department=c.shop, language="zh-hans")
    yield c
    assert_books({"I-65", "I-66", "I-67"})


def texts(person: User) -> list[str]:
    return list(Notification.objects.filter(user=person).order_by("pk").values_list("text", flat=True))


def publication_jobs() -> Any:
    return Job.objects.filter(kind=publishing.JOB)


def test_publishing_delivers_to_the_audience_and_tells_everybody(c: SimpleNamespace) -> None:
    """N-01: a job resolves the audience into receipts; messages lead to the text; the first version is kept."""
    row = services.publish(written(c.boss, "Stock count", to_departments=[c.shop]), by=c.boss)
    assert (row.state, readers(row)) == ("scheduled", set())
    job = publication_jobs().get()
    assert job.owner == c.boss and jobs.run_job(job.pk)
    job.refresh_from_db()
    row.refresh_from_db()
    assert (job.state, job.result, job.done, job.total) == ("done", {"recipients": 2}, 3, 3)
    assert (row.state, row.recipients, readers(row)) == ("published", 2, {"ann", "bob"})
    assert row.published_at <= timezone.now()
    told = Notification.objects.get(user=c.ann)
    assert (told.text, told.url) == ("New: Stock count", f"/news/{row.pk}/") and "Stock count" in texts(c.bob)[0]
    assert (told.content_type.model, told.object_id) == ("announcement", row.pk)
    edition = row.editions.get()
    assert (edition.number, edition.title, edition.body, edition.by) == (1, "Stock count", "All hands.", c.boss)


def test_two_runs_of_the_publication_have_one_effect(c: SimpleNamespace) -> None:
    """N-01: a doubled task, a second job and the timer publish once."""
    row = services.publish(written(c.boss, to_departments=[c.shop]), by=c.boss)
    first = publication_jobs().get()
    second = jobs.start_job(publishing.JOB, "again", {"announcement": row.pk}, c.boss)
    assert [jobs.run_job(first.pk), jobs.run_job(second.pk), jobs.run_job(first.pk)] == [True, True, False]
    assert publishing.appear(row.pk) is None and tasks.keep_time()["begun"] == 0
    assert AnnouncementReceipt.objects.count() == 2 and Notification.objects.count() == 2
    assert AnnouncementEdition.objects.count() == 1


def test_scheduled_publication_waits_for_its_time_and_happens_once(c: SimpleNamespace) -> None:
    """The timer starts what is due, once; a job that comes early does nothing."""
    row = services.publish(written(c.boss, to_departments=[c.shop], starts_at=timezone.now() + HOUR), by=c.boss)
    assert not publication_jobs().exists() and publishing.appear(row.pk) is None
    assert tasks.keep_time()["begun"] == 0 and readers(row) == set()
    Announcement.objects.filter(pk=row.pk).update(starts_at=timezone.now() - HOUR)
    assert [tasks.keep_time()["begun"], tasks.keep_time()["begun"]] == [1, 0]
    jobs.run_job(publication_jobs().get().pk)
    row.refresh_from_db()
    assert row.state == "published" and readers(row) == {"ann", "bob"}


def test_a_killed_publication_leaves_nothing_and_comes_back(
    c: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that dies between receipts and messages takes both with it; the next one does all of it."""
    row = services.publish(written(c.boss, to_departments=[c.shop]), by=c.boss)
    job = publication_jobs().get()
    with monkeypatch.context() as dying:

        def die(*args: Any, **kwargs: Any) -> int:
            raise SystemExit

        dying.setattr(publishing.receipts, "tell", die)
        with pytest.raises(SystemExit):
            jobs.run_job(job.pk)
    row.refresh_from_db()
    assert (row.state, AnnouncementReceipt.objects.count(), Notification.objects.count()) == ("scheduled", 0, 0)
    Job.objects.update(lease_until=timezone.now() - HOUR)
    assert jobs.run_job(job.pk)
    assert readers(row) == {"ann", "bob"} and Notification.objects.count() == 2


def test_five_thousand_people_are_reached_within_five_seconds(c: SimpleNamespace) -> None:
    """N-01: receipts and messages of 5,000 recipients by one job."""
    User.objects.bulk_create(User(username=f"reader{n}", department=c.shop, is_superuser=True) for n in range(5000))
    row = services.publish(written(c.boss, to_everyone=True), by=c.boss)
    start = time.monotonic()
    assert jobs.run_job(publication_jobs().get().pk)
    assert time.monotonic() - start < 5
    assert len(readers(row)) == 5003 == Notification.objects.count()
