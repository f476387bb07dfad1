"""Pages and paper of official documents: forms of steps, comparison, registers, red head (N-12, N-14, T-01)."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from django.utils import timezone

from kit.exchange import printing
from oa.official.models import OutgoingDocument
from oa.official.prints import red_head, written_day
from oa.official.services import outgoing, writing
from oa.official.views import differences
from oa.records.idempotency import IdempotencyKey
from tests.oa import official
from tests.oa.official import fresh, people
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def o(db: Any) -> SimpleNamespace:
    return official.office()


def url(document: Any, tail: str = "") -> str:
    return f"/official/outgoing/{document.pk}/{tail}"


def picked(person: Any) -> str:
    return f"{person.username}"


def test_a_document_is_drafted_submitted_and_checked_in_the_browser(o: SimpleNamespace) -> None:
    """5.8.2: each step asks for an opinion and who acts next."""
    ann, ben = client_of(o.ann), client_of(o.ben)
    document = official.draft(o.ann)
    assert 'step/submit/"' in ann.get(url(document)).content.decode()
    form = ann.get(url(document, "step/submit/")).content.decode()
    assert "Who checks it" in form and "or a department" in form
    missing = ann.post(url(document, "step/submit/"), {"text": "please"})
    assert missing.status_code == 422 and "Say who acts next" in missing.content.decode()
    assert ann.post(url(document, "step/submit/"), {"text": "please", "people": [o.ben.pk]}).status_code == 302
    assert fresh(document).state == "submitted"
    page = ben.get(url(document)).content.decode()
    assert 'step/check/"' in page and 'step/return/"' in page and 'step/sign/"' not in page
    given = {"text": "fine", "people": [o.cid.pk], "more": [o.dora.pk]}
    assert ben.post(url(document, "step/check/"), given).status_code == 302
    assert fresh(document).state == "checked"
    assert ben.get(url(document, "step/check/")).status_code == 302  # nothing to do any more
    assert client_of(o.cid).get("/").content.decode().count(url(document, "step/cosign/")) == 1


def test_a_step_is_done_once_for_a_form(o: SimpleNamespace) -> None:
    """G-19: a double click says it once."""
    document = official.checked(o, official.draft(o.ann), o.cid, o.kit)
    given = {"text": "agreed", "submit_id": "8d6e4d2e-2f0a-4a4e-9d45-0a5b7d2a1c11"}
    for _ in range(2):
        assert client_of(o.cid).post(url(document, "step/cosign/"), given).status_code == 302
    assert document.officialopinions.filter(verb="cosign").count() == 1
    assert IdempotencyKey.objects.filter(key=given["submit_id"]).exists()


def test_a_step_without_the_right_or_without_the_turn(o: SimpleNamespace) -> None:
    """S-06: 403 without the right, 404 for an unknown step, a sentence when it is not one's turn."""
    document = official.checked(o, official.draft(o.ann), o.cid)
    assert client_of(o.cid).get(url(document, "step/sign/")).status_code == 403
    assert client_of(o.cid).get(url(document, "step/nonsense/")).status_code == 404
    answer = client_of(o.dora).post(url(document, "step/sign/"), {"text": "x"})
    assert answer.status_code in (404, 422) and fresh(document).number is None


def test_versions_are_compared_line_by_line(o: SimpleNamespace) -> None:
    """N-12."""
    assert differences("a\nb", "a\nc") == [("same", "a"), ("del", "b"), ("ins", "c")]
    document = official.draft(o.ann, body="first\nold")
    document.body = "first\nnew"
    writing.save_outgoing(document, by=o.ann)
    page = client_of(o.ann).get(url(document, "compare/?a=1&b=2")).content.decode()
    assert "− old" in page and "+ new" in page
    assert client_of(o.ann).get(url(document, "compare/?a=99999999999&b=x")).status_code == 200


@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_paper_has_head_number_text_and_copies(o: SimpleNamespace, language: str) -> None:
    """T-01: the red head with everything a Chinese office expects; drafts say so."""
    document = official.signed(o, title="关于下班的通知", body="一、关门。\n\n二、关灯。", urgency="express", outside="市政府",
                               copies=[o.kit], keywords="关门")  # fmt: skip
    data = red_head(document, language)
    assert data["number"] == document.number and data["paragraphs"] == ["一、关门。", "二、关灯。"]
    assert data["to"] == "市政府" and data["copies"] == "Kit" and data["watermark"] == ""
    day = timezone.localtime(document.signed_at).date()  # type: ignore[arg-type]
    assert data["day"] == written_day(day, language == "zh-hans")
    if language == "zh-hans":
        assert data["head"].endswith("文件") and data["urgency"] == "加急" and "年" in data["day"]
    paper = printing.get("official-document")
    assert printing.print_pdf(paper, document, language).startswith(b"%PDF")
    assert len(printing.print_pages(paper, document, language)) == 1
    assert red_head(official.draft(o.ann), "en")["watermark"]


def test_a_long_document_goes_over_pages(o: SimpleNamespace) -> None:
    """T-01: text of many pages."""
    document = official.draft(o.ann, body="\n".join(["各部门要认真贯彻执行。" * 12] * 40))
    assert len(printing.print_pages(printing.get("official-document"), document, "zh-hans")) > 2


def test_the_register_reserves_and_voids_in_the_browser(o: SimpleNamespace) -> None:
    """N-11: the registrar reserves for a purpose; a void number keeps its reason."""
    eva = client_of(o.eva)
    assert eva.post("/official/numbers/new/", {"word": o.word.pk, "purpose": "mayor"}).status_code == 302
    number = o.word.numbers.get()
    assert eva.post(f"/official/numbers/{number.pk}/do/void/", {"reason": "no"}).status_code == 302
    assert "mayor" in eva.get("/official/numbers/").content.decode() and fresh(number).state == "void"


def test_the_supervision_list_shows_who_is_late(o: SimpleNamespace) -> None:
    """N-13: open steps with their deadline, overdue ones by themselves."""
    document = official.instructed(o, o.ben, title="Tax letter")
    eva = client_of(o.eva)
    assert "Tax letter" in eva.get("/official/supervision/").content.decode()
    assert "Tax letter" not in eva.get("/official/supervision/?view=overdue").content.decode()
    type(document).objects.filter(pk=document.pk).update(due_on="2020-01-01")
    assert "Tax letter" in eva.get("/official/supervision/?view=overdue").content.decode()
    assert "Tax letter" in eva.get("/official/incoming/?view=overdue").content.decode()
    assert "Tax letter" not in client_of(o.cid).get("/official/supervision/").content.decode()


def test_a_document_page_takes_a_bounded_number_of_statements(
    o: SimpleNamespace, django_assert_max_num_queries: Any
) -> None:
    """PERFORMANCE: however many turns, opinions and recipients there are."""
    few = official.distributed(o)
    many = official.checked(o, official.draft(o.ann, to=[o.cid, o.kit, o.ben]), o.cid, o.kit)
    outgoing.cosign(many, by=o.cid, text="a")
    many = outgoing.sign(outgoing.cosign(many, by=o.kit, text="b"), by=o.dora, hands=people(o.eva))
    client = client_of(o.eva)
    client.get(url(few))
    for document in (few, many):
        with django_assert_max_num_queries(60):
            assert client.get(url(document)).status_code == 200
    assert OutgoingDocument.objects.count() == 2
