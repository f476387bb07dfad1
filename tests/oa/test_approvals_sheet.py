"""Time spent on the path, and the approval sheet on paper (spec approvals X-13, X-08)."""

from __future__ import annotations

import datetime as dt
import io
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pypdf import PdfReader

from kit.exchange.printing import get
from oa.approvals import services
from oa.approvals.models import ApprovalRequest, ApprovalTask
from oa.approvals.prints import approval_sheet
from oa.approvals.track import spent
from oa.records.attachments import store_attachment
from tests import approving as make
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def decided() -> ApprovalRequest:
    """Ann approves after two days, Bob hands over to Cat, who approves."""
    boss, a, b, c = make.people("boss", "ann", "bob", "cat")
    flow = make.flow(make.step(1, a, name="Budget"), make.step(2, b, name="Contract"))
    draft = make.draft(flow, boss, amount="1234.5", reason="A fair")
    store_attachment(draft, ContentFile(b"%PDF-1.7\n%%EOF\n", "offer.pdf"), by=boss)
    request = services.submit(draft, kind=flow.kind, by=boss)
    ApprovalTask.objects.filter(request=request).update(started_at=timezone.now() - dt.timedelta(days=2, hours=3))
    services.approve(make.task(request, a), by=a, text="Within the budget")
    services.transfer(make.task(request, b), c, by=b, text="on holiday")
    services.approve(make.task(request, c), by=c, text="Sign it")
    request.refresh_from_db()
    return request


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(pdf)).pages)


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, "1 min"), (45, "45 min"), (61, "1 h 1 min"), (24 * 60 * 2 + 180, "2 d 3 h")]
)
def test_time_in_words(minutes: int, words: str) -> None:
    """X-13: minutes, hours and days as people say them."""
    now = timezone.now()
    assert spent(now, now + dt.timedelta(minutes=minutes)) == words and spent(now, None) == ""


def test_the_path_tells_how_long_everybody_took() -> None:
    """X-13: beside the opinion and the time of the decision."""
    request = decided()
    page = client_of(request.applicant).get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "after 2 d 3 h" in page and "Within the budget" in page


def test_the_sheet_holds_everything_on_a4() -> None:
    """X-13: title, applicant, values, each step with person, decision, opinion, time and time spent, attachments."""
    request = decided()
    answer = client_of(request.applicant).get(f"/approvals/requests/{request.pk}/print/?format=pdf&language=en")
    assert answer.headers["Content-Type"] == "application/pdf"
    page = PdfReader(io.BytesIO(answer.content)).pages[0]
    assert (round(page.mediabox.width), round(page.mediabox.height)) == (595, 842)
    text = text_of(answer.content)
    for words in (
        "Approval sheet", "Boss", "1,234.50", "A fair", "offer.pdf", "Budget", "Ann", "Approved", "Within the budget",
        "2 d 3 h", "Contract", "Cat", "Sign it", "transferred", "on holiday", request.content_hash[:20],
    ):  # fmt: skip
        assert words in text, words
    assert "was changed" not in text
    chinese = client_of(request.applicant).get(f"/approvals/requests/{request.pk}/print/?format=pdf&language=zh-hans")
    assert chinese.status_code == 200


def test_an_open_request_prints_with_the_steps_to_come() -> None:
    """X-13, X-09: who was asked and who will be."""
    boss, a, b = make.people("boss", "ann", "bob")
    request = make.request(make.flow(make.step(1, a, name="Budget"), make.step(2, b, name="Contract")), boss)
    steps = approval_sheet(request, "en")["steps"]
    assert [row[:3] for row in steps[1:]] == [["Budget", "Ann", "To decide"], ["Contract", "Bob", "not asked yet"]]


def test_the_sheet_warns_where_the_document_is_another_one_now() -> None:
    """X-08: what was approved is not what the document says any more."""
    boss, a = make.people("boss", "ann")
    request = make.request(make.flow(make.step(1, a)), boss, reason="trip")
    assert approval_sheet(request, "en")["changed"] == ""
    store_attachment(make.document(request), ContentFile(b"%PDF-1.7\n%%EOF\n", "late.pdf"), by=boss)
    made = approval_sheet(request, "en")
    assert made["changed"] and made["files"] == []


def test_the_sheet_is_for_who_may_see_the_request() -> None:
    """G-21: strangers get what they get for a request that does not exist; text of people stays text (S-08)."""
    boss, a, stranger = make.people("boss", "ann", "stranger")
    request = make.request(make.flow(make.step(1, a)), boss, reason='#panic("x") *bold* \\ [')
    assert client_of(stranger).get(f"/approvals/requests/{request.pk}/print/").status_code == 404
    page = client_of(a).get(f"/approvals/requests/{request.pk}/print/")
    assert (
        page.status_code == 200 and "/print/" in client_of(a).get(f"/approvals/requests/{request.pk}/").content.decode()
    )
    paper = get("approval-sheet")
    assert '#panic("x") *bold*' in str(paper.build(request, "en")["summary"])


def test_a_request_without_its_document_has_no_sheet() -> None:
    """A draft that was given back may be deleted: the page of the request stays, without what it was about."""
    boss, a = make.people("boss", "ann")
    request = make.request(make.flow(make.step(1, a)), boss)
    services.withdraw(request, by=boss)
    make.document(request).delete()
    client = client_of(boss)
    page = client.get(f"/approvals/requests/{request.pk}/")
    assert page.status_code == 200 and b"/print/" not in page.content
    assert client.get(f"/approvals/requests/{request.pk}/print/").status_code == 404


def test_more_steps_take_no_more_statements_for_the_sheet() -> None:
    """Done means 4: behind the decided steps of a closed request nothing is asked one by one."""
    counts: list[int] = []
    for many in (2, 12):
        boss, *people = make.people(f"boss{many}", *(f"p{many}x{n}" for n in range(many)))
        request = make.request(make.flow(*(make.step(1, user) for user in people)), boss)
        for user in people:
            services.approve(make.task(request, user), by=user)
        found: Any = ApprovalRequest.objects.get(pk=request.pk)
        with CaptureQueriesContext(connection) as queries:
            assert len(approval_sheet(found, "en")["steps"]) == many + 1
        counts.append(len(queries))
    assert counts[0] == counts[1]
