"""Signatures beside decisions: kept by their person, fixed where they stand, shown to who may see it (X-13, N-12)."""

from __future__ import annotations

import io
import uuid
from typing import Any

import pytest
from django.contrib import admin
from django.core.files.base import ContentFile
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext
from PIL import Image

from kit.values.errors import BusinessError
from oa.approvals.admin import ActionInline, StepInline
from oa.approvals.models import ApprovalAction, ApprovalRequest, FlowStep
from oa.approvals.services import approve, delegate, give_advice, reject, send_back
from oa.approvals.services.flows import draft_of
from oa.approvals.timeouts import handle_overdue
from oa.organisation.models import User
from oa.records import signatures
from oa.records.models import PersonSignature
from oa.records.signatures import give_up_signature, keep_signature, present_signature
from tests import approving as make
from tests.invariants import assert_books
from tests.oa import hostile
from tests.oa.signing import drawing, keep
from tests.oa.world import client_of
from tests.refusals import refused

pytestmark = pytest.mark.django_db


def opened(row: PersonSignature) -> Image.Image:
    """The picture as stored."""
    with row.file.open("rb") as file:
        image = Image.open(io.BytesIO(file.read()))
    image.load()
    return image


def signed_step(stage: int, *people: User, **columns: Any) -> dict[str, Any]:
    return make.step(stage, *people, signed=True, **columns)


def verdict(request: ApprovalRequest) -> ApprovalAction:
    return request.actions.filter(act__in=["approve", "reject", "return", "advise", "handle"]).latest("pk")


# ---- keeping one ----


def test_a_signature_is_kept_as_a_small_picture_of_ours() -> None:
    """X-13, S-10: PNG of at most 600 x 200 without margins, place, comments or anything behind the picture."""
    ann = make.person("ann")
    exif = Image.Exif()
    exif[0x010F] = "Phone maker"
    content = drawing((2400, 1800), "JPEG", paper="white", exif=exif, comment=b"secret") + b"<script>"
    row = keep_signature(SimpleUploadedFile("photo.JPG", content, "text/html"), by=ann)
    image = opened(row)
    assert image.format == "PNG" and image.width <= 600 and image.height <= 200
    assert not image.info and not image.getexif()
    assert min(image.convert("L").crop((0, 0, image.width, 1)).get_flattened_data()) < 235  # ink at the very edge
    with row.file.open("rb") as file:
        stored = file.read()
    assert b"secret" not in stored and b"script" not in stored and len(stored) == row.size
    assert present_signature(ann) == row
    assert_books(["I-33"])


def test_a_drawing_on_nothing_stands_on_white() -> None:
    """X-13: a transparent canvas is readable on paper and in the dark."""
    image = opened(keep(make.person("ann")))
    assert image.mode == "RGB" and max(image.convert("L").get_flattened_data()) == 255


@pytest.mark.parametrize("upload", list(hostile.hostile(hostile.REFUSED)), ids=lambda upload: repr(upload.name)[:40])
def test_hostile_files_are_no_signatures(upload: hostile.Upload) -> None:
    """S-10, F-20: disguised programs, bombs, viruses and other kinds are refused and leave nothing."""
    with pytest.raises(BusinessError):
        keep_signature(SimpleUploadedFile("x.png", upload.make()), by=make.person("ann"))
    with pytest.raises(BusinessError):
        keep_signature(SimpleUploadedFile(upload.name, upload.make()), by=make.person("bob"))
    assert not PersonSignature.objects.exists()


def test_empty_and_large_pictures_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    """X-13, S-10: at the field of the form."""
    ann = make.person("ann")
    blank = io.BytesIO()
    Image.new("RGBA", (600, 200)).save(blank, "PNG")
    with refused("nothing on the picture") as caught:
        keep_signature(SimpleUploadedFile("a.png", blank.getvalue()), by=ann)
    assert [problem.field for problem in caught.value] == ["image"]
    monkeypatch.setattr(signatures, "LARGEST", 100)
    with refused("at most"):
        keep_signature(SimpleUploadedFile("a.png", drawing()), by=ann)


def test_my_page_draws_chooses_and_gives_up() -> None:
    """X-13: the page shows the present one; a form sent twice keeps one; giving up leaves the old row."""
    ann = make.person("ann")
    client = client_of(ann)
    page = client.get("/signature/").content.decode()
    assert "data-sign hidden" in page and 'type="file"' in page and "<img" not in page.split("<main")[1]
    assert "/signature/" in client.get("/").content.decode()
    given: Any = {"submit_id": str(uuid.uuid4())}
    for _ in range(2):
        file = SimpleUploadedFile("s.png", drawing(), "image/png")
        assert client.post("/signature/", {**given, "image": file}).status_code == 302
    row = PersonSignature.objects.get()
    assert row.user == ann and f"/signature/{row.key}/" in client.get("/signature/").content.decode()
    assert client.post("/signature/", {"image": SimpleUploadedFile("s.txt", b"me")}).status_code == 422
    assert client.post("/signature/", {}).status_code == 422
    assert client.get("/signature/give-up/").status_code == 405
    for _ in range(2):
        assert client.post("/signature/give-up/", {"submit_id": str(uuid.uuid4())}).status_code == 302
    assert present_signature(ann) is None and PersonSignature.objects.filter(pk=row.pk).exists()


def test_the_same_picture_twice_is_one_signature_and_another_follows_it() -> None:
    """X-13: one present signature a person; everybody has an own one."""
    ann, bob = make.people("ann", "bob")
    first, other = keep(ann), keep(bob)
    assert keep(ann) == first and other != first
    second = keep(ann, slope=40)
    first.refresh_from_db()
    assert first.given_up_at and present_signature(ann) == second and present_signature(bob) == other


@pytest.mark.parametrize("sql", [
    "UPDATE oa_personsignature SET file = 'x'", "UPDATE oa_personsignature SET user_id = user_id + 1",
    "UPDATE oa_personsignature SET made_at = now()", "DELETE FROM oa_personsignature", "TRUNCATE oa_personsignature CASCADE",
    "UPDATE oa_personsignature SET given_up_at = NULL", "UPDATE oa_personsignature SET given_up_at = now()",
    "UPDATE oa_approvalaction SET signature_id = NULL",
])  # fmt: skip
def test_the_database_keeps_signatures_as_they_were(sql: str) -> None:
    """X-13, G-20: no row changes or goes, whatever way it is tried."""
    boss, ann = make.people("boss", "ann")
    request = make.request(make.flow(make.step(1, ann)), boss)
    keep(ann)
    approve(make.task(request, ann), by=ann)
    give_up_signature(by=ann)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql)


def test_the_database_allows_one_present_signature() -> None:
    """X-13: two windows at the same moment cannot make two."""
    row = keep(make.person("ann"))
    columns = {"user": row.user, "file": row.file.name, "size": row.size, "sha256": row.sha256}
    with pytest.raises(DatabaseError, match="signature_one_present"), transaction.atomic():
        PersonSignature.objects.create(**columns)


# ---- beside decisions ----


def test_a_decision_keeps_the_signature_of_its_moment() -> None:
    """X-13: a later signature, or none, changes nothing of what was signed."""
    boss, ann = make.people("boss", "ann")
    flow = make.flow(make.step(1, ann))
    first = keep(ann)
    requests = [make.request(flow, boss) for _ in range(3)]
    approve(make.task(requests[0], ann), by=ann)
    second = keep(ann, slope=40)
    reject(make.task(requests[1], ann), by=ann, text="no")
    give_up_signature(by=ann)
    send_back(make.task(requests[2], ann), by=ann, stage=0, text="why")
    assert [verdict(request).signature for request in requests] == [first, second, None]
    page = client_of(boss).get(f"/approvals/requests/{requests[0].pk}/").content.decode()
    assert f"/signature/{first.key}/" in page and 'alt="Signature of Ann"' in page and str(second.key) not in page
    assert_books(["I-27", "I-28", "I-29", "I-33"])


def test_advice_is_signed_and_needs_no_signature() -> None:
    """X-04, X-13: who is asked for advice does not decide; a signature stands there if there is one."""
    boss, ann, bob = make.people("boss", "ann", "bob")
    flow = make.flow(signed_step(1, ann))
    mark = None
    for _ in range(2):
        request = make.request(flow, boss)
        delegate(make.task(request, ann), bob, by=ann, text="well?")
        give_advice(make.task(request, bob), by=bob, text="fine")
        assert verdict(request).signature == mark
        mark = keep(bob)


@pytest.mark.parametrize("act", [
    lambda task, by: approve(task, by=by), lambda task, by: reject(task, by=by, text="no"),
    lambda task, by: send_back(task, by=by, stage=0, text="why"),
])  # fmt: skip
def test_a_step_that_needs_a_signature_refuses_who_has_none(act: Any) -> None:
    """X-13: approve, reject and return; the words say where to keep one; with one it goes."""
    boss, ann = make.people("boss", "ann")
    request = make.request(make.flow(signed_step(1, ann, name="Director")), boss)
    with refused("“Director” needs your signature.*My signature"):
        act(make.task(request, ann), ann)
    row = keep(ann)
    act(make.task(request, ann), ann)
    assert verdict(request).signature == row


def test_a_step_to_handle_may_need_one_too() -> None:
    """X-01, X-13: a step without a verdict."""
    boss, ann, bob = make.people("boss", "ann", "bob")
    request = make.request(make.flow(signed_step(1, ann, kind="handle"), make.step(2, bob)), boss)
    with refused("needs your signature"):
        approve(make.task(request, ann), by=ann)
    row = keep(ann)
    approve(make.task(request, ann), by=ann)
    assert (verdict(request).act, verdict(request).signature) == ("handle", row)


def test_the_database_refuses_unsigned_and_foreign_signatures() -> None:
    """X-13: whoever writes the history by other ways than the commands is stopped as well."""
    boss, ann, bob = make.people("boss", "ann", "bob")
    request = make.request(make.flow(signed_step(1, ann)), boss)
    task = make.task(request, ann)
    old, foreign = keep(ann), keep(bob)
    give_up_signature(by=ann)
    columns: dict[str, Any] = {
        "request": request, "task": task, "node": task.node, "act": "approve", "facts_hash": "", "content_hash": "",
        "day": make.make.today(), "by": ann,
    }  # fmt: skip
    for signature in (None, old, foreign):
        with pytest.raises(DatabaseError, match="signature"), transaction.atomic():
            ApprovalAction.objects.create(signature=signature, **columns)
    present = keep(ann, slope=40)
    with pytest.raises(DatabaseError, match="action_signed_verdict"), transaction.atomic():
        ApprovalAction.objects.create(signature=present, **{**columns, "act": "urge"})
    ApprovalAction.objects.create(signature=present, **columns)


def test_a_proxy_signs_with_the_own_signature() -> None:
    """X-05, X-13: the one of the absent person does not help."""
    boss, ann, bob = make.people("boss", "ann", "bob")
    make.stand_in(ann, bob)
    request = make.request(make.flow(signed_step(1, ann)), boss)
    keep(ann)
    with refused("needs your signature"):
        approve(make.task(request, ann), by=bob)
    row = keep(bob)
    approve(make.task(request, ann), by=bob)
    assert (verdict(request).signature, verdict(request).behalf) == (row, ann)
    assert (
        'alt="Signature of Bob for Ann"' in client_of(boss).get(f"/approvals/requests/{request.pk}/").content.decode()
    )


@pytest.mark.parametrize("rule", ["approve", "reject"])
def test_the_clock_signs_nothing(rule: str) -> None:
    """X-06, X-13: a verdict by rule carries no signature, and a step that needs one does not stop it."""
    boss, ann = make.people("boss", "ann")
    request = make.request(make.flow(signed_step(1, ann, hours=1, on_timeout=rule)), boss)
    keep(ann)
    make.late(request, 2)
    handle_overdue()
    row = verdict(request)
    assert (row.act, row.by, row.signature) == (rule, None, None)


def test_many_at_once_refuse_just_those_that_need_one() -> None:
    """X-12, X-13: the rest is approved."""
    boss, ann = make.people("boss", "ann")
    plain, strict = make.flow(make.step(1, ann)), make.flow(signed_step(1, ann))
    requests = [make.request(flow, boss) for flow in (plain, strict, plain)]
    ids = [f"{make.task(request, ann).pk}.{request.content_hash}" for request in requests]
    client = client_of(ann)
    page = client.post("/approvals/batch/", {"ids": ids}).content.decode()
    states = [ApprovalRequest.objects.get(pk=request.pk).state for request in requests]
    assert states == ["approved", "running", "approved"] and page.count("needs your signature") == 1
    keep(ann)
    assert "needs your signature" not in client.post("/approvals/batch/", {"ids": ids}).content.decode()
    assert ApprovalRequest.objects.get(pk=requests[1].pk).state == "approved"


def test_the_form_says_beforehand_that_a_signature_is_missing() -> None:
    """X-13: with the way to the page; the refusal comes back at the form, and nothing that was typed is lost."""
    boss, ann = make.people("boss", "ann")
    request = make.request(make.flow(signed_step(1, ann)), boss)
    client, url = client_of(ann), f"/approvals/act/{request.pk}/approve/"
    note = '<a href="/signature/">'
    assert note in client.get(url).content.decode().split("<main")[1]
    answer = client.post(url, {"opinion": "quite all right"})
    assert answer.status_code == 422 and "quite all right" in answer.content.decode()
    assert note not in client.get(f"/approvals/act/{request.pk}/copy/").content.decode().split("<main")[1]
    keep(ann)
    assert note not in client.get(url).content.decode().split("<main")[1]
    assert client.post(url, {"opinion": "fine"}).status_code == 302


def test_the_flow_says_so_and_a_new_version_takes_it_along() -> None:
    """5.9.1, X-13: in the editor, on the page of the flow, in the back office and in the next version."""
    ann = make.person("ann")
    root = make.make.make_user("root", is_staff=True)
    flow = make.flow(signed_step(1, ann), make.step(2, ann))
    client = client_of(root)
    assert client.get(f"/settings/flows/{flow.code}/").content.decode().count("needs a signature") == 1
    draft = draft_of(flow, by=root)
    assert list(draft.steps.order_by("stage").values_list("signed", flat=True)) == [True, False]
    step = draft.steps.get(stage=2)
    assert 'name="signed"' in client.get(f"/settings/flow-steps/{step.pk}/edit/").content.decode()
    assert "signed" in StepInline.fields and "signature" in ActionInline.fields
    keep(ann)
    page = client.get("/backoffice/oa/personsignature/")
    assert page.status_code == 200 and admin.site.is_registered(PersonSignature)
    model_admin = admin.site.get_model_admin(PersonSignature)
    request = RequestFactory().get("/")
    request.user = root
    assert not model_admin.has_change_permission(request) and not model_admin.has_delete_permission(request)
    assert FlowStep.objects.filter(signed=True).count() == 2


def test_keeping_one_takes_the_same_statements_whatever_there_is() -> None:
    """STYLE: the fifth signature costs what the second did."""
    ann = make.person("ann")
    counts = []
    for slope in range(0, 50, 10):
        with CaptureQueriesContext(connection) as queries:
            keep_signature(ContentFile(drawing(slope=slope), "s.png"), by=ann)
        counts.append(len(queries))
    assert len(set(counts[1:])) == 1
