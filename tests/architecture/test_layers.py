"""Foreign keys point down the same line as imports do."""

from __future__ import annotations

import pytest
from django.apps import apps

APPS = ["kit", "oa", "crm", "erp"]
# From the lowest floor to the highest; sections on one floor do not know each other. As in pyproject.toml.
FLOORS = {
    "oa": [
        {"organisation"},
        {"records"},
        {"approvals"},
        {"announcements", "documents", "expenses", "leave", "official", "tasks", "reporting"},
    ],
    "crm": [{"customers"}, {"followups"}, {"opportunities"}, {"contracts"}, {"care", "marketing"}],
    "erp": [
        {"finance"},
        {"inventory"},
        {"trade"},
        {"production", "sales", "purchasing"},
        {"planning", "aftersales"},
    ],
}


def place(model):
    """App, section and floor of a model, of a history table that of what it tracks; None for libraries' models."""
    model = getattr(model, "pgh_tracked_model", None) or model
    parts = model.__module__.split(".")
    if parts[0] not in APPS:
        return None
    section = parts[1] if len(parts) > 2 else ""
    floors = FLOORS.get(parts[0], [])
    return parts[0], section, next((i for i, names in enumerate(floors) if section in names), None)


def relations():
    """Every relation between models of ours, those of history tables to the tracked row left out."""
    for model in apps.get_models():
        if place(model) is None:
            continue
        for field in [*model._meta.fields, *model._meta.many_to_many]:
            if field.remote_field and not isinstance(field.remote_field.model, str) and place(field.remote_field.model):
                yield f"{model._meta.label}.{field.name}", model, field.remote_field.model


def test_every_model_lies_in_a_known_section():
    unknown = [m._meta.label for m in apps.get_models() if place(m) and place(m)[0] != "kit" and place(m)[2] is None]
    assert not unknown, "\n".join(unknown)


def test_relations_point_down_only():
    wrong = []
    for label, model, target in relations():
        app, section, floor = place(model)
        below_app, below_section, below_floor = place(target)
        if app == below_app:
            fine = section == below_section or (floor is not None and below_floor is not None and below_floor < floor)
        else:
            fine = APPS.index(below_app) < APPS.index(app)
        if not fine:
            wrong.append(f"{label} -> {target._meta.label}")
    assert not wrong, "\n".join(wrong)


def test_kit_has_no_models():
    assert list(apps.get_app_config("kit").get_models()) == []


def test_there_are_relations_to_look_at():
    assert sum(1 for _ in relations()) > 50 or pytest.fail("the walk found nothing")
