"""Conditions as columns, for the views of lists."""

from __future__ import annotations

from django.db.models import BooleanField, Case, Q, Value, When


def flag(condition: Q) -> Case:
    """Whether a condition holds for a row."""
    return Case(When(condition, then=Value(value=True)), default=Value(value=False), output_field=BooleanField())
