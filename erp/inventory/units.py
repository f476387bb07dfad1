"""Quantities in other units than the product's own (rule G-13)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.db.models import prefetch_related_objects
from django.utils.translation import gettext as _

from kit.values.errors import Problem
from kit.values.money import ONE
from kit.values.quantities import round_quantity


def own_unit_problems(lines: Sequence[Any]) -> list[Problem]:
    """Why quantities cannot be kept in stock: half a box of three is one piece and a half.

    `lines` carry product, quantity and factor. At most one statement, none where units are loaded.
    """
    other = [(row, line) for row, line in enumerate(lines) if line.factor != ONE and line.product.stocked]
    prefetch_related_objects([line.product for _row, line in other], "unit")
    problems = []
    for row, line in other:
        unit, pieces = line.product.unit, round_quantity(line.quantity * line.factor)
        if round_quantity(pieces, unit.decimals) != pieces:
            message = _("This is %(quantity)s %(unit)s of %(product)s; %(unit)s has %(digits)s decimals.") % {
                "quantity": f"{pieces.normalize():f}",
                "unit": unit,
                "product": line.product.code,
                "digits": unit.decimals,
            }
            problems.append(Problem(message, "quantity", row))
    return problems
