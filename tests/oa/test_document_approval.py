"""Library documents through an approval flow (spec office 5.8.2, rules X-06 to X-10, X-14)."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from oa.approvals.models import ApprovalRequest
from oa.approvals.services import approve, cancel, reject, resubmit, send_back, submit, withdraw
from oa.documents import services
from oa.documents.models import KIND, DocumentVersion, Folder, LibraryDocument, ReadingReceipt
from oa.records.models import Notification
from tests import approving
from tests.invariants import assert_books
from tests.oa.library import client_of, company, document, file, folder, fresh, let
from tests.refusals import refused

pytestmark = pytest.mark.django_db


@pytest.fixture
def c() -> Any:
    """Ann writes in a folder where readers see published versions only; Mia and then Kay approve; Bob reads."""
    made = company()
    made.top = folder("Rules", needs_review=True)
    made.low = folder("Safety", made.top, needs_review=True)
    let(made.top, made.ann, "edit")
    let(made.top, made.bob, "download")
    let(made.top, made.eve, "manage")
    made.mia, made.kay = approving.people("mia", "kay")
    made.flow = approving.flow(approving.step(1, made.mia), approving.step(2, made.kay), kind=KIND)
    yield made
    assert_books(["I-27", "I-28", "I-29", "I-68", "I-69", "I-70", "I-81"])


def draft(c: SimpleNamespace, name: str = "rules.txt", content: str = "Wear a helmet") -> LibraryDocument:
    return document(c.low, name, content, by=c.ann)


def run(c: SimpleNamespace, row: LibraryDocument) -> ApprovalRequest:
    return submit(fresh(row), kind=KIND, by=c.ann)


def decide(request: ApprovalRequest, *people: Any) -> None:
    for person in people:
        approve(approving.task(request, person), by=person)


def test_with_a_flow_it_is_published_by_the_flow_only(c: SimpleNamespace) -> None:
    """X-10: neither the author nor whoever manages the folder publishes around the flow."""
    row = draft(c)
    with refused("needs approval"):
        services.submit_document(row, by=c.ann)
    c.flow.active = False
    c.flow.save()
    waiting = services.submit_document(draft(c, "other.txt"), by=c.ann)
    c.flow.active = True
    c.flow.save()
    with refused("needs approval"):
        services.publish_document(waiting, by=c.eve)
    with refused("Send it back first"):
        run(c, waiting)
    services.return_document(waiting, by=c.eve, reason="flow")
    decide(run(c, waiting), c.mia, c.kay)
    assert fresh(waiting).state == "published" and fresh(row).state == "draft"


def test_without_a_flow_or_where_it_asks_nobody_the_folder_decides(c: SimpleNamespace) -> None:
    """X-01, X-14: a flow for another folder asks nobody here, and a second person publishes as before."""
    c.flow.active = False
    c.flow.save()
    other = folder("Prices")
    let(other, c.ann, "edit")
    condition = [[{"field": "folder", "op": "=", "value": str(other.pk)}]]
    approving.flow(approving.step(1, c.mia, conditions=condition), kind=KIND)
    row = services.submit_document(draft(c), by=c.ann)
    assert services.publish_document(row, by=c.eve).state == "published"
    below = document(folder("Net", other), "net.txt", by=c.ann)
    with refused("needs approval"):
        services.publish_document(below, by=c.ann)


def test_the_last_decision_publishes_once(c: SimpleNamespace) -> None:
    """X-06, X-07: readers see nothing before; then it is the valid version, and who has to read it is asked."""
    row = draft(c)
    services.require_reading(row, {"to_people": [c.bob]}, by=c.eve)
    request = run(c, row)
    decide(request, c.mia)
    assert fresh(row).state == "approving" and not ReadingReceipt.objects.exists()
    assert not LibraryDocument.objects.visible_to(c.bob).exists()
    assert not DocumentVersion.objects.visible_to(c.bob).exists()
    last = approving.task(request, c.kay)
    approve(last, by=c.kay)
    row = fresh(row)
    assert (row.state, row.published_id, row.publications.get().by) == ("published", row.current_id, c.kay)
    assert LibraryDocument.objects.visible_to(c.bob).get() == row
    assert ReadingReceipt.objects.get().user == c.bob
    assert Notification.objects.filter(user=c.bob, text__contains="rules.txt").count() == 1
    with refused("already"):
        approve(last, by=c.kay)
    assert row.publications.count() == 1


def test_the_valid_version_stays_while_a_new_one_is_decided(c: SimpleNamespace) -> None:
    """X-06: readers keep the old version until the effect, and for ever when it is rejected."""
    row = draft(c)
    decide(run(c, row), c.mia, c.kay)
    services.check_in(fresh(row), file("rules.txt", "Wear two helmets"), by=c.ann)
    request = run(c, row)
    seen = DocumentVersion.objects.visible_to(c.bob)
    assert [v.number for v in seen] == [1] and fresh(row).readers_version.number == 1
    reject(approving.task(request, c.mia), by=c.mia, text="too many")
    row = fresh(row)
    assert (row.state, row.published.number, row.current.number) == ("draft", 1, 2)
    assert [v.number for v in seen.all()] == [1]


def test_minor_versions_pass_where_the_flow_says_so(c: SimpleNamespace) -> None:
    """N-04, X-01: whether a version is a minor change is a fact that conditions may ask for."""
    c.flow.active = False
    c.flow.save()
    plain = folder("Plain")
    let(plain, c.ann, "edit")
    approving.flow(approving.step(1, c.mia, conditions=[[{"field": "minor", "op": "=", "value": ""}]]), kind=KIND)
    row = document(plain, "list.txt", by=c.ann)
    with refused("needs approval"):
        services.publish_document(row, by=c.ann)
    decide(run(c, row), c.mia)
    services.check_in(fresh(row), file("list.txt", "A plan!"), by=c.ann, minor=True)
    assert services.publish_document(fresh(row), by=c.ann).published.number == 2


def test_an_effect_that_fails_takes_the_decision_back(c: SimpleNamespace) -> None:
    """X-07: the document went into the bin beneath the run; Kay is told and the request is still open."""
    row = draft(c)
    request = run(c, row)
    decide(request, c.mia)
    LibraryDocument.objects.filter(pk=row.pk).update(deleted_at=row.created_at - dt.timedelta(days=400))
    with refused("was deleted meanwhile"):
        decide(request, c.kay)
    request.refresh_from_db()
    assert request.state == "running" and fresh(row).published is None
    assert services.purge_bins() == 0  # what a run is about is kept
    cancel(request, by=c.flow.admin, reason="deleted")
    assert services.purge_bins() == 1 and not LibraryDocument.objects.filter(pk=row.pk).exists()
    assert client_of(c.mia).get(f"/approvals/requests/{request.pk}/").status_code == 200


@pytest.mark.parametrize("how", ["reject", "withdraw", "cancel", "return"])
def test_an_end_without_approval_gives_it_back(c: SimpleNamespace, how: str) -> None:
    """X-03, X-06: it can be changed again and submitted again."""
    row = draft(c)
    request = run(c, row)
    task = approving.task(request, c.mia)
    {
        "reject": lambda: reject(task, by=c.mia, text="no"),
        "withdraw": lambda: withdraw(request, by=c.ann),
        "cancel": lambda: cancel(request, by=c.flow.admin, reason="old"),
        "return": lambda: send_back(task, by=c.mia, stage=0, text="which helmet?"),
    }[how]()
    assert fresh(row).state == "draft"
    services.check_in(fresh(row), file("rules.txt", "A white helmet"), by=c.ann)
    request = resubmit(request, by=c.ann) if how == "return" else run(c, row)
    decide(request, c.mia, c.kay)
    assert fresh(row).published.number == 2


def test_it_stays_as_it_is_while_it_is_decided(c: SimpleNamespace) -> None:
    """X-06, X-08: no version, name, place, reader or bin meanwhile; the database refuses it, too."""
    row = draft(c)
    request = run(c, row)
    held = fresh(row)
    for change in (
        lambda: services.check_in(held, file("rules.txt", "x"), by=c.ann),
        lambda: services.check_out(held, by=c.ann),
        lambda: services.restore_version(held, 1, by=c.ann),
        lambda: services.publish_document(held, by=c.eve),
        lambda: services.save_details(held, by=c.ann),
        lambda: services.bin_document(held, by=c.ann),
        lambda: services.bin_folder(Folder.objects.get(pk=c.top.pk), by=c.eve),
        lambda: services.require_reading(held, {"to_people": [c.bob]}, by=c.eve),
        lambda: run(c, row),
    ):
        with refused("."):
            change()
    for columns in ({"title": "x"}, {"folder": c.top}, {"state": "published", "published": held.current}):
        with pytest.raises(DatabaseError), transaction.atomic():
            LibraryDocument.objects.filter(pk=row.pk).update(**columns)
    decide(request, c.mia)
    LibraryDocument.objects.filter(pk=row.pk).update(note="changed beneath")
    with refused("was changed during the approval"):
        decide(request, c.kay)


def test_only_who_may_edit_submits_and_nobody_works_on_it(c: SimpleNamespace) -> None:
    """5.8.2, G-21: a reader of a published document submits nothing; a check-out of somebody else is told."""
    row = draft(c)
    with refused("do not suffice"):
        submit(row, kind=KIND, by=c.bob)
    assert client_of(c.bob).post(f"/approvals/submit/{KIND}/{row.pk}/", {}).status_code == 404
    services.check_out(row, by=c.ann)
    with refused("is checked out by"):
        run(c, row)


def test_approvers_see_the_pending_version_and_gain_nothing_else(c: SimpleNamespace) -> None:
    """X-09: its pages while it is decided, no download, no older draft, no other document; nothing afterwards."""
    row, other = draft(c, content="First draft"), draft(c, "other.txt", "Hidden")
    services.check_in(fresh(row), file("rules.txt", "Wear a helmet"), by=c.ann)
    from oa.documents.reading import read_version

    row = fresh(row)
    read_version(row.current_id)
    client = client_of(c.mia)
    url = f"/docs/files/{row.url_key}/"
    assert client.get(url).status_code == 404
    request = run(c, row)
    page = client.get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "rules.txt" in page and url in page
    page = client.get(url).content.decode()
    assert "Wear a helmet" in page and "First draft" not in page and "check-in/" not in page
    assert client.get(f"/docs/versions/{row.current.key}/").status_code == 200
    assert client.get(f"/docs/versions/{row.current.key}/file/").status_code == 404
    assert [v.number for v in DocumentVersion.objects.visible_to(c.mia)] == [2]
    assert set(LibraryDocument.objects.visible_to(c.mia)) == {row} and not Folder.objects.visible_to(c.mia).filter(
        pk=c.low.pk
    )
    assert client.get(f"/docs/files/{other.url_key}/").status_code == 404
    stranger = approving.person("zoe")
    assert client_of(stranger).get(url).status_code == 404
    reject(approving.task(request, c.mia), by=c.mia, text="no")
    assert client.get(url).status_code == 404 and client.get(f"/docs/versions/{row.current.key}/").status_code == 404
    page = client.get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "helmet" not in page and url not in page


def test_a_proxy_sees_what_the_absent_one_decides_about(c: SimpleNamespace) -> None:
    """X-05: whoever stands in reads the version, too."""
    row = draft(c)
    zoe = approving.person("zoe")
    approving.stand_in(c.mia, zoe)
    request = run(c, row)
    assert LibraryDocument.objects.visible_to(zoe).get() == row
    approve(approving.task(request, c.mia), by=zoe)
    decide(request, c.kay)
    assert fresh(row).state == "published"


def test_the_page_leads_to_the_flow(c: SimpleNamespace) -> None:
    """X-09: submit in place of publish; then the state and the path with names on the page of the document."""
    row = draft(c)
    client = client_of(c.ann)
    url = f"/docs/files/{row.url_key}/"
    page = client.get(url).content.decode()
    assert f"/approvals/submit/{KIND}/{row.pk}/" in page and "do/submit/" not in page and "do/publish/" not in page
    answer = client.post(f"/approvals/submit/{KIND}/{row.pk}/", {"note": "please"})
    assert (answer.status_code, answer["Location"]) == (302, url)
    page = client.get(url).content.decode()
    assert "Mia" in page and "/approvals/submit/" not in page and "check-in/" not in page


def test_departments_are_a_fact(c: SimpleNamespace) -> None:
    """X-01: a flow for a department asks about documents in its folders, those of teams below it included."""
    c.flow.active = False
    c.flow.save()
    c.shop.head = c.ann
    c.shop.save()
    place = services.department_folder(c.shop, by=c.ann)
    condition = [[{"field": "department", "op": "=", "value": str(c.east.pk)}]]
    approving.flow(approving.step(1, c.mia, conditions=condition), kind=KIND)
    row = document(place, by=c.ann)
    with refused("needs approval"):
        services.publish_document(row, by=c.ann)
    mine = services.personal_folder(c.ann)
    assert services.publish_document(document(mine, by=c.ann), by=c.ann).state == "published"
