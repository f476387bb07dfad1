"""Forms that users define: fields, types, required, options; a request keeps those it was made with (rule X-14)."""

from __future__ import annotations

from typing import Any

import pytest

from kit.values.errors import BusinessError
from oa.approvals import services
from oa.approvals.models import FormRequest, RequestForm
from oa.approvals.models.forms import FieldType
from oa.approvals.registry import approvables
from oa.approvals.services.forms import save_request
from tests import approving as make
from tests import factories
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db


def form_of(kind: str, **columns: Any) -> RequestForm:
    """A form with one field called `it`."""
    field = {"name": "it", "label": "It", "label_zh": "", "type": kind, "options": ["car", "trip"], **columns}
    return RequestForm.objects.create(code="ONE", name="One", fields=[field])


def stored(kind: str, text: str) -> str:
    """What a request stores of a text."""
    request = save_request(FormRequest(form=form_of(kind)), {"it": text}, by=make.person("ann"))
    request.refresh_from_db()
    return str(request.values["it"])


@pytest.mark.parametrize(
    ("kind", "text", "kept"),
    [
        ("text", "  two words ", "two words"),
        ("long", "one\ntwo", "one\ntwo"),
        ("number", "1,234.5", "1234.5"),
        ("amount", "1234.5", "1234.50"),
        ("amount", "0", "0.00"),
        ("date", "2026-02-28", "2026-02-28"),
        ("time", "2026-02-28T08:30", "2026-02-28 08:30"),
        ("choice", "car", "car"),
        ("flag", "yes", "yes"),
        ("text", "", ""),
    ],
)
def test_each_type_stores_what_it_means(kind: str, text: str, kept: str) -> None:
    """X-14: numbers as numbers, days as days, whatever the reader's way of writing them."""
    assert stored(kind, text) == kept


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("number", "many"),
        ("amount", "1.2.3"),
        ("date", "2026-02-30"),
        ("time", "noon"),
        ("choice", "boat"),
        ("person", "99999999"),
        ("person", "ann"),
        ("department", "0"),
        ("department", "east"),
    ],
)
def test_what_does_not_fit_the_type_is_refused_at_the_field(kind: str, text: str) -> None:
    """X-14: nothing is stored, and the words are for people."""
    with pytest.raises(BusinessError) as refused:
        stored(kind, text)
    (problem,) = refused.value
    assert problem.field == "it" and "Field 'id'" not in str(problem.message)
    assert not FormRequest.objects.exists()


def test_there_is_an_example_of_every_type() -> None:
    """The two tests above know all types."""
    marks = [
        *test_each_type_stores_what_it_means.pytestmark,
        *test_what_does_not_fit_the_type_is_refused_at_the_field.pytestmark,
    ]
    assert {row[0] for mark in marks if mark.name == "parametrize" for row in mark.args[1]} == set(FieldType.values)


def test_what_is_required_is_asked_for_and_nothing_that_was_typed_is_lost() -> None:
    """X-14: all problems at once, at their fields, beside what the person has typed."""
    fields = [
        {"name": "what", "label": "What", "label_zh": "", "type": "text", "required": True, "options": []},
        {"name": "cost", "label": "Cost", "label_zh": "", "type": "amount", "required": True, "options": []},
        {"name": "note", "label": "Note", "label_zh": "", "type": "long", "required": False, "options": []},
    ]
    RequestForm.objects.create(code="ASK", name="Ask", fields=fields)
    client = client_of(make.person("ann"))
    page = client.post("/approvals/fill/ASK/", {"what": "", "cost": "much", "note": "before Friday"})
    body = page.content.decode()
    assert page.status_code == 422 and body.count("is-invalid") >= 2
    assert "much" in body and "before Friday" in body and not FormRequest.objects.exists()
    page = client.post("/approvals/fill/ASK/", {"what": "A chair", "cost": "80", "note": ""})
    request = FormRequest.objects.get()
    assert page.status_code == 302 and request.values == {"what": "A chair", "cost": "80.00", "note": ""}
    assert request.title == "Ask · A chair"


def test_a_request_keeps_the_fields_it_was_made_with() -> None:
    """X-14, X-08: a form that is changed later changes no request in approval, nor what was decided about."""
    a, ann = make.people("a", "ann")
    form = make.form("KEEP")
    request = make.request(make.flow(make.step(1, a), of=form), ann, amount="5", reason="A fair")
    RequestForm.objects.filter(pk=form.pk).update(fields=[{**form.fields[1], "label": "Why", "name": "why"}])
    document = make.document(request)
    assert [field["name"] for field in document.fields] == [field["name"] for field in make.FIELDS]
    page = client_of(a).get(f"/approvals/requests/{request.pk}/").content.decode()
    assert "A fair" in page and "Amount" in page
    services.approve(make.task(request, a), by=a)
    assert make.document(request).state == "approved"
    fresh = save_request(FormRequest(form=RequestForm.objects.get(pk=form.pk)), {"why": "Another"}, by=ann)
    assert list(fresh.values) == ["why"]


def test_an_administrator_defines_a_form_on_its_page() -> None:
    """X-14: labels become names once and keep them, names of the page itself are left alone, choices have options."""
    client = client_of(factories.make_user("admin2"))
    rows = [
        ("Version", "版本", "text", "yes", ""),
        ("Version", "", "number", "", ""),
        ("Kind", "类别", "choice", "", "car，trip"),
    ]
    sent: dict[str, Any] = {"code": "DEF", "name": "Defined", "name_zh": "", "note": "", "active": "on"}
    for column, place in (("label", 0), ("label_zh", 1), ("type", 2), ("required", 3), ("options", 4)):
        sent |= {f"fields-{number}-{column}": row[place] for number, row in enumerate(rows)}
    page = client.get("/settings/request-forms/new/").content.decode()
    assert 'name="fields-0-label"' in page
    answer = client.post("/settings/request-forms/new/", sent)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    form = RequestForm.objects.get(code="DEF")
    names = [field["name"] for field in form.fields]
    assert len(set(names)) == 3 and not {"version", "then", "submit_id"} & set(names)
    assert form.fields[2]["options"] == ["car", "trip"] and form.fields[0]["required"]
    ann = client_of(make.person("ann"))
    answer = ann.post("/approvals/fill/DEF/", {names[0]: "7", names[1]: "2", names[2]: "car", "version": ""})
    assert answer.status_code == 302
    assert FormRequest.objects.get().values == {names[0]: "7", names[1]: "2", names[2]: "car"}
    sent["fields-2-options"] = "car"
    refused = client.post("/settings/request-forms/DEF/edit/", {**sent, "version": str(form.version)})
    assert refused.status_code == 422 and b"at least two options" in refused.content


def test_forms_that_are_not_used_any_more_are_not_offered() -> None:
    """X-14: neither in the list nor by their address; requests made with them stay."""
    form, ann = make.form("OLD"), make.person("ann")
    made = save_request(FormRequest(form=form), {}, by=ann)
    client = client_of(ann)
    assert "/approvals/fill/OLD/" in client.get("/approvals/start/").content.decode()
    RequestForm.objects.filter(pk=form.pk).update(active=False)
    assert "/approvals/fill/OLD/" not in client.get("/approvals/start/").content.decode()
    assert client.get("/approvals/fill/OLD/").status_code == 404
    assert client.get(f"/approvals/drafts/{made.pk}/").status_code == 200


def test_the_usual_forms_are_there_and_are_kinds_of_the_engine() -> None:
    """X-14: 出差, 外出, 加班, 用车, 采购申请."""
    shipped = RequestForm.objects.filter(code__in=["TRIP", "OUT", "OVERTIME", "CAR", "BUY"])
    assert {form.name_zh for form in shipped} == {"出差申请", "外出申请", "加班申请", "用车申请", "采购申请"}
    for form in shipped:
        assert approvables.get(form.kind).model is FormRequest and all(field["label_zh"] for field in form.fields)


def test_a_draft_is_one_s_own() -> None:
    """G-21: a colleague can neither read nor change it."""
    ann, bob = make.people("ann", "bob")
    draft = save_request(FormRequest(form=make.form("OWN")), {"reason": "secret"}, by=ann)
    assert client_of(bob).get(f"/approvals/drafts/{draft.pk}/").status_code == 404
    assert b"secret" in client_of(ann).get(f"/approvals/drafts/{draft.pk}/").content
