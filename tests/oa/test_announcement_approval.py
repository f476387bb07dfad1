"""Announcements through an approval flow (rules N-01, N-04, X-06 to X-10, X-14)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import DatabaseError, transaction
from django.utils import timezone

from kit.values.errors import BusinessError
from oa.announcements import publishing, services
from oa.announcements.models import KIND, Announcement, AnnouncementReceipt
from oa.approvals.models import ApprovalRequest
from oa.approvals.services import approve, cancel, reject, resubmit, send_back, submit, withdraw
from oa.organisation.models import Department
from oa.records.attachments import store_attachments
from oa.records.models import Notification
from tests import approving
from tests import factories as make
from tests.invariants import assert_books
from tests.oa.announcing import published, readers, written
from tests.oa.world import client_of
from tests.refusals import refused

pytestmark = pytest.mark.django_db

CONFIRMED = [[{"field": "must_confirm", "op": "=", "value": "yes"}]]


@pytest.fixture
def c() -> Any:
    """Hal of the personnel department writes; Mia and then Kay approve; Ann and Bob of the shop read."""
    c = SimpleNamespace()
    c.shop = Department.objects.create(code="SHOP", name="Shop")
    c.hal = make.make_user("hal", "hr", language="en")
    c.mia, c.kay = approving.people("mia", "kay")
    c.ann = make.make_user("ann", "sales", department=c.shop)
    c.bob = make.make_user("bob", "sales", department=c.shop)
    c.flow = approving.flow(approving.step(1, c.mia), approving.step(2, c.kay), kind=KIND)
    yield c
    assert_books(["I-27", "I-28", "I-29", "I-65", "I-66", "I-67"])


def draft(c: SimpleNamespace, title: str = "Shop closes", **given: Any) -> Announcement:
    given.setdefault("to_departments", [c.shop])
    return written(c.hal, title, **given)


def run(c: SimpleNamespace, row: Announcement) -> ApprovalRequest:
    return submit(row, kind=KIND, by=c.hal)


def decide(request: ApprovalRequest, *people: Any) -> None:
    for person in people:
        approve(approving.task(request, person), by=person)


def state(row: Announcement) -> str:
    row.refresh_from_db()
    return row.state


@pytest.mark.parametrize("category", ["notice", "rules"])
def test_with_a_flow_it_is_published_by_the_flow_only(c: SimpleNamespace, category: str) -> None:
    """X-10: neither the author nor an approver by permission publishes around the flow."""
    row = draft(c, category=category)
    for command in (services.publish, services.submit):
        with refused("needs approval"):
            command(row, by=c.hal)
    assert state(row) == "draft" and not ApprovalRequest.objects.exists()


def test_what_waited_for_a_permission_goes_through_the_flow_that_came(c: SimpleNamespace) -> None:
    """X-10: a flow that comes into force also counts for what was submitted before."""
    c.flow.active = False
    c.flow.save()
    row = services.submit(draft(c, category="rules"), by=c.hal)
    c.flow.active = True
    c.flow.save()
    boss = make.make_user("boss")
    with refused("needs approval"):
        services.approve(row, by=boss)
    with refused("."):
        run(c, row)
    services.recall(row, by=c.hal)
    decide(run(c, row), c.mia, c.kay)
    assert state(row) == "published"


def test_without_a_flow_or_where_it_asks_nobody_the_permission_decides(c: SimpleNamespace) -> None:
    """X-01, X-14: a condition that does not hold asks nobody, and the category still wants somebody else."""
    c.flow.active = False
    c.flow.save()
    approving.flow(approving.step(1, c.mia, conditions=CONFIRMED), kind=KIND)
    assert services.publish(draft(c), by=c.hal).state == "scheduled"
    rules = draft(c, category="rules")
    with refused("have to be approved"):
        services.publish(rules, by=c.hal)
    services.submit(rules, by=c.hal)
    with refused("Somebody else|may not decide"):
        services.approve(rules, by=c.hal)
    assert services.approve(rules, by=make.make_user("boss")).state == "scheduled"
    strict = draft(c, must_confirm=True)
    with refused("must be confirmed"):
        services.publish(strict, by=c.hal)


def test_the_last_decision_publishes_once(c: SimpleNamespace) -> None:
    """X-06, X-07: nobody reads it before; then receipts, messages and the first version stand in one transaction."""
    row = draft(c)
    request = run(c, row)
    assert state(row) == "approving"
    decide(request, c.mia)
    assert state(row) == "approving" and not AnnouncementReceipt.objects.exists()
    assert not Announcement.objects.visible_to(c.ann).exists()
    last = approving.task(request, c.kay)
    approve(last, by=c.kay)
    row.refresh_from_db()
    assert (row.state, row.recipients, readers(row)) == ("published", 2, {"ann", "bob"})
    assert row.editions.count() == 1 and Announcement.objects.visible_to(c.ann).get() == row
    assert Notification.objects.filter(user=c.ann, url=f"/news/{row.pk}/").count() == 1
    with refused("already"):
        approve(last, by=c.kay)
    publishing.keep_time()
    assert publishing.appear(row.pk) is None and row.receipts.count() == 2


def test_it_waits_for_its_time(c: SimpleNamespace) -> None:
    """N-01: approved before its time it is scheduled as written, and the timer publishes it."""
    row = draft(c, starts_at=timezone.now() + dt.timedelta(hours=2))
    decide(run(c, row), c.mia, c.kay)
    assert state(row) == "scheduled" and publishing.appear(row.pk) is None
    Announcement.objects.filter(pk=row.pk).update(starts_at=timezone.now())
    assert publishing.appear(row.pk) == 2 and state(row) == "published"


def test_the_audience_is_that_of_the_effect(c: SimpleNamespace) -> None:
    """N-01: who came meanwhile receives it, who left does not."""
    row = draft(c)
    request = run(c, row)
    make.make_user("eva", "sales", department=c.shop)
    c.bob.is_active = False
    c.bob.save()
    decide(request, c.mia, c.kay)
    assert readers(row) == {"ann", "eva"}


def test_an_effect_that_fails_takes_the_decision_back(c: SimpleNamespace) -> None:
    """X-07: its end came during the run; Kay is told why and the request is still open."""
    row = draft(c, expires_at=timezone.now() + dt.timedelta(hours=1))
    request = run(c, row)
    decide(request, c.mia)
    later = timezone.now() + dt.timedelta(hours=2)
    with pytest.MonkeyPatch.context() as clock:
        clock.setattr(timezone, "now", lambda: later)
        with refused("has ended"):
            decide(request, c.kay)
    request.refresh_from_db()
    assert (request.state, state(row)) == ("running", "approving") and not row.receipts.exists()


def test_who_lost_the_reach_publishes_nothing(c: SimpleNamespace) -> None:
    """N-01: the applicant's reach counts at the effect, too."""
    east = Department.objects.create(code="EAST", name="East")
    head = make.make_user("head", "sales-manager", department=east)
    row = written(head, "Move", to_departments=[east])
    request = submit(row, kind=KIND, by=head)
    head.department = Department.objects.create(code="WEST", name="West")
    head.save()
    decide(request, c.mia)
    with refused("one of your departments"):
        decide(request, c.kay)
    assert state(row) == "approving"


@pytest.mark.parametrize("how", ["reject", "withdraw", "cancel", "return"])
def test_an_end_without_approval_gives_it_back(c: SimpleNamespace, how: str) -> None:
    """X-03, X-06: the author may change it again, submit it again, and nobody ever saw it."""
    row = draft(c)
    request = run(c, row)
    task = approving.task(request, c.mia)
    {
        "reject": lambda: reject(task, by=c.mia, text="no"),
        "withdraw": lambda: withdraw(request, by=c.hal),
        "cancel": lambda: cancel(request, by=c.flow.admin, reason="old"),
        "return": lambda: send_back(task, by=c.mia, stage=0, text="date?"),
    }[how]()
    assert state(row) == "draft" and not row.receipts.exists()
    row.body = "On Monday."
    services.save_announcement(row, by=c.hal)
    if how == "return":
        with pytest.raises(DatabaseError), transaction.atomic():
            row.delete()
        request = resubmit(request, by=c.hal)
    else:
        request = run(c, row)
    decide(request, c.mia, c.kay)
    assert state(row) == "published" and row.body == "On Monday."


def test_it_stays_as_it_is_while_it_is_decided(c: SimpleNamespace) -> None:
    """X-06, X-08: pages and commands refuse changes; a change beneath them is found at the last decision."""
    row = draft(c)
    request = run(c, row)
    row.refresh_from_db()
    for change in (
        lambda: services.save_announcement(row, by=c.hal),
        lambda: services.publish(row, by=c.hal),
        lambda: services.recall(row, by=c.hal),
        lambda: run(c, row),
        lambda: store_attachments(row, [ContentFile(b"x", "x.txt")], by=c.hal),
    ):
        with refused("."):
            change()
    with pytest.raises(DatabaseError), transaction.atomic():
        Announcement.objects.filter(pk=row.pk).update(body="other")
    with pytest.raises(DatabaseError), transaction.atomic():
        Announcement.objects.filter(pk=row.pk).update(state="scheduled")
    decide(request, c.mia)
    row.to_people.add(make.make_user("zoe", "sales"))
    with refused("was changed during the approval"):
        decide(request, c.kay)
    row.to_people.clear()
    decide(request, c.kay)
    assert state(row) == "published"


def test_only_who_may_publish_submits(c: SimpleNamespace) -> None:
    """N-01: the reach of who submits counts, and a reader of the page cannot submit for its author."""
    boss = make.make_user("boss")
    wide = written(boss, "For all", to_everyone=True)
    with refused("Only the author"):
        submit(wide, kind=KIND, by=c.hal if not c.hal.has_perm("oa.manage_announcement") else c.ann)
    mine = make.make_user("head", "sales-manager", department=c.shop)
    row = written(mine, "Ours", to_departments=[c.shop])
    row.to_everyone = True
    row.save()
    with refused("own departments"):
        submit(row, kind=KIND, by=mine)
    assert state(wide) == state(row) == "draft"


def test_approvers_see_it_while_it_is_decided_and_gain_nothing_else(c: SimpleNamespace) -> None:
    """X-09, N-06: text and files during the run; no other draft, no receipts, and nothing once it is decided."""
    row, other = draft(c, body="Secret plan"), draft(c, "Other", body="Hidden")
    store_attachments(row, [ContentFile(b"figures", "figures.txt")], by=c.hal)
    request = run(c, row)
    client = client_of(c.mia)
    page = client.get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "Secret plan" in page and "figures.txt" in page and f"/office/announcements/{row.pk}/" in page
    file = row_file(row)
    assert client.get(f"/files/{file.key}/").status_code == 200
    assert set(Announcement.objects.visible_to(c.mia)) == {row}
    page = client.get(f"/office/announcements/{row.pk}/").content.decode()
    assert "Secret plan" in page and "do/publish" not in page and f"{row.pk}/edit/" not in page
    assert client.get(f"/office/announcements/{other.pk}/").status_code == 404
    assert client_of(c.ann).get(f"/office/announcements/{row.pk}/").status_code == 404
    reject(approving.task(request, c.mia), by=c.mia, text="no")
    row.refresh_from_db()
    row.body = "Another secret"
    services.save_announcement(row, by=c.hal)
    assert not Announcement.objects.visible_to(c.mia).exists()
    page = client.get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "secret" not in page.lower() and "figures.txt" not in page
    assert client.get(f"/files/{file.key}/").status_code == 404


def row_file(row: Announcement) -> Any:
    from oa.records.models import Attachment

    return Attachment.objects.get(object_id=row.pk, name="figures.txt")


def test_a_draft_that_is_gone_leaves_its_requests_readable(c: SimpleNamespace) -> None:
    """X-12: the history of a rejected request stays when its draft is deleted."""
    row = draft(c)
    request = run(c, row)
    reject(approving.task(request, c.mia), by=c.mia, text="no")
    Announcement.objects.get(pk=row.pk).delete()
    for person in (c.hal, c.mia):
        assert client_of(person).get(f"/approvals/requests/{request.pk}/").status_code == 200


def test_small_corrections_need_an_approver_and_large_ones_the_flow(c: SimpleNamespace) -> None:
    """N-04, X-08: a minor version by somebody with the right who did not write it; no major one around the flow."""
    row = draft(c)
    decide(run(c, row), c.mia, c.kay)
    row.refresh_from_db()
    boss = make.make_user("boss")
    new: dict[str, Any] = {"title": row.title, "body": "Shop opens"}
    with refused("only somebody who approves"):
        services.amend(row, by=c.hal, major=False, **new)
    for person in (c.hal, boss):
        with refused("withdraw this announcement"):
            services.amend(row, by=person, major=True, **new)
    assert services.amend(row, by=boss, major=False, **new).edition == 2


def test_what_was_published_before_the_flow_is_amended_like_the_rest(c: SimpleNamespace) -> None:
    """X-10: publishing small and amending big is no way around a flow that came later."""
    c.flow.active = False
    c.flow.save()
    row = published(c.hal, to_departments=[c.shop])
    c.flow.active = True
    c.flow.save()
    with refused("withdraw this announcement"):
        services.amend(row, by=c.hal, title=row.title, body="Other", major=True)


def test_the_page_leads_to_the_flow(c: SimpleNamespace) -> None:
    """X-09: submit in place of publish; then the state and the path with names on the page of the announcement."""
    row = draft(c)
    client = client_of(c.hal)
    url = f"/office/announcements/{row.pk}/"
    page = client.get(url).content.decode()
    assert f"/approvals/submit/{KIND}/{row.pk}/" in page and "do/publish/" not in page and "do/submit/" not in page
    assert "Mia" in client.get(f"/approvals/submit/{KIND}/{row.pk}/").content.decode()
    answer = client.post(f"/approvals/submit/{KIND}/{row.pk}/", {"note": "please"})
    assert (answer.status_code, answer["Location"]) == (302, url)
    page = client.get(url).content.decode()
    assert "Mia" in page and "/approvals/submit/" not in page and state(row) == "approving"
    request = ApprovalRequest.objects.get()
    page = client_of(c.mia).get("/todo/").content.decode()
    assert "Shop closes" in page and f"/approvals/requests/{request.pk}/" in page


def test_nobody_submits_what_is_not_theirs_through_the_page(c: SimpleNamespace) -> None:
    """G-21: a foreign draft answers like a missing one."""
    row = written(make.make_user("boss"), "Foreign", to_everyone=True)
    assert client_of(c.ann).post(f"/approvals/submit/{KIND}/{row.pk}/", {}).status_code == 404
    with pytest.raises(BusinessError):
        submit(row, kind=KIND, by=c.ann)
