"""A department in use stays (rule G-24)."""

from __future__ import annotations

import pytest
from django.db import models
from django.test import Client

from kit.pages.resources import registry
from oa.organisation.models import Department
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def above() -> Department:
    above = Department.objects.create(code="EAST", name="East")
    Department.objects.create(code="EAST-1", name="East one", parent=above)
    return above


def test_a_department_does_not_take_those_below_it_along(above: Department) -> None:
    """Neither in code nor in the back office, which names what is in the way."""
    with pytest.raises(models.ProtectedError):
        above.delete()
    admin = Client()
    admin.force_login(make.make_user("admin", is_staff=True))
    for url, data in (
        (f"/backoffice/oa/department/{above.pk}/delete/", {"post": "yes"}),
        ("/backoffice/oa/department/", {"action": "delete_selected", "_selected_action": [above.pk], "post": "yes"}),
    ):
        text = admin.post(url, data).content.decode()
        assert "protected" in text and "East one" in text
    assert Department.objects.filter(code__startswith="EAST").count() == 2


def test_the_page_says_what_to_do(above: Department) -> None:
    """Archive it instead."""
    client = Client()
    client.force_login(make.make_user("admin"))
    page = registry["department"]
    assert "Archive it instead" in client.post(page.url_for(above, "delete"), follow=True).content.decode()
    assert Department.objects.filter(pk=above.pk).exists()


def test_nothing_goes_with_a_department() -> None:
    """People, customers and documents that name one protect it."""
    relations = [r for r in Department._meta.get_fields(include_hidden=True) if r.auto_created and not r.concrete]
    assert len(relations) > 10
    harmless = (models.PROTECT, models.DO_NOTHING)  # the latter are rows of history
    assert not [r for r in relations if not r.many_to_many and r.on_delete not in harmless]  # of sets: their rows
    assert all(
        r.related_model._meta.db_table.endswith("history") for r in relations if r.on_delete is models.DO_NOTHING
    )
