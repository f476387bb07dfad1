"""Who sees the signatures beside decisions, and the approval sheet with them (rules X-13, G-21)."""

from __future__ import annotations

import io
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from oa.approvals.models import ApprovalRequest
from oa.approvals.prints import approval_sheet
from oa.approvals.services import approve
from oa.records.models import PersonSignature
from tests import approving as make
from tests.oa.signing import keep
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def test_a_signature_is_seen_by_who_sees_what_it_stands_on() -> None:
    """X-13, G-21: its person, the applicant and who decides; strangers get what they get for none at all."""
    boss, ann, bob, copied, stranger = make.people("boss", "ann", "bob", "copied", "stranger")
    request = make.request(make.flow(make.step(1, ann), make.step(2, bob)), boss, copies=[copied])
    row = keep(ann)
    url, nowhere = f"/signature/{row.key}/", f"/signature/{uuid.UUID(int=7)}/"
    assert client_of(ann).get(url).status_code == 200
    assert client_of(boss).get(url).status_code == 404  # it stands nowhere yet
    approve(make.task(request, ann), by=ann)
    for user in (ann, boss, bob, copied):
        answer = client_of(user).get(url)
        assert answer.status_code == 200 and b"".join(answer).startswith(b"\x89PNG")  # type: ignore[arg-type]
    there, not_there = (client_of(stranger).get(address) for address in (url, nowhere))
    assert there.status_code == not_there.status_code == 404
    assert len(there.content) == len(not_there.content)
    later = keep(ann, slope=40)
    assert client_of(boss).get(f"/signature/{later.key}/").status_code == 404
    assert client_of(boss).get(url).status_code == 200  # as it was then


def test_the_picture_is_sent_as_a_picture_and_nothing_else() -> None:
    """S-10: type, no guessing, no copies elsewhere, no scripts."""
    ann = make.person("ann")
    answer = client_of(ann).get(f"/signature/{keep(ann).key}/")
    assert answer.headers["Content-Type"] == "image/png"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "sandbox" in answer.headers["Content-Security-Policy"]


# ---- on paper ----


def decided(people: int, tag: str) -> ApprovalRequest:
    """As many people as given, each with an own signature."""
    boss, *users = make.people(f"boss{tag}", *(f"{tag}x{n}" for n in range(people)))
    request = make.request(make.flow(*(make.step(1, user) for user in users)), boss)
    for place, user in enumerate(users):
        keep(user, slope=3 * place)
        approve(make.task(request, user), by=user, text=f"opinion {place}")
    return ApprovalRequest.objects.get(pk=request.pk)


def test_the_sheet_shows_the_signatures() -> None:
    """X-13: each beside its opinion; a decision without one has none."""
    request = decided(2, "a")
    sheet = approval_sheet(request, "en")
    assert len(sheet["signatures"]) == 2 and [mark is not None for mark in sheet["marks"]] == [False, True, True]
    for language in ("en", "zh-hans"):
        answer = client_of(request.applicant).get(
            f"/approvals/requests/{request.pk}/print/?format=pdf&language={language}"
        )
        pages = PdfReader(io.BytesIO(answer.content)).pages
        assert sum(len(page.images) for page in pages) == 2
        text = "".join(page.extract_text() for page in pages)
        assert "opinion 0" in text and "opinion 1" in text
    plain = make.request(make.flow(make.step(1, request.applicant), on_self="allow"), make.person("p"))
    assert approval_sheet(plain, "en")["signatures"] == {}


def test_a_lost_picture_does_not_keep_the_sheet_from_being_printed() -> None:
    """F-20: the file is gone from the disk; page and paper come without it."""
    request = decided(1, "a")
    row = PersonSignature.objects.get()
    row.file.storage.delete(row.file.name)
    client = client_of(request.applicant)
    assert client.get(f"/approvals/requests/{request.pk}/print/?format=pdf&language=en").status_code == 200
    assert client.get(f"/signature/{row.key}/").status_code == 404


def test_many_signatures_take_no_more_statements() -> None:
    """X-13, STYLE: page, sheet and back office of a request with 2 and with 12 signatures."""
    counts: list[tuple[int, ...]] = []
    root = client_of(make.make.make_user("root", is_staff=True))
    for many in (2, 12):
        request = decided(many, f"n{many}")
        client = client_of(request.applicant)
        client.get(f"/approvals/requests/{request.pk}/")
        with CaptureQueriesContext(connection) as sheet:
            assert len(approval_sheet(request, "en")["signatures"]) == many
        with CaptureQueriesContext(connection) as page:
            text = client.get(f"/approvals/requests/{request.pk}/").content.decode()
        assert text.count("/signature/") >= many
        with CaptureQueriesContext(connection) as office:
            assert root.get(f"/backoffice/oa/approvalrequest/{request.pk}/change/").status_code == 200
        counts.append((len(sheet), len(page), len(office)))
    assert counts[0] == counts[1]
