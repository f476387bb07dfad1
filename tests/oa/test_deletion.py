"""What goes with a deleted record, and what is left when it may not go (rules G-03, G-24; invariant I-33)."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.contenttypes.models import ContentType
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import ProtectedError
from django.test import Client
from django.urls import reverse

from crm.customers.models import Contact, Customer
from erp.sales.models import SalesOrder
from kit.pages.resources import url_of
from oa.records.attachments import store_attachment
from oa.records.comments import add_comment
from oa.records.deletion import delete_record
from oa.records.models import Attachment, Comment, Notification
from tests import factories as make
from tests.invariants import assert_books
from tests.refusals import whole_state

pytestmark = pytest.mark.django_db

PDF = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n"


def with_papers(record: Any, by: Any) -> Attachment:
    """A file, a note and a message on `record`."""
    add_comment(record, "call them", by=by)
    kind = ContentType.objects.get_for_model(record)
    Notification.objects.create(user=by, text="look", content_type=kind, object_id=record.pk)
    return store_attachment(record, SimpleUploadedFile("a.pdf", PDF), by=by)


def nothing_left() -> bool:
    return not any(model.objects.exists() for model in (Attachment, Comment, Notification))


@pytest.mark.parametrize("door", ["page", "admin"])
def test_a_record_takes_its_papers_along(client: Client, door: str, django_capture_on_commit_callbacks: Any) -> None:
    """Files with their contents, notes and messages, those of its contacts too."""
    user, customer = make.make_user(is_staff=True), make.make_customer()
    contact = Contact.objects.create(customer=customer, name="Li")
    files = [with_papers(record, user) for record in (customer, contact)]
    client.force_login(user)
    address, given = f"{url_of(customer)}delete/", {}
    if door == "admin":
        address, given = reverse("admin:crm_customer_delete", args=[customer.pk]), {"post": "yes"}
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(address, given)
    assert answer.status_code == 302 and not Customer.objects.exists()
    assert nothing_left()
    assert not any(row.file.storage.exists(row.file.name) for row in files)
    assert_books(["I-33"])


def test_a_record_in_use_keeps_everything() -> None:
    """G-24: the refusal leaves notes and files as they were."""
    user, customer = make.make_user(), make.make_customer()
    make.make_order(customer, make.line(make.make_product()))
    file = with_papers(customer, user)
    before = whole_state()
    with pytest.raises(ProtectedError):
        delete_record(customer)
    assert whole_state() == before and file.file.storage.exists(file.file.name)
    assert_books(["I-33"])


def test_a_draft_goes_with_its_papers() -> None:
    """An order that was never confirmed; its history knows it."""
    user = make.make_user()
    order = make.make_order(make.make_customer(), make.line(make.make_product()))
    with_papers(order, user)
    delete_record(order)
    assert nothing_left() and not SalesOrder.objects.exists()
    assert_books()
