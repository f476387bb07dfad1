"""Declarations are verified at start (STYLE 2): unknown names, transitions without a command, lost panels."""

from __future__ import annotations

import pytest

from erp.inventory.models import Unit
from erp.sales.models import SalesOrder
from kit.pages import panels
from kit.pages.checks import check_panels, check_resources
from kit.pages.panels import Panel
from kit.pages.resources import Resource, registry


class Wrong(Resource):
    model = Unit
    path = "x/wrong"
    columns = ("code", "colour")
    filters = ("weight",)
    fields = ("code", "taste")


class Idle(Resource):
    model = SalesOrder
    path = "x/idle"
    name = "idle"


@pytest.mark.parametrize(("cls", "words"), [(Wrong, ("colour", "weight", "taste")), (Idle, ("confirm", "cancel"))])
def test_a_wrong_declaration_is_refused(cls: type[Resource], words: tuple[str, ...]) -> None:
    resource = cls()
    registry["wrong"] = resource
    try:
        text = " ".join(str(error.msg) for error in check_resources(None))
    finally:
        del registry["wrong"]
    for word in words:
        assert f"“{word}”" in text


def test_a_panel_of_an_unknown_resource_is_refused() -> None:
    panel = Panel("lost", "Lost", "tab", "nowhere", "customer")
    panels.panels["crm.customer"].append(panel)
    try:
        assert [error.id for error in check_panels(None)] == ["kit.E003"]
    finally:
        panels.panels["crm.customer"].remove(panel)


def test_the_shipped_declarations_are_right() -> None:
    assert check_resources(None) == [] and check_panels(None) == []
