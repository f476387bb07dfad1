"""Pages of claims and advances, and who sees them (rules G-21, G-23, UX 6.6 and 6.22)."""

from __future__ import annotations

import uuid
from decimal import Decimal
from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from PIL import Image

from erp.finance.models import ExpensePayment
from kit.pages.resources import by_model
from kit.values.errors import BusinessError
from oa.expenses import services
from oa.expenses.models import Advance, ExpenseClaim, ReceiptFile
from oa.organisation.models import Department
from oa.records.attachments import store_attachments
from oa.records.models import Attachment
from tests import approving
from tests import factories as make
from tests.oa import spending as spend
from tests.oa.world import client_of

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n%%EOF\n"


def picture() -> bytes:
    """A small photo."""
    out = BytesIO()
    Image.new("RGB", (8, 8), "white").save(out, "PNG")
    return out.getvalue()


def form(**values: Any) -> dict[str, Any]:
    return {"submit_id": str(uuid.uuid4()), **values}


def sees(user: Any, *documents: Any) -> list[bool]:
    return [type(d).objects.visible_to(user).filter(pk=d.pk).exists() for d in documents]


def test_only_the_person_approvers_and_finance_see_a_claim() -> None:
    """G-21: not a colleague, not HR or the warehouse with their scope "all", drafts nobody else at all."""
    ann, bob = spend.person(), spend.person()
    draft, claim, asked = spend.claim(ann), spend.submitted(ann), spend.advance(ann)
    assert sees(ann, draft, claim, asked) == [True] * 3
    for role in ("hr", "warehouse", "purchasing"):
        assert sees(make.make_user(f"x-{role}", role), draft, claim, asked) == [False] * 3, role
    assert sees(bob, draft, claim, asked) == [False] * 3
    for user in (spend.finance(), spend.chief(), make.make_user("aud", "auditor")):
        assert sees(user, draft, claim, asked) == [False, True, True]


def test_managers_see_their_departments_and_approvers_what_they_are_asked() -> None:
    """G-21: by the data scope of the right to approve; by a flow those who are asked, and overseers nothing more."""
    root = Department.objects.get(code="HQ")
    east = Department.objects.create(code="E", name="East", parent=root)
    west = Department.objects.create(code="W", name="West", parent=root)
    manager = make.make_user("mgr", "sales-manager", department=east)
    mine, other = spend.submitted(spend.person(department=east)), spend.submitted(spend.person(department=west))
    assert sees(manager, mine, other) == [True, False]
    boss = spend.person()
    approving.flow(approving.step(1, boss), kind="oa.expenseclaim")
    from oa.approvals.services import submit

    third = spend.claim(spend.person(department=west))
    submit(third, kind="oa.expenseclaim", by=third.owner)
    assert sees(boss, mine, third) == [False, True]


def test_files_lists_search_and_messages_follow() -> None:
    """G-21: a colleague gets nothing of a claim anywhere; its address answers like a missing one."""
    ann, bob = spend.person(), spend.person()
    claim = spend.claim(ann, spend.line(description="Goldammer"), title="Goldammer trip")
    [file] = store_attachments(claim, [SimpleUploadedFile("Goldammer.pdf", PDF)], by=ann)
    services.submit_claim(claim, by=ann)
    claim = spend.fresh(claim)
    resource, client = by_model[ExpenseClaim], client_of(bob)
    for url in (
        resource.url(),
        f"{resource.url('export')}?format=csv",
        "/search/?q=Goldammer",
        "/?cards=all",
        "/notifications/",
    ):
        assert "Goldammer" not in client.get(url).content.decode().replace("q=Goldammer", "").replace(
            'value="Goldammer"', ""
        ).replace("“Goldammer”", "").replace("Search: Goldammer", "").replace(": Goldammer", ""), url
    assert client.get(resource.url_for(claim)).status_code == 404
    assert client.get(reverse("attachment", args=[file.key])).status_code == 404
    assert client.get(reverse("expense-audit", args=[claim.pk])).status_code == 404
    assert client.get(f"{reverse('expense-receipt')}?claim={claim.pk}").status_code == 404
    assert "Goldammer" in client_of(ann).get(resource.url()).content.decode()
    finance = client_of(spend.finance())
    assert finance.get(reverse("attachment", args=[file.key])).status_code == 200
    assert not bob.notifications.exists()


def test_a_receipt_from_the_phone_makes_a_claim() -> None:
    """UX 6.22: photo, type and amount; the picture belongs to the line; a second one goes into the same draft."""
    ann = spend.person()
    taxi, client, url = spend.kind("TAXI2"), client_of(ann), reverse("expense-receipt")
    page = client.get(url).content.decode()
    assert 'capture="environment"' in page and 'accept="image/*"' in page
    sent = form(type=taxi.pk, amount="38.50", currency="CNY", date=str(make.today()), invoice="00 11")
    sent["photo"] = SimpleUploadedFile("receipt.png", picture(), "image/png")
    answer = client.post(url, sent)
    assert answer.status_code == 302, answer.context["form"].errors
    [claim] = ExpenseClaim.objects.filter(owner=ann)
    [row] = claim.lines.all()
    assert (row.amount, row.invoice, claim.total) == (Decimal("38.50"), "0011", Decimal("38.50"))
    [file] = ReceiptFile.objects.filter(line=row)
    assert file.attachment.name == "receipt.png" and Attachment.objects.filter(object_id=claim.pk).count() == 1
    sent.pop("photo")
    assert client.post(url, sent).status_code == 302  # the same form again
    assert claim.lines.count() == 1
    assert client.post(url, form(type=taxi.pk, amount="5", date=str(make.today()), invoice="0011")).status_code == 422
    client.post(url, form(type=taxi.pk, amount="5", date=str(make.today())))
    assert claim.lines.count() == 2 and ExpenseClaim.objects.filter(owner=ann).count() == 1


def grid(*rows: dict[str, Any]) -> dict[str, Any]:
    """Rows as the grid sends them."""
    return {f"lines-{n}-{name}": value for n, row in enumerate(rows) for name, value in row.items()}


def test_the_grid_hints_and_stores() -> None:
    """UX 6.6, 6.22: computing shows the standard, what lies above it, and an invoice that is claimed already."""
    ann, hotel = spend.person(), spend.kind("HOTEL3", per="day", standard=Decimal(300))
    spend.submitted(spend.person(), spend.line(invoice="DUP1"))
    row = {"type": hotel.pk, "type_text": str(hotel), "date": str(make.today()), "amount": "700", "days": "2",
           "invoice": "DUP1", "excess_reason": "Fair"}  # fmt: skip
    client, resource = client_of(ann), by_model[ExpenseClaim]
    head = {"title": "Canton", "date": str(make.today()), "changed": "all", "seq": "1"}
    answer = client.post(resource.url("compute"), {**head, **grid(row)}, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "300.00" in text and "+100.00" in text and "DUP1 is in EC-" in text
    wrong = client.post(resource.url("new"), form(**head, **grid(row)))
    assert wrong.status_code == 422 and not ExpenseClaim.objects.filter(owner=ann).exists()
    right = client.post(resource.url("new"), form(**head, **grid({**row, "invoice": "OWN1"})))
    assert right.status_code == 302
    claim = ExpenseClaim.objects.get(owner=ann)
    assert claim.total == Decimal(700) and claim.lines.get().excess == Decimal(100)
    page = client.get(resource.url_for(claim)).content.decode()
    assert "Add receipt" in page and resource.url_for(claim, "do", "submit") in page
    assert client.get(resource.url_for(claim, "edit")).status_code == 200
    assert client.post(resource.url_for(claim, "do", "submit"), form()).status_code == 302
    assert spend.fresh(claim).state == "approving"


def test_a_claim_about_a_customer_shows_it_to_those_who_see_the_customer() -> None:
    """E-01: the record is named by the page it came from; what the person does not see counts as nothing."""
    ann, bob = spend.person(), spend.person()
    mine, foreign = make.make_customer("Mine", owner=ann), make.make_customer("Foreign", owner=bob)
    client, resource, any_type = client_of(ann), by_model[ExpenseClaim], spend.kind("ANY")
    row = {"type": any_type.pk, "type_text": str(any_type), "amount": "1", "date": str(make.today())}
    for customer in (mine, foreign):
        sent = form(title=customer.name, date=str(make.today()), about=f"customer:{customer.pk}", **grid(row))
        assert client.post(resource.url("new"), sent).status_code == 302
    good, blank = ExpenseClaim.objects.get(title="Mine"), ExpenseClaim.objects.get(title="Foreign")
    assert good.object_id == mine.pk and blank.object_id is None
    assert mine.name in client.get(resource.url_for(good)).content.decode()


def test_finance_audits_on_a_page() -> None:
    """E-01, E-02: cuts with reasons and offsets; a wrong figure comes back with its line."""
    ann = spend.person()
    held = spend.paid_advance(ann, 30)
    claim = spend.approved(ann, spend.line(100), spend.line(50))
    one, two = claim.lines.all()
    client, url = client_of(spend.finance()), reverse("expense-audit", args=[claim.pk])
    page = client.get(url).content.decode()
    assert f'name="offset-{held.pk}" value="30.00"' in page
    sent = {f"allowed-{one.pk}": "80", f"allowed-{two.pk}": "50", f"offset-{held.pk}": "25"}
    answer = client.post(url, form(version=claim.version, **sent))
    assert answer.status_code == 422 and "Line 1: Say why it is less." in answer.content.decode()
    assert client.post(url, form(version=claim.version, **sent, **{f"reason-{one.pk}": "own"})).status_code == 302
    claim = spend.fresh(claim)
    assert (claim.state, claim.allowed, claim.offset) == ("audited", Decimal(130), Decimal(25))
    seen = client_of(ann).get(by_model[ExpenseClaim].url_for(claim)).content.decode()
    assert "100.00" in seen and "80.00" in seen and "own" in seen
    assert client_of(ann).get(url).status_code == 403


def test_finance_pays_on_a_page() -> None:
    """E-04: what is ticked is paid in one document; sent twice it is paid once; one's own is not offered."""
    ann, books = spend.person(), spend.finance()
    claim, asked = spend.posted(ann, spend.line(70)), spend.advance(ann, 30)
    own = spend.posted(books, spend.line(5))
    client, url = client_of(books), reverse("expense-run")
    page = client.get(url).content.decode()
    assert claim.number in page and asked.number in page and own.number not in page
    sent = form(claim=[claim.pk, own.pk], advance=[asked.pk], account=make.bank().pk, date=str(make.today()))
    assert client.post(url, sent).status_code == 302 == client.post(url, sent).status_code
    payment = ExpensePayment.objects.get()
    assert payment.amount == Decimal(100) and spend.fresh(own).state == "posted"
    page = client.get(by_model[ExpensePayment].url_for(payment)).content.decode()
    assert claim.number in page and asked.number in page
    back = reverse("expense-back", args=[asked.pk])
    assert client.get(back).status_code == 200
    assert client.post(back, form(account=make.bank().pk, date=str(make.today()), amount="31")).status_code == 422
    assert client.post(back, form(account=make.bank().pk, date=str(make.today()), amount="30")).status_code == 302
    assert spend.fresh(asked).state == "settled"
    assert client_of(ann).get(url).status_code == 403 == client_of(ann).get(back).status_code


def test_advances_show_what_is_open() -> None:
    """E-02: in the list and on the page, derived from the rows."""
    ann = spend.person()
    held = spend.paid_advance(ann, 500)
    spend.posted(ann, spend.line("123.45"))
    client, resource = client_of(ann), by_model[Advance]
    assert "376.55" in client.get(resource.url()).content.decode()
    assert "376.55" in client.get(resource.url_for(spend.fresh(held))).content.decode()


def test_files_are_closed_once_it_is_submitted() -> None:
    """X-06: what is approved does not change; finance may add while it audits."""
    ann = spend.person()
    claim = spend.submitted(ann)
    with pytest.raises(BusinessError, match="cannot be added"):
        store_attachments(claim, [SimpleUploadedFile("late.pdf", PDF)], by=ann)
    claim = services.approve_claim(claim, by=None)
    assert store_attachments(claim, [SimpleUploadedFile("bank.pdf", PDF)], by=spend.finance())
