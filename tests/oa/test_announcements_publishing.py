"""From draft to readers: states, approval, schedule, versions, end (rules N-01, N-04, N-06)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from kit.values.errors import BusinessError
from oa.announcements import publishing, services, tasks
from oa.announcements.models import Announcement, AnnouncementReceipt
from oa.organisation.models import Department, User
from oa.records.models import Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.announcing import published, readers, written
from tests.refusals import refused

pytestmark = pytest.mark.django_db

OURS = {"I-65", "I-66", "I-67"}
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def c() -> SimpleNamespace:
    c = SimpleNamespace(boss=make.make_user("boss", language="en"), other=make.make_user("other"))
    c.shop = Department.objects.create(code="SHOP", name="Shop")
    c.ann = make.make_user("ann", "sales", department=c.shop, language="en")
    c.bob = make.make_user("bob", "sales", department=c.shop, language="zh-hans")
    yield c
    assert_books(OURS)


def texts(person: User) -> list[str]:
    return list(Notification.objects.filter(user=person).order_by("pk").values_list("text", flat=True))


def test_statements_do_not_grow_with_recipients(c: SimpleNamespace) -> None:
    """N-01: as many for 2 recipients as for 402, to publish, amend, remind, withdraw and to look who has read."""
    counts = []
    published(c.boss, to_departments=[c.shop])  # what is read once a process has been read
    for more in (0, 400):
        User.objects.bulk_create(User(username=f"x{n}", department=c.shop, is_superuser=True) for n in range(more))
        row = services.publish(written(c.boss, to_departments=[c.shop]), by=c.boss)
        steps = []
        for step in (
            lambda key=row.pk: publishing.appear(key),
            lambda row=row: services.remind_unread(row, by=c.boss),
            lambda row=row: services.amend(row, by=c.boss, title="Two", body="x", major=True),
            lambda row=row: services.withdraw(row, by=c.boss, reason="wrong"),
        ):
            with CaptureQueriesContext(connection) as queries:
                step()
            steps.append(len(queries))
        assert AnnouncementReceipt.objects.filter(record=row).count() == 2 * (2 + more)
        counts.append(steps)
    assert counts[0] == counts[1] and max(counts[0]) <= 16


def test_people_who_join_later_receive_where_that_is_wished(c: SimpleNamespace) -> None:
    """N-01: the timer delivers once to newcomers of an audience; without the option, and after its end, not."""
    later = published(c.boss, to_departments=[c.shop], include_later=True, except_people=[c.bob])
    fixed = published(c.boss, to_departments=[c.shop])
    new = make.make_user("new", "sales", department=c.shop)
    assert [tasks.keep_time()["later"], tasks.keep_time()["later"]] == [1, 0]
    assert readers(later) == {"ann", "new"} and readers(fixed) == {"ann", "bob"}
    assert len(texts(new)) == 1
    later.refresh_from_db()
    assert later.recipients == 2
    Announcement.objects.filter(pk=later.pk).update(expires_at=timezone.now())
    publishing.end_due()
    make.make_user("newer", "sales", department=c.shop)
    assert tasks.keep_time()["later"] == 0


def test_announcements_end_and_are_archived_by_the_clock(c: SimpleNamespace) -> None:
    """Published until its end, archived a month later; neither happens twice, and readers still find it."""
    row = published(c.boss, to_departments=[c.shop], expires_at=timezone.now() + HOUR)
    assert tasks.keep_time()["ended"] == 0
    Announcement.objects.update(starts_at=None, expires_at=timezone.now() - HOUR)
    assert [tasks.keep_time()["ended"], tasks.keep_time()["ended"]] == [1, 0]
    row.refresh_from_db()
    assert row.state == "expired"
    Announcement.objects.update(expires_at=timezone.now() - dt.timedelta(days=31))
    tasks.keep_time()
    row.refresh_from_db()
    assert row.state == "archived" and Announcement.objects.visible_to(c.ann).get() == row


def test_where_approval_is_needed_somebody_else_gives_it(c: SimpleNamespace) -> None:
    """Nobody publishes or approves their own text, and the database agrees; approvers and author are told."""
    row = written(c.boss, "Rules", category="company", to_departments=[c.shop])
    with refused("have to be approved"):
        services.publish(row, by=c.boss)
    row = services.submit(row, by=c.boss)
    assert row.state == "submitted" and texts(c.other) == ["To approve: Rules"] and texts(c.boss) == []
    for by in (c.boss, c.ann):
        with refused("Somebody else|may not decide"):
            services.approve(row, by=by)
    with pytest.raises(IntegrityError, match="announcement_four_eyes"), transaction.atomic():
        Announcement.objects.filter(pk=row.pk).update(state="approved", decided_by=c.boss)
    with pytest.raises(IntegrityError, match="announcement_approved"), transaction.atomic():
        Announcement.objects.filter(pk=row.pk).update(state="approved")
    row = services.approve(row, by=c.other)
    assert (row.state, row.decided_by) == ("scheduled", c.other) and texts(c.boss) == ["Approved: Rules"]
    assert publishing.appear(row.pk) == 2


def test_rejected_texts_go_back_to_their_author(c: SimpleNamespace) -> None:
    """A reason is kept; the author changes the text and submits it again; what waits can be taken back."""
    row = services.submit(written(c.boss, "Rules", category="company", to_departments=[c.shop]), by=c.boss)
    row = services.reject(row, by=c.other, reason="Too long")
    assert (row.state, row.decision) == ("rejected", "Too long") and texts(c.boss) == ["Rejected: Rules"]
    row.body = "Shorter."
    row = services.submit(services.save_announcement(row, by=c.boss), by=c.boss)
    assert (row.state, row.decided_by, row.decision) == ("submitted", None, "")
    assert services.recall(row, by=c.boss).state == "draft"


def test_what_was_submitted_stays_as_it_is(c: SimpleNamespace) -> None:
    """N-04: neither the program nor plain SQL changes text or audience without a version; versions never change."""
    row = published(c.boss, to_departments=[c.shop])
    row.body = "Something else"
    with refused("new version only"):
        services.save_announcement(row, by=c.boss)
    changes: list[dict[str, Any]] = [{"body": "x"}, {"title": "x"}, {"to_everyone": True}, {"owner": c.other}]
    for change in [*changes, {"published_at": timezone.now()}, {"state": "draft"}]:
        with pytest.raises(DatabaseError), transaction.atomic():
            Announcement.objects.filter(pk=row.pk).update(**change)
    for damage in (lambda: row.editions.update(body="x"), lambda: row.editions.all().delete(), lambda: row.delete()):
        with pytest.raises(DatabaseError), transaction.atomic():
            damage()


def test_a_minor_change_keeps_receipts_and_a_major_one_asks_again(c: SimpleNamespace) -> None:
    """N-04: new versions; minor ones tell nobody; major ones replace the receipts, old ones stay with theirs."""
    row = published(c.boss, "Prices", to_departments=[c.shop])
    services.seen(row, by=c.ann, device="desk")
    row = services.amend(row, by=c.boss, title="Prices", body="All hands!", major=False, note="typo")
    receipt = AnnouncementReceipt.objects.get(user=c.ann)
    assert (row.edition, row.major_edition, receipt.read_count, receipt.edition) == (2, 1, 1, 1)
    assert len(texts(c.ann)) == 1
    c.bob.is_active = False
    c.bob.save()
    row = services.amend(row, by=c.boss, title="Prices", body="Half price!", major=True)
    assert (row.edition, row.major_edition, row.recipients, readers(row)) == (3, 3, 1, {"ann"})
    old, new = AnnouncementReceipt.objects.filter(user=c.ann).order_by("pk")
    assert (old.read_count, old.edition) == (1, 1) and old.superseded_at
    assert (new.read_count, new.edition, new.superseded_at) == (0, 3, None)
    assert texts(c.ann)[1:] == ["Changed, please read again: Prices"]
    assert list(row.editions.order_by("number").values_list("body", "major")) == [
        ("All hands.", True), ("All hands!", False), ("Half price!", True),
    ]  # fmt: skip


def test_amendments_are_refused_where_they_make_no_sense(c: SimpleNamespace) -> None:
    """Nothing changed, not published, not one's own, or approved by somebody who has to look again."""
    draft, row = written(c.boss, to_departments=[c.shop]), published(c.boss, to_departments=[c.shop])
    text = {"title": row.title, "body": "New", "major": True}
    with refused("not possible"):
        services.amend(draft, by=c.boss, **text)
    with refused("Nothing was changed"):
        services.amend(row, by=c.boss, **text | {"body": "All hands."})
    with refused("Only the author"):
        services.amend(row, by=c.ann, **text)
    approved = services.submit(written(c.boss, category="company", to_departments=[c.shop]), by=c.boss)
    services.approve(approved, by=c.other)
    publishing.appear(approved.pk)
    with refused("did not write it"):
        services.amend(approved, by=c.boss, **text)
    assert services.amend(approved, by=c.other, **text).edition == 2


def test_withdrawn_announcements_are_hidden_and_readers_are_told(c: SimpleNamespace) -> None:
    """N-06: the record stays with its reason; older messages about it are gone, one says that it was withdrawn."""
    row = published(c.boss, "Bonus", to_departments=[c.shop])
    row = services.withdraw(row, by=c.boss, reason="wrong figures")
    assert (row.state, row.withdrawn_by, row.withdrawn_because) == ("withdrawn", c.boss, "wrong figures")
    assert texts(c.ann) == ["Withdrawn: Bonus"] and Notification.objects.get(user=c.ann).url == ""
    assert not Announcement.objects.visible_to(c.ann).exists() and Announcement.objects.visible_to(c.boss).exists()
    with pytest.raises(BusinessError, match="not possible"):
        services.withdraw(row, by=c.boss, reason="again")


def test_drafts_need_an_audience_within_reach_and_an_end_ahead(c: SimpleNamespace) -> None:
    """N-01: what the form refuses the command refuses too, for whoever submits."""
    mia = make.make_user("mia", "sales-manager", department=c.shop)
    for row, words in (
        (written(c.boss), "Choose for whom"),
        (written(mia, to_everyone=True), "own departments only"),
        (written(c.boss, to_everyone=True, expires_at=timezone.now() - HOUR), "lies in the past"),
    ):
        with refused(words):
            services.publish(row, by=row.owner)
    assert published(mia, to_departments=[c.shop]).recipients == 3
    row = written(c.boss, to_departments=[c.shop])
    with refused("Only the author"):
        services.publish(row, by=mia)
