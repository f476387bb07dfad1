"""What resources declare fits together: each is in the menu, and a phone's card has each place once (UX 3.1, 6.2)."""

from __future__ import annotations

from collections import Counter

import pytest

from kit.pages.columns import Column, field_of, label_path, resolve_all, with_card
from kit.pages.nav import tree
from kit.pages.resources import Resource, registry

EVERY = list(registry.values())


def place(column: Column, first: bool) -> str:
    """The place of a column on a phone's card, as the table of a list gives it."""
    return "no" if first else column.phone or ("st" if column.kind == "state" else "")


@pytest.mark.parametrize("resource", EVERY, ids=lambda resource: resource.slug)
def test_the_menu_leads_to_it(resource: Resource) -> None:
    """UX 3.1: what declares a group of the menu finds that group."""
    assert not resource.group or resource.group in tree.groups


@pytest.mark.parametrize("resource", EVERY, ids=lambda resource: resource.slug)
def test_no_two_cells_lie_on_each_other_on_a_phone(resource: Resource) -> None:
    """UX 6.2: a card has a place for the key, the words, the figure and the state each."""
    columns = with_card(resolve_all(resource.model, resource.columns))
    places = Counter(place(column, column is columns[0]) for column in columns)
    assert [name for name, count in places.items() if name and count > 1] == []


@pytest.mark.parametrize("resource", EVERY, ids=lambda resource: resource.slug)
def test_a_related_record_is_named_by_what_is_never_empty(resource: Resource) -> None:
    """UX 6.2: a cell of another record names it."""
    for given in resource.columns:
        path, display = (given, "") if isinstance(given, str) else (given.path, given.display)
        field = field_of(resource.model, path)
        if field is None or not field.related_model or display:
            continue
        name = field.related_model._meta.get_field(label_path(field.related_model))
        assert not name.blank or field.related_model._meta.model_name == "user", (path, name)


@pytest.mark.django_db
def test_people_without_a_name_go_by_their_user_name() -> None:
    """UX 6.2: nobody is an empty cell."""
    from oa.organisation.models import User

    assert User.objects.create_user("linus").name == "linus"
