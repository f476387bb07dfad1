"""Unsaved input of forms is kept for its person and offered again (UX 6.5.9)."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import pytest
from django.db import connection
from django.http import QueryDict
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from erp.inventory.models import Unit
from erp.sales.models import SalesOrder
from kit.pages.resources import registry
from oa.organisation.models import User
from oa.records.drafts import KEPT, MOST, StoredDrafts, forget_old_drafts
from oa.records.models import FormDraft
from oa.records.models.drafts import LONGEST
from tests import factories as make
from tests.erp.test_document_forms import Fields, head, row

pytestmark = pytest.mark.django_db

NEW, EDIT = "/stock/units/new/", "/stock/units/roll/edit/"


@pytest.fixture
def ann() -> User:
    return make.make_user("ann")


@pytest.fixture
def roll() -> Unit:
    return Unit.objects.create(code="roll", name="Roll", name_zh="卷", decimals=2)


def client(user: User) -> Client:
    made = Client()
    made.force_login(user)
    return made


def typed(**more: Any) -> dict[str, Any]:
    given = {"code": "roll", "name": "Reel", "name_zh": "卷", "decimals": "x", "active": "on"}
    return {**given, "submit_id": str(uuid.uuid4()), **more}


def test_what_was_typed_is_offered_and_brought_back(ann: User, roll: Unit) -> None:
    """UX 6.5.9: a bar with Restore and Discard; the form then holds what was typed, unjudged, wrong or not."""
    browser = client(ann)
    assert browser.post("/stock/units/roll/draft/", typed(version=1)).status_code == 204
    page = browser.get(EDIT).content.decode()
    assert (
        "You have unsaved input from" in page
        and f'action="{EDIT}"' in page
        and 'name="draft" value="1"' in page
        and 'value="Roll"' in page
    )
    page = browser.get(f"{EDIT}?draft=1").content.decode()
    found = Fields(page).values
    assert (found["name"], found["decimals"]) == ("Reel", "x") and "errsum" not in page
    assert "is back in the form" in page
    roll.refresh_from_db()
    assert roll.name == "Roll", "nothing is stored but the draft"
    assert browser.post("/stock/units/roll/draft/", {"drop": "1"})["Location"] == EDIT
    assert "unsaved input" not in browser.get(EDIT).content.decode() and not FormDraft.objects.exists()


def test_the_version_stays_that_of_the_draft(ann: User, roll: Unit) -> None:
    """Rule G-19: what somebody saved meanwhile is seen when the restored form is saved."""
    browser = client(ann)
    browser.post("/stock/units/roll/draft/", typed(decimals="2", version=1))
    Unit.objects.filter(pk=roll.pk).update(version=2, name="Theirs")
    found = Fields(browser.get(f"{EDIT}?draft=1").content.decode()).values
    assert found["version"] == "1"
    assert browser.post(EDIT, found | {"active": "on"}).status_code == 409


def test_lines_come_back_with_their_document(ann: User) -> None:
    """UX 6.5.9: rows of the grid too, computed again, wrong cells as they were typed."""
    customer, browser = make.make_customer("Mingrui", code="C-1"), client(ann)
    product = make.make_service("S", tax=None)
    given = head(customer, customer_reference="PO 7") | row(product, 0, quantity="3", price="100") | row(product, 1)
    assert browser.post("/sales/orders/new/draft/", {**given, "submit_id": str(uuid.uuid4())}).status_code == 204
    assert "You have unsaved input from" in browser.get("/sales/orders/new/").content.decode()
    found = Fields(browser.get("/sales/orders/new/?draft=1").content.decode())
    assert (found.values["customer_text"], found.values["customer_reference"]) == ("C-1 Mingrui", "PO 7")
    assert (found.values["lines-0-quantity"], found.values["lines-1-quantity"]) == ("3", "2")
    assert found.texts["lines-0-amount"] == "300.00"
    assert not SalesOrder.objects.exists()


def test_saving_forgets_the_draft_and_a_late_one_is_not_kept(ann: User) -> None:
    """UX 6.5.9: saved is saved; what was on its way while the form was saved makes no second record."""
    browser, form = client(ann), typed(decimals="2")
    browser.post("/stock/units/new/draft/", form)
    restored = Fields(browser.get(f"{NEW}?draft=1").content.decode()).values
    assert restored["submit_id"] == form["submit_id"], "the same form in two windows makes one record"
    assert browser.post(NEW, restored | {"active": "on"}).status_code == 302
    assert not FormDraft.objects.exists() and Unit.objects.filter(code="roll").count() == 1
    assert browser.post("/stock/units/new/draft/", form).status_code == 204
    assert not FormDraft.objects.exists()


def test_a_draft_is_for_its_person_with_the_right_of_the_form(ann: User, roll: Unit) -> None:
    """Rules G-21, S-03: nobody reads another's draft; who may not open the form keeps none."""
    client(ann).post("/stock/units/roll/draft/", typed())
    assert "unsaved input" not in client(make.make_user("bob")).get(EDIT).content.decode()
    reader = client(make.make_user("eve", "auditor"))
    assert reader.post("/stock/units/roll/draft/", typed()).status_code == 403
    assert client(ann).post("/stock/units/none/draft/", typed()).status_code == 404
    assert FormDraft.objects.get().user == ann


def test_secrets_and_files_are_never_kept(ann: User) -> None:
    """UX 6.5.9: no password and no token stands in a draft."""
    resource = registry["unit"]
    from kit.pages.forms import form_class

    fields = form_class(resource).base_fields
    widget = fields["name_zh"].widget
    widget.input_type, before = "password", widget.input_type
    try:
        client(ann).post("/stock/units/new/draft/", typed(csrfmiddlewaretoken="t" * 64, then="post"))
    finally:
        widget.input_type = before
    kept = QueryDict(FormDraft.objects.get().data)
    assert set(kept) == {"code", "name", "decimals", "active", "submit_id"}


def test_limits(ann: User) -> None:
    """UX 6.5.9: a draft, and what one person keeps, has a size; what nobody came back to ends after 30 days."""
    browser = client(ann)
    assert browser.post("/stock/units/new/draft/", typed(name="n" * LONGEST)).status_code == 413
    now = timezone.now()
    FormDraft.objects.bulk_create(
        FormDraft(user=ann, form=f"order.{n}", data="a=1", saved_at=now - dt.timedelta(minutes=n)) for n in range(MOST)
    )
    with CaptureQueriesContext(
        connection,
    ) as few:
        StoredDrafts().keep(ann, "unit.new", QueryDict("name=x"))
    assert len(few) <= 4, "two statements in a savepoint"
    assert FormDraft.objects.count() == MOST and not FormDraft.objects.filter(form=f"order.{MOST - 1}").exists()
    FormDraft.objects.filter(form__in=["unit.new", "order.3"]).update(saved_at=now - KEPT)
    assert StoredDrafts().recall(ann, "unit.new") is None
    assert forget_old_drafts() == 2 and FormDraft.objects.count() == MOST - 2
